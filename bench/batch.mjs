/**
 * How many pictures a second does `depthwise batch` label, beside what decoding and the network would do by themselves?
 * How long is a shard's start, and how much memory does a list of a million lines take? α 0.25 at 128, JPEGs whose
 * shorter side is 320: those of DIR, made so.
 * One worker and as many as there are cores, each of one thread, in turns with decoding alone and the network alone. What
 * runs alone is held to a core a process, and so is the one worker.
 *
 *     npm run build (in the project), then node batch.mjs --data DIR [--rows 4000] [--rounds 5] [--quick]
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { mobileNetV1 } from "../dist/esm/index.js";
import { saveModel } from "../dist/esm/weights.js";
import { Refusal } from "../scripts/shared/refusal.mjs";
import { asProgram, countOf, readFlags } from "./harness/program.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";

const OPTIONS = {
  data: { type: "string" },
  rows: { type: "string", default: "4000" },
  rounds: { type: "string", default: "5" },
  quick: { type: "boolean", default: false },
};

const COMMAND = fileURLToPath(new URL("../dist/cli/depthwise.js", import.meta.url));
const ALONE = fileURLToPath(new URL("batch/alone.mjs", import.meta.url));
const PEAK = fileURLToPath(new URL("batch/peak.mjs", import.meta.url));
/** Of the two rates by themselves. */
const SECONDS = 4;
const BATCH = 8;
/** Of the shorter side, in pixels. */
const SIDE = 320;
/** So many of the JPEGs are used. */
const PICTURES = 500;
const MANY = 1_000_000;
const STARTS = 5;

await asProgram(import.meta.url, async (args) => {
  const flags = readFlags(args, OPTIONS);
  if (flags.data === undefined) throw new Refusal("Pass --data DIR, a folder with JPEGs.");
  const found = readdirSync(flags.data, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort()
    .map((name) => resolve(flags.data, name));
  if (found.length === 0) throw new Refusal(`${flags.data}: there are no JPEGs.`);
  const folder = mkdtempSync(join(tmpdir(), "bench-batch-"));
  try {
    const pictures = await sized(found.slice(0, PICTURES), folder);
    const weights = join(folder, "weights.safetensors");
    await saveModel(mobileNetV1({ alpha: 0.25, resolution: 128 }), weights);
    const rows = flags.quick ? 200 : countOf(flags, "rows");
    const rounds = flags.quick ? 1 : countOf(flags, "rounds");
    const measured = {
      rates: await measureRates({ folder, pictures, weights, rows, rounds, seconds: flags.quick ? 1 : SECONDS }),
      starts: measureStarts({ folder, pictures, weights, times: flags.quick ? 1 : STARTS }),
      memory: measureMemory({ folder, pictures, weights }),
    };
    const data = { rows, rounds, pictures: pictures.length, ...measured };
    writeReport("batch", { isQuick: flags.quick }, data, batchPage(data));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Copies of one size. */
async function sized(pictures, folder) {
  const copies = [];
  for (const [place, picture] of pictures.entries()) {
    const copy = join(folder, `${place}.jpg`);
    await sharp(picture).resize(SIDE, SIDE, { fit: "outside" }).jpeg({ quality: 90 }).toFile(copy);
    copies.push(copy);
  }
  return copies;
}

/** Each in turn, round by round. */
async function measureRates({ folder, pictures, weights, rows, rounds, seconds }) {
  const list = join(folder, "list.jsonl");
  const lines = Array.from({ length: rows }, (_, id) => JSON.stringify({ id, path: pictures[id % pictures.length] }));
  writeFileSync(list, `${lines.join("\n")}\n`);
  const cores = cpus().length;
  const ask = { pictures, weights, seconds, batch: BATCH };
  const rates = { decodeOne: [], decode: [], network: [], one: [], all: [] };
  const spent = [];
  for (let round = 0; round < rounds; round++) {
    rates.decodeOne.push(await together({ ...ask, part: "decode" }, 1));
    for (const part of ["decode", "network"]) rates[part].push(await together({ ...ask, part }, cores));
    for (const [name, workers] of [
      ["one", 1],
      ["all", cores],
    ]) {
      const out = join(folder, `${name}-${round}`);
      // A worker of one core: decoders have threads of their own.
      const held = workers === 1 ? ["taskset", "-c", "0"] : [];
      // One a core: shards that end with a few hundred pictures are mostly beginnings and ends.
      const shards = cores;
      const seen = command(held, ["batch", list, "--out", out, "--shards", String(shards), ...each(weights, workers)]);
      rates[name].push(rows / seen.seconds);
      if (workers > 1) spent.push(secondsOfParts(out));
      rmSync(out, { recursive: true });
    }
  }
  const sums = Object.fromEntries(
    ["decode", "resize", "network", "total"].map((name) => [name, median(spent.map((seconds) => seconds[name]))]),
  );
  return { cores, ...rates, spent: sums };
}

/** Rates of so many processes at once, each held to a core, in all. */
async function together(ask, cores) {
  const one = (core) =>
    new Promise((done, failed) => {
      const child = spawn("taskset", ["-c", String(core), process.execPath, ALONE, JSON.stringify(ask)]);
      let [said, errors] = ["", ""];
      child.stdout.on("data", (chunk) => (said += chunk));
      child.stderr.on("data", (chunk) => (errors += chunk));
      child.once("error", failed);
      child.once("close", (code) => (code === 0 ? done(JSON.parse(said).rate) : failed(new Error(errors.slice(-800)))));
    });
  const rates = await Promise.all(Array.from({ length: cores }, (_, core) => one(core)));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

function each(weights, workers) {
  const network = ["--weights", weights, "--task", "embeddings", "--format", "npy", "--batch", String(BATCH)];
  return [...network, "--workers", String(workers), "--threads", "1"];
}

function command(before, args, switches = []) {
  const [program, ...rest] = [...before, process.execPath, ...switches, COMMAND, ...args];
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: "utf8" });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`depthwise ${args.join(" ")} ended with ${status}: ${stderr.slice(-800)}`);
  return { seconds, stdout, stderr };
}

function secondsOfParts(out) {
  const parts = readdirSync(out)
    .filter((name) => name.endsWith(".stats.json"))
    .map((name) => JSON.parse(readFileSync(join(out, name), "utf8")).seconds);
  const sum = (name) => parts.reduce((all, seconds) => all + seconds[name], 0);
  return { decode: sum("decode"), resize: sum("resize"), network: sum("network"), total: sum("total") };
}

/** A shard of one picture, in a process of its own: what a scheduler starts. */
function measureStarts({ folder, pictures, weights, times }) {
  const list = join(folder, "few.txt");
  writeFileSync(list, `${pictures.slice(0, 1).join("\n")}\n`);
  return Array.from({ length: times }, (_, time) => {
    const out = join(folder, `start-${time}`);
    return command([], ["batch", list, "--out", out, "--shards", "1", "--shard", "0", ...each(weights, 1)]).seconds;
  });
}

/** Peaks over bare Node: the process that makes the index of a million lines, and one that finds it there. */
function measureMemory({ folder, pictures, weights }) {
  const list = join(folder, "many.jsonl");
  const lines = Array.from({ length: MANY }, (_, id) => JSON.stringify({ id, path: pictures[id % pictures.length] }));
  writeFileSync(list, `${lines.join("\n")}\n`);
  const ask = ["batch", list, "--out", join(folder, "many"), "--shards", "10000", ...each(weights, 1)];
  const peakOf = (args) => Number(/^peak (\d+)$/m.exec(command([], args, ["--import", PEAK]).stderr)?.[1]);
  const bare = spawnSync(process.execPath, ["--import", PEAK, "-e", "0"], { encoding: "utf8" });
  const bareBytes = Number(/^peak (\d+)$/m.exec(bare.stderr)?.[1]);
  return {
    bareBytes,
    first: peakOf([...ask, "--shard", "5000"]) - bareBytes,
    next: peakOf([...ask, "--shard", "5001"]) - bareBytes,
  };
}

/** @returns {string} Markdown */
export function batchPage({ rows, rounds, rates, starts, memory }) {
  const { cores, decodeOne, decode, network, one, all, spent } = rates;
  const middle = Object.fromEntries(
    Object.entries({ decodeOne, decode, network, one, all }).map(([name, of]) => [name, median(of)]),
  );
  const least = Math.min(middle.decode, middle.network);
  // Cores that do both, one after the other.
  const shared = 1 / (1 / middle.decode + 1 / middle.network);
  const named = [
    ["decoding and resizing alone, one process", decodeOne],
    [`decoding and resizing alone, ${cores} processes`, decode],
    [`the network alone, ${cores} processes`, network],
    ["`depthwise batch`, one worker on one core", one],
    [`\`depthwise batch\`, ${cores} workers`, all],
  ];
  const share = (part) => `${((100 * spent[part]) / (spent.decode + spent.resize + spent.network)).toFixed(0)} %`;
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    `${rows} JPEGs of ${SIDE} pixels (the shorter side) a run, ${rounds} rounds of all in turn; starts of processes are in the times of \`depthwise batch\`.`,
    table(
      ["", "pictures a second"],
      named.map(([name, of]) => [name, spreadText(spreadOf(of), 0)]),
    ),
    `- Of the smaller of the two alone: ${(middle.all / least).toFixed(2)}; of what cores can do that do both (${shared.toFixed(0)} a second): ${(middle.all / shared).toFixed(2)}.`,
    `- ${cores} workers over one: ${(middle.all / middle.one).toFixed(2)}; ${cores} processes that only decode over one: ${(middle.decode / middle.decodeOne).toFixed(2)}.`,
    `- Of a worker's time: decoding ${share("decode")}, resizing ${share("resize")}, network ${share("network")}.`,
    `- A shard of one picture, from the start of its process to its end: ${spreadText(spreadOf(starts))} s.`,
    `- A list of a million lines, peak over bare Node (${mb(memory.bareBytes)}): ${mb(memory.first)} in the process that makes its index, ${mb(memory.next)} in one that finds it there.`,
  ].join("\n\n");
}
