/** A contender in a worker of a page, told by messages what to do, as `harness/contender-program.mjs` is in Node. */

import { makeTrainer } from "./depthwise-trainer.js";

let step;

const ORDERS = {
  /** @param updates the losses that are compared are those before and after each of so many */
  async load({ model, files, updates, options }) {
    const [images, labels, weights] = await Promise.all([files.image, files.labels, files.keras].map(bytesOf));
    const x = new Float32Array(images);
    const classes = new Int32Array(labels);
    const { trainer, createMs } = await makeTrainer(model, tensorsOf(weights), options);
    step = async () => (await trainer.step(x, classes)).loss;
    const results = [];
    while (results.length <= updates) results.push(await step());
    return { results, facts: { createMs, bytes: trainer.bytes, threads: trainer.threads } };
  },

  async run({ least, wakeMs, ms }) {
    const woken = performance.now();
    while (performance.now() - woken < wakeMs) await step();
    const times = [];
    const start = performance.now();
    while (times.length < least || performance.now() - start < ms) {
      const before = performance.now();
      await step();
      times.push(performance.now() - before);
    }
    return { times };
  },
};

async function bytesOf(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.arrayBuffer();
}

/** A safetensors file of float32 alone. */
function tensorsOf(file) {
  const headerBytes = new DataView(file).getUint32(0, true);
  const start = 8 + headerBytes;
  const { __metadata__: _, ...entries } = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, headerBytes)));
  return Object.entries(entries).map(
    ([
      name,
      {
        shape,
        data_offsets: [from, to],
      },
    ]) => [name, { shape, data: new Float32Array(file, start + from, (to - from) / 4) }],
  );
}

self.onmessage = async ({ data: { order, ...details } }) => {
  try {
    self.postMessage(await ORDERS[order](details));
  } catch (error) {
    self.postMessage({ error: String(error?.stack ?? error) });
  }
};
