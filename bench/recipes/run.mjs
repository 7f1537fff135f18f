/** One run of `recipes.mjs`, in a process of its own: trains, and prints a line of JSON. `node run.mjs TASK` */

import { join } from "node:path";
import { completePreprocessing } from "../../dist/esm/images.js";
import { compile, mobileNetV1 } from "../../dist/esm/index.js";
import { batches, cifar10, fit } from "../../dist/esm/train.js";
import { BASE, variants } from "./variants.mjs";

const { data, variant, seed, epochs, simd } = JSON.parse(process.argv[2]);
const all = await cifar10([1, 2, 3, 4, 5].map((number) => join(data, `data_batch_${number}.bin`)));
// The test set is not looked at: what is chosen is chosen by a tenth of the training pictures.
const [train, heldOut] = all.split(0.9);
const batch = variants(1)[variant].options?.batch ?? BASE.options.batch;
const changed = variants(epochs * Math.ceil(train.size / batch))[variant];
const model = mobileNetV1({
  resolution: 32,
  classes: 10,
  stem: { stride: 1, filters: 32 },
  dropout: 0,
  preprocessing: { range: [-1, 1], cropFraction: 1 },
  seed,
  ...BASE.network,
  ...changed.network,
});
const started = performance.now();
const run = fit(model, train, { ...BASE.options, ...changed.options, epochs, seed, threads: 1, simd });
const { model: trained, history } = await run.done;
const minutes = (performance.now() - started) / 60_000;
const { loss, accuracy } = history.at(-1);
const isRight = await answers(trained, heldOut);
const right = isRight.filter(Boolean).length / heldOut.size;
console.log(
  JSON.stringify({ variant, seed, right, training: { loss, accuracy }, minutes: Number(minutes.toFixed(1)) }),
);

async function answers(network, set) {
  const session = await compile(network, { batch: 100, threads: 1 });
  const input = completePreprocessing(network.inputShape, network.info.preprocessing);
  const found = [];
  for await (const { x, labels, count, release } of batches(set, { input, batch: 100, shuffle: false })) {
    const { logits } = await session.run(x);
    for (let n = 0; n < count; n++) {
      const row = logits.data.subarray(n * 10, (n + 1) * 10);
      found.push(row.indexOf(Math.max(...row)) === labels[n]);
    }
    release();
  }
  session.close();
  return found;
}
