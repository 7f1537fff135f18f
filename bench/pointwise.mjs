/**
 * How near to the machine's limit are the pointwise kernels? The 13 pointwise layers of 1.0-224 as the session runs
 * them, timed step by step by its own profile: their operations over the sum of their median times, as a share of the
 * limit of the same kind of SIMD, which is measured before and after every round.
 *
 *     node pointwise.mjs [--quick] [--model 1.0-224]
 */

import { contenders } from "./harness/contenders.mjs";
import { goRounds, isAround, meansOfNeighbours, withField } from "./harness/field.mjs";
import { table, writeReport } from "./harness/report.mjs";
import { readSettings } from "./harness/settings.mjs";
import { median, spreadOf, spreadText } from "./harness/statistics.mjs";
import { prepareModel } from "./models/files.mjs";
import { layerMultAdds, layers } from "./models/mobilenet-v1.mjs";

/** Each variant of the kernels and the limit it is held against. */
const LIMIT_OF = {
  "depthwise-relaxed:1": "limit-relaxed:1",
  "depthwise-simd:1": "limit-simd:1",
  "depthwise-wide:1": "limit-wide:1",
};

const settings = readSettings({ models: ["1.0-224"], keys: Object.entries(LIMIT_OF).flat() });
const [name] = settings.models;
const model = prepareModel(name);
const pointwise = layers(model).filter(({ type }) => type === "pointwise");
const flops = 2 * pointwise.reduce((sum, layer) => sum + layerMultAdds(layer), 0);

const fields = [];
for (let field = 0; field < settings.measure.fields; field++) fields.push(await measureField());
const variants = Object.keys(LIMIT_OF).filter((key) => fields[0][key] !== undefined);
const results = Object.fromEntries(variants.map((key) => [key.slice(0, -2), summarise(key)]));
writeReport("pointwise", settings, { settings: settings.measure, model: name, variants: results }, report());

/** For each variant: its share of the limit in every round, and every layer's median time in ms. */
async function measureField() {
  const { rounds, least, sliceMs, wakeMs } = settings.measure;
  return withField(model, contenders(settings.keys, settings), settings.measure, async (members) => {
    const turns = await goRounds(members, {
      rounds,
      isAround,
      turn: async (member) => {
        if (!isAround(member)) return pointwiseTimes((await member.ask("profile", { runs: 2 * least })).steps);
        const { times } = await member.ask("run", { least, wakeMs, ms: sliceMs });
        return member.flopsPerRun / median(times) / 1e6;
      },
    });
    const ours = members.filter((member) => !isAround(member));
    return Object.fromEntries(
      ours.map(({ key }) => {
        const limits = meansOfNeighbours(turns.get(LIMIT_OF[key]));
        const gflops = turns.get(key).map((times) => flops / times.reduce((sum, ms) => sum + ms, 0) / 1e6);
        const layerMs = pointwise.map((_, index) => median(turns.get(key).map((times) => times[index])));
        return [key, { share: median(gflops.map((value, round) => value / limits[round])), gflops, limits, layerMs }];
      }),
    );
  });
}

/** The times of the 13 layers, in order, from a profile of all steps. */
function pointwiseTimes(steps) {
  return pointwise.map((layer) => {
    const step = steps.find((candidate) => candidate.name === layer.name);
    if (step?.multAdds !== layerMultAdds(layer)) {
      const found = steps.map((each) => `${each.name} (${each.multAdds})`).join(", ");
      throw new Error(
        `No step "${layer.name}" of ${layerMultAdds(layer)} multiply-adds alone; the profile has ${found}.`,
      );
    }
    return step.timeMs;
  });
}

function summarise(key) {
  const own = fields.map((field) => field[key]);
  const layerRows = pointwise.map((layer, index) => {
    const ms = median(own.map(({ layerMs }) => layerMs[index]));
    return { name: layer.name, ms, gflops: (2 * layerMultAdds(layer)) / ms / 1e6 };
  });
  return {
    share: spreadOf(own.map(({ share }) => share)),
    gflops: spreadOf(own.map(({ gflops }) => median(gflops))),
    limitGflops: spreadOf(own.map(({ limits }) => median(limits))),
    layers: layerRows,
    fields: own,
  };
}

function report() {
  const rows = Object.entries(results).map(([key, { share, gflops, limitGflops }]) => [
    key,
    spreadText(gflops, 1),
    spreadText(limitGflops, 1),
    spreadText(share, 3),
  ]);
  const byLayer = pointwise.map((layer, index) => [
    `${layer.name} (${layer.outSize ** 2} × ${layer.inChannels} × ${layer.outChannels})`,
    ...Object.values(results).flatMap(({ layers: all }) => [all[index].ms.toFixed(3), all[index].gflops.toFixed(1)]),
  ]);
  const layerHeaders = Object.keys(results).flatMap((key) => [`${key}, ms`, "GFLOP/s"]);
  return [
    table([name, "GFLOP/s", "limit, GFLOP/s", "share"], rows),
    table(["layer (pixels × in × out)", ...layerHeaders], byLayer),
  ].join("\n\n");
}
