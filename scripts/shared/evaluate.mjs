/** What a network says of pictures. */

import { completePreprocessing } from "../../dist/esm/images.js";
import { compile } from "../../dist/esm/index.js";
import { batches } from "../../dist/esm/train.js";

const BATCH = 100;

/**
 * Of each picture of a set, in their order, its label and what was said, with its probability: the class of the largest
 * logit, the first of several that are equal.
 *
 * @param {import("../../dist/types/index.js").Network} model
 * @param {import("../../dist/types/train/index.js").Dataset} set
 * @param {object} [how] `simd`, `threads` and `signal` of `compile`
 * @returns {Promise<{ label: number, said: number, probability: number }[]>} @throws {unknown} `signal.reason`
 */
export async function evaluate(model, set, { signal, ...how } = {}) {
  const session = await compile(model, { ...how, batch: BATCH, ...(signal === undefined ? {} : { signal }) });
  try {
    const input = completePreprocessing(model.inputShape, model.info.preprocessing);
    const order = { input, batch: BATCH, shuffle: false, ...(signal === undefined ? {} : { signal }) };
    const answers = [];
    for await (const { x, labels, count, release } of batches(set, order)) {
      const { logits } = await session.run(x);
      const classes = logits.data.length / count;
      for (let n = 0; n < count; n++) {
        const row = logits.data.subarray(n * classes, (n + 1) * classes);
        const said = indexOfLargest(row);
        const probability = 1 / row.reduce((sum, logit) => sum + Math.exp(logit - row[said]), 0);
        answers.push({ label: labels[n], said, probability });
      }
      release();
    }
    return answers;
  } finally {
    session.close();
  }
}

/** The first of several that are equal. @param {Float32Array} values */
export function indexOfLargest(values) {
  return values.indexOf(Math.max(...values));
}
