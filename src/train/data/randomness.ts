/** The one place from which data take randomness: counted, not drawn (`core/counted.ts`). */

import { counted, permutation } from "../../core/counted.ts";

/** What a number is for: numbers of different purposes have nothing to do with each other. */
export type Purpose = "split" | "crop" | "flip" | "jitter" | "cutout" | "mixup";

export const uniform: (seed: number, epoch: number, example: number, purpose: Purpose, index?: number) => number =
  counted;
export const shuffledOrder: (seed: number, epoch: number, count: number) => Uint32Array = permutation;
