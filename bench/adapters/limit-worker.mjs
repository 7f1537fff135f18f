/** The second thread of `limit.mjs`: sleeps until an order comes, runs the loop, says that it is done. */

import { isMainThread, workerData } from "node:worker_threads";

/** A factor below 1 keeps the numbers in range however long the loop. */
export function runLoop(instance, iterations) {
  instance.exports.run(iterations, 0.999, 0.001);
}

if (!isMainThread && workerData?.counters !== undefined) {
  const { module, iterations, counters } = workerData;
  const instance = new WebAssembly.Instance(module);
  for (let done = 0; ; done++) {
    Atomics.wait(counters, 0, done);
    runLoop(instance, iterations);
    Atomics.add(counters, 1, 1);
  }
}
