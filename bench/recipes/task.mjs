/** What a run of `recipes.mjs` is, whole and as plain data: what differs in it is another run. */

import { BASE, variants } from "./variants.mjs";

const NETWORK = {
  resolution: 32,
  classes: 10,
  stem: { stride: 1, filters: 32 },
  dropout: 0,
  preprocessing: { range: [-1, 1], cropFraction: 1 },
};

/** What is tried, in the order of the table. */
export const VARIANTS = Object.keys(variants(1));

/** Of all pictures that are learnt from; the rest judges. */
export const SHARE = 0.9;

/**
 * @typedef {object} Settings of all runs of a folder
 * @property {number} epochs
 * @property {string} simd
 * @property {{ sha256: string, examples: number }} data of what it learns from: the files, and how many pictures are not
 *   held out
 */

/** @param {string} variant @param {number} seed @param {Settings} settings */
export function taskOf(variant, seed, { epochs, simd, data }) {
  const batch = variants(1)[variant].options?.batch ?? BASE.options.batch;
  const changed = variants(epochs * Math.ceil(data.examples / batch))[variant];
  return {
    variant,
    seed,
    simd,
    data,
    network: { ...NETWORK, ...BASE.network, ...changed.network, seed },
    options: { ...BASE.options, ...changed.options, epochs, seed },
  };
}

/** @param {Settings} settings @returns {import("../harness/kept-runs.mjs").Bench} */
export function benchOf(settings) {
  return {
    nameOf: ({ variant }) => variant,
    now: ({ variant, seed }) => (VARIANTS.includes(variant) ? taskOf(variant, seed, settings) : undefined),
  };
}
