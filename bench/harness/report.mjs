/** Results as files: Markdown to read and JSON with the raw numbers, beside what they were measured on. */

import { fileURLToPath } from "node:url";
import { writeWhole } from "../../scripts/shared/write-whole.mjs";
import { about, factsLine } from "./about.mjs";

const NODE_MAJOR = process.versions.node.split(".")[0];

/** Where results lie. Those of a quick run are no results, and never replace any. */
export function resultsFolder(isQuick) {
  return new URL(isQuick ? "../.cache/quick-results/" : "../results/", import.meta.url);
}

/** JSON of an entry a line; a list of numbers alone, such as the times of a process, is one entry. */
export function jsonText(value) {
  const lists = /\[\n\s*(-?\d[^"[\]{}]*?)\n\s*\]/g;
  return `${JSON.stringify(value, null, 1).replace(lists, (_, numbers) => `[${numbers.replace(/\s+/g, " ")}]`)}\n`;
}

/** Writes `<name>-node<major>.json` and `.md`, and prints the Markdown. */
export function writeReport(name, { isQuick }, data, markdown) {
  const folder = resultsFolder(isQuick);
  const place = (ending) => fileURLToPath(new URL(`${name}-node${NODE_MAJOR}.${ending}`, folder));
  const facts = about();
  const text = `${isQuick ? "A quick run: its numbers mean nothing.\n\n" : ""}${factsLine(facts)}\n\n${markdown}\n`;
  writeWhole(place("json"), jsonText({ about: facts, ...data }));
  writeWhole(place("md"), text);
  process.stdout.write(`\n## ${name}\n\n${text}`);
}

/** A Markdown table; all columns but the first hold numbers. */
export function table(headers, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = `|---|${headers
    .slice(1)
    .map(() => "---:|")
    .join("")}`;
  return [line(headers), rule, ...rows.map(line)].join("\n");
}
