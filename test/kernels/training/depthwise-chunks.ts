/**
 * Runs the emitted kernels of depthwise layers in training chunk by chunk, from memory or from rows in scratch.
 *
 * Whatever nobody has written is NaN, rows in scratch that no window reaches too. The memory ends where a region ends.
 * What a kernel may not write stays as it was.
 */

import { expect } from "vitest";
import type { ArgumentBlock, Kernel } from "../../../src/kernels/wasm/arguments.ts";
import { moduleBuilder } from "../../../src/kernels/wasm/assembler/index.ts";
import type { TiledSize } from "../../../src/kernels/wasm/depthwise-tile.ts";
import type { RegisterLanes } from "../../../src/kernels/wasm/emit.ts";
import { DEPTHWISE_FORWARD } from "../../../src/kernels/wasm/training/depthwise-forward.ts";
import { DEPTHWISE_INPUT_GRADIENT } from "../../../src/kernels/wasm/training/depthwise-input-gradient.ts";
import {
  depthwiseSumBytes,
  depthwiseTiles,
  depthwiseTraining,
  depthwiseZeroBytes,
} from "../../../src/kernels/wasm/training/depthwise-training.ts";
import { DEPTHWISE_WEIGHT_GRADIENT } from "../../../src/kernels/wasm/training/depthwise-weight-gradient.ts";
import { PACK_GROUPS } from "../../../src/kernels/wasm/training/pack-groups.ts";
import { windowWords } from "../../../src/kernels/wasm/window.ts";
import type { FusedActivation } from "../../../src/operations/activation-names.ts";
import {
  type Cutting,
  inputRowsOf,
  type Layer,
  outputRowsOf,
  perImageOf,
  type Share,
  sharesOf,
} from "./depthwise-shares.ts";

export interface Form {
  readonly relaxed: boolean;
  readonly lanes: RegisterLanes;
  /** Without tiles, even where there are some. */
  readonly general?: boolean;
}

export interface Sides {
  readonly x: "memory" | "scratch";
  readonly z: "memory" | "scratch";
}

/** Rows of a chunk in scratch. */
interface Staged {
  readonly first: number;
  readonly rows: readonly number[];
}

const modules = new Map<string, WebAssembly.Module>();
const places = new Map<number, { memory: WebAssembly.Memory; instances: Map<string, WebAssembly.Exports> }>();

function emitted(size: TiledSize | 0, { relaxed, lanes }: Form): [string, WebAssembly.Module] {
  const key = `${size} ${relaxed} ${lanes}`;
  let module = modules.get(key);
  if (module === undefined) {
    const builder = moduleBuilder({ shared: false });
    depthwiseTraining(builder, size, { relaxed, shared: false }, { lanes });
    module = new WebAssembly.Module(builder.bytes());
    modules.set(key, module);
  }
  return [key, module];
}

type Regions = Readonly<Record<string, number>>;

/** A memory with regions of so many bytes, 64 bytes of NaN between them, that ends where the one named `last` ends. */
function lay(sizes: Regions, last: string) {
  const order = [...Object.keys(sizes).filter((name) => name !== last), last];
  const from: Record<string, number> = {};
  let bytes = 64;
  for (const name of order) {
    from[name] = bytes;
    bytes += Math.ceil(sizes[name]! / 16) * 16 + 64;
  }
  const end = from[last]! + sizes[last]!;
  const pages = 2 ** Math.ceil(Math.log2(Math.max(1, end / 65_536)));
  const shift = pages * 65_536 - end;
  for (const name of order) from[name]! += shift;
  const place = places.get(pages) ?? {
    memory: new WebAssembly.Memory({ initial: pages, maximum: pages }),
    instances: new Map(),
  };
  places.set(pages, place);
  new Uint8Array(place.memory.buffer).fill(0xff);
  return { ...place, from };
}

function shuffle(count: number, seed: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  if (seed === 0) return order;
  return order.sort((a, b) => ((a * 7919 + seed * 31) % 101) - ((b * 7919 + seed * 31) % 101));
}

export interface Operands {
  readonly x?: Float32Array;
  readonly dz?: Float32Array;
  readonly kernel: Float32Array;
  readonly bias?: Float32Array;
}

interface Run {
  readonly layer: Layer;
  readonly cutting: Cutting;
  readonly form: Form;
  readonly sides: Sides;
  readonly operands: Operands;
  /** Which region ends the memory, as an index. */
  readonly last: number;
  readonly activation?: FusedActivation;
}

interface Kind<Name extends string> {
  readonly entry: string;
  readonly block: ArgumentBlock<Name>;
  readonly reads: readonly ("x" | "z")[];
  readonly output: string;
  readonly outputFloats: number;
  readonly scratchFloats?: number;
  /** Whether chunks of a group have an order. */
  readonly grouped: boolean;
}

/** Packed as the module packs it. */
export function packed({ layer, form, operands }: Run, flipped: boolean): Float32Array {
  const taps = layer.window.kernel[0] * layer.window.kernel[1];
  const channels = layer.channels * layer.multiplier;
  const groups = Math.ceil(channels / form.lanes);
  const bytes = 4 * groups * (1 + taps) * form.lanes;
  const { memory, instances, from } = lay(
    { block: 64, kernel: 4 * taps * channels, bias: 4 * channels, target: bytes },
    flipped ? "target" : "kernel",
  );
  const [key, module] = emitted(0, form);
  const exports = instances.get(key) ?? new WebAssembly.Instance(module, { env: { memory } }).exports;
  instances.set(key, exports);
  const floats = new Float32Array(memory.buffer);
  floats.set(operands.kernel, from["kernel"]! / 4);
  if (operands.bias !== undefined) floats.set(operands.bias, from["bias"]! / 4);
  PACK_GROUPS.of(() => ({
    source: from["kernel"]!,
    target: from["target"]!,
    taps,
    channels,
    bias: operands.bias === undefined || flipped ? 0 : from["bias"]!,
    flipped: flipped ? 1 : 0,
  })).write(new DataView(memory.buffer), from["block"]!, { inputs: [], output: 0, weights: 0, zeros: 0 });
  const pack = exports["packGroups"] as Kernel;
  const middle = Math.floor(groups / 2);
  pack(from["block"]!, middle, groups, 1, 0);
  pack(from["block"]!, 0, middle, 1, 0);
  const result = floats.slice(from["target"]! / 4, (from["target"]! + bytes) / 4);
  expect(floats.subarray((from["target"]! + bytes) / 4, (from["target"]! + bytes) / 4 + 8).every(Number.isNaN)).toBe(
    true,
  );
  return result;
}

function runKind<Name extends string>(run: Run, kind: Kind<Name>, flipped: boolean): Float32Array {
  const { layer, cutting, form, sides, operands, activation } = run;
  const { window, channels, multiplier } = layer;
  const outChannels = channels * multiplier;
  const xRow = window.input[1] * channels;
  const zRow = window.output[1] * outChannels;
  const shares = sharesOf(layer, cutting);
  const weights = packed(run, flipped);
  // Rows in scratch: what is needed lies from `before` in front of the share on.
  const staged = (side: "x" | "z", share: Share): Staged => {
    if (!kind.reads.includes(side) || sides[side] === "memory") return { first: 0, rows: [] };
    if (side === "x") return { first: share.firstRow, rows: inputRowsOf(layer, share) };
    const own = Array.from({ length: share.end - share.start }, (_, i) => share.start + i);
    return { first: share.start, rows: kind.grouped ? own : outputRowsOf(layer, share) };
  };
  const beforeOf = (side: "x" | "z") =>
    cutting.spare +
    Math.max(0, ...shares.map((share) => staged(side, share)).map(({ first, rows }) => first - (rows[0] ?? first)));
  const before = { x: beforeOf("x"), z: beforeOf("z") };
  const heightOf = (side: "x" | "z") =>
    Math.max(
      0,
      ...shares
        .map((share) => staged(side, share))
        .map(({ first, rows }) => (rows.at(-1) ?? -1) + 1 - first + before[side]),
    );
  const xFloats = heightOf("x") * xRow;
  const zFloats = heightOf("z") * zRow;
  const sumFloats = kind.scratchFloats ?? 0;
  // Sums lie in between, so that scratch ends with rows or with sums.
  const scratch = { x: 0, sums: 4 * xFloats, z: 4 * (xFloats + sumFloats) };
  const sizes: Record<string, number> = {
    block: 256,
    zeros: depthwiseZeroBytes(layer),
    weights: 4 * weights.length,
    scratch: Math.max(4, 4 * (xFloats + sumFloats + zFloats)),
    [kind.output]: 4 * kind.outputFloats,
  };
  const inMemory = kind.reads.filter((side) => sides[side] === "memory");
  const given = { x: operands.x!, z: operands.dz! };
  for (const side of inMemory) sizes[`given ${side}`] = given[side].byteLength;
  const names = Object.keys(sizes).filter((name) => name !== "block" && name !== "zeros");
  const { memory, instances, from } = lay(sizes, names[run.last % names.length]!);
  const [key, module] = emitted(form.general === true ? 0 : depthwiseTiles(layer, form.lanes), form);
  const exports = instances.get(key) ?? new WebAssembly.Instance(module, { env: { memory } }).exports;
  instances.set(key, exports);
  const floats = new Float32Array(memory.buffer);
  floats.fill(0, from["zeros"]! / 4, (from["zeros"]! + sizes["zeros"]!) / 4);
  floats.set(weights, from["weights"]! / 4);
  for (const side of inMemory) floats.set(given[side], from[`given ${side}`]! / 4);
  const values: Readonly<Record<string, number>> = {
    ...windowWords(window, channels, outChannels),
    x: from["given x"] ?? 0,
    w: from["weights"]!,
    bias: 0,
    y: from["y"] ?? 0,
    multiplier,
    zeros: from["zeros"]!,
    each: window.output[0],
    pixels: cutting.images * window.output[0],
    perImage: perImageOf(layer, cutting),
    chunk: cutting.images > 1 ? cutting.images * window.output[0] : cutting.rows,
    images: cutting.images,
    xOffset: scratch.x,
    xBefore: before.x,
    dz: from["given z"] ?? 0,
    zOffset: scratch.z,
    zBefore: before.z,
    dx: from["dx"] ?? 0,
    partials: from["partials"] ?? 0,
    per: cutting.per,
    sums: scratch.sums,
  };
  const chosen = Object.fromEntries(kind.block.names.map((name) => [name, values[name]!]));
  kind.block
    .of(() => chosen as never, activation)
    .write(new DataView(memory.buffer), from["block"]!, { inputs: [], output: 0, weights: 0, zeros: 0 });
  const call = exports[kind.entry] as Kernel;
  const kept = floats.slice();

  const groups = kind.grouped ? Math.ceil(shares.length / cutting.per) : shares.length;
  const size = kind.grouped ? cutting.per : 1;
  for (const group of shuffle(groups, cutting.shuffled)) {
    for (let chunk = group * size; chunk < Math.min((group + 1) * size, shares.length); chunk++) {
      const share = shares[chunk]!;
      floats.fill(Number.NaN, from["scratch"]! / 4, (from["scratch"]! + sizes["scratch"]!) / 4);
      for (const side of ["x", "z"] as const) {
        const { first, rows } = staged(side, share);
        const length = side === "x" ? xRow : zRow;
        const start = (from["scratch"]! + scratch[side]) / 4;
        for (const row of rows) {
          floats.set(
            given[side].subarray(row * length, (row + 1) * length),
            start + (row - first + before[side]) * length,
          );
        }
      }
      call(from["block"]!, chunk, chunk + 1, cutting.batch, from["scratch"]!);
    }
  }
  const result = floats.slice(from[kind.output]! / 4, from[kind.output]! / 4 + kind.outputFloats);
  for (const name of [kind.output, "scratch"]) {
    floats.fill(0, from[name]! / 4, (from[name]! + sizes[name]!) / 4);
    kept.fill(0, from[name]! / 4, (from[name]! + sizes[name]!) / 4);
  }
  expect(Buffer.compare(new Uint8Array(floats.buffer), new Uint8Array(kept.buffer)), "what is not its own").toBe(0);
  return result;
}

export function forward(run: Run): Float32Array {
  const { window, channels, multiplier } = run.layer;
  const outputFloats = run.cutting.room * window.output[0] * window.output[1] * channels * multiplier;
  const kind = {
    entry: "depthwiseForward",
    block: DEPTHWISE_FORWARD,
    reads: ["x"],
    output: "y",
    outputFloats,
    grouped: false,
  } as const;
  return runKind(run, kind, false);
}

export function inputGradient(run: Run): Float32Array {
  const { window, channels } = run.layer;
  const outputFloats = run.cutting.room * window.input[0] * window.input[1] * channels;
  const kind = {
    entry: "depthwiseInputGradient",
    block: DEPTHWISE_INPUT_GRADIENT,
    reads: ["z"],
    output: "dx",
    outputFloats,
    grouped: false,
  } as const;
  return runKind(run, kind, true);
}

/** Partials `[groups][taps][outChannels]`. */
export function weightGradient(run: Run): Float32Array {
  const { layer, cutting, form } = run;
  const taps = layer.window.kernel[0] * layer.window.kernel[1];
  const outChannels = layer.channels * layer.multiplier;
  const groups = Math.ceil(sharesOf(layer, cutting).length / cutting.per);
  const kind = {
    entry: "depthwiseWeightGradient",
    block: DEPTHWISE_WEIGHT_GRADIENT,
    reads: ["x", "z"],
    output: "partials",
    outputFloats: groups * taps * outChannels,
    scratchFloats: depthwiseSumBytes(layer, form.lanes) / 4,
    grouped: true,
  } as const;
  return runKind(run, kind, false);
}
