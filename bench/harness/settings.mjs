/** What all benches are told on the command line, and how much they measure. */

import { parseArgs } from "node:util";

/** As the project's rules for figures want it: at least thirty timed runs a process, five fresh fields. */
const FULL = {
  fields: 5,
  rounds: 6,
  warmMs: 1500,
  least: 5,
  wakeMs: 50,
  sliceMs: 200,
  processes: 15,
  freshProcesses: 20,
};

/** Enough to see that everything works; its numbers mean nothing and are kept apart from the real ones. */
const QUICK = { fields: 1, rounds: 2, warmMs: 150, least: 1, wakeMs: 0, sliceMs: 20, processes: 2, freshProcesses: 2 };

/**
 * Options: `--quick`; `--model NAME` (may be repeated); `--only KEY,KEY`; `--backend NAME` for depthwise instead of
 * `wasm`.
 *
 * @param defaults `models` and `keys` of this bench
 */
export function readSettings({ models = [], keys = [] } = {}) {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      model: { type: "string", multiple: true },
      only: { type: "string" },
      backend: { type: "string" },
    },
  });
  return {
    isQuick: values.quick,
    models: values.model ?? models,
    keys: values.only?.split(",") ?? keys,
    backend: values.backend,
    measure: values.quick ? QUICK : FULL,
  };
}
