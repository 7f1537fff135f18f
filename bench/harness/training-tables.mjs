/** What a race of training steps comes to: times, ratios within a round, where a step spends its time; and its tables. */

import { layerMultAdds, layers } from "../models/mobilenet-v1.mjs";
import { stepFlops } from "../models/training.mjs";
import { LIMIT, OURS } from "./contenders.mjs";
import { goRounds, isAround, meansOfNeighbours, ratios } from "./field.mjs";
import { table } from "./report.mjs";
import { median, spreadOf, spreadText } from "./statistics.mjs";

/** Whose steps are profiled, and the limit that their products are a share of. */
export const LIMIT_OF = { [`${OURS}:1`]: `${LIMIT}:1`, [`${OURS}-wide:1`]: "limit-wide:1" };

const LAYOUTS = ["contiguous", "channels-last"];
const layoutKey = (layout, threads) => `pytorch-${layout}:${threads}`;

/** For each number of threads the layout in which PyTorch was faster in the first field: threads → its key. */
export function betterLayouts(field) {
  return Object.fromEntries(
    [1, 2].flatMap((threads) => {
      const keys = LAYOUTS.map((layout) => layoutKey(layout, threads)).filter((key) => field.has(key));
      const time = (key) => median(field.get(key).rounds);
      return keys.length === 0 ? [] : [[threads, keys.reduce((a, b) => (time(b) < time(a) ? b : a))]];
    }),
  );
}

/** Profiles in rounds, the limits around each: key → `{ profile }`, what each round came to. */
export async function profileRounds(model, members, { rounds, profileRuns, least, wakeMs, sliceMs }) {
  const own = members.filter((member) => isAround(member) || LIMIT_OF[member.key] !== undefined);
  const turns = await goRounds(own, {
    rounds,
    isAround,
    turn: async (member) => {
      if (!isAround(member)) return profileOf(model, (await member.ask("profile", { runs: profileRuns })).steps);
      const { times } = await member.ask("run", { least, wakeMs, ms: sliceMs });
      return member.flopsPerRun / median(times) / 1e6;
    },
  });
  return new Map(
    own
      .filter((member) => !isAround(member))
      .map(({ key }) => {
        const limits = meansOfNeighbours(turns.get(LIMIT_OF[key]) ?? []);
        return [key, { profile: turns.get(key).map((round, index) => ({ ...round, limitGflops: limits[index] })) }];
      }),
  );
}

/**
 * From the parts of a step: `shares` by phase and kind, `normShare` of batch norm and activations, and the `gflops` of the
 * gradients of the pointwise layers, of which each is two products as large as the layer.
 */
function profileOf(model, parts) {
  const total = sumOf(parts);
  const shares = {};
  for (const { phase, kind, milliseconds } of parts) {
    const name = `${phase} ${kind}`;
    shares[name] = (shares[name] ?? 0) + milliseconds / total;
  }
  const pointwise = layers(model).filter(({ type }) => type === "pointwise");
  const multAdds = pointwise.reduce((sum, layer) => sum + 2 * model.batch * layerMultAdds(layer), 0);
  const products = pointwise.map(({ name }) => {
    const own = parts.filter((part) => part.name === name && part.phase === "backward" && part.kind === "product");
    if (own.length === 0) throw new Error(`No product of "${name}" among the parts of the backward phase.`);
    return sumOf(own);
  });
  const productMs = products.reduce((sum, ms) => sum + ms, 0);
  const normShare = sumOf(parts.filter(({ kind }) => kind === "norm")) / total;
  return { ms: total, shares, normShare, gflops: (2 * multAdds) / productMs / 1e6 };
}

const sumOf = (parts) => parts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

/** @param layouts as `betterLayouts` gives them; their keys count as `pytorch:1` and `pytorch:2` in ratios */
export function summariseTraining(model, fields, layouts) {
  const flops = stepFlops(model);
  const aliasOf = (key) => Object.entries(layouts).find(([, better]) => better === key)?.[0];
  const nameOf = (key) => (aliasOf(key) === undefined ? key : `pytorch:${aliasOf(key)}`);
  const keys = [...fields[0].keys()].filter((key) => !key.startsWith("limit"));
  const rows = keys.map((key) => [
    key,
    rowOf(
      key,
      fields.filter((field) => field.has(key)),
      flops,
    ),
  ]);
  // The slower layout runs in the first field alone.
  const throughout = keys.filter((key) => fields.every((field) => field.has(key)));
  const counted = throughout.filter((key) => !key.startsWith("pytorch") || aliasOf(key) !== undefined);
  const pairs = counted.flatMap((key) =>
    counted
      .filter((other) => other !== key && (key.startsWith(OURS) || other.startsWith(OURS)))
      .map((other) => [key, other]),
  );
  return {
    stepGflop: flops / 1e9,
    layouts,
    contenders: Object.fromEntries(rows),
    ratios: Object.fromEntries(
      pairs.map(([key, other]) => [`${nameOf(key)} / ${nameOf(other)}`, spreadOf(ratios(fields, key, other))]),
    ),
    fields: fields.map((field) => Object.fromEntries(field)),
  };
}

function rowOf(key, fields, flops) {
  const own = fields.map((field) => field.get(key));
  const ms = spreadOf(own.map((result) => result.ms));
  const row = {
    ms,
    gflops: spreadOf(own.map((result) => flops / result.ms / 1e6)),
    runs: Math.min(...own.map(({ runs }) => runs)),
    fields: own.length,
  };
  const createMs = own.map(({ facts }) => facts?.createMs).filter((value) => value !== undefined);
  if (createMs.length > 0) row.createMs = spreadOf(createMs);
  const profiles = own.flatMap(({ profile }) => (profile === undefined ? [] : [profile]));
  if (profiles.length > 0) row.profile = summariseProfiles(profiles);
  return row;
}

/** One list of rounds a field; the median of a field's rounds counts. */
function summariseProfiles(profiles) {
  const spread = (value) => spreadOf(profiles.map((rounds) => median(rounds.map(value))));
  const hasLimit = profiles.every((rounds) => rounds.every(({ limitGflops }) => limitGflops !== undefined));
  const names = Object.keys(profiles[0][0].shares);
  return {
    normShare: spread(({ normShare }) => normShare),
    productGflops: spread(({ gflops }) => gflops),
    ...(hasLimit
      ? {
          limitGflops: spread(({ limitGflops }) => limitGflops),
          productShare: spread(({ gflops, limitGflops }) => gflops / limitGflops),
        }
      : {}),
    shares: Object.fromEntries(names.map((name) => [name, spread(({ shares }) => shares[name]).median])),
  };
}

/** The tables of a shape. */
export function trainingSection(name, { contenders: rows, ratios: all, layouts, stepGflop }) {
  const cell = (spread, digits) => (spread === undefined ? "" : spreadText(spread, digits));
  const ourKeys = Object.keys(rows).filter((key) => key.startsWith(OURS));
  const aliasOf = (key) => {
    const threads = Object.keys(layouts).find((count) => layouts[count] === key);
    return threads === undefined ? key : `pytorch:${threads}`;
  };
  const lines = Object.entries(rows).map(([key, row]) => [
    key,
    cell(row.ms, 1),
    cell(row.gflops, 1),
    cell(row.createMs, 0),
    ...ourKeys.map((ours) => cell(all[`${ours} / ${aliasOf(key)}`])),
    row.runs * row.fields,
  ]);
  const headers = ["contender:threads", "ms a step", "GFLOP/s", "made in, ms", ...ourKeys.map((key) => `${key} takes`)];
  const counted = Object.entries(layouts).map(([threads, key]) => `${key} counts as pytorch:${threads}`);
  const profiled = Object.entries(rows).filter(([, { profile }]) => profile !== undefined);
  return [
    `### ${name}`,
    [`${stepGflop.toFixed(2)} GFLOP a step.`, ...counted.map((text) => `${text}.`)].join(" "),
    table([...headers, "steps"], lines),
    ...(profiled.length === 0 ? [] : [profileTable(profiled), sharesTable(profiled)]),
  ].join("\n\n");
}

function profileTable(rows) {
  const headers = [
    "profile, one thread",
    "norm and activations, share",
    "pointwise gradients, GFLOP/s",
    "limit",
    "share",
  ];
  const lines = rows.map(([key, { profile }]) => [
    key,
    spreadText(profile.normShare, 3),
    spreadText(profile.productGflops, 1),
    profile.limitGflops === undefined ? "" : spreadText(profile.limitGflops, 1),
    profile.productShare === undefined ? "" : spreadText(profile.productShare, 3),
  ]);
  return table(headers, lines);
}

function sharesTable(rows) {
  const names = Object.keys(rows[0][1].profile.shares);
  const percent = (share) => (share === undefined ? "" : `${(100 * share).toFixed(1)} %`);
  return table(
    ["share of a step", ...rows.map(([key]) => key)],
    names.map((name) => [name, ...rows.map(([, { profile }]) => percent(profile.shares[name]))]),
  );
}
