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

/** Memory to pack into, and a stretch of it that serves nothing else. Addresses in bytes. */
export interface Packer {
  readonly memory: Float32Array;
  readonly staging: number;
  /** The emitted `pack`. */
  readonly pack: ExportsOf<typeof packing>["pack"];
}

/** How the parameters of a step lie: each can be put there by itself, and read back. `at` is their address. */
export interface Packing {
  /** Floats of all. */
  readonly floats: number;
  /** Bytes that it stages. */
  readonly stagingBytes: number;
  setKernel(packer: Packer, at: number, kernel: Float32Array, scale?: Float64Array): void;
  /** Without one it is zeros. */
  setBias(packer: Packer, at: number, bias?: Float32Array): void;
  /** As `setKernel` was given it, each value with its scale. */
  kernel(memory: Float32Array, at: number): Float32Array;
  bias(memory: Float32Array, at: number): Float32Array;
}

/** All parameters of a step. */
export function packAll(packing: Packing, packer: Packer, at: number, { kernel, scale, bias }: Weights): void {
  packing.setKernel(packer, at, kernel, scale);
  packing.setBias(packer, at, bias);
}

/** Of what has no parameters. */
export const NO_WEIGHTS: Packing = {
  floats: 0,
  stagingBytes: 0,
  setKernel: () => undefined,
  setBias: () => undefined,
  kernel: () => new Float32Array(),
  bias: () => new Float32Array(),
};

/** Rows of k staged at once, if there are so many: more than this leave the second cache. */
const MOST_STAGED_FLOATS = 65_536;

/**
 * Panels `[⌈N / columns⌉][K][columns]`, then a bias `[columns]` for each. A last panel that is not full begins at
 * N − columns; where N < columns it is filled up with zeros. The kernel is `[K, N]`.
 */
export function panelPacking(K: number, N: number, columns: number): Packing {
  const count = Math.ceil(N / columns);
  const width = Math.min(N, columns);
  const rows = Math.min(K, Math.max(1, Math.floor(MOST_STAGED_FLOATS / N)));
  const isNarrow = N < columns;
  const channelOf = (panel: number) => Math.max(0, Math.min(panel * columns, N - columns));
  /** Index of a panel's row, K for its bias. */
  const rowOf = (at: number, panel: number, k: number) =>
    at / 4 + (k < K ? (panel * K + k) * columns : (count * K + panel) * columns);
  return {
    floats: count * columns * (K + 1),
    stagingBytes: isNarrow ? 0 : 8 * N + 4 * N * rows,
    setKernel({ memory, staging, pack }, at, kernel, scale) {
      if (isNarrow) {
        memory.fill(0, rowOf(at, 0, 0), rowOf(at, 0, K));
        for (const [index, value] of kernel.entries()) {
          const channel = index % N;
          memory[rowOf(at, 0, (index - channel) / N) + channel] = value * (scale?.[channel] ?? 1);
        }
        return;
      }
      const scales = new Float64Array(memory.buffer, staging, N);
      if (scale === undefined) scales.fill(1);
      else scales.set(scale);
      const source = staging + 8 * N;
      for (let k = 0; k < K; k += rows) {
        const end = Math.min(k + rows, K);
        memory.set(kernel.subarray(k * N, end * N), source / 4);
        pack(source, at + 4 * k * columns, staging, end - k, K, N);
      }
    },
    setBias({ memory }, at, bias) {
      for (let panel = 0; panel < count; panel++) {
        const to = rowOf(at, panel, K);
        const first = channelOf(panel);
        for (let j = 0; j < columns; j++) memory[to + j] = j < width ? (bias?.[first + j] ?? 0) : 0;
      }
    },
    kernel(memory, at) {
      const kernel = new Float32Array(K * N);
      for (let panel = 0; panel < count; panel++) {
        for (let k = 0; k < K; k++) {
          const from = rowOf(at, panel, k);
          kernel.set(memory.subarray(from, from + width), k * N + channelOf(panel));
        }
      }
      return kernel;
    },
    bias(memory, at) {
      const bias = new Float32Array(N);
      for (let panel = 0; panel < count; panel++) {
        const from = rowOf(at, panel, K);
        bias.set(memory.subarray(from, from + width), channelOf(panel));
      }
      return bias;
    },
  };
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

/** Groups of four channels, `[⌈channels / 4⌉][1 + taps][4]`: the bias, then the taps. The kernel is `[taps, channels]`. */
export function groupPacking(taps: number, channels: number): Packing {
  const floats = Math.ceil(channels / 4) * 4 * (1 + taps);
  /** Index of a channel's bias; its taps follow, each 4 further. */
  const first = (at: number, c: number) => at / 4 + (c >> 2) * 4 * (1 + taps) + (c & 3);
  return {
    floats,
    stagingBytes: 0,
    setKernel({ memory }, at, kernel, scale) {
      // Channels that fill the last group up are zeros.
      for (let c = channels; c % 4 !== 0; c++)
        for (let tap = 0; tap < taps; tap++) memory[first(at, c) + 4 * (1 + tap)] = 0;
      for (let c = 0; c < channels; c++) {
        const to = first(at, c);
        for (let tap = 0; tap < taps; tap++)
          memory[to + 4 * (1 + tap)] = (kernel[tap * channels + c] as number) * (scale?.[c] ?? 1);
      }
    },
    setBias({ memory }, at, bias) {
      for (let c = 0; c < channels || c % 4 !== 0; c++) memory[first(at, c)] = bias?.[c] ?? 0;
    },
    kernel(memory, at) {
      const kernel = new Float32Array(taps * channels);
      for (let c = 0; c < channels; c++)
        for (let tap = 0; tap < taps; tap++)
          kernel[tap * channels + c] = memory[first(at, c) + 4 * (1 + tap)] as number;
      return kernel;
    },
    bias: (memory, at) => Float32Array.from({ length: channels }, (_, c) => memory[first(at, c)] as number),
  };
}

/** A factor for each channel, then what is added: `[2][channels]`. */
export function factorPacking(channels: number): Packing {
  return {
    floats: 2 * channels,
    stagingBytes: 0,
    setKernel: ({ memory }, at, kernel) => memory.set(kernel, at / 4),
    setBias: ({ memory }, at, bias) => memory.set(bias ?? new Float32Array(channels), at / 4 + channels),
    kernel: (memory, at) => memory.slice(at / 4, at / 4 + channels),
    bias: (memory, at) => memory.slice(at / 4 + channels, at / 4 + 2 * channels),
  };
}
