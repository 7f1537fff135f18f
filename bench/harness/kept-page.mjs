/** The page of runs that are kept, made from their folder. */

import { existsSync, readFileSync } from "node:fs";
import { writeWhole } from "../../scripts/shared/write-whole.mjs";
import { factsLine } from "./about.mjs";

/**
 * Writes a page if it is not what is there. What another process added meanwhile is in it.
 *
 * @param {string} path @param {() => string} make of what lies in the folder now
 * @returns {string} the page
 */
export function writePage(path, make) {
  for (;;) {
    const page = make();
    if (existsSync(path) && readFileSync(path, "utf8") === page) return page;
    writeWhole(path, page);
  }
}

/**
 * On what which runs were made: a line for each of the machines, loads and days.
 *
 * @param {readonly import("./kept-runs.mjs").Run[]} runs in the order of the page
 * @param {import("./kept-runs.mjs").Bench["nameOf"]} nameOf
 */
export function madeOn(runs, nameOf) {
  const lines = grouped(runs, ({ about }) => JSON.stringify(about))
    .sort(([a], [b]) => (a.about.date < b.about.date ? -1 : 1))
    .map((group) => {
      const [{ about }] = group;
      const notes = [
        ...(about.isOfLast ? ["Load and date are those of the last of these runs."] : []),
        ...(about.hasGoneOn ? ["It was stopped and went on: the load before is that of its last part."] : []),
      ];
      return `- ${[`${namesOf(group, nameOf)}: ${factsLine(about)}`, ...notes].join(" ")}`;
    });
  return `Made on:\n\n${lines.join("\n")}`;
}

/** Those of one name together. */
function namesOf(runs, nameOf) {
  return grouped(runs, ({ task }) => nameOf(task))
    .map((group) => {
      const seeds = group.map(({ task }) => task.seed);
      return `${nameOf(group[0].task)} (seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")})`;
    })
    .join("; ");
}

/** Lists of those with one key, in the order of the first of each. */
function grouped(runs, keyOf) {
  const groups = new Map();
  for (const run of runs) groups.set(keyOf(run), [...(groups.get(keyOf(run)) ?? []), run]);
  return [...groups.values()];
}
