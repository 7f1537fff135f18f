/**
 * Weights as the kernels read them. Batch norm is folded on the way: each kernel value times its channel's scale in
 * float64, rounded once; nothing of the size of the weights is allocated.
 *
 * Panels are packed by emitted code, since a JavaScript loop starts cold: 1.0-224 takes 12 to 20 ms of a fresh process.
 */

import { access, type ModuleBuilder, op, type Statement, storeLane } from "./assembler/index.ts";
import { add, floats, least, locals, loop, mul, put, sub } from "./emit.ts";
import { type ExportsOf, exported } from "./exports.ts";
import type { Tile } from "./tiles.ts";

/** A step's parameters: a kernel whose last axes run over the output channels, a scale for each, a bias. */
export interface Weights {
  readonly kernel: Float32Array;
  readonly scale?: Float64Array | undefined;
  readonly bias?: Float32Array | undefined;
}

/** Memory to pack into, and a stretch of it that is free meanwhile. Addresses in bytes. */
export interface Packer {
  readonly memory: Float32Array;
  readonly staging: number;
  readonly stagingBytes: number;
  /** The emitted `pack`. */
  readonly pack: ExportsOf<typeof packing>["pack"];
}

/** Rows of k staged at once, if they fit: more than this leave the second cache. */
const MOST_STAGED_FLOATS = 65_536;

/** Bytes of staging without which a kernel of N channels cannot be packed: scales and one row. */
export const stagingBytes = (N: number): number => 12 * N;

/**
 * Panels `[⌈N / columns⌉][K][columns]`, then a bias `[columns]` for each. A last panel that is not full begins at
 * N − columns; where N < columns it is filled up with zeros.
 *
 * @param kernel `[K, N]`
 */
export function packPanels(packer: Packer, at: number, weights: Weights, N: number, columns: number): void {
  const { kernel, scale, bias } = weights;
  const { memory, staging } = packer;
  const K = kernel.length / N;
  const panels = Math.ceil(N / columns);
  const start = at / 4;
  const width = Math.min(N, columns);
  if (N < columns) {
    memory.fill(0, start, start + panelFloats(K, N, columns));
    for (const [index, value] of kernel.entries()) {
      const channel = index % N;
      memory[start + ((index - channel) / N) * columns + channel] = value * (scale?.[channel] ?? 1);
    }
  } else {
    const scales = new Float64Array(memory.buffer, staging, N);
    if (scale === undefined) scales.fill(1);
    else scales.set(scale);
    const source = staging + 8 * N;
    const most = Math.min(MOST_STAGED_FLOATS, (packer.stagingBytes - 8 * N) / 4);
    const rows = Math.max(1, Math.floor(most / N));
    for (let k = 0; k < K; k += rows) {
      const end = Math.min(k + rows, K);
      memory.set(kernel.subarray(k * N, end * N), source / 4);
      packer.pack(source, at + 4 * k * columns, staging, end - k, K, N);
    }
  }
  for (let panel = 0; panel < panels; panel++) {
    const first = Math.max(0, Math.min(panel * columns, N - columns));
    const to = start + panels * K * columns + panel * columns;
    for (let j = 0; j < width; j++) memory[to + j] = bias?.[first + j] ?? 0;
  }
}

/** Floats that `packPanels` fills. */
export function panelFloats(K: number, N: number, columns: number): number {
  return Math.ceil(N / columns) * columns * (K + 1);
}

/** Emits `pack(source, target, scales, rows, K, N)`: rows of k to their places in the panels that begin at target. */
export function packing(module: ModuleBuilder, { columns }: Tile) {
  return exported(module, "pack", ["source", "target", "scales", "rows", "K", "N"], (p, local) => {
    const v = locals(local, "i32", "panel", "row", "from", "to", "scale");
    const pair = (j: number): Statement =>
      storeLane(
        "v128.store64_lane",
        4 * j,
        v.to,
        op(
          "f32x4.demote_f64x2_zero",
          op(
            "f64x2.mul",
            op("f64x2.promote_low_f32x4", access("v128.load64_zero", 4 * j, v.from)),
            access("v128.load", 8 * j, v.scale),
          ),
        ),
      );
    return [
      put(v.panel, 0),
      loop(v.panel, p.N, columns, [
        put(v.from, least(v.panel, sub(p.N, columns))),
        put(v.scale, add(p.scales, mul(v.from, 8))),
        put(v.from, add(p.source, floats(v.from))),
        put(v.to, add(p.target, floats(mul(v.panel, p.K)))),
        put(v.row, 0),
        loop(v.row, p.rows, 1, [
          ...Array.from({ length: columns / 2 }, (_, index) => pair(2 * index)),
          put(v.from, add(v.from, floats(p.N))),
          put(v.to, add(v.to, 4 * columns)),
        ]),
      ]),
    ];
  });
}

/**
 * Groups of four channels, `[⌈channels / 4⌉][1 + taps][4]`: the bias, then the taps.
 *
 * @param kernel `[taps, channels]`
 */
export function packGroups(packer: Packer, at: number, { kernel, scale, bias }: Weights, channels: number): void {
  const taps = kernel.length / channels;
  const target = zeroed(packer.memory, at, groupFloats(taps, channels));
  for (let c = 0; c < channels; c++) {
    const first = (c >> 2) * 4 * (1 + taps) + (c & 3);
    target[first] = bias?.[c] ?? 0;
    for (let tap = 0; tap < taps; tap++) {
      target[first + 4 * (1 + tap)] = (kernel[tap * channels + c] as number) * (scale?.[c] ?? 1);
    }
  }
}

/**
 * So many zeros at an address, to write to. Not `memory.subarray(from, to).fill(0)`: in Firefox's optimized code (153 ESR,
 * from the 16th call on) the value of that is `memory` itself, over plain, wasm and shared memory alike. The right floats
 * are filled, and what is written next lands at address 0. A `fill` whose value nobody uses is right.
 */
function zeroed(memory: Float32Array, at: number, length: number): Float32Array {
  const floats = new Float32Array(memory.buffer, at, length);
  floats.fill(0);
  return floats;
}

/** Floats that `packGroups` fills. */
export function groupFloats(taps: number, channels: number): number {
  return Math.ceil(channels / 4) * 4 * (1 + taps);
}
