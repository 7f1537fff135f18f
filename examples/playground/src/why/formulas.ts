/** Which formulas stand over a lesson's counts: with a depth multiplier above 1 those that have it, as μ. */

import type { FormulaName } from "../../math.ts";
import type { Settings } from "./lesson.ts";

type Shape = Pick<Settings, "multiplier">;

/** Of the pair, or of its depthwise half alone. */
export function pairFormula({ multiplier }: Shape, isMixing: boolean): FormulaName {
  if (isMixing) return multiplier > 1 ? "separableTimes" : "separable";
  return multiplier > 1 ? "depthwiseTimes" : "depthwise";
}

/** Of what they cost beside the standard convolution. */
export function ratioFormula({ multiplier }: Shape, isMixing: boolean): FormulaName {
  if (isMixing) return multiplier > 1 ? "ratioTimes" : "ratio";
  return multiplier > 1 ? "ratioAloneTimes" : "ratioAlone";
}

/** The ratio by the formula, in numbers: `2/4 + 2/9 = 0.7222`. */
export function ratioInNumbers(
  { filters, kernelSize, multiplier }: Pick<Settings, "filters" | "kernelSize" | "multiplier">,
  isMixing: boolean,
  number: (value: number, digits?: number) => string,
): string {
  const area = kernelSize ** 2;
  const alone = `${number(multiplier)}/${number(filters)}`;
  if (!isMixing) return alone;
  return `${alone} + ${number(multiplier)}/${number(area)} = ${number(multiplier / filters + multiplier / area, 4)}`;
}
