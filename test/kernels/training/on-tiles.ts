/**
 * Runs one kernel of training on a memory of its own, emitted for a tile of the product. All that nobody has written is
 * NaN, and the value named last ends where memory ends: a read or a write beyond shows, as a trap, a NaN or a changed byte.
 */

import fc from "fast-check";
import { expect } from "vitest";
import type { ArgumentBlock, Kernel } from "../../../src/kernels/wasm/arguments.ts";
import { access, float, int, moduleBuilder, op } from "../../../src/kernels/wasm/assembler/index.ts";
import { type Features, probeFeatures, TILES } from "../../../src/kernels/wasm/index.ts";
import type { Emitter } from "../../../src/kernels/wasm/modules.ts";
import type { Tile } from "../../../src/kernels/wasm/tiles.ts";

export interface TileVariant {
  readonly name: string;
  readonly features: Features;
  readonly tile: Tile;
}

const ALL_TILES: Readonly<Record<string, Tile>> = { ...TILES, slim: TILES.wide.slim };

/** Every tile on every feature set that this engine can run. */
export const TILE_VARIANTS: readonly TileVariant[] = [false, ...(probeFeatures().relaxed ? [true] : [])].flatMap(
  (relaxed) =>
    Object.entries(ALL_TILES).map(([key, tile]) => ({
      name: `${relaxed ? "relaxed" : "plain"} SIMD, ${key} tile`,
      features: { relaxed, shared: false },
      tile,
    })),
);

const PAGE = 65_536;
const GAP = 64;
const modules = new Map<string, WebAssembly.Module>();

function compiled(variant: TileVariant, key: string, emit: Emitter): WebAssembly.Module {
  const name = `${key} ${variant.name}`;
  let module = modules.get(name);
  if (module === undefined) {
    const builder = moduleBuilder({ shared: false });
    emit(builder, variant.features, variant.tile);
    module = new WebAssembly.Module(builder.bytes());
    modules.set(name, module);
  }
  return module;
}

type Values = Readonly<Record<string, Float32Array>>;

export interface TileRun<Name extends string> {
  readonly entry: string;
  readonly emit: Emitter;
  readonly block: ArgumentBlock<Name>;
  /** What the values hold before; one named "scratch" is the thread's own memory. */
  readonly values: Values;
  /** A word: a number, or the name of a value for its address. */
  readonly words: Readonly<Record<Name, number | string>> & { readonly low?: number; readonly high?: number };
  /** Words that are addresses within a value. */
  readonly offsets?: Readonly<Record<string, { readonly of: string; readonly bytes: number }>>;
  readonly writes: readonly string[];
  /** Ranges, in the order in which they run. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  readonly batch: number;
  readonly last: string;
  /** Fills scratch before a call. */
  readonly prepare?: (from: number, values: Values) => void;
  /** Looks at the values after a call. */
  readonly after?: (from: number, values: Values) => void;
}

/** All values as they are afterwards. */
export function runOnTile<Name extends string>(
  variant: TileVariant,
  { entry, emit, block, values, words, offsets = {}, writes, ranges, batch, last, prepare, after }: TileRun<Name>,
): Values {
  const names = Object.keys(values).sort((a, b) => Number(a === last) - Number(b === last));
  const blockAt = GAP;
  const start = Math.ceil((blockAt + 8 + 4 * block.names.length + GAP) / 16) * 16;
  const room = (name: string) => Math.ceil((4 * values[name]!.length) / 16) * 16 + GAP;
  const pages = Math.ceil(names.reduce((sum, name) => sum + room(name), start) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const bytes = new Uint8Array(memory.buffer).fill(0xff);
  const live: Record<string, Float32Array> = {};
  let at = start;
  for (const name of names) {
    const { length } = values[name]!;
    live[name] = new Float32Array(memory.buffer, name === last ? pages * PAGE - 4 * length : at, length);
    live[name]!.set(values[name]!);
    at += room(name);
  }
  const view = new DataView(memory.buffer);
  view.setFloat32(blockAt, words.low ?? Number.NEGATIVE_INFINITY, true);
  view.setFloat32(blockAt + 4, words.high ?? Number.POSITIVE_INFINITY, true);
  for (const [index, name] of block.names.entries()) {
    const word: number | string | undefined = words[name];
    expect(word, name).not.toBe(undefined);
    const { of, bytes: within } = offsets[name] ?? { of: word, bytes: 0 };
    view.setInt32(blockAt + 8 + 4 * index, typeof of === "string" ? live[of]!.byteOffset + within : of!, true);
  }
  const instance = new WebAssembly.Instance(compiled(variant, entry, emit), { env: { memory } });
  const kernel = instance.exports[entry] as Kernel;
  for (const [from, to] of ranges) {
    prepare?.(from, live);
    const before = bytes.slice();
    kernel(blockAt, from, to, batch, live["scratch"]?.byteOffset ?? 0);
    for (const name of writes) {
      const { byteOffset, byteLength } = live[name]!;
      before.set(bytes.subarray(byteOffset, byteOffset + byteLength), byteOffset);
    }
    expect(Buffer.compare(before, bytes), `${entry} wrote elsewhere than to ${writes}`).toBe(0);
    after?.(from, live);
  }
  return Object.fromEntries(names.map((name) => [name, live[name]!.slice()]));
}

/** A batch in chunks. */
export interface Chunking {
  readonly each: number;
  readonly pixels: number;
  readonly perImage: number;
  readonly chunk: number;
  /** Examples laid out for, and those of the run. */
  readonly most: number;
  readonly batch: number;
}

export const wordsOf = ({ each, pixels, perImage, chunk }: Chunking) => ({ each, pixels, perImage, chunk });

/** Chunks that are laid out. */
export const chunksOf = ({ each, pixels, perImage, most }: Chunking) => Math.ceil((most * each) / pixels) * perImage;

/** Pixels of a chunk, as far as the batch goes. */
export function pixelsOf({ each, pixels, perImage, chunk, batch }: Chunking, index: number) {
  const imageStart = Math.floor(index / perImage) * pixels;
  const imageEnd = Math.min(imageStart + pixels, batch * each);
  const start = Math.min(imageStart + (index % perImage) * chunk, imageEnd);
  const isLast = index % perImage === perImage - 1;
  return { start, end: isLast ? Math.max(imageEnd, start) : Math.min(start + chunk, imageEnd) };
}

/** Images cut into chunks, some with a longer last one, and several images in a chunk. */
export const chunkings = (mostPixels: number): fc.Arbitrary<Chunking> =>
  fc
    .record({
      each: fc.integer({ min: 1, max: mostPixels }),
      cut: fc.integer({ min: 1, max: mostPixels }),
      together: fc.integer({ min: 1, max: 3 }),
      isLongLast: fc.boolean(),
      most: fc.integer({ min: 1, max: 4 }),
      missing: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ each, cut, together, isLongLast, most, missing }) => {
      const batch = Math.max(1, most - missing);
      if (together > 1) return { each, pixels: together * each, perImage: 1, chunk: together * each, most, batch };
      const chunk = Math.min(cut, each);
      const perImage = isLongLast ? Math.max(1, Math.floor(each / chunk)) : Math.ceil(each / chunk);
      return { each, pixels: each, perImage, chunk, most, batch };
    });

export const NAN = Number.NaN;
export const nans = (count: number): Float32Array => new Float32Array(count).fill(NAN);

/**
 * Numbers of 15 bits between −1 and 1: float64 adds their products exactly, so that it tells what float32 rounds to,
 * once or twice a multiply-add, and both do round.
 */
export function numbersOf(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 17) - 16384) / 16384;
  });
}

/** One multiply-add in float32: with one rounding or with two. */
export type MultiplyAdd = (x: number, w: number, sum: number) => number;
const roundsOnce: MultiplyAdd = (x, w, sum) => Math.fround(x * w + sum);
const roundsTwice: MultiplyAdd = (x, w, sum) => Math.fround(Math.fround(x * w) + sum);

let fused: boolean | undefined;

/** How this engine rounds: with relaxed SIMD once if the processor can. */
export function multiplyAddOf({ features }: TileVariant): MultiplyAdd {
  if (!features.relaxed) return roundsTwice;
  fused ??= probeFused();
  return fused ? roundsOnce : roundsTwice;
}

function probeFused(): boolean {
  // (1 + ε)² − (1 + 2ε) is ε² if the product is not rounded, and 0 if it is.
  const builder = moduleBuilder({ shared: false });
  const spread = (value: number) => op("f32x4.splat", float(value));
  const epsilon = 2 ** -23;
  const x = spread(1 + epsilon);
  const sum = op("f32x4.relaxed_madd", x, x, spread(-1 - 2 * epsilon));
  builder.func("probe", {}, () => [access("v128.store", 0, int(0), sum)], { export: true });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(builder.bytes()), { env: { memory } });
  (instance.exports["probe"] as () => void)();
  return new Float32Array(memory.buffer)[0] !== 0;
}

/** A message where two arrays differ, but for what is to be NaN. */
export function differs(actual: Float32Array, expected: Float32Array): string | undefined {
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i]))
      return `at ${i} of ${expected.length}: ${actual[i]}, expected ${expected[i]}`;
  }
  return actual.length === expected.length ? undefined : `${actual.length} numbers, expected ${expected.length}`;
}

/** 0 … count − 1 in an order that a seed decides. */
export function inAnyOrder(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = (Math.imul(seed, 2654435761) + Math.imul(i, 40503)) >>> 0;
    [order[i], order[j % (i + 1)]] = [order[j % (i + 1)]!, order[i]!];
  }
  return order;
}
