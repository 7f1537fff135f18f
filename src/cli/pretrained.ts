/** The networks that lie in the package, by name, wherever a command takes weights. */

import type { Network } from "../layers/network.ts";
import { encodeModel } from "../weights/save-model.ts";

const PRETRAINED: Readonly<Record<string, () => Promise<Network>>> = {
  digits: async () => (await import("../pretrained/digits.ts")).digits(),
  cifar10: async () => (await import("../pretrained/cifar10.ts")).cifar10(),
};

/** Whether weights are called so; a file of that name is `./digits`. */
export function isPretrained(name: string): boolean {
  return Object.hasOwn(PRETRAINED, name);
}

/** Such a network as a file, so that a command reads it as it reads any other: kernels come out as they are stored. */
export async function pretrainedFile(name: string): Promise<File> {
  const bytes = encodeModel(await (PRETRAINED[name] as () => Promise<Network>)(), { dtype: "I8" });
  return new File([bytes], `${name}.safetensors`);
}
