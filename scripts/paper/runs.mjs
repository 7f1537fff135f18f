/** The runs of the list: a cell and a seed each, with all that its result has to say of how it was made. */

import { join } from "node:path";
import { recipe } from "../../dist/esm/train.js";
import { Refusal } from "../shared/refusal.mjs";
import { BATCH, CELLS, optionsOf } from "./cells.mjs";

/**
 * @typedef {object} Plan
 * @property {number} epochs
 * @property {number} examples  pictures that are trained on
 */

/**
 * A run and what its result must say.
 *
 * @param {import("./cells.mjs").Cell} cell @param {Plan} plan
 */
export function runOf(cell, seed, { epochs, examples }) {
  const { resolution } = cell.network;
  return {
    cell,
    seed,
    name: `${cell.name} seed ${seed}`,
    expected: {
      cell: cell.name,
      seed,
      arm: cell.arm,
      options: optionsOf(cell),
      recipe: recipe(cell.arm, { resolution, examples, epochs, batch: BATCH[cell.arm] }),
      epochs,
      examples,
    },
  };
}

/**
 * All runs, a seed of every cell before the next: what is stopped early has something of each.
 *
 * @param {Plan} plan @param {{ only?: readonly string[], seeds?: readonly number[] }} [wanted] `seeds` in place of the cells' own
 */
export function runsOf(plan, { only, seeds } = {}) {
  const unknown = only?.find((name) => !CELLS.some((cell) => cell.name === name));
  if (unknown !== undefined) {
    throw new Refusal(`There is no cell "${unknown}". Cells: ${CELLS.map(({ name }) => name).join(", ")}.`);
  }
  const cells = CELLS.filter(({ name }) => only === undefined || only.includes(name));
  const runs = cells.flatMap((cell) => (seeds ?? cell.seeds).map((seed) => runOf(cell, seed, plan)));
  return runs.sort((a, b) => a.seed - b.seed);
}

/** Runs in words, those of a cell together. @param {readonly { cell: string, seed: number }[]} runs */
export function listOfRuns(runs) {
  const cells = [...new Set(runs.map(({ cell }) => cell))];
  const seedsOf = (cell) => runs.filter((run) => run.cell === cell).map(({ seed }) => seed);
  return cells
    .map((cell) => `${cell} seed${seedsOf(cell).length > 1 ? "s" : ""} ${seedsOf(cell).join(", ")}`)
    .join("; ");
}

/** The files of a project: `into` is its folder. */
export function placesIn(into) {
  return {
    results: join(into, "scripts/paper/results"),
    checkpoints: join(into, "data/paper"),
    docs: join(into, "docs"),
    measured: join(into, "src/cost/measured.ts"),
  };
}
