/** Where everything of training on wasm lies, and the program that runs on it. */

import type { Window } from "../../core/window.ts";
import { CLAMPS, isClamp } from "../../kernels/wasm/fused.ts";
import type { Tile } from "../../kernels/wasm/index.ts";
import { lower } from "../../kernels/wasm/index.ts";
import { bitsOf } from "../../kernels/wasm/training/doubles.ts";
import { DROPOUT } from "../../kernels/wasm/training/dropout.ts";
import { ELEMENTWISE_GRADIENT } from "../../kernels/wasm/training/elementwise-gradient.ts";
import { FINISH_GRADIENT_NORM, SQUARE_SUM_BYTES, SQUARE_SUMS } from "../../kernels/wasm/training/gradient-norm.ts";
import {
  ACTIVATION_GRADIENT,
  type ActivationGradientEntry,
  SUM,
} from "../../kernels/wasm/training/number-by-number.ts";
import { POOL_GRADIENT } from "../../kernels/wasm/training/pool-gradient.ts";
import { SOFTMAX_CROSS_ENTROPY } from "../../kernels/wasm/training/softmax-cross-entropy.ts";
import { SOFTMAX_GRADIENT } from "../../kernels/wasm/training/softmax-gradient.ts";
import { formulaOf, ruleWords, UPDATE } from "../../kernels/wasm/training/update.ts";
import { UPDATE_ROW_BYTES, updateUnits, writeUpdateRows } from "../../kernels/wasm/training/update-rows.ts";
import { windowWords } from "../../kernels/wasm/window.ts";
import type { ActivationCall, GlobalPoolCall, KernelCall, PoolCall } from "../../operations/kernel-call.ts";
import type { ElementwiseGradientCall } from "../../operations/training-call.ts";
import type { UpdateCall } from "../../operations/update-call.ts";
import type { AnyTrainingCall, TrainingPlan } from "../../plan/training/training-plan.ts";
import type { TrainingStep } from "../../plan/training/training-step.ts";
import { GRADIENT_NORM, HYPER_VALUE } from "../../plan/training/update-steps.ts";
import { chunked } from "./chunking.ts";
import { layBackwardConvolution, layForwardConvolution } from "./convolution-layout.ts";
import { layBackwardDepthwise, layForwardDepthwise } from "./depthwise-layout.ts";
import { partKind } from "./kind.ts";
import { LayoutBuilder, type TrainingLayout } from "./layout-builder.ts";
import { layBackwardProduct, layForwardProduct } from "./product-layout.ts";
import { gradientCall, loadCall, measured, summed, type Values } from "./weighted-layer.ts";

const OTHERS = "training-others";
/** Numbers that go one by one in a piece. */
const UNIT = 16_384;
/** Pixels of a chunk where a value passes alone. */
const FLOATS = 49_152;
/** Units of updates in a job. */
const UNITS_OF_A_JOB = 8;

type PlannedTrainingStep = TrainingStep<AnyTrainingCall>;

export function layOutTraining(plan: TrainingPlan, tile: Tile, threads: number, cores: number): TrainingLayout {
  const builder = new LayoutBuilder(plan, tile, threads);
  const updates = plan.steps.filter(isUpdate);
  for (const step of plan.steps) {
    if (step.phase === "update") continue;
    builder.begin(step);
    layStep(builder, step);
  }
  if (updates.length > 0) layUpdates(builder, updates);
  return builder.finish(cores);
}

function isUpdate(step: PlannedTrainingStep): step is TrainingStep<UpdateCall> {
  return step.call.kernel === "update";
}

function layStep(builder: LayoutBuilder, { call, reads, writes }: PlannedTrainingStep): void {
  const values: Values = { ...reads, ...writes };
  const at = (role: string) => builder.at(values[role]);
  const { batch } = builder.plan;
  const kind = partKind(call);
  switch (call.kernel) {
    case "forward": {
      const { of } = call;
      if (of.kernel === "conv2d") layForwardConvolution(builder, of, call, values);
      else if (of.kernel === "depthwiseConv2d") layForwardDepthwise(builder, of, call, values);
      else layForwardProduct(builder, of, call, values);
      return;
    }
    case "backward": {
      const { of } = call;
      if (of.kernel === "conv2d") layBackwardConvolution(builder, of, call, values);
      else if (of.kernel === "depthwiseConv2d") layBackwardDepthwise(builder, of, call, values);
      else layBackwardProduct(builder, of, call, values);
      return;
    }
    case "normalise": {
      const { load, pixels, channels } = call;
      const chunks = chunked(pixels, batch, Math.max(1, Math.floor(FLOATS / channels)));
      builder.chunks(
        [loadCall(builder, values["x"], values["xNorm"], load, channels, chunks.words, { value: values["y"] ?? "" })],
        chunks.units,
      );
      return;
    }
    case "normaliseGradient": {
      const { load, pixels, channels } = call;
      const chunks = chunked(pixels, batch, Math.max(1, Math.floor(FLOATS / channels)));
      const roles = {
        dy: values["dy"],
        y: values["x"],
        yNorm: values["xNorm"],
        yNormGradient: values["xNormGradient"],
      };
      builder.chunks(
        [gradientCall(builder, roles, load, channels, chunks.words, { value: values["dx"] ?? "" })],
        chunks.units,
      );
      return;
    }
    case "norm": {
      const { pixels, channels } = call.norm;
      const chunks = chunked(pixels, batch, Math.max(1, Math.floor(FLOATS / channels)));
      const { calls, jobs } = measured(builder, values, values["x"], call.norm, chunks, "xNorm");
      if (calls.length > 0) builder.chunks(calls, chunks.units);
      builder.jobs(jobs, "norm");
      return;
    }
    case "normGradient": {
      const { pixels, channels } = call.norm;
      const { words: chunk, units } = chunked(pixels, batch, Math.max(1, Math.floor(FLOATS / channels)));
      const { calls, jobs } = summed(builder, values, values["dy"], call.norm, call.clamp, { chunk, units });
      builder.chunks(calls, units);
      builder.jobs(jobs, "norm");
      return;
    }
    case "softmaxCrossEntropy": {
      const words = builder.words(SOFTMAX_CROSS_ENTROPY, () => ({
        logits: at("logits"),
        targets: at("targets"),
        perExample: at("perExample"),
        dlogits: at("dlogits"),
        classes: call.classes,
        scale: builder.flags.scale,
      }));
      builder.range(builder.call(OTHERS, "softmaxCrossEntropy", words, kind), 1, true);
      return;
    }
    case "activationGradient":
      layActivationGradient(builder, call.of, values);
      return;
    case "softmaxGradient": {
      const words = builder.words(SOFTMAX_GRADIENT, () => ({
        dy: at("dy"),
        y: at("y"),
        dx: at("dx"),
        channels: call.channels,
      }));
      builder.range(builder.call(OTHERS, "softmaxGradient", words, kind), call.rows, true);
      return;
    }
    case "poolGradient": {
      const { window, channels } = windowOf(call.of);
      const words = builder.words(POOL_GRADIENT, () => ({
        ...windowWords(window, channels, channels),
        x: at("x"),
        w: 0,
        bias: 0,
        y: 0,
        dy: at("dy"),
        dx: at("dx"),
      }));
      const entry = call.of.kernel.toLowerCase().includes("max") ? "maxPoolGradient" : "averagePoolGradient";
      builder.range(builder.call(OTHERS, entry, words, kind), 1, true);
      return;
    }
    case "elementwiseGradient":
      layElementwiseGradient(builder, call, values);
      return;
    case "sum": {
      const words = builder.words(SUM, () => ({ a: at("a"), b: at("b"), y: at("y"), unit: UNIT, each: call.elements }));
      const units = Math.ceil((call.elements * batch) / UNIT);
      builder.range(builder.call(OTHERS, "sum", words, kind), units);
      return;
    }
    case "dropout": {
      const { elements, rate, layer } = call;
      const words = builder.words(DROPOUT, () => ({
        x: builder.at(values["x"] ?? values["dy"]),
        y: builder.at(values["y"] ?? values["dx"]),
        random: at("random"),
        layer,
        elements,
        most: Math.floor(rate * 2 ** 32) | 0,
        factor: bitsOf(1 / (1 - rate)),
      }));
      builder.range(builder.call(OTHERS, "dropout", words, kind), 1, true);
      return;
    }
    case "gradientNorm":
    case "update":
      return;
    default:
      layCallOfRun(builder, call, values);
  }
}

/** A call of a run, as it is. */
function layCallOfRun(builder: LayoutBuilder, call: KernelCall, { x, a, b, y = "" }: Values): void {
  const lowered = lower(call, builder.tile);
  const inputs = [x ?? a, b].filter((name) => name !== undefined);
  builder.lowered(lowered, inputs, y, partKind(call));
}

function layActivationGradient(builder: LayoutBuilder, call: ActivationCall, values: Values): void {
  const { activation, elements } = call;
  const [entry, bounds]: [ActivationGradientEntry, { readonly low: number; readonly high: number }] =
    activation === "leakyRelu"
      ? ["leakyReluGradient", { low: call.slope, high: 0 }]
      : isClamp(activation)
        ? ["clampGradient", CLAMPS[activation]]
        : [activation === "hardSwish" ? "hardSwishGradient" : "hardSigmoidGradient", { low: -3, high: 3 }];
  const words = builder.words(ACTIVATION_GRADIENT, () => ({
    ...bounds,
    dy: builder.at(values["dy"]),
    x: builder.at(values["x"]),
    dx: builder.at(values["dx"]),
    unit: UNIT,
    each: elements,
  }));
  const units = Math.ceil((elements * builder.plan.batch) / UNIT);
  builder.range(builder.call(OTHERS, entry, words, "norm"), units);
}

function layElementwiseGradient(builder: LayoutBuilder, { of, to }: ElementwiseGradientCall, values: Values): void {
  const [outer, middle, inner] = of.shape;
  if (to === "a") {
    if (of.kernel === "multiply") {
      const call = { ...of, activation: "linear" } as const;
      layCallOfRun(builder, call, { a: values["dy"] ?? "", b: values["b"] ?? "", y: values["da"] ?? "" });
      return;
    }
    const elements = outer * middle * inner;
    const chunks = chunked(1, builder.plan.batch, Math.max(1, Math.floor(FLOATS / elements)));
    const load = { norm: false, clamp: "linear" } as const;
    const call = loadCall(builder, values["dy"], undefined, load, elements, chunks.words, {
      value: values["da"] ?? "",
    });
    builder.chunks([call], chunks.units);
    return;
  }
  const [outerStride, middleStride, innerStride] = of.strides;
  const words = builder.words(ELEMENTWISE_GRADIENT, () => ({
    dy: builder.at(values["dy"]),
    a: builder.at(values["a"]),
    db: builder.at(values["db"]),
    outer,
    middle,
    inner,
    outerStride,
    middleStride,
    innerStride,
    exampleStride: of.exampleStride,
  }));
  const entry = of.kernel === "add" ? "addGradient" : "multiplyGradient";
  builder.range(builder.call(OTHERS, entry, words, "other"), 1, of.exampleStride !== 0);
}

/** A global pool is a window of one row as long as the image. */
function windowOf(call: PoolCall | GlobalPoolCall): { readonly window: Window; readonly channels: number } {
  if ("window" in call) return call;
  const { pixels, channels } = call;
  const one = [1, 1] as const;
  const none = [0, 0] as const;
  return {
    channels,
    window: {
      kernel: [1, pixels],
      stride: one,
      dilation: one,
      input: [1, pixels],
      output: one,
      padding: [none, none],
    },
  };
}

/** The norm of all gradients, then all updates at once. */
function layUpdates(builder: LayoutBuilder, steps: readonly TrainingStep<UpdateCall>[]): void {
  builder.begin({ name: "updates", phase: "update" });
  const [first] = steps;
  if (first === undefined) return;
  const { rule } = first.call;
  const table = builder.take(UPDATE_ROW_BYTES * steps.length);
  const units = updateUnits(steps.map(({ call }) => call.elements));
  const partials = builder.take(SQUARE_SUM_BYTES * units);
  builder.writes((memory) => {
    writeUpdateRows(
      memory,
      table,
      steps.map(({ call, reads }) => ({
        parameter: builder.at(reads["parameter"]),
        gradient: builder.at(reads["gradient"]),
        slot0: builder.at(reads["slot0"]),
        slot1: builder.at(reads["slot1"]),
        average: builder.at(reads["average"]),
        elements: call.elements,
        decay: call.decay,
        rateFactor: call.rateFactor,
      })),
    );
  });
  const squares = builder.words(SQUARE_SUMS, () => ({ rows: table, partials }));
  builder.range(builder.call("training-gradient-norm", "squareSums", squares, "other"), units);
  const finish = builder.words(FINISH_GRADIENT_NORM, () => ({ partials, units, norm: builder.at(GRADIENT_NORM) }));
  const { updates } = builder.flags;
  builder.jobs([{ kernel: 0, ...finish, from: 0, to: 1 }], "other", "training-gradient-norm", updates);
  const words = builder.words(UPDATE, () => ({
    rows: table,
    hyper: builder.at(HYPER_VALUE),
    norm: builder.at(GRADIENT_NORM),
    ...ruleWords(rule),
  }));
  const jobs = [];
  for (let from = 0; from < units; from += UNITS_OF_A_JOB) {
    jobs.push({ kernel: 0, ...words, from, to: Math.min(from + UNITS_OF_A_JOB, units) });
  }
  builder.jobs(jobs, "other", `update-${formulaOf(rule)}`, updates);
}
