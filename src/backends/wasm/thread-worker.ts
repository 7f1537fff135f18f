/** Where the script of a session's threads lies. */

import { type AnyWorker, arrivalsOf, checkPlace, checkReturns, nodeThreads, type OwnFactory } from "./own-worker.ts";

/** A worker of a session's threads. */
export const threadWorker: OwnFactory = /* @__PURE__ */ Object.assign(make, {
  arrivals: () => arrivalsOf(import.meta.url, "worker.js"),
});

function make(): AnyWorker {
  const node = nodeThreads();
  checkPlace(node, import.meta.url);
  // Spelled out for Node as well: a bundler for servers (Next's) places the script by it, and it is small.
  // Without the flags of this process: `node --input-type=module -e` would refuse the worker's script.
  if (node !== undefined) return new node.Worker(new URL("./worker.js", import.meta.url), { execArgv: [] });
  checkReturns();
  // Spelled out, here and above: so bundlers see the script.
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}
