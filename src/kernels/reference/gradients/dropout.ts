/**
 * Dropout: which numbers become 0 is counted, not drawn, so that the backward pass and every backend drop the same ones.
 *
 *     u = mix(mix(seed ^ mix(draws ^ mix(layer ^ mix(high)))) ^ i · 0x9e3779b1)     dropped where u < rate · 2³²
 *
 * `mix` is the finalizer of MurmurHash3 (Appleby 2011). i counts elements through the batch; seed and high are the
 * low and the high word of the seed, and mix(0) is 0.
 */

import type { DropoutCall } from "../../../operations/training-call.ts";
import type { TrainingRunner } from "./runner.ts";

export function dropoutRunner({ elements, rate, layer }: DropoutCall): TrainingRunner {
  const most = Math.floor(rate * 2 ** 32);
  const factor = Math.fround(1 / (1 - rate));
  return (batch, { x, dy, random, y, dx }) => {
    const [from, to] = dy === undefined ? [x!, y!] : [dy, dx!];
    const [seed = 0, draws = 0, high = 0] = new Uint32Array(random!.buffer, random!.byteOffset, 3);
    const key = mix(seed ^ mix(draws ^ mix(layer ^ mix(high))));
    for (let i = 0; i < batch * elements; i++) {
      to[i] = mix(key ^ Math.imul(i, 0x9e3779b1)) >>> 0 < most ? 0 : from[i] * factor;
    }
  };
}

function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
