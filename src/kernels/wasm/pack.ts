/**
 * Weights as the kernels read them. Batch norm is folded on the way: each kernel value times its channel's scale in
 * float64, rounded once; nothing of the size of the weights is allocated.
 *
 * Panels are packed by emitted code, since a JavaScript loop starts cold: 1.0-224 takes 12 to 20 ms of a fresh process.
 */

import { access, type ModuleBuilder, op, type Statement, storeLane } from "./assembler/index.ts";
import { add, floats, least, locals, loop, mul, put, type RegisterLanes, sub } from "./emit.ts";
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

/** Visits the floats of a kernel or a bias as they lie, each with the index of its number; -1 for one that is zero. */
type Slots = (visit: (slot: number, index: number) => void) => void;

/** How a kernel and a bias lie. Each can be put there by itself, and read back. */
export interface Packing {
  /** Output channels: the last axis of the kernel. */
  readonly channels: number;
  /** Of both. */
  readonly floats: number;
  readonly kernel: Slots;
  readonly bias: Slots;
  /** Of a kernel `[rows, channels]` in panels that are full: the emitted `pack` puts it there. */
  readonly panels?: { readonly rows: number; readonly columns: number };
}

/** Rows staged at once, if there are so many: more floats than this leave the second cache. */
const MOST_STAGED_FLOATS = 65_536;

function stagedRows(rows: number, channels: number): number {
  return Math.min(rows, Math.max(1, Math.floor(MOST_STAGED_FLOATS / channels)));
}

/** Bytes of staging: a scale for each channel, and rows of the kernel. */
export function stagingBytes({ channels, panels }: Packing): number {
  return panels === undefined ? 0 : channels * (8 + 4 * stagedRows(panels.rows, channels));
}

/** All parameters of a step. `at` is the address of their place. */
export function packAll(packing: Packing, packer: Packer, at: number, { kernel, scale, bias }: Weights): void {
  setKernel(packing, packer, at, kernel, scale);
  writeSlots(packing.bias, packer.memory, at, bias);
}

export function setKernel(
  { channels, kernel: slots, panels }: Packing,
  packer: Packer,
  at: number,
  kernel: Float32Array,
  scale?: Float64Array,
): void {
  const { memory, staging } = packer;
  if (panels === undefined) {
    writeSlots(slots, memory, at, kernel, scale);
    return;
  }
  const { rows, columns } = panels;
  const scales = new Float64Array(memory.buffer, staging, channels);
  if (scale === undefined) scales.fill(1);
  else scales.set(scale);
  const source = staging + 8 * channels;
  const most = stagedRows(rows, channels);
  for (let row = 0; row < rows; row += most) {
    const end = Math.min(row + most, rows);
    memory.set(kernel.subarray(row * channels, end * channels), source / 4);
    packer.pack(source, at + 4 * row * columns, staging, end - row, rows, channels);
  }
}

/** Numbers to their slots, each times the scale of its channel; without numbers it is zeros. */
export function writeSlots(
  slots: Slots,
  memory: Float32Array,
  at: number,
  numbers?: Float32Array,
  scale?: Float64Array,
): void {
  const start = at / 4;
  const channels = scale?.length ?? 1;
  slots((slot, index) => {
    memory[start + slot] = (numbers?.[index] ?? 0) * (scale?.[index % channels] ?? 1);
  });
}

/** So many numbers, from their slots. */
export function readSlots(slots: Slots, memory: Float32Array, at: number, count: number): Float32Array {
  const numbers = new Float32Array(count);
  const start = at / 4;
  slots((slot, index) => {
    // An array takes no note of an index below 0.
    numbers[index] = memory[start + slot] as number;
  });
  return numbers;
}

const NO_SLOTS: Slots = () => undefined;

/** Of what has no parameters. */
export const NO_WEIGHTS: Packing = { channels: 0, floats: 0, kernel: NO_SLOTS, bias: NO_SLOTS };

/**
 * Panels `[⌈channels / columns⌉][rows][columns]`, then a bias `[columns]` for each. A last panel that is not full begins
 * at channels − columns; where there are fewer channels than columns it is filled up with zeros.
 *
 * @param hasEmitted whether the emitted `pack` is one of such panels
 */
export function panelPacking(rows: number, channels: number, columns: number, hasEmitted: boolean): Packing {
  const count = Math.ceil(channels / columns);
  /** The slots of panels of so many rows. */
  const slotsOf =
    (height: number, start: number): Slots =>
    (visit) => {
      for (let panel = 0; panel < count; panel++) {
        const first = Math.max(0, Math.min(panel * columns, channels - columns));
        for (let row = 0; row < height; row++) {
          const slot = start + (panel * height + row) * columns;
          for (let j = 0; j < columns; j++) visit(slot + j, j < channels ? row * channels + first + j : -1);
        }
      }
    };
  const floats = count * columns * rows;
  return {
    channels,
    floats: floats + count * columns,
    kernel: slotsOf(rows, 0),
    bias: slotsOf(1, floats),
    ...(hasEmitted && channels >= columns ? { panels: { rows, columns } } : {}),
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

/** Groups of channels, `[⌈channels / group⌉][1 + taps][group]`: the bias, then the taps. The kernel is `[taps, channels]`. */
export function groupPacking(taps: number, channels: number, group: RegisterLanes): Packing {
  const all = Math.ceil(channels / group) * group;
  const slotsOf =
    (rows: number, below: number): Slots =>
    (visit) => {
      for (let c = 0; c < all; c++) {
        const lane = c % group;
        const first = (c - lane) * (1 + taps) + lane + group * below;
        for (let row = 0; row < rows; row++) visit(first + group * row, c < channels ? row * channels + c : -1);
      }
    };
  return { channels, floats: all * (1 + taps), kernel: slotsOf(taps, 1), bias: slotsOf(1, 0) };
}

/** A factor for each channel, then what is added: `[2][channels]`. */
export function factorPacking(channels: number): Packing {
  const slotsFrom =
    (start: number): Slots =>
    (visit) => {
      for (let c = 0; c < channels; c++) visit(start + c, c);
    };
  return { channels, floats: 2 * channels, kernel: slotsFrom(0), bias: slotsFrom(channels) };
}
