/** A tiny network with an embedding, and pictures of bars and colours that it can tell apart. */

import type { Network } from "../../../src/layers/index.ts";
import { conv2d, network } from "../../../src/layers/index.ts";

/** Convolution, relu, mean over the picture: 12 features, from random numbers of a seed. */
export function features(seed = 3, filters = 12): Network<"embedding"> {
  return network({
    name: "features",
    inputShape: [12, 12, 3],
    layers: [
      { ...conv2d({ filters, kernel: 3, stride: 2 }), name: "conv" },
      { type: "activation", name: "relu", attributes: { function: "relu" } },
      { type: "globalAveragePool", name: "pool" },
    ],
    outputs: { embedding: "pool" },
    seed,
  });
}

const COLOURS = { red: [200, 40, 40], green: [40, 200, 40], blue: [40, 40, 200], grey: [128, 128, 128] } as const;
export type Colour = keyof typeof COLOURS;

/** Numbers of 0 to 1, counted from a seed. */
export function counted(seed: number): () => number {
  let state = (seed * 2654435761) % 2147483647 || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** A noisy picture of one colour. */
export function picture(colour: Colour, seed: number, side = 12) {
  const next = counted(seed + 1);
  const data = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < side * side; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = COLOURS[colour][c]! + 120 * (next() - 0.5);
    data[4 * i + 3] = 255;
  }
  return { width: side, height: side, data };
}

export function pictures(colour: Colour, count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => picture(colour, from + i * 7 + colour.length));
}
