/**
 * 1000 and 1001 classes: TF-slim's networks have "background" in front of ImageNet's thousand. Going from one to
 * the other is asked for by `classes`, never guessed.
 */

import { DepthwiseError } from "../core/errors.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import type { MobileNetV1Options } from "../models/index.ts";

/** The logit of an added background: far below any other, so that its probability is exactly 0. */
const NEVER = -1e4;

export interface Adjusted {
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  readonly options: MobileNetV1Options;
}

/** Fits the classifier to the class count asked for. Throws `CLASSES_MISMATCH`. */
export function adjustClasses(
  parameters: ReadonlyMap<string, FloatTensor>,
  options: MobileNetV1Options,
  name: string,
): Adjusted {
  const kernel = parameters.get("conv_preds/kernel");
  const found = kernel?.shape[3];
  const wanted = options.classes;
  if (kernel === undefined || found === undefined || wanted === undefined || wanted === found) {
    return { parameters, options };
  }
  const bias = parameters.get("conv_preds/bias") ?? tensor(new Float32Array(found), [found]);
  const background = wanted === 1001;
  if (!(wanted === 1000 && found === 1001) && !(wanted === 1001 && found === 1000)) {
    throw new DepthwiseError("CLASSES_MISMATCH", {
      what: `${name}: conv_preds/kernel`,
      expected: `${wanted} classes, as asked for`,
      found: `${found}`,
      advice: `Load it with classes: ${found}. Only a background class (1001 and 1000) is added or dropped here.`,
      fields: { expected: wanted, found },
    });
  }
  const inputs = kernel.data.length / found;
  const shift = background ? 1 : -1;
  const widened = new Float32Array(inputs * wanted);
  for (let row = 0; row < inputs; row++) {
    const classes = kernel.data.subarray(row * found + (background ? 0 : 1), (row + 1) * found);
    widened.set(classes, row * wanted + (background ? 1 : 0));
  }
  const biases = new Float32Array(wanted).fill(NEVER);
  for (let c = background ? 1 : 0; c < wanted; c++) biases[c] = bias.data[c - shift] ?? NEVER;
  const adjusted = new Map(parameters);
  adjusted.set("conv_preds/kernel", tensor(widened, [1, 1, inputs, wanted]));
  adjusted.set("conv_preds/bias", tensor(biases, [wanted]));
  const { labels, ...rest } = options;
  const fitting = labels?.length === found ? (background ? ["background", ...labels] : labels.slice(1)) : labels;
  return {
    parameters: adjusted,
    options: { ...rest, background, ...(fitting === undefined ? {} : { labels: fitting }) },
  };
}
