/**
 * The geometries that every kernel with a window must get right: sizes below, at and above each edge of the tiles,
 * and those that once went wrong somewhere. One list for the property, differential and gradient tests.
 */

import type { Padding } from "../../src/core/window.ts";
import { TILES } from "../../src/kernels/wasm/tiles.ts";

export interface WindowCase {
  readonly batch: number;
  /** Height and width of the image. */
  readonly size: readonly [number, number];
  readonly channels: number;
  /** Output channels of a standard convolution. */
  readonly filters: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: Padding;
  /** Filters of a depthwise convolution for each channel. */
  readonly multiplier: number;
}

const BASE: WindowCase = {
  batch: 1,
  size: [6, 6],
  channels: 8,
  filters: 8,
  kernel: [3, 3],
  stride: [1, 1],
  dilation: [1, 1],
  padding: "same",
  multiplier: 1,
};
const of = (change: Partial<WindowCase>): WindowCase => ({ ...BASE, ...change });

/** Numbers around each edge: one less, the edge, one more. */
export function around(edges: readonly number[]): readonly number[] {
  const all = new Set(edges.flatMap((edge) => [edge - 1, edge, edge + 1]));
  return [...all].filter((number) => number > 0).sort((a, b) => a - b);
}

const tiles = Object.values(TILES);
/** Pixels side by side: tiles of the product and twice as many, and the depthwise tile of four or five outputs. */
export const WIDTHS = around([...tiles.flatMap(({ rows }) => [rows, 2 * rows]), 4, 8, 9]);
/** Channels: vectors of four, panels and twice as many, and what a lone pixel takes at once. */
export const CHANNELS = around([4, ...tiles.flatMap(({ columns }) => [columns, 2 * columns])]);
/** Filters: as channels, and what a lone pixel takes at once. */
export const FILTERS = around([...CHANNELS, ...tiles.map(({ columns, lone }) => columns * lone)]);

const PADDINGS: readonly Padding[] = [
  "same",
  "valid",
  [
    [0, 1],
    [0, 1],
  ],
  [
    [1, 0],
    [0, 2],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [3, 3],
    [3, 3],
  ],
  // Whole rows and columns of output that see nothing of the image.
  [
    [5, 4],
    [7, 6],
  ],
];

/** Whether anything comes out. */
export function fits({ size, kernel, dilation, padding }: Omit<WindowCase, "filters">): boolean {
  return ([0, 1] as const).every((axis) => {
    const pads =
      padding === "same" ? Number.POSITIVE_INFINITY : padding === "valid" ? 0 : padding[axis][0] + padding[axis][1];
    return size[axis] + pads >= (kernel[axis] - 1) * dilation[axis] + 1;
  });
}

const ALL: readonly WindowCase[] = [
  // The width of the output, at both strides that have tiles of their own, and one that has none.
  ...WIDTHS.flatMap((width) =>
    [1, 2, 3].flatMap((stride) =>
      [3, 5].map((kernel) => of({ size: [3, width * stride], kernel: [kernel, kernel], stride: [stride, stride] })),
    ),
  ),
  // Channels and filters.
  ...CHANNELS.map((channels) => of({ size: [3, 5], channels })),
  ...FILTERS.map((filters) => of({ size: [2, 4], filters, channels: 3 })),
  // Paddings, on odd and even sizes.
  ...PADDINGS.flatMap((padding) =>
    [1, 2].flatMap((stride) =>
      [3, 5].flatMap((kernel) =>
        (
          [
            [7, 6],
            [6, 7],
          ] as const
        ).map((size) => of({ size, padding, kernel: [kernel, kernel], stride: [stride, stride], channels: 5 })),
      ),
    ),
  ),
  // Kernels that are 1, even, long, and larger than the image.
  ...(
    [
      [1, 1],
      [2, 2],
      [4, 4],
      [1, 3],
      [3, 1],
      [7, 7],
      [1, 9],
    ] as const
  ).flatMap((kernel) =>
    (
      [
        [1, 1],
        [2, 2],
        [1, 2],
      ] as const
    ).map((stride) => of({ kernel, stride, size: [5, 6], channels: 6 })),
  ),
  // A window that steps over pixels, with a kernel smaller than the stride.
  ...(
    [
      [4, 4],
      [3, 5],
      [1, 7],
    ] as const
  ).map((stride) => of({ stride, kernel: [2, 2], size: [11, 13] })),
  ...(
    [
      [3, 3],
      [5, 4],
    ] as const
  ).map((stride) => of({ stride, kernel: [1, 1], size: [11, 13], padding: "valid" })),
  // Dilation, also where taps all fall outside.
  ...(
    [
      [2, 2],
      [1, 2],
      [2, 1],
      [3, 3],
      [7, 7],
    ] as const
  ).flatMap((dilation) =>
    PADDINGS.filter((padding) => padding !== "valid" && padding !== PADDINGS[2]).map((padding) =>
      of({ dilation, padding, size: [9, 8], channels: 4 }),
    ),
  ),
  of({ dilation: [2, 2], stride: [2, 2], size: [9, 10], channels: 9 }),
  // 1 × 1 images, a row, a column.
  ...(
    [
      [1, 1],
      [1, 9],
      [9, 1],
      [2, 2],
    ] as const
  ).flatMap((size) =>
    [1, 2].flatMap((stride) =>
      [3, 5].map((kernel) => of({ size, kernel: [kernel, kernel], stride: [stride, stride] })),
    ),
  ),
  // One channel, primes, and multipliers.
  ...[1, 2].map((stride) => of({ channels: 1, filters: 1, stride: [stride, stride], size: [7, 9] })),
  of({ size: [7, 11], channels: 13, filters: 17, kernel: [5, 5], stride: [2, 2] }),
  of({ size: [11, 7], channels: 17, filters: 13, batch: 3 }),
  of({ size: [5, 13], channels: 3, filters: 23, stride: [2, 2], batch: 2 }),
  ...[2, 3, 4, 8].map((multiplier) => of({ multiplier, channels: 5, size: [5, 4] })),
  ...[2, 3, 4].map((multiplier) => of({ multiplier, channels: 1, stride: [2, 2], batch: 2 })),
  // Batches: a window must not see the neighbour's rows.
  ...[2, 3].flatMap((batch) =>
    PADDINGS.slice(0, 2).map((padding) => of({ batch, padding, size: [4, 5], channels: 7 })),
  ),
];

export const WINDOWS: readonly WindowCase[] = ALL.filter(fits);
