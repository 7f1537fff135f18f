/**
 * How many multiply-adds can WebAssembly SIMD make here at most? Over registers alone, with relaxed SIMD and without,
 * and with vectors that V8's experimental switch joins, on one thread and on two. Where two threads do not reach twice one, the machine is shared, and no two-thread row of
 * this run means much.
 *
 *     node limit.mjs [--quick]
 */

import { contenders } from "./harness/contenders.mjs";
import { race, ratios } from "./harness/field.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { spreadOf, spreadText } from "./harness/statistics.mjs";

const KINDS = ["limit-relaxed", "limit-simd", "limit-wide"];
const settings = readSettings({ keys: [1, 2].flatMap((threads) => KINDS.map((kind) => `${kind}:${threads}`)) });
const fields = await race({}, contenders(settings.keys), { ...settings.measure, warmMs: 100 });

const rows = Object.fromEntries(
  [...fields[0].keys()].map((key) => {
    const gflops = fields.map((field) => field.get(key)).map(({ flopsPerRun, ms }) => flopsPerRun / ms / 1e6);
    return [key, spreadOf(gflops)];
  }),
);
const kinds = Object.keys(rows).filter((key) => key.endsWith(":1"));
const scaling = Object.fromEntries(
  kinds.map((key) => {
    // The run on two threads does twice the work.
    const twice = ratios(fields, key, key.replace(":1", ":2")).map((ratio) => 2 * ratio);
    return [key.slice(0, -2), spreadOf(twice)];
  }),
);
const markdown = table(
  ["GFLOP/s", "one thread", "two threads", "two over one"],
  kinds.map((key) => [
    key.slice(0, -2),
    spreadText(rows[key], 1),
    spreadText(rows[key.replace(":1", ":2")], 1),
    spreadText(scaling[key.slice(0, -2)]),
  ]),
);
writeReport("limit", settings, { settings: settings.measure, gflops: rows, scaling }, markdown);
