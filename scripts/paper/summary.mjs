/** What came out, as one object: docs/paper-again.json. The same results give the same bytes. */

import { cost, paper } from "../../dist/esm/cost.js";
import { mobileNetV1 } from "../../dist/esm/index.js";
import { Refusal } from "../shared/refusal.mjs";
import { fromText } from "./bitset.mjs";
import { CELLS, COMPARISONS, TABLES } from "./cells.mjs";
import { LEAST_CHANCE, mcnemar, signedSums } from "./paired-tests.mjs";
import { readResult, seedsOf } from "./results.mjs";
import { runOf } from "./runs.mjs";

/**
 * A difference is claimed where the test over all seeds gives a chance below this, and each seed says the same. There are
 * eight comparisons: that one of them is claimed by luck of the test pictures alone has a chance below one in a hundred.
 * How runs differ by their seeds is not in it.
 */
export const LEVEL = 0.001;

/** @param {string} results the folder @param {import("./runs.mjs").Plan} plan @throws {Refusal} */
export function summaryOf(results, plan) {
  const known = CELLS.map((cell) => cellOf(results, cell, plan));
  const [size = null] = known.flatMap(({ runs }) => runs.map(({ test }) => test.examples));
  const pictures = ({ dataSha256, test }) => `${dataSha256.slice(0, 8)}, ${test.examples} to test`;
  checkSame(known, pictures, "of different pictures, by their hashes");
  const arithmetic = "of different versions of the library's arithmetic, which round otherwise";
  checkSame(known, ({ runtime }) => runtime.arithmetic, arithmetic);
  const byName = new Map(known.map((cell) => [cell.name, cell]));
  const tables = tablesOf(byName);
  return {
    epochs: plan.epochs,
    examples: { train: plan.examples, test: size },
    level: LEVEL,
    leastChance: LEAST_CHANCE,
    cells: known.map(({ runs, ...cell }) => ({
      ...cell,
      accuracy: mean(runs.map(({ test }) => test.accuracy)),
      runs: runs.map(({ seed, test, minutes, runtime, parametersSha256 }) => ({
        seed,
        accuracy: test.accuracy,
        minutes,
        runtime,
        parametersSha256,
      })),
    })),
    tables,
    comparisons: COMPARISONS.map((comparison) =>
      compared(comparison, byName.get(comparison.first), byName.get(comparison.second), tables),
    ),
  };
}

/** Of other pictures or of another arithmetic a difference might be of that. @throws {Refusal} naming a run of each */
function checkSame(cells, of, what) {
  const runs = cells.flatMap(({ name, runs }) => runs.map((run) => ({ name, ...run })));
  const values = [...new Set(runs.map(of))];
  if (values.length < 2) return;
  const found = values.map((value) => {
    const { name, seed } = runs.find((run) => of(run) === value);
    return `${value} (${name} seed ${seed})`;
  });
  throw new Refusal(`The results are ${what}: ${found.join(" and ")}. Train those of one of them anew.`);
}

/** What a cell is and costs, and its results: those of its seeds. Others may lie there, of which nothing is made. */
function cellOf(results, cell, plan) {
  const { name, arm, seeds } = cell;
  const there = seedsOf(results, cell);
  const found = there.filter((seed) => seeds.includes(seed));
  const runs = found.map((seed) => readResult(results, runOf(cell, seed, plan)));
  const { options, recipe } = runOf(cell, seeds[0], plan).expected;
  const { multAdds, parameters } = cost(mobileNetV1(options)).totals;
  return {
    name,
    arm,
    options,
    recipe,
    multAdds,
    parameters,
    missing: seeds.filter((seed) => !found.includes(seed)),
    others: there.filter((seed) => !found.includes(seed)),
    runs,
  };
}

/** The paper's rows, as printed, each with the cell that stands for it, and by what that differs from the first. */
function tablesOf(byName) {
  const { tables } = paper();
  return TABLES.map(({ number, rows }) => {
    const table = tables.find(({ name }) => name === `Table ${number}`);
    return {
      number,
      title: table.title,
      rows: rows.map(({ cell, printed }, row) => {
        const { label, accuracy, cells } = table.rows.find((row) => row.label === printed);
        const [multAdds, parameters] = cells.map((each) => each.printed);
        const said = { paper: { label, accuracy, multAdds, parameters } };
        if (cell === undefined) return said;
        if (row === 0) return { cell, ...said };
        const pairs = pairsOf(byName.get(cell), byName.get(rows[0].cell));
        return { cell, ...said, points: mean(pairs.map(({ points }) => points)) };
      }),
    };
  });
}

/** Points are per cent of the test pictures by which the first is ahead of the second. */
function compared({ table, first, second }, one, other, tables) {
  const pairs = pairsOf(one, other);
  const said = { ...(table === undefined ? {} : { table, paperPoints: paperPoints(table, first, second, tables) }) };
  const names = { first, second, ...said };
  if (pairs.length === 0) return { ...names, seeds: [] };
  const sums = pairs[0].differences.map((_, n) => pairs.reduce((sum, { differences }) => sum + differences[n], 0));
  const p = signedSums(sums);
  const points = mean(pairs.map((pair) => pair.points));
  const isClaimed = p < LEVEL && pairs.every((pair) => Math.sign(pair.points) === Math.sign(points));
  return { ...names, seeds: pairs.map(({ differences, ...pair }) => pair), points, p: significant(p), isClaimed };
}

/** Runs of the same seed. */
function pairsOf(one, other) {
  return one.runs.flatMap((run) => {
    const partner = other.runs.find(({ seed }) => seed === run.seed);
    return partner === undefined ? [] : [pairOf(run, partner)];
  });
}

function pairOf({ seed, test }, { test: partner }) {
  const [a, b] = [test, partner].map(({ right, examples }) => fromText(right, examples));
  const differences = a.map((isRight, n) => Number(isRight) - Number(b[n]));
  const onlyFirst = differences.filter((difference) => difference > 0).length;
  const onlySecond = differences.filter((difference) => difference < 0).length;
  const points = rounded((100 * (onlyFirst - onlySecond)) / differences.length);
  return { seed, onlyFirst, onlySecond, points, p: significant(mcnemar(onlyFirst, onlySecond)), differences };
}

function paperPoints(number, first, second, tables) {
  const { rows } = tables.find((table) => table.number === number);
  const accuracy = (cell) => Number.parseFloat(rows.find((row) => row.cell === cell).paper.accuracy);
  return rounded(accuracy(first) - accuracy(second));
}

function mean(values) {
  if (values.length === 0) return null;
  return rounded(values.reduce((sum, value) => sum + value, 0) / values.length);
}

/** Without what adding in binary leaves behind. */
function rounded(value) {
  return Number(value.toFixed(6));
}

/** Digits that say something. */
function significant(p) {
  return Number(p.toPrecision(6));
}
