/**
 * 1000 and 1001 classes: TF-slim's networks have "background" in front of ImageNet's thousand. Going from one to
 * the other is asked for by `classes`, never guessed.
 */

import { DepthwiseError } from "../../../core/errors.ts";
import { positiveInteger } from "../../../core/options.ts";
import { type FloatTensor, tensor } from "../../../core/tensor.ts";
import { given } from "../../../formats/fact.ts";
import type { ExpectedLayer } from "./expected.ts";
import type { V1Facts } from "./facts.ts";

/** The logit of an added background: far below any other, so that its probability is exactly 0. */
const NEVER = -1e4;

interface Adjusted {
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  readonly facts: V1Facts;
}

/**
 * Fits the classifier, and what is known of the classes, to the class count asked for.
 *
 * @param facts  of the file
 * @param wanted by the caller; anything else of `facts` stays
 * @throws {DepthwiseError} `CLASSES_MISMATCH`; `OPTION_INVALID` for what is no number of classes
 */
export function adjustClasses(
  parameters: ReadonlyMap<string, FloatTensor>,
  facts: V1Facts,
  { classes, background: wantedBackground }: { readonly classes: number; readonly background: boolean | undefined },
  { parameters: names }: ExpectedLayer,
  file: string,
): Adjusted {
  const [kernelName = "", biasName = ""] = [names.get("kernel"), names.get("bias")];
  const kernel = parameters.get(kernelName);
  const found = kernel?.shape[3];
  const asked = { ...facts, classes: given(classes) };
  if (kernel === undefined || found === undefined || classes === found) {
    const background = wantedBackground === undefined ? {} : { background: given(wantedBackground) };
    return { parameters, facts: { ...asked, ...background } };
  }
  positiveInteger("loadModel", "classes", classes);
  const background = classes === 1001;
  const isKnownStep = (classes === 1000 && found === 1001) || (classes === 1001 && found === 1000);
  if (!isKnownStep || facts.background?.value === background || wantedBackground === !background) {
    const said = facts.background?.value === true ? " with a background" : isKnownStep ? " without a background" : "";
    throw new DepthwiseError("CLASSES_MISMATCH", {
      what: `${file}: ${kernelName}`,
      expected: `${classes} classes, as asked for`,
      found: `${found}${said}`,
      advice: `Load it with classes: ${found}. Only a background class (1001 and 1000) is added or dropped here.`,
      fields: { expected: classes, found },
    });
  }
  const labels = facts.labels?.value;
  const fitting = labels?.length === found ? (background ? ["background", ...labels] : labels.slice(1)) : labels;
  const fitted = resized(kernel, parameters.get(biasName), classes);
  return {
    parameters: new Map([...parameters, [kernelName, fitted.kernel], [biasName, fitted.bias]]),
    facts: {
      ...asked,
      background: given(background),
      ...(facts.labels === undefined || fitting === undefined ? {} : { labels: { ...facts.labels, value: fitting } }),
    },
  };
}

/** The classifier with one class more, or one less, in front. */
function resized(kernel: FloatTensor, bias: FloatTensor | undefined, classes: number) {
  const found = kernel.shape[3] ?? 0;
  const shift = classes - found;
  const [added, dropped] = [Math.max(0, shift), Math.max(0, -shift)];
  const inputs = kernel.data.length / found;
  const weights = new Float32Array(inputs * classes);
  for (let row = 0; row < inputs; row++) {
    weights.set(kernel.data.subarray(row * found + dropped, (row + 1) * found), row * classes + added);
  }
  const biases = new Float32Array(classes).fill(NEVER, 0, added);
  if (bias !== undefined) biases.set(bias.data.subarray(dropped), added);
  return { kernel: tensor(weights, [1, 1, inputs, classes]), bias: tensor(biases, [classes]) };
}
