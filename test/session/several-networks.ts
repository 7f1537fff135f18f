/**
 * Several networks in one page or process: one after the other, side by side and in turns, with other parameters in
 * between, closed and opened anew. Runs in Node and, bundled, in browsers; what it answers is compared in Node.
 */

import { mulberry32 } from "../../src/core/random.ts";
import type { CompileOptions, compile, loadModel, MobileNetV1Options, mobileNetV1, Network } from "../../src/index.ts";

export interface NetworkSpec {
  readonly name: string;
  /** Built from options, or loaded from the bytes of a file. */
  readonly from: MobileNetV1Options | { readonly file: string };
  /** A network of the same architecture, whose parameters replace these for a while. */
  readonly twin?: string;
}

export interface Variant {
  readonly simd: "plain" | "auto";
  readonly threads: 1 | 2;
}

export const VARIANTS: readonly Variant[] = (["auto", "plain"] as const).flatMap((simd) =>
  ([1, 2] as const).map((threads) => ({ simd, threads })),
);

export interface Answer {
  readonly moment: string;
  /** Whose parameters it ran. */
  readonly network: string;
  readonly threads: number;
  readonly logits: readonly number[];
}

export interface Place {
  readonly library: {
    readonly compile: typeof compile;
    readonly loadModel: typeof loadModel;
    readonly mobileNetV1: typeof mobileNetV1;
  };
  readonly worker: NonNullable<CompileOptions["worker"]>;
  /** The bytes of a file. */
  read(file: string): Promise<Uint8Array>;
}

/** The same picture of random numbers everywhere. */
export function pictureFor({ inputShape }: Network): Float32Array {
  const random = mulberry32(15);
  return Float32Array.from({ length: inputShape.reduce((product, side) => product * side, 1) }, () => 2 * random() - 1);
}

export async function make(
  { from }: NetworkSpec,
  { library, read }: Pick<Place, "library" | "read">,
): Promise<Network> {
  return "file" in from ? library.loadModel(await read(from.file)) : library.mobileNetV1(from);
}

export async function runSeveral(specs: readonly NetworkSpec[], variant: Variant, place: Place): Promise<Answer[]> {
  const { library, worker } = place;
  const answers: Answer[] = [];
  const models = new Map<string, Network>();
  const modelOf = (name: string): Network => {
    const model = models.get(name);
    if (model === undefined) throw new Error(`There is no network ${name}.`);
    return model;
  };
  const open = (name: string) => library.compile(modelOf(name), { ...variant, backend: "wasm", worker });
  type Open = Awaited<ReturnType<typeof open>>;
  const run = async (moment: string, name: string, session: Open, network = name) => {
    const { logits } = await session.run(pictureFor(modelOf(name)));
    answers.push({ moment, network, threads: session.threads, logits: [...(logits?.data ?? [])] });
  };

  for (const spec of specs) {
    models.set(spec.name, await make(spec, place));
    const session = await open(spec.name);
    await run("the first time", spec.name, session);
    session.close();
  }

  const sessions = new Map<string, Open>();
  for (const { name } of specs) sessions.set(name, await open(name));
  const all = (moment: string) => Promise.all([...sessions].map(([name, session]) => run(moment, name, session)));
  for (const [name, session] of sessions) await run("in turn", name, session);
  await all("at once");
  await all("at once again");

  for (const { name, twin } of specs) {
    const session = sessions.get(name);
    if (twin === undefined || session === undefined) continue;
    await session.replaceParameters(modelOf(twin).parameters);
    await run("after replaceParameters", name, session, twin);
    for (const [other, one] of sessions) if (other !== name) await run("after replaceParameters elsewhere", other, one);
    await session.replaceParameters(modelOf(name).parameters);
    await run("after replaceParameters back", name, session);
  }

  // Every second one ends while the others live, and is opened anew beside them.
  for (const [name, session] of [...sessions].filter((_, index) => index % 2 === 0)) {
    session.close();
    sessions.delete(name);
    await all("after another was closed");
  }
  for (const { name } of specs) if (!sessions.has(name)) sessions.set(name, await open(name));
  await all("opened anew");
  for (const session of sessions.values()) session.close();
  return answers;
}
