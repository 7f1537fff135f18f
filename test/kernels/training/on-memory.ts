/**
 * Runs one kernel of training on a memory of its own. Every value has a gap behind it, one of them ends where memory
 * ends, and all that nobody has written is NaN: so a read or a write beyond shows, as a trap, a NaN or a changed byte.
 */

import fc from "fast-check";
import { expect } from "vitest";
import type { ArgumentBlock, Kernel } from "../../../src/kernels/wasm/arguments.ts";
import { moduleBuilder } from "../../../src/kernels/wasm/assembler/index.ts";
import { type Features, probeFeatures, TILES, type TileName } from "../../../src/kernels/wasm/index.ts";
import type { Emitter } from "../../../src/kernels/wasm/modules.ts";

export interface KernelVariant {
  readonly name: string;
  readonly features: Features;
  readonly tiles: TileName;
}

/** What this engine can run. Kernels for wide registers run anywhere, though V8 join nothing. */
export const VARIANTS: readonly KernelVariant[] = [false, ...(probeFeatures().relaxed ? [true] : [])].flatMap(
  (relaxed) =>
    ([relaxed ? "relaxed" : "plain", "wide"] as const).map((tiles) => ({
      name: `${relaxed ? "relaxed" : "plain"} SIMD, ${tiles} tiles`,
      features: { relaxed, shared: false },
      tiles,
    })),
);

const PAGE = 65_536;
const GAP = 64;
const modules = new Map<string, WebAssembly.Module>();

function compiled(name: string, emit: Emitter, { name: variant, features, tiles }: KernelVariant): WebAssembly.Module {
  const key = `${name} ${variant}`;
  let module = modules.get(key);
  if (module === undefined) {
    const builder = moduleBuilder({ shared: false });
    emit(builder, features, TILES[tiles]);
    module = new WebAssembly.Module(builder.bytes());
    modules.set(key, module);
  }
  return module;
}

/** A value: what it holds before, or how many floats of NaN. */
export type Value = Float32Array | Int32Array | number;

export interface KernelRun<Name extends string> {
  readonly entry: string;
  readonly emit: Emitter;
  readonly block: ArgumentBlock<Name>;
  readonly values: Readonly<Record<string, Value>>;
  /** A word: a number, or the name of a value for its address. The bounds are float32. */
  readonly words: Readonly<Record<Name, number | string>> & { readonly low?: number; readonly high?: number };
  /** Which values the kernel may write. */
  readonly writes: readonly string[];
  /** Units, in the order in which they run, one a call. */
  readonly units: readonly number[];
  readonly batch: number;
  /** The value at the end of memory. */
  readonly last?: string;
  /** Looks at the values after each call. */
  readonly after?: (unit: number, values: Readonly<Record<string, Float32Array>>) => void;
}

/** All values as they are afterwards. */
export function runKernel<Name extends string>(
  variant: KernelVariant,
  { entry, emit, block, values, words, writes, units, batch, last, after }: KernelRun<Name>,
): Readonly<Record<string, Float32Array>> {
  const names = Object.keys(values).sort((a, b) => Number(a === last) - Number(b === last));
  const bytesOf = (value: Value) => 4 * (typeof value === "number" ? value : value.length);
  const blockAt = GAP;
  let at = blockAt + 8 + 4 * block.names.length + GAP;
  at = Math.ceil(at / 16) * 16;
  const total = names.reduce((sum, name) => sum + Math.ceil(bytesOf(values[name]!) / 16) * 16 + GAP, at);
  const pages = Math.ceil(total / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = new Uint8Array(memory.buffer).fill(0xff);
  const places = new Map<string, number>();
  for (const name of names) {
    const size = bytesOf(values[name]!);
    const address = name === names.at(-1) ? pages * PAGE - size : at;
    places.set(name, address);
    at += Math.ceil(size / 16) * 16 + GAP;
    const value = values[name]!;
    if (typeof value !== "number") bytes.set(new Uint8Array(value.buffer, value.byteOffset, size), address);
  }
  const view = new DataView(memory.buffer);
  view.setFloat32(blockAt, words.low ?? Number.NEGATIVE_INFINITY, true);
  view.setFloat32(blockAt + 4, words.high ?? Number.POSITIVE_INFINITY, true);
  for (const [index, name] of block.names.entries()) {
    const word = words[name];
    expect(word, name).not.toBe(undefined);
    view.setInt32(blockAt + 8 + 4 * index, typeof word === "number" ? word : places.get(word)!, true);
  }
  const before = bytes.slice();
  const read = () =>
    Object.fromEntries(
      names.map((name) => [
        name,
        new Float32Array(memory.buffer.slice(places.get(name)!, places.get(name)! + bytesOf(values[name]!))),
      ]),
    );
  const instance = new WebAssembly.Instance(compiled(entry, emit, variant), { env: { memory } });
  const kernel = instance.exports[entry] as Kernel;
  const scratch = places.get("scratch") ?? 0;
  for (const unit of units) {
    kernel(blockAt, unit, unit + 1, batch, scratch);
    after?.(unit, read());
  }
  const result = read();
  for (const name of writes)
    before.set(bytes.subarray(places.get(name)!, places.get(name)! + bytesOf(values[name]!)), places.get(name)!);
  expect(Buffer.compare(before, bytes), `${entry} wrote elsewhere than to ${writes}`).toBe(0);
  return result;
}

/** The bits of a float32, as a word. */
export function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0]!;
}

/** How a batch is cut into chunks. */
export interface Geometry {
  readonly each: number;
  readonly pixels: number;
  readonly perImage: number;
  readonly chunk: number;
  /** Examples laid out for, and those of the run. */
  readonly most: number;
  readonly batch: number;
}

export const chunkWords = ({ each, pixels, perImage, chunk }: Geometry) => ({ each, pixels, perImage, chunk });

/** Chunks that are laid out. */
export const chunkCount = ({ each, pixels, perImage, most }: Geometry) => Math.ceil((most * each) / pixels) * perImage;

/** Pixels from and to, and the image that the chunk belongs to, as far as the batch goes. */
export function rangeOf({ each, pixels, perImage, chunk, batch }: Geometry, index: number) {
  const image = Math.floor(index / perImage);
  const imageStart = image * pixels;
  const imageEnd = Math.min(imageStart + pixels, batch * each);
  const within = index % perImage;
  const start = Math.min(imageStart + within * chunk, imageEnd);
  const end = within === perImage - 1 ? Math.max(imageEnd, start) : Math.min(start + chunk, imageEnd);
  return { imageStart, imageEnd, start, end };
}

/** Images cut into chunks, with a shorter, a longer or an empty last one, and several images in a chunk. */
export const geometries = (mostPixels = 40): fc.Arbitrary<Geometry> =>
  fc
    .record({
      each: fc.integer({ min: 1, max: mostPixels }),
      cut: fc.integer({ min: 1, max: mostPixels }),
      together: fc.integer({ min: 1, max: 3 }),
      end: fc.constantFrom("short", "long", "empty"),
      most: fc.integer({ min: 1, max: 4 }),
      missing: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ each, cut, together, end, most, missing }) => {
      const batch = Math.max(1, most - missing);
      if (together > 1) return { each, pixels: together * each, perImage: 1, chunk: together * each, most, batch };
      const chunk = Math.min(cut, each);
      const perImage =
        end === "long" ? Math.max(1, Math.floor(each / chunk)) : Math.ceil(each / chunk) + Number(end === "empty");
      return { each, pixels: each, perImage, chunk, most, batch };
    });

/** The numbers 0 … count − 1 in an order that a seed decides. */
export function shuffled(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = ((seed * 2654435761 + i * 40503) >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Like an `expect`, which is slow for each of a million numbers. */
export function expectNear(actual: number, expected: number, bound: number): void {
  if (!(Math.abs(actual - expected) <= bound)) expect.fail(`${actual}, expected ${expected}, at most ${bound} away`);
}
