/** The networks that lie in the package, by name, wherever a command takes weights. */

const PRETRAINED: Readonly<Record<string, () => Promise<File>>> = {
  digits: async () => (await import("../pretrained/digits.ts")).digitsFile(),
  cifar10: async () => (await import("../pretrained/cifar10.ts")).cifar10File(),
};

export const PRETRAINED_NAMES: readonly string[] = Object.keys(PRETRAINED);

/** Whether weights are called so; a file of that name is `./digits`. */
export function isPretrained(name: string): boolean {
  return Object.hasOwn(PRETRAINED, name);
}

/** The file that such a network is stored in, which a command reads as it reads any other. */
export function pretrainedFile(name: string): Promise<File> {
  return (PRETRAINED[name] as () => Promise<File>)();
}
