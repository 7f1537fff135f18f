/** What a network says of a test set, and of pictures of nothing. */

import { compile, createClassifier, tensor } from "../../dist/esm/index.js";
import { evaluate, indexOfLargest } from "../shared/evaluate.mjs";
import { drawn } from "./nothing.mjs";

const BATCH = 100;

/**
 * Right answers, who was taken for whom, and how sure the surest answer was.
 *
 * @param {import("../../dist/types/index.js").Network} model
 * @param {import("../../dist/types/train/index.js").Dataset} test
 * @param {"plain" | "auto"} [simd]
 * @returns {Promise<{ right: number, examples: number, confusion: number[][], surest: number }>} `confusion[label][said]`
 */
export async function measure(model, test, simd = "auto") {
  const answers = await evaluate(model, test, { simd });
  const { length } = test.classes;
  const confusion = Array.from({ length }, () => new Array(length).fill(0));
  for (const { label, said } of answers) confusion[label][said]++;
  const right = answers.filter(({ label, said }) => label === said).length;
  const most = answers.reduce((highest, { probability }) => Math.max(highest, probability), 0);
  return { right, examples: answers.length, confusion, surest: Number(most.toPrecision(4)) };
}

/**
 * The surest answer to pictures of nothing: evenly coloured ones from the darkest to the lightest; a thousand of noise,
 * each pixel for itself; and a thousand of noise of half the side, which is enlarged and so is in blots.
 *
 * @typedef {{ label: string, probability: number, mean: number }} Sure
 * @returns {Promise<{ blank: { label: string, probability: number }, noise: Sure, blots: Sure }>}
 */
export async function sureOfNothing(model) {
  const session = await compile(model, { batch: BATCH, simd: "plain" });
  try {
    const size = model.inputShape.reduce((product, side) => product * side, 1);
    const [low, high] = model.info.preprocessing.range;
    const blank = (n) => new Float32Array(size).fill(low + ((high - low) * n) / (BATCH - 1));
    const noise = (n) =>
      Float32Array.from({ length: size }, (_, i) => low + (high - low) * drawn(2 ** 31 + size * n + i));
    const blanks = await answers(session, model, blank, 1);
    const noises = await answers(session, model, noise, 10);
    const blots = await ofBlots(model);
    return { blank: surest(blanks), noise: inTheMean(noises), blots: inTheMean(blots) };
  } finally {
    session.close();
  }
}

async function answers(session, { inputShape, info }, picture, runs) {
  const size = inputShape.reduce((product, side) => product * side, 1);
  const found = [];
  for (let run = 0; run < runs; run++) {
    const x = new Float32Array(BATCH * size);
    for (let n = 0; n < BATCH; n++) x.set(picture(BATCH * run + n), n * size);
    const { probabilities } = await session.run(tensor(x, [BATCH, ...inputShape]));
    for (let n = 0; n < BATCH; n++) {
      const row = probabilities.data.subarray(n * info.labels.length, (n + 1) * info.labels.length);
      const best = indexOfLargest(row);
      found.push({ label: info.labels[best], probability: row[best] });
    }
  }
  return found;
}

/** As pictures of another size reach the network: through its own preprocessing. */
async function ofBlots(model) {
  const [side, , channels] = model.inputShape.map((size, axis) => (axis < 2 ? size / 2 : size));
  const size = side * side * channels;
  const classifier = await createClassifier(model, { batch: BATCH, simd: "plain" });
  try {
    const found = [];
    for (let first = 0; first < 10 * BATCH; first += BATCH) {
      const pictures = Array.from({ length: BATCH }, (_, n) => {
        const pixel = (_, i) => Math.floor(256 * drawn(2 ** 30 + size * (first + n) + i));
        return { width: side, height: side, data: Uint8Array.from({ length: size }, pixel) };
      });
      const answers = await classifier.classify(pictures, { topK: 1 });
      found.push(...answers.map(([best]) => best));
    }
    return found;
  } finally {
    classifier.close();
  }
}

function inTheMean(found) {
  const { label, probability } = surest(found);
  return { label, probability, mean: found.reduce((sum, one) => sum + one.probability, 0) / found.length };
}

function surest(found) {
  return found.reduce((most, one) => (one.probability > most.probability ? one : most));
}
