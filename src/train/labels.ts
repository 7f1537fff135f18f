/** Labels as training takes them: a class for each example, or a share of each class; and what a prediction says of them. */

import { DepthwiseError } from "../core/errors.ts";
import { isNatural } from "../core/json.ts";
import { show } from "../core/options.ts";
import { isFloat32Array, typedArray } from "../core/realms.ts";
import type { Tensor } from "../core/tensor.ts";
import { shareFault } from "./shares.ts";

/**
 * The class of each example, `[N]`, counted from 0; or shares of all classes, float32 `[N, classes]`, each row adding up
 * to 1.
 */
export type Labels = Tensor | Int32Array | Uint8Array | Uint16Array | Uint32Array | Float32Array | readonly number[];

/**
 * A row of targets for each example.
 *
 * @param smoothing a target t becomes t · (1 − s) + s / classes
 * @throws {DepthwiseError} `SHAPE_MISMATCH` for another count; `OPTION_INVALID` for a label that is no class, or shares
 *         that do not add up to 1
 */
export function targetsOf(
  owner: string,
  labels: Labels,
  examples: number,
  classes: number,
  smoothing: number,
): Float32Array<ArrayBuffer> {
  const numbers = numbersOf(owner, labels);
  const targets = new Float32Array(examples * classes);
  const low = smoothing / classes;
  if (isFloat32Array(numbers) && numbers.length === examples * classes && classes > 1) {
    for (let n = 0; n < examples; n++) {
      const fault = shareFault(numbers, n * classes, classes);
      if (fault !== undefined) {
        const expected = fault.classIndex === undefined ? "shares that add up to 1" : "shares of at least 0";
        throw labelError(owner, n, expected, fault.found);
      }
      for (let c = 0; c < classes; c++) {
        targets[n * classes + c] = (numbers[n * classes + c] ?? 0) * (1 - smoothing) + low;
      }
    }
    return targets;
  }
  if (numbers.length !== examples) {
    throw countError(owner, `${examples}`, classes, numbers.length);
  }
  targets.fill(low);
  for (let n = 0; n < examples; n++) {
    const label = numbers[n];
    if (!(Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes)) {
      throw labelError(owner, n, `a class from 0 to ${classes - 1}`, label);
    }
    targets[n * classes + Number(label)] = 1 - smoothing + low;
  }
  return targets;
}

/**
 * A copy of labels, each read once: what a caller's array does meanwhile, or says a second time, is nothing to us.
 *
 * @param batch most examples that there can be
 * @throws {DepthwiseError} `DTYPE_MISMATCH` for what are no labels; `SHAPE_MISMATCH` for more than there can be
 */
export function ownLabels(owner: string, labels: Labels, batch: number, classes: number): Labels {
  const numbers = numbersOf(owner, labels);
  const length: unknown = typedArray(numbers)?.length ?? numbers.length;
  if (!isNatural(length) || length > batch * classes) {
    throw countError(owner, `at most ${batch}`, classes, length);
  }
  // Nothing can be made of a buffer that was transferred.
  if (length === 0) return [];
  if (isFloat32Array(numbers)) return new Float32Array(numbers);
  if (typedArray(numbers) !== undefined) return [...new Float64Array(numbers)];
  return Array.from({ length }, (_, index) => numbers[index] as number);
}

/** The class that a row of numbers says, the first of equals. */
export function bestOf(rows: Float32Array, row: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if ((rows[row * classes + c] ?? 0) > (rows[row * classes + best] ?? 0)) best = c;
  }
  return best;
}

/** Rows of which the largest number is that of the largest target. */
export function countCorrect(logits: Float32Array, targets: Float32Array, examples: number, classes: number): number {
  let correct = 0;
  for (let n = 0; n < examples; n++) if (bestOf(logits, n, classes) === bestOf(targets, n, classes)) correct++;
  return correct;
}

function numbersOf(owner: string, labels: Labels): ArrayLike<number> {
  const given: unknown = labels;
  if (Array.isArray(given)) return given;
  const own = typedArray(given);
  if (own !== undefined && !own.kind.startsWith("Big")) return given as ArrayLike<number>;
  if (typeof given === "object" && given !== null) {
    const { data } = given as Partial<Tensor>;
    const inner = typedArray(data);
    if (inner !== undefined && !inner.kind.startsWith("Big")) return data as ArrayLike<number>;
  }
  throw new DepthwiseError("DTYPE_MISMATCH", {
    what: `${owner}: labels`,
    expected: "an array of classes, a typed array, or a tensor",
    found: given === null ? "null" : typeof given,
  });
}

function countError(owner: string, examples: string, classes: number, found: unknown): DepthwiseError {
  return new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: labels`,
    expected: `${examples}, one for each example, or ${examples} × ${classes} shares in a Float32Array`,
    found: show(found),
  });
}

function labelError(owner: string, example: number, expected: string, found: unknown): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", {
    what: `${owner}: labels: example ${example}`,
    expected,
    found: String(found),
    advice: "Classes are counted from 0.",
    fields: { example, found },
  });
}
