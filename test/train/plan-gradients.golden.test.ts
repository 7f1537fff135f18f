/** @slow: hundreds of plans with threads of their own. */

/**
 * All golden gradients through the training plan: a network of the one layer, a plan whose upstream gradient is given,
 * and every backend that runs plans. Sum and product take two inputs, which a network does not have: theirs is a plan of
 * the same steps by hand. Each plan is laid out for more examples than it is given, and memory is NaN before it runs.
 */

import { afterAll, describe, expect, it } from "vitest";
import { elementCount, type FloatTensor, type Tensor, tensor } from "../../src/core/tensor.ts";
import { network } from "../../src/layers/network.ts";
import { operationOf } from "../../src/operations/table.ts";
import type { PlannedValue } from "../../src/plan/plan.ts";
import { type AnyTrainingCall, type TrainingPlan, trainingPlan } from "../../src/plan/training/training-plan.ts";
import {
  gradientOf,
  LOSSES,
  TARGETS,
  type TrainingStep,
  type TrainingStepsOptions,
} from "../../src/plan/training/training-step.ts";
import { targetsOf } from "../../src/train/labels.ts";
import { largestDifference, readIntegers, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { BOUND_VARIANTS, runOnce } from "./bound-variants.ts";

interface Case {
  readonly name: string;
  readonly op: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, TensorReference>>;
  readonly outputs: Readonly<Record<string, TensorReference>>;
  readonly gradients: Readonly<Record<string, TensorReference>>;
  readonly tolerance: Readonly<Record<string, number>>;
}

interface Index {
  readonly counts: { readonly gradient: Readonly<Record<string, number>> };
  readonly cases: readonly Case[];
}

type Tensors = Readonly<Record<string, Tensor>>;

/** A plan, what goes in, and where each golden tensor comes out. */
interface Asked {
  readonly plan: TrainingPlan;
  readonly batch: number;
  readonly scale: number;
  readonly values: Readonly<Record<string, Float32Array>>;
  readonly results: Readonly<Record<string, string>>;
}

/** Examples for which a plan is laid out beyond those it is given. */
const ROOM = 2;

const readAny = (reference: TensorReference): Tensor =>
  reference.dtype === "int32"
    ? tensor(Int32Array.from(readIntegers("golden/ops", reference)), reference.shape)
    : readTensor("golden/ops", reference);

const readAll = (references: Readonly<Record<string, TensorReference>>): Tensors =>
  Object.fromEntries(Object.entries(references).map(([name, reference]) => [name, readAny(reference)]));

const floats = (given: Tensor | undefined): Float32Array => (given as FloatTensor).data;

/** Roles of parameters by the goldens' names, and those of their gradients. */
const ROLES: Readonly<Record<string, string>> = {
  w: "kernel",
  b: "bias",
  gamma: "gamma",
  beta: "beta",
  mean: "mean",
  variance: "variance",
};

function layerOf({ op, options }: Case, { w, b, gamma, beta }: Tensors) {
  const { mode: _mode, momentum: _momentum, ...own } = options;
  const bias = b !== undefined;
  const [kh, kw] = w?.shape ?? [];
  const last = w?.shape[w.shape.length - 1];
  switch (op) {
    case "conv2d":
      return { type: op, attributes: { padding: "valid", ...own, kernel: [kh, kw], filters: last, bias } };
    case "depthwiseConv2d":
      return { type: op, attributes: { padding: "valid", ...own, kernel: [kh, kw], multiplier: last, bias } };
    case "pointwiseConv2d":
    case "dense":
      return { type: op, attributes: { ...own, filters: last, bias } };
    case "batchNorm":
      return { type: op, attributes: { ...own, scale: gamma !== undefined, center: beta !== undefined } };
    case "averagePool":
    case "maxPool":
      return { type: op, attributes: { padding: "valid", ...own } };
    case "softmax":
    case "globalAveragePool":
      return { type: op, attributes: own };
    default:
      return { type: "activation", attributes: { function: op } };
  }
}

/** Of a network of one layer. */
function ofLayer(entry: Case, more: Partial<TrainingStepsOptions> = {}): Asked {
  const inputs = readAll(entry.inputs);
  const x = inputs["x"]!;
  const [batch = 1, ...inputShape] = x.shape;
  const model = network({ inputShape, layers: [{ name: "op", ...layerOf(entry, inputs) }], outputs: { y: "op" } });
  const plan = trainingPlan(model, batch + ROOM, {
    target: "op",
    trains: () => true,
    momentum: Number(entry.options["momentum"] ?? 0.9),
    variance: "biased",
    loss: "given",
    inputGradient: true,
    ...(entry.options["mode"] === "train" ? { normMode: () => "batch" as const } : {}),
    ...(entry.options["mode"] === "frozen" ? { normMode: () => "frozen" as const } : {}),
    ...more,
  });
  const named = (role: string) => [...model.parameterInfo.values()].find((info) => info.role === ROLES[role])?.name;
  const values: Record<string, Float32Array> = {
    input: floats(x),
    [gradientOf("op")]: floats(readAny(entry.gradients["upstream"]!)),
  };
  const results: Record<string, string> = { y: plan.output, dx: gradientOf("input") };
  for (const [role, given] of Object.entries(inputs)) {
    const name = named(role);
    if (name === undefined) continue;
    values[name] = floats(given);
    const gradient = plan.gradients.get(name);
    if (gradient !== undefined) results[`d${role}`] = gradient;
  }
  return { plan, batch, scale: 1, values, results };
}

/** Moving statistics: as the case has them, and with momentum 0, which leaves those of the batch. */
function ofBatchNorm(entry: Case): readonly Asked[] {
  const asked = ofLayer(entry);
  if (entry.options["mode"] === "frozen") return [asked];
  const statistics = (mean: string, variance: string) => ({
    [mean]: "op/moving_mean",
    [variance]: "op/moving_variance",
  });
  const only = (more: Partial<TrainingStepsOptions>, results: Readonly<Record<string, string>>) => ({
    ...ofLayer(entry, more),
    results,
  });
  return [
    { ...asked, results: { ...asked.results, ...statistics("movingMean", "movingVarianceBiased") } },
    only({ variance: "unbiased" }, statistics("movingMean", "movingVarianceUnbiased")),
    only({ momentum: 0 }, statistics("batchMean", "batchVariance")),
  ];
}

function ofLoss(entry: Case): Asked {
  const { logits, labels } = readAll(entry.inputs);
  const [batch = 1, classes = 2] = logits!.shape;
  const layers = [{ name: "op", type: "activation", attributes: { function: "linear" } }];
  const model = network({ inputShape: [classes], layers, outputs: { y: "op" } });
  const plan = trainingPlan(model, batch + ROOM, {
    target: "op",
    trains: () => true,
    momentum: 0.9,
    variance: "biased",
    loss: "softmaxCrossEntropy",
    inputGradient: true,
  });
  const smoothing = Number(entry.options["labelSmoothing"]);
  const values = { input: floats(logits), [TARGETS]: targetsOf("golden", labels!, batch, classes, smoothing) };
  const scale = floats(readAny(entry.gradients["upstream"]!))[0] ?? Number.NaN;
  return { plan, batch, scale, values, results: { dlogits: gradientOf("input"), perExample: LOSSES } };
}

/** The steps that a network of two inputs would have. */
function ofElementwise(entry: Case): Asked {
  const { a, b } = readAll(entry.inputs);
  const [batch = 1] = a!.shape;
  const operation = operationOf(entry.op as "add" | "multiply");
  if (operation.isView) throw new Error(entry.op);
  const of = operation.call("op", {}, [a!.shape, b!.shape], a!.shape);
  if (of.kernel !== "add" && of.kernel !== "multiply") throw new Error(of.kernel);
  const step = (call: AnyTrainingCall, phase: TrainingStep["phase"], reads: object, writes: object) =>
    ({ name: "op", phase, call, reads, writes, multAdds: 0 }) as TrainingStep<AnyTrainingCall>;
  const factors = entry.op === "multiply" ? { a: "a", b: "b" } : {};
  const steps = [
    step(of, "forward", { a: "a", b: "b" }, { y: "y" }),
    step({ kernel: "elementwiseGradient", of, to: "a" }, "backward", { dy: "dy", ...factors }, { da: "da" }),
    step({ kernel: "elementwiseGradient", of, to: "b" }, "backward", { dy: "dy", ...factors }, { db: "db" }),
  ];
  const each = elementCount(a!.shape) / batch;
  const hasBatch = of.exampleStride !== 0;
  const others = elementCount(b!.shape) / (hasBatch ? batch : 1);
  let offset = 0;
  const value = (elements: number, kind: PlannedValue["kind"]): PlannedValue => {
    const at = offset;
    offset += 4 * Math.ceil((elements * (kind === "activation" ? batch + ROOM : 1)) / 4) * 4;
    return { kind, dtype: "float32", elements, offset: at, from: -1, to: steps.length } as PlannedValue;
  };
  const kind = hasBatch ? "activation" : "scratch";
  const planned: [string, PlannedValue][] = [
    ...["a", "y", "dy", "da"].map((name): [string, PlannedValue] => [name, value(each, "activation")]),
    ...["b", "db"].map((name): [string, PlannedValue] => [name, value(others, kind)]),
  ];
  const plan: TrainingPlan = {
    network: "by hand",
    batch: batch + ROOM,
    input: "a",
    inputShape: a!.shape.slice(1),
    steps,
    values: new Map(planned),
    output: "y",
    gradients: new Map(),
    parameters: [],
    arenaBytes: offset,
  };
  const values = { a: floats(a), b: floats(b), dy: floats(readAny(entry.gradients["upstream"]!)) };
  return { plan, batch, scale: 1, values, results: { y: "y", da: "da", db: "db" } };
}

function asked(entry: Case): readonly Asked[] {
  if (entry.op === "softmaxCrossEntropy") return [ofLoss(entry)];
  if (entry.op === "add" || entry.op === "multiply") return [ofElementwise(entry)];
  return entry.op === "batchNorm" ? ofBatchNorm(entry) : [ofLayer(entry)];
}

describeShared("golden gradients through the training plan", () => {
  const index =
    sharedRoot === undefined ? { counts: { gradient: {} }, cases: [] } : readJson<Index>("golden/ops/index.json");
  const cases = index.cases.filter(({ name }) => name.startsWith("gradient/"));
  /** Bits by family, of the first variant in it. */
  const bits = new Map<string, Float32Array>();

  describe.each(BOUND_VARIANTS.map((variant) => [variant.name, variant] as const))("on %s", (_name, variant) => {
    const passed: Record<string, number> = {};

    it.each(cases.map((entry) => [entry.name, entry] as const))("%s", async (_case, entry) => {
      const found: Record<string, Float32Array> = {};
      for (const { plan, batch, scale, values, results } of asked(entry)) {
        const bound = await variant.bind(plan);
        await runOnce(bound, plan, values, batch, scale);
        for (const [name, value] of Object.entries(results)) found[name] = bound.read(value, batch);
        bound.close();
      }
      const { upstream: _upstream, ...gradients } = entry.gradients;
      const { perExample } = found;
      if (perExample !== undefined)
        found["loss"] = Float32Array.of(perExample.reduce((a, b) => a + b) / perExample.length);
      const expected = readAll({ ...gradients, ...entry.outputs });
      expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
      for (const [name, { data }] of Object.entries(expected)) {
        expect(largestDifference(found[name]!, data), name).toBeLessThanOrEqual(entry.tolerance[name]!);
        const key = `${variant.family} ${entry.name} ${name}`;
        const first = bits.get(key) ?? found[name]!;
        bits.set(key, first);
        expect(found[name], `${name}: as with one thread`).toEqual(first);
      }
      passed[entry.op] = (passed[entry.op] ?? 0) + 1;
    });

    afterAll(() => {
      const { total, ...counts } = index.counts.gradient;
      expect(passed).toEqual(counts);
      expect(Object.values(passed).reduce((sum, count) => sum + count, 0)).toBe(total);
      console.log(`${variant.name}: ${total} gradients: ${JSON.stringify(passed)}`);
    });
  });
});
