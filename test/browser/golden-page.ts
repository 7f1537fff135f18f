/** Runs in the browser, bundled by its test: golden networks on every variant of the wasm backend, and sessions. */

import { type CompileOptions, compile, type FloatTensor, type MobileNetV1Options, mobileNetV1 } from "depthwise";
import { mulberry32 } from "../../src/core/random.ts";

/** Numbers of a seed, as the golden models make them: shape, seed, least, most. */
type Recipe = readonly [shape: readonly number[], seed: number, low: number, high: number];

export interface GoldenNetwork {
  readonly options: MobileNetV1Options;
  readonly parameters: readonly (readonly [name: string, ...Recipe])[];
  readonly input: Recipe;
  readonly taps: readonly Expected[];
  readonly outputs: readonly Expected[];
}

/** Values of a tensor, at some places or at all. */
export interface Expected {
  readonly name: string;
  readonly at?: readonly number[];
  readonly values: readonly number[];
  readonly tolerance: number;
}

export interface VariantReport {
  readonly variant: string;
  readonly threads: number;
  readonly simd: string;
  /** Largest difference over its tolerance: from the golden values, and from the reference backend in this page. */
  readonly fromGolden: number;
  readonly fromReference: number;
  /** The same bits as the variant of one thread. */
  readonly sameBits: boolean;
}

export interface SessionsReport {
  readonly threads: number;
  readonly sameBits: boolean;
  readonly afterClose: string;
  /** How runs ended whose session was closed while they ran; each once. */
  readonly closedInTheMiddle: readonly string[];
}

declare global {
  interface Window {
    runGolden(golden: GoldenNetwork): Promise<readonly VariantReport[]>;
    openAndClose(times: number): Promise<SessionsReport>;
  }
}

const worker = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });

const VARIANTS = (["plain", "relaxed"] as const).flatMap((simd) => [1, 2, 4].map((threads) => ({ simd, threads })));

window.runGolden = async ({ options, parameters, input, taps, outputs }) => {
  const model = mobileNetV1(options);
  for (const [name, ...recipe] of parameters) model.parameters.set(name, made(recipe));
  const image = made(input);
  const expected = [...taps, ...outputs];
  const run = async (compileOptions: CompileOptions, tapped: readonly Expected[]) => {
    const names = tapped.map(({ name }) => name);
    const session = await compile(model, { ...compileOptions, batch: image.shape[0] ?? 1, taps: names });
    try {
      const { taps: tensors, ...rest } = await session.run(image);
      return { ...session.explain(), tensors: { ...rest, ...tensors } as Tensors };
    } finally {
      session.close();
    }
  };

  const reference = (await run({ backend: "reference" }, taps)).tensors;
  const fromReference = (found: Tensors, names: readonly Expected[]) =>
    Math.max(...names.map(({ name, tolerance }) => difference(found[name], reference[name]) / tolerance));
  const reports: VariantReport[] = [];
  const alone = new Map<string, { readonly tapped: Tensors; readonly joined: Tensors }>();
  for (const variant of VARIANTS) {
    const compiled = { backend: "wasm", ...variant, worker } as const;
    const { tensors: tapped } = await run(compiled, taps);
    // Without taps steps may join.
    const { tensors: joined, threads, simd } = await run(compiled, []);
    if (variant.threads === 1) alone.set(variant.simd, { tapped, joined });
    const one = alone.get(variant.simd);
    reports.push({
      variant: `${variant.simd}, ${variant.threads} threads`,
      threads,
      simd,
      fromGolden: Math.max(worst(tapped, expected), worst(joined, outputs)),
      fromReference: Math.max(fromReference(tapped, expected), fromReference(joined, outputs)),
      sameBits: one !== undefined && sameBits(tapped, one.tapped) && sameBits(joined, one.joined),
    });
  }
  return reports;
};

window.openAndClose = async (times) => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 10 });
  const image = made([[1, 64, 64, 3], 1, -1, 1]);
  const code = (error: unknown) => (error as { readonly code?: string }).code ?? String(error);
  const alone = (await (await compile(model, { backend: "wasm" })).run(image)).logits;
  let threads = 0;
  let same = true;
  let afterClose = "";
  for (let i = 0; i < times; i++) {
    const session = await compile(model, { backend: "wasm", threads: 2, worker });
    threads = session.threads;
    same &&= sameBits({ logits: (await session.run(image)).logits }, { logits: alone });
    session.close();
    afterClose = await session.run(image).then(() => "ran", code);
  }
  const ends = new Set<string>();
  for (let delayMs = 0; delayMs < 20; delayMs++) {
    const session = await compile(model, { backend: "wasm", threads: 3, worker });
    const runs = Array.from({ length: 40 }, () => session.run(image).then(() => "ran", code));
    await after(delayMs);
    session.close();
    for (const end of await Promise.race([Promise.all(runs), after(5000).then(() => ["hangs"])])) ends.add(end);
  }
  return { threads, sameBits: same, afterClose, closedInTheMiddle: [...ends].sort() };
};

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Tensors = Readonly<Record<string, FloatTensor>>;

function made([shape, seed, low, high]: Recipe): FloatTensor {
  const random = mulberry32(seed);
  const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
  for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * random();
  return { dtype: "float32", shape, data };
}

function worst(found: Tensors, expected: readonly Expected[]): number {
  return Math.max(
    ...expected.map(({ name, at, values, tolerance }) => {
      const data = found[name]?.data;
      const some = at === undefined ? data : Float32Array.from(at, (i) => data?.[i] ?? Number.NaN);
      return difference({ data: some }, { data: values }) / tolerance;
    }),
  );
}

interface Values {
  readonly data: ArrayLike<number> | undefined;
}

/** Largest difference; what is missing or NaN differs without bound. */
function difference(a: Values | undefined, b: Values | undefined): number {
  const [x, y] = [a?.data ?? [], b?.data ?? []];
  if (x.length !== y.length || x.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const one = Math.abs((x[i] ?? Number.NaN) - (y[i] ?? Number.NaN));
    if (!(one <= largest)) largest = Number.isNaN(one) ? Number.POSITIVE_INFINITY : one;
  }
  return largest;
}

function sameBits(a: Tensors, b: Tensors): boolean {
  return Object.entries(a).every(([name, { data }]) => {
    const other = new Int32Array(b[name]?.data.buffer ?? new ArrayBuffer(0));
    const bits = new Int32Array(data.buffer);
    return bits.length === other.length && bits.every((value, i) => value === other[i]);
  });
}
