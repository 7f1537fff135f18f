/** Where the script of a session's threads lies. */

import { type AnyWorker, arrivalsOf, checkPlace, nodeThreads, type OwnFactory } from "./own-worker.ts";

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

/** In Firefox 153 `new Worker` in a worker of the page's own did not return in 9 of 150 pages, and nothing can end that. */
function checkReturns(): void {
  if (typeof document !== "undefined" || !/Firefox\//.test(globalThis.navigator?.userAgent ?? "")) return;
  throw new Error("Firefox may hang as it makes one in a worker; sessions get them on the page, by inWorker: true");
}
