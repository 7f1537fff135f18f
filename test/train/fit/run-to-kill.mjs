/**
 * A run for tests that kill it, on the built library: workers cannot read TypeScript.
 *
 *     node run-to-kill.mjs DIRECTORY '{"threads":2,"prefetch":1,"resume":true}'
 *
 * Says `begun` when its first step is done, and `ended` at the end; with --expose-gc also what is held after each epoch,
 * in bytes.
 */

import { tensor } from "../../../dist/esm/index.js";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  dropout,
  globalAveragePool,
  pointwise,
  sequential,
} from "../../../dist/esm/layers.js";
import { arrays, cosine, fit, rmsprop } from "../../../dist/esm/train.js";

const SIDE = 8;
const CLASSES = 3;
const [directory, options] = process.argv.slice(2);

function data(count, seed) {
  const pixels = new Uint8Array(count * SIDE * SIDE * 3);
  let state = seed;
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[i] = (state >>> 25) + (i % 3 === Math.floor(i / (SIDE * SIDE * 3)) % CLASSES ? 100 : 0);
  }
  const labels = Array.from({ length: count }, (_, n) => n % CLASSES);
  return arrays(tensor(pixels, [count, SIDE, SIDE, 3]), labels);
}

const model = sequential({ inputShape: [SIDE, SIDE, 3] }, [
  conv2d({ filters: 8, kernel: 3, stride: 2, padding: "same", bias: false }),
  batchNorm(),
  activation("relu6"),
  depthwise({ kernel: 3, padding: "same", bias: false }),
  batchNorm(),
  activation("relu6"),
  pointwise({ filters: 16, bias: false }),
  batchNorm(),
  activation("relu6"),
  globalAveragePool(),
  dropout(0.2),
  dense({ filters: CLASSES }),
]);

const run = fit(
  model,
  // Later, as a file would come.
  data(90, 1).map(async ({ image }) => image),
  {
    epochs: 6,
    batch: 16,
    optimizer: rmsprop({ momentum: 0.9 }),
    schedule: cosine({ rate: 0.003 }),
    averageDecay: 0.9,
    augment: { randomResizedCrop: {}, flip: "random", colorJitter: { brightness: 0.3 }, cutout: { size: 2 } },
    validation: data(15, 5),
    patience: 5,
    checkpoint: directory,
    checkpointSeconds: 0,
    ...JSON.parse(options),
  },
);
let hasBegun = false;
for await (const { type, epoch } of run) {
  if (type === "epoch" && globalThis.gc !== undefined) {
    globalThis.gc();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    process.stdout.write(`${JSON.stringify({ epoch, heapUsed, external, arrayBuffers })}\n`);
  }
  if (hasBegun || (type !== "progress" && type !== "checkpoint")) continue;
  hasBegun = true;
  process.stdout.write("begun\n");
}
process.stdout.write("ended\n");
