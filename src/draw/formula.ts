/** Formulas with subscripts, as plain text with `_` and as shapes. */

import { type PictureShape, shape } from "./picture.ts";

/** Below the line, by a share of the size. */
const SINK = 0.25;
const SMALLER = 0.75;

/** `D_K · M` as pieces of a text in which the letter behind each `_` is lowered. */
export function lowered(formula: string, size: number): readonly (PictureShape | string)[] {
  const sink = SINK * size;
  const pieces: (PictureShape | string)[] = [];
  let isLow = false;
  for (const piece of formula.split(/(_[A-Z])/)) {
    if (piece === "") continue;
    if (piece.startsWith("_")) {
      pieces.push(shape("tspan", { dy: sink, "font-size": SMALLER * size }, piece.slice(1)));
      isLow = true;
    } else {
      pieces.push(isLow ? shape("tspan", { dy: -sink }, piece) : piece);
      isLow = false;
    }
  }
  return pieces;
}
