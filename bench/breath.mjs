/**
 * Does the event loop get its turn while sessions run? The longest gap between timers, when an abort asked for at 100 ms
 * is heard, and what the turns cost, on Node: awaited runs, queued ones, several sessions, short runs, classifyAll.
 *
 *     node bench/breath.mjs [alpha resolution] [runs]
 */

import { compile, createClassifier, mobileNetV1 } from "../dist/esm/index.js";

const [alpha = 1, resolution = 224, count = 32] = process.argv.slice(2).map(Number);
const model = mobileNetV1({ alpha, resolution });
const image = new Float32Array(resolution * resolution * 3).fill(0.25);
const pixels = { width: resolution, height: resolution, data: new Uint8Array(resolution * resolution * 3).fill(99) };

/** The longest gap between turns of a timer while `work` runs, and how long it took. */
async function watched(work) {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const ticker = setInterval(look, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  longest = 0;
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  look();
  clearInterval(ticker);
  return { gap: longest, took };
}

const sessions = await Promise.all([1, 2, 3].map(() => compile(model)));
const [session] = sessions;
const classifier = await createClassifier(model);
for (const each of sessions) for (let i = 0; i < 10; i++) await each.run(image);
await classifier.classify(pixels);
const repeated = (all, each) => async () => {
  for (let i = 0; i < count; i++) await all[i % all.length][each](image);
};
const tasks = {
  awaited: repeated([session], "run"),
  queued: () => Promise.all(Array.from({ length: count }, () => session.run(image))),
  "three sessions, awaited in turn": repeated(sessions, "run"),
  "three sessions, queued": () => Promise.all(Array.from({ length: count }, (_, i) => sessions[i % 3].run(image))),
  classifyAll: async () => {
    for await (const _ of classifier.classifyAll(Array(count).fill(pixels)));
  },
  "classify, a list": () => classifier.classify(Array(count).fill(pixels)),
};
for (const [name, work] of Object.entries(tasks)) {
  const { gap, took } = await watched(work);
  console.log(`${name}: longest gap ${gap.toFixed(0)} ms, ${(took / count).toFixed(2)} ms a run`);
}

const controller = new AbortController();
let asked = 0;
setTimeout(() => {
  asked = performance.now();
  controller.abort();
}, 100);
const started = performance.now();
try {
  for (let i = 0; i < 200; i++) await session.run(image, { signal: controller.signal });
} catch (error) {
  if (error !== controller.signal.reason) throw error;
}
const heard = performance.now();
console.log(`abort at 100 ms: asked at ${(asked - started).toFixed(0)}, heard at ${(heard - started).toFixed(0)} ms`);

for (const each of [...sessions, classifier]) each.close();
