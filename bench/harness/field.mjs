/**
 * A field: contenders side by side, each in a process of its own, taking turns. Turns go round all of them, so that
 * a noisy minute falls on each alike, and a ratio is taken between turns of the same round.
 *
 * A process now and then stays on the engine's baseline code to its end, so a field is started afresh several times.
 */

import { fork } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setUp } from "./contenders.mjs";
import { median } from "./statistics.mjs";

const PROGRAM = fileURLToPath(new URL("contender-program.mjs", import.meta.url));

/** Largest difference between two contenders' logits or losses: beyond, they do not compute the same. */
const TOLERANCE = 1e-3;

/** Between two turns: the threads of onnxruntime-web were seen to spin for 20 to 30 ms after a run. */
const REST_MS = 50;

/**
 * Starts and warms up a process for each contender; `use` gets the members, which are ended when it is done. With
 * `warmMs: 0` there is no run before those of `use` but the one whose results are compared.
 *
 * @returns what `use` returns
 */
export async function withField(model, contenders, { warmMs }, use) {
  await setUp(contenders);
  const members = [];
  try {
    for (const contender of contenders) members.push(await startMember(model, contender));
    checkResults(members);
    for (const member of warmMs > 0 ? members : []) await member.ask("run", { least: 1, wakeMs: 0, ms: warmMs });
    return await use(members);
  } finally {
    for (const member of members) member.end();
  }
}

/**
 * Turns in rounds, every second one backwards. Members for which `isAround` holds are measured before each round and
 * after the last: what they did during a round is the mean of the two.
 *
 * @param turn measures one member once
 * @returns key → what each round gave
 */
export async function goRounds(members, { rounds, isAround = () => false, turn }) {
  const results = new Map(members.map(({ key }) => [key, []]));
  const around = members.filter(isAround);
  const inside = members.filter((member) => !isAround(member));
  const measure = async (list) => {
    for (const member of list) {
      await setTimeout(REST_MS);
      results.get(member.key).push(await turn(member));
    }
  };
  for (let round = 0; round < rounds; round++) {
    await measure(around);
    await measure(round % 2 === 0 ? inside : [...inside].reverse());
  }
  await measure(around);
  return results;
}

async function startMember(model, contender) {
  const child = fork(PROGRAM, [JSON.stringify(contender), JSON.stringify(model)], {
    silent: true,
    execArgv: [...process.execArgv, ...contender.switches],
  });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  child.stdout.resume();
  const answer = () =>
    new Promise((resolve, reject) => {
      const settle = (finish) => (value) => {
        child.off("message", onMessage).off("exit", onExit);
        finish(value);
      };
      const onMessage = settle((message) =>
        message.error === undefined ? resolve(message) : reject(new Error(`${contender.key}: ${message.error}`)),
      );
      const onExit = settle((code) => reject(new Error(`${contender.key} ended with ${code}: ${errors.slice(-800)}`)));
      child.on("message", onMessage).on("exit", onExit);
    });
  await answer();
  const ask = (order, details = {}) => {
    child.send({ order, ...details });
    return answer();
  };
  try {
    const { results, flopsPerRun, facts } = await ask("load");
    return { key: contender.key, contender, results, flopsPerRun, facts, ask, end: () => child.kill() };
  } catch (error) {
    child.kill();
    throw error;
  }
}

/** Nothing is timed that is not the same. */
export function checkResults(members) {
  const [first, ...others] = members.filter(({ results }) => results !== undefined);
  for (const { key, results } of others) {
    const difference = Math.max(...results.map((value, index) => Math.abs(value - first.results[index])));
    // `!(…)`: a NaN is a difference too.
    if (results.length !== first.results.length || !(difference <= TOLERANCE)) {
      throw new Error(`The results of ${key} and ${first.key} differ by ${difference}: nothing is timed.`);
    }
  }
}

/** Whether a member is one of the limit, which is measured around the rounds. */
export const isAround = ({ contender }) => contender.adapter === "limit";

/**
 * A race: fields of timed runs.
 *
 * @param after asked of the members when the rounds are over; returns key → what is added to that key's result
 * @returns for each field, key → `{ ms, runs, rounds, flopsPerRun }`; `ms` the median of all runs, `rounds` of each
 */
export async function race(model, contenders, { fields, rounds, warmMs, least, wakeMs, sliceMs }, after) {
  const results = [];
  for (let field = 0; field < fields; field++) {
    const result = await withField(model, contenders, { warmMs }, async (members) => {
      const turns = await goRounds(members, {
        rounds,
        isAround,
        turn: async (member) => (await member.ask("run", { least, wakeMs, ms: sliceMs })).times,
      });
      const added = await after?.(members);
      return new Map(
        members.map((member) => {
          const times = turns.get(member.key);
          const medians = times.map(median);
          const perRound = isAround(member) ? meansOfNeighbours(medians) : medians;
          const runs = times.reduce((sum, { length }) => sum + length, 0);
          const { key, flopsPerRun, facts } = member;
          const more = { ...(facts === undefined ? {} : { facts }), ...added?.get(key) };
          return [key, { ms: median(times.flat()), runs, rounds: perRound, flopsPerRun, ...more }];
        }),
      );
    });
    results.push(result);
  }
  return results;
}

/** From measurements before and after each round to one a round. */
export function meansOfNeighbours(values) {
  return values.slice(1).map((value, index) => (value + values[index]) / 2);
}

/** How `value(field, round)` comes out: the median over rounds of each field. One number a field. */
export function perField(fields, key, value) {
  return fields.map((field) => median(field.get(key).rounds.map((_, round) => value(field, round))));
}

/** Time of one contender over another's, round by round. One number a field. */
export function ratios(fields, key, other) {
  return perField(fields, key, (field, round) => field.get(key).rounds[round] / field.get(other).rounds[round]);
}
