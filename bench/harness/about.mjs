/** What figures were measured on: machine, engine, versions and load. */

import { existsSync, readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";

const PEERS = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).dependencies;

/** Taken when the bench starts: the load before its own. */
const LOAD_BEFORE = loadavg();

/** Of a bench: with the versions of its rivals. */
export function about() {
  const { versions, ...facts } = aboutRun(LOAD_BEFORE);
  return { ...facts, versions: { ...versions, ...peerVersions() } };
}

/** Of one run, which has no rivals. @param {number[]} loadBefore `loadavg()` when it began */
export function aboutRun(loadBefore) {
  return {
    date: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    cpu: `${cpus()[0]?.model}${cpuFamily()}`,
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    loadAfter: loadavg(),
    versions: { depthwise: version(new URL("../../package.json", import.meta.url)) },
  };
}

/** In a line. @param {ReturnType<typeof about>} facts */
export function factsLine({ node, v8, cpu, cores, loadBefore, loadAfter, versions, date }) {
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
