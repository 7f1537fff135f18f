/** Results as files: Markdown to read and JSON with the raw numbers, beside what they were measured on. */

import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { writeWhole } from "../../scripts/shared/write-whole.mjs";

const PEERS = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).dependencies;
const NODE_MAJOR = process.versions.node.split(".")[0];

/** Taken when the bench starts: the load before its own. */
const LOAD_BEFORE = loadavg();

/** Where results lie. Those of a quick run are no results, and never replace any. */
export function resultsFolder(isQuick) {
  return new URL(isQuick ? "../.cache/quick-results/" : "../results/", import.meta.url);
}

/** Machine, engine, versions and load. */
export function about() {
  return {
    date: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    cpu: `${cpus()[0]?.model}${cpuFamily()}`,
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore: LOAD_BEFORE,
    loadAfter: loadavg(),
    versions: { depthwise: version(new URL("../../package.json", import.meta.url)), ...peerVersions() },
  };
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

function factsLine({ node, v8, cpu, cores, loadBefore, loadAfter, versions, date }) {
  const load = `load ${loadBefore[0].toFixed(2)} before, ${loadAfter[0].toFixed(2)} after`;
  const libraries = Object.entries(versions).map(([name, number]) => `${name} ${number}`);
  return `Node ${node} (V8 ${v8}), ${cpu}, ${cores} cores, ${load}, ${date.slice(0, 10)}. ${libraries.join(", ")}.`;
}

/** The model name of a virtual machine often says no more than the maker. */
function cpuFamily() {
  if (process.platform !== "linux") return "";
  const text = readFileSync("/proc/cpuinfo", "utf8");
  const field = (name) => new RegExp(`^${name}\\s*:\\s*(\\d+)`, "m").exec(text)?.[1];
  return field("cpu family") === undefined ? "" : ` (family ${field("cpu family")}, model ${field("model")})`;
}

function version(file) {
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/**
 * What is installed, not what was asked for: a difference is an error, since figures are quoted with the version. One
 * that is not installed was not measured, and is not named: a bench without rivals runs without them.
 */
function peerVersions() {
  return Object.fromEntries(
    Object.entries(PEERS).flatMap(([name, pinned]) => {
      const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
      if (!existsSync(file)) return [];
      const found = version(file);
      if (found !== pinned) throw new Error(`${name}: package.json pins ${pinned}, ${found} is installed.`);
      return [[name, found]];
    }),
  );
}
