/** The golden runs: five updates of a tiny network, whose gradients plain loops in float64 give. */

import { describe, expect, it } from "vitest";
import { gradientNormRunner, updateRunner } from "../../src/kernels/reference/update.ts";
import type { ParameterRole } from "../../src/operations/operation.ts";
import { slotsOf, type UpdateRule } from "../../src/operations/update-call.ts";
import { hyperValues } from "../../src/train/hyper.ts";
import { checkOptimizer, ruleOf } from "../../src/train/optimizers.ts";
import { rateAt } from "../../src/train/rates.ts";
import { checkSchedule } from "../../src/train/schedules.ts";
import { decayOf } from "../../src/train/weight-decay.ts";
import { largestDifference, readIntegers, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { type Tensors, tinyPass } from "./tiny-network.ts";
import { type Tensor, updateOnWasm } from "./update-on-wasm.ts";

type References = Readonly<Record<string, TensorReference>>;

interface Run {
  readonly name: string;
  readonly optimizer: unknown;
  readonly schedule: unknown;
  readonly options: {
    readonly clipNorm?: number;
    readonly accumulate?: number;
    readonly averageDecay?: number;
    readonly labelSmoothing?: number;
    readonly train?: readonly string[];
  };
  readonly learningRates: readonly number[];
  readonly loss: readonly number[];
  readonly gradientNorm: readonly number[];
  readonly parameters: References;
  readonly moving?: References;
  readonly average?: References;
  readonly inferenceLogits: TensorReference;
  readonly tolerance: Readonly<Record<string, number>>;
}

interface Index {
  readonly steps: number;
  readonly counts: { readonly runs: number };
  readonly data: { readonly images: TensorReference; readonly labels: TensorReference };
  readonly initial: References;
  readonly initialMoving: References;
  readonly firstStep: {
    readonly loss: number;
    readonly gradients: References;
    readonly tolerance: { readonly loss: number; readonly gradients: Readonly<Record<string, number>> };
  };
  readonly runs: readonly Run[];
}

const FOLDER = "golden/train";
const index = sharedRoot === undefined ? undefined : readJson<Index>(`${FOLDER}/index.json`);
const numbers = (reference: TensorReference) => readTensor(FOLDER, reference).data;
const wide = (references: References): Tensors =>
  new Map(Object.entries(references).map(([name, reference]) => [name, Float64Array.from(numbers(reference))]));

/** Updates the tensors and gives the norm of their gradients. */
type Updater = (rule: UpdateRule, tensors: readonly Tensor[], hyper: Float32Array) => number;

const UPDATERS: Readonly<Record<string, Updater>> = {
  "the reference runner": (rule, tensors, hyper) => {
    const norm = new Float32Array(1);
    const gradients = tensors.map(({ gradient }, i) => [`gradient${i}`, gradient]);
    const elements = tensors.map(({ gradient }) => gradient.length);
    gradientNormRunner({ kernel: "gradientNorm", elements })(1, { ...Object.fromEntries(gradients), norm });
    for (const { parameter, gradient, slots, average, decay, rateFactor } of tensors) {
      const call = { kernel: "update", rule, elements: parameter.length, decay, rateFactor } as const;
      const arrays = {
        parameter,
        gradient,
        ...Object.fromEntries(slots.map((slot, i) => [`slot${i}`, slot])),
        ...(average === undefined ? {} : { average }),
      };
      updateRunner({ ...call, average: average !== undefined })(1, { ...arrays, hyper, norm });
    }
    return norm[0]!;
  },
  "wasm, one thread": (rule, tensors, hyper) => updateOnWasm(rule, tensors, hyper),
  "wasm, three threads": (rule, tensors, hyper) => updateOnWasm(rule, tensors, hyper, 3),
};

describeShared("the golden runs of training", () => {
  const runs = index?.runs ?? [];
  const batch = () => ({ images: numbers(index!.data.images), labels: readIntegers(FOLDER, index!.data.labels) });

  it("are all there", () => {
    expect(runs.length).toBe(index!.counts.runs);
    expect(runs.length).toBe(26);
  });

  it("begin with the loss and the gradients of the loops here", () => {
    const { initial, initialMoving, firstStep } = index!;
    const { images, labels } = batch();
    const moving = wide(initialMoving);
    const { loss, gradients } = tinyPass(wide(initial), moving, images, labels, { frozen: false, labelSmoothing: 0 });
    expect(Math.abs(loss - firstStep.loss)).toBeLessThan(1e-12);
    expect(gradients.size).toBe(Object.keys(firstStep.gradients).length);
    for (const [name, reference] of Object.entries(firstStep.gradients)) {
      const difference = largestDifference(gradients.get(name)!, numbers(reference));
      expect(difference, name).toBeLessThan(firstStep.tolerance.gradients[name]!);
    }
  });

  describe.each(Object.entries(UPDATERS))("by %s", (_, updater) => {
    it.each(runs.map((run) => [run.name, run] as const))("%s", (_name, run) => {
      const { steps, initial, initialMoving } = index!;
      const { images, labels } = batch();
      const { clipNorm, accumulate = 1, averageDecay, labelSmoothing = 0 } = run.options;
      const optimizer = checkOptimizer("test", run.optimizer);
      const schedule = checkSchedule("test", run.schedule);
      expect(optimizer).toEqual(run.optimizer);
      expect(schedule).toEqual(run.schedule);
      const rule = ruleOf(optimizer);
      const names = run.options.train ?? Object.keys(initial);
      const frozen = run.options.train !== undefined;
      const moving = wide(initialMoving);
      const tensors = names.map((name): Tensor => {
        const { data: start, shape } = readTensor(FOLDER, initial[name]!);
        const role = (/kernel$/.test(name) ? "kernel" : name.split("/")[1]) as ParameterRole;
        const info = { name, node: name.split("/")[0]!, role, shape, trainable: true };
        return {
          parameter: start.slice(),
          gradient: new Float32Array(start.length),
          slots: slotsOf(rule).map((slot) => new Float32Array(start.length).fill(slot.initial)),
          average: averageDecay === undefined ? undefined : start.slice(),
          decay: decayOf(optimizer, info),
          rateFactor: 1,
        };
      });
      const all = wide(initial);
      const size = labels.length / accumulate;
      const each = images.length / accumulate;
      for (let t = 0; t < steps; t++) {
        for (const [i, name] of names.entries()) all.set(name, Float64Array.from(tensors[i]!.parameter));
        const sums = tensors.map(({ parameter }) => new Float64Array(parameter.length));
        let loss = 0;
        for (let part = 0; part < accumulate; part++) {
          const some = images.slice(part * each, (part + 1) * each);
          const pass = tinyPass(all, moving, some, labels.slice(part * size, (part + 1) * size), {
            frozen,
            labelSmoothing,
          });
          loss += pass.loss / accumulate;
          for (const [i, name] of names.entries()) {
            for (const [k, value] of pass.gradients.get(name)!.entries()) sums[i]![k]! += value / accumulate;
          }
        }
        for (const [i, sum] of sums.entries()) tensors[i]!.gradient.set(sum);
        const rate = rateAt(schedule, t);
        const norm = updater(rule, tensors, hyperValues(rule, { update: t, rate, clipNorm, averageDecay }));
        expect(Math.abs(rate - run.learningRates[t]!)).toBeLessThanOrEqual(1e-12 * run.learningRates[t]!);
        expect(Math.abs(loss - run.loss[t]!)).toBeLessThanOrEqual(run.tolerance["loss"]!);
        expect(Math.abs(norm - run.gradientNorm[t]!)).toBeLessThanOrEqual(run.tolerance["gradientNorm"]!);
      }
      for (const [i, name] of names.entries()) {
        all.set(name, Float64Array.from(tensors[i]!.parameter));
        const difference = largestDifference(tensors[i]!.parameter, numbers(run.parameters[name]!));
        expect(difference, name).toBeLessThanOrEqual(run.tolerance[name]!);
        if (averageDecay === undefined) continue;
        const off = largestDifference(tensors[i]!.average!, numbers(run.average![name]!));
        expect(off, `average of ${name}`).toBeLessThanOrEqual(run.tolerance[`average:${name}`]!);
      }
      for (const [name, reference] of Object.entries(run.moving ?? {})) {
        const difference = largestDifference(moving.get(name)!, numbers(reference));
        expect(difference, name).toBeLessThanOrEqual(run.tolerance[name]!);
      }
      const { logits } = tinyPass(all, moving, images, labels, { frozen: true, labelSmoothing });
      const difference = largestDifference(logits, numbers(run.inferenceLogits));
      expect(difference, "logits").toBeLessThanOrEqual(run.tolerance["inferenceLogits"]!);
    });
  });
});
