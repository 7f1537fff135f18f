/**
 * What pictures cost without the rest, in one process of one core: decoded and resized, or run through the network.
 * Ends after so many seconds and prints one line of JSON.
 */

import { completePreprocessing, decodeImage, preprocess } from "../../dist/esm/images.js";
import { compile } from "../../dist/esm/index.js";
import { loadModel } from "../../dist/esm/weights.js";

const { part, pictures, weights, seconds, batch } = JSON.parse(process.argv[2]);
const model = await loadModel(weights);
const preprocessing = completePreprocessing(model.inputShape, model.info.preprocessing);
const work = part === "decode" ? decoder() : await runner();
// What is compiled on the way is no part of it.
await work();
const start = performance.now();
const end = start + 1000 * seconds;
let done = 0;
while (performance.now() < end) done += await work();
process.stdout.write(`${JSON.stringify({ rate: (1000 * done) / (performance.now() - start) })}\n`);
// Threads of a decoder would keep it.
process.exit();

/** As many at once as `depthwise batch` decodes. */
function decoder() {
  let at = 0;
  return async () => {
    const some = Array.from({ length: 4 }, () => pictures[at++ % pictures.length]);
    await Promise.all(some.map(async (path) => preprocess(await decodeImage(path), preprocessing)));
    return some.length;
  };
}

async function runner() {
  const session = await compile(model, { threads: 1, batch });
  const input = new Float32Array(batch * model.inputShape.reduce((product, side) => product * side, 1));
  return async () => {
    await session.run(input);
    return batch;
  };
}
