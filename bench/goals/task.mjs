/** What a run of `goals.mjs` is, whole and as plain data: what differs in it is another run. */

import { recipe } from "../../dist/esm/train.js";
import { blocksWith } from "../../scripts/shared/blocks.mjs";

/**
 * @typedef {object} Goal minutes, what is to be right after them, and the network and the epochs that fill them on this
 *   machine
 * @property {number} minutes @property {number} right @property {number} alpha @property {number} epochs
 */

/**
 * Channels come in eights: α 0.37 has fewer than 0.375, of sizes that no register fits, and takes 1.8 times as long.
 *
 * @type {readonly Goal[]}
 */
export const GOALS = [
  { minutes: 20, right: 0.88, alpha: 0.375, epochs: 18 },
  { minutes: 60, right: 0.91, alpha: 0.5, epochs: 36 },
  { minutes: 150, right: 0.92, alpha: 0.75, epochs: 41 },
];

/**
 * @typedef {object} Settings of all runs of a folder
 * @property {string} simd
 * @property {{ sha256: string, examples: number, tests: number }} data
 */

/** Threads are no part of it: the bits are the same for any number. @param {Goal} goal @param {number} seed @param {Settings} settings */
export function taskOf({ minutes, alpha, epochs }, seed, { simd, data }) {
  const network = {
    ...{ resolution: 32, classes: 10, stem: { stride: 1, filters: 32 }, dropout: 0 },
    preprocessing: { range: [-1, 1], cropFraction: 1 },
    // So that the last map is 4 × 4.
    blocks: blocksWith({ 2: 1 }),
    ...{ alpha, seed },
  };
  const options = { ...recipe("fast", { resolution: 32, examples: data.examples, epochs, batch: 128 }), seed };
  return { minutes, seed, simd, data, network, options };
}

/** @param {readonly Goal[]} goals @param {Settings} settings @returns {import("../harness/kept-runs.mjs").Bench} */
export function benchOf(goals, settings) {
  return {
    nameOf: ({ minutes }) => `${minutes} minutes`,
    now: ({ minutes, seed }) => {
      const goal = goals.find((one) => one.minutes === minutes);
      return goal && taskOf(goal, seed, settings);
    },
  };
}
