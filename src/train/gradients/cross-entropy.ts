/** The loss of a classifier, and its gradient. */

import { DepthwiseError } from "../../core/errors.ts";
import { belowOne, checkKnownOptions, show } from "../../core/options.ts";
import { asFloat, type FloatTensor, type Tensor } from "../../core/tensor.ts";
import { expectShape, produce } from "../../eager/run.ts";
import { crossEntropyRow } from "../../kernels/reference/gradients/cross-entropy.ts";
import { expectRank } from "../../operations/operation.ts";
import { shareFault } from "../shares.ts";

/** How the loss is computed. */
export interface CrossEntropyOptions {
  /** s: a target t becomes t · (1 − s) + s / classes. At least 0, below 1; default 0. */
  readonly labelSmoothing?: number;
}

/** The loss of logits, and its gradient. */
export interface CrossEntropy {
  /** Mean over the batch, in float64. */
  readonly loss: number;
  /** `[batch]`. */
  readonly perExample: FloatTensor;
  /** `[batch, classes]`: the gradient of the loss. */
  readonly dlogits: FloatTensor;
}

/**
 * Softmax cross-entropy of logits z with targets t: `perExample = −Σ t · (z − log Σ e^z)`, and its gradient
 * `dlogits = (softmax(z) − t) / batch`. Huge logits do not overflow.
 *
 * @param logits `[batch, classes]`, float32
 * @param labels `[batch]`, int32 or uint8: the class of each example; or `[batch, classes]`, float32: the shares of the
 *               classes in each, which add up to 1
 * @throws {DepthwiseError} `SHAPE_MISMATCH`; `DTYPE_MISMATCH`; `OPTION_INVALID` for a label that is no class, shares that
 *         are below 0 or do not add up to 1, and for `labelSmoothing`
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): CrossEntropy {
  const owner = "softmaxCrossEntropy";
  checkKnownOptions(owner, options, ["labelSmoothing"]);
  const smoothing = belowOne(owner, "labelSmoothing", options.labelSmoothing ?? 0);
  const z = asFloat(logits, `${owner}: logits`);
  expectRank(owner, z.shape, 2, "[batch, classes]");
  const [batch = 0, classes = 0] = z.shape;
  if (batch === 0 || classes === 0) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${owner}: logits`,
      expected: "at least one example and one class",
      found: show(z.shape),
      fields: { owner, shape: z.shape },
    });
  }
  if (typeof labels !== "object" || labels === null || !ArrayBuffer.isView(labels.data)) {
    throw new DepthwiseError("DTYPE_MISMATCH", {
      what: `${owner}: labels`,
      expected: "a tensor, int32 [batch] or float32 [batch, classes]",
      found: show(labels),
      advice: "Make one with tensor(Int32Array.from(labels), [labels.length]).",
    });
  }
  const shares =
    labels.dtype === "int32" || labels.dtype === "uint8"
      ? classShares(owner, labels, batch, classes)
      : softShares(owner, labels, batch, classes);

  let sum = 0;
  const perExample = produce([batch], () => {});
  const target = new Float64Array(classes);
  const dlogits = produce(z.shape, (into) => {
    for (let n = 0; n < batch; n++) {
      for (let c = 0; c < classes; c++) target[c] = shares(n, c) * (1 - smoothing) + smoothing / classes;
      const loss = crossEntropyRow(z.data, n * classes, target, 1 / batch, into);
      perExample.data[n] = loss;
      sum += loss;
    }
  });
  return { loss: sum / batch, perExample, dlogits };
}

/** The share of a class in an example. */
type Shares = (example: number, classIndex: number) => number;

function classShares(owner: string, labels: Tensor, batch: number, classes: number): Shares {
  const { data, shape } = labels;
  if (
    !ArrayBuffer.isView(data) ||
    !Array.isArray(shape) ||
    shape.length !== 1 ||
    shape[0] !== batch ||
    data.length !== batch
  ) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: `${owner}: labels`,
      expected: `shape [${batch}], the class of each example`,
      found: show(shape),
      advice: "Soft labels, of shape [batch, classes], are float32.",
      fields: { owner, expected: [batch], found: shape },
    });
  }
  const found = data.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (found >= 0) {
    throw labelError(
      `${owner}: labels[${found}]`,
      `a class from 0 to ${classes - 1}`,
      data[found],
      found,
      "There is one logit for each class: give the layer that makes them more, or count classes from 0.",
    );
  }
  return (example, classIndex) => (data[example] === classIndex ? 1 : 0);
}

function softShares(owner: string, labels: Tensor, batch: number, classes: number): Shares {
  const advice = "Labels are int32 [batch], or float32 [batch, classes].";
  const { data } = expectShape(owner, "labels", labels, [batch, classes], advice);
  for (let n = 0; n < batch; n++) {
    const fault = shareFault(data, n * classes, classes);
    if (fault === undefined) continue;
    const { classIndex, found } = fault;
    if (classIndex !== undefined) {
      throw labelError(`${owner}: labels[${n}, ${classIndex}]`, "a share of at least 0", found, n);
    }
    throw labelError(`${owner}: labels[${n}]`, "shares that add up to 1", found, n, "Divide each row by its sum.");
  }
  return (example, classIndex) => data[example * classes + classIndex] ?? 0;
}

function labelError(what: string, expected: string, found: unknown, example: number, advice?: string): DepthwiseError {
  return new DepthwiseError("OPTION_INVALID", {
    what,
    expected,
    found: show(found),
    advice,
    fields: { example, found },
  });
}
