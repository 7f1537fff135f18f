/**
 * One contender in one process, told by messages what to do: `load`, `run`, `profile`.
 *
 * Arguments: the contender and the model, as JSON.
 */

import { readImage } from "../adapters/image.mjs";

const [contender, model] = process.argv.slice(2).map((text) => JSON.parse(text));
const adapter = await import(`../adapters/${contender.adapter}.mjs`);

let input;

const ORDERS = {
  /**
   * Loads, runs once or as often as the adapter's `check`, and says what came out, or how many floating-point operations a
   * run makes.
   */
  async load() {
    await adapter.load(model, { threads: contender.threads, ...contender.options });
    // The limit runs no model.
    input = await adapter.prepare(model.files && readImage(model));
    const results = await (adapter.check ?? adapter.run)(input);
    return {
      results: results === undefined ? undefined : [...results],
      flopsPerRun: adapter.flopsPerRun?.(),
      facts: adapter.facts?.(),
    };
  },

  /** Runs for `wakeMs` untold, so that caches and clocks wake up; then for `ms` and at least `least` times. */
  async run({ least, wakeMs, ms }) {
    // A library in a process of its own takes the time there.
    if (adapter.timeRuns !== undefined) return { times: await adapter.timeRuns(input, { least, wakeMs, ms }) };
    const woken = performance.now();
    while (performance.now() - woken < wakeMs) await adapter.run(input);
    const times = [];
    const start = performance.now();
    while (times.length < least || performance.now() - start < ms) {
      const before = performance.now();
      await adapter.run(input);
      times.push(performance.now() - before);
    }
    return { times };
  },

  async profile({ runs }) {
    return { steps: await adapter.profile(input, { runs }) };
  },
};

process.on("message", async ({ order, ...details }) => {
  try {
    process.send(await ORDERS[order](details));
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
process.send({ isReady: true });
