/** @slow: it takes several seconds. */

/** Where values of training lie: those that are there at once never overlap, and whatever is read is there. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { referenceTraining } from "../../../src/backends/training/reference-training.ts";
import { layOutTraining } from "../../../src/backends/training/training-layout.ts";
import { elementCount } from "../../../src/core/tensor.ts";
import { TILES } from "../../../src/kernels/wasm/index.ts";
import { mobileNetV1 } from "../../../src/models/index.ts";
import type { PlannedValue } from "../../../src/plan/plan.ts";
import { type TrainingPlan, trainingPlan } from "../../../src/plan/training/training-plan.ts";
import { LOSSES, RANDOM, TARGETS } from "../../../src/plan/training/training-step.ts";
import { updateSteps } from "../../../src/plan/training/update-steps.ts";
import { rounds, seedOf } from "../../fuzz.ts";
import { recipe } from "../../golden/vectors.ts";
import { runOnce } from "../../train/bound-variants.ts";
import { networkOf, type TrainingCase, trainingCase } from "../../train/random-training.ts";

function planOf(one: TrainingCase, inputGradient = false): TrainingPlan {
  const model = networkOf(one);
  const names = [...model.parameterInfo.keys()];
  return trainingPlan(
    model,
    one.batch,
    {
      target: model.outputs.logits,
      trains: ({ name, trainable }) =>
        trainable && (name === "logits/bias" || ((one.trained >> (names.indexOf(name) % 8)) & 1) === 1),
      momentum: 0.9,
      variance: "biased",
      loss: "softmaxCrossEntropy",
      inputGradient,
      ...(one.isFrozen ? { normMode: () => "frozen" as const } : {}),
    },
    (list) =>
      updateSteps(list, model.parameterInfo, {
        rule: { type: "sgd", momentum: 0.9, nesterov: false, form: "torch" },
        decay: () => 0,
        rateFactor: () => 1,
        average: true,
      }),
  );
}

const bytesOf = ({ batch }: TrainingPlan, { kind, elements }: PlannedValue): number =>
  4 * elements * (kind === "activation" ? batch : 1);

describe("values of training", () => {
  it("never overlap while both are there, but for what a step writes in place", () => {
    let inPlace = 0;
    const property = fc.property(trainingCase, fc.boolean(), (one, inputGradient) => {
      const planned = planOf(one, inputGradient);
      const all = [...planned.values];
      for (const [i, [name, a]] of all.entries()) {
        expect(a.offset! + bytesOf(planned, a), name).toBeLessThanOrEqual(planned.arenaBytes);
        expect(a.offset! % 16).toBe(0);
        for (const [other, b] of all.slice(i + 1)) {
          if (a.from > b.to || b.from > a.to) continue;
          const apart = a.offset! + bytesOf(planned, a) <= b.offset! || b.offset! + bytesOf(planned, b) <= a.offset!;
          if (apart) continue;
          const [old, made] = a.to <= b.from ? [name, other] : [other, name];
          const step = planned.steps[planned.values.get(made)!.from];
          expect(step?.inPlace, `${old} and ${made}`).toBe(true);
          expect([Object.values(step!.reads)[0], a.offset]).toEqual([old, b.offset]);
          expect(planned.values.get(old)!.to).toBe(planned.values.get(made)!.from);
          inPlace++;
        }
      }
    });
    fc.assert(property, { seed: seedOf(20170417), numRuns: rounds(200) });
    expect(inPlace).toBeGreaterThan(0);
  });

  it("are there from before the step that first reads them to the one that last does, and have been written", () => {
    const property = fc.property(trainingCase, (one) => {
      const planned = planOf(one);
      // From outside: what comes in, the numbers of the step, parameters and what is kept of them.
      const written = new Set<string>([planned.input, TARGETS, RANDOM, "hyper", ...planned.parameters]);
      for (const name of planned.gradients.keys()) written.add(`velocity(${name})`).add(`average(${name})`);
      for (const [index, { reads, writes, name }] of planned.steps.entries()) {
        for (const value of [...Object.values(reads), ...Object.values(writes)]) {
          const { from, to } = planned.values.get(value)!;
          expect(from <= index && index <= to, `${name}: ${value}`).toBe(true);
        }
        for (const value of Object.values(reads)) expect(written.has(value), `${name}: ${value}`).toBe(true);
        for (const value of Object.values(writes)) written.add(value);
      }
      for (const name of planned.values.keys()) expect(written.has(name), name).toBe(true);
      // Parts of an accumulated batch add to them.
      for (const gradient of planned.gradients.values()) {
        expect(planned.values.get(gradient)).toMatchObject({ from: -1, to: planned.steps.length });
      }
    });
    fc.assert(property, { seed: seedOf(20170417), numRuns: rounds(200) });
  });

  it("have the same bits where they share memory as where each has its own", async () => {
    const property = fc.asyncProperty(trainingCase, async (one) => {
      const shared = planOf(one, true);
      let arenaBytes = 0;
      const values = [...shared.values].map(([name, value]): [string, PlannedValue] => {
        const offset = arenaBytes;
        arenaBytes += 16 * Math.ceil(bytesOf(shared, value) / 16);
        return [name, { ...value, offset }];
      });
      const apart = { ...shared, values: new Map(values), arenaBytes };
      const { parameters } = networkOf(one);
      const given: Record<string, Float32Array> = {
        [shared.input]: recipe([one.batch, ...one.inputShape], one.seed + 1, -1, 1).data,
        [TARGETS]: recipe([one.batch, one.classes], one.seed + 2, 0, 1).data,
        ...(shared.values.has(RANDOM) ? { [RANDOM]: new Float32Array(2) } : {}),
      };
      for (const name of shared.parameters) given[name] = parameters.get(name)!.data;
      const found = [];
      for (const planned of [shared, apart]) {
        const bound = referenceTraining(planned);
        await runOnce(bound, planned, given, one.batch);
        const names = [...planned.gradients.values(), ...planned.parameters, LOSSES, planned.output, "gradient(input)"];
        found.push(new Map(names.map((name) => [name, bound.read(name)])));
      }
      expect(found[0]).toEqual(found[1]);
    });
    await fc.assert(property, { seed: seedOf(20170417), numRuns: rounds(40) });
  });
});

describe("memory of training", () => {
  it.each([
    ["relaxed", 1],
    ["relaxed", 2],
    ["plain", 1],
    ["wide", 2],
  ] as const)(
    "of MobileNet V1 1.0-224 with batch 8 (%s tile, %s threads) is at most 1.3 times all convolutions' outputs and three times the parameters",
    (tile, threads) => {
      const model = mobileNetV1();
      const planned = trainingPlan(
        model,
        8,
        {
          target: "conv_preds",
          trains: ({ trainable }) => trainable,
          momentum: 0.9,
          variance: "biased",
          loss: "softmaxCrossEntropy",
        },
        (list) =>
          updateSteps(list, model.parameterInfo, {
            rule: { type: "sgd", momentum: 0.9, nesterov: false, form: "torch" },
            decay: () => 0,
            rateFactor: () => 1,
            average: false,
          }),
      );
      const convolutions = model.layers.filter(({ type }) => /conv2d/i.test(type));
      const outputs = convolutions.reduce((sum, { name }) => sum + 8 * 4 * elementCount(model.shapes.get(name)!), 0);
      const parameters = [...model.parameterInfo.values()].reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
      const bar = outputs + 3 * parameters;
      expect(planned.arenaBytes).toBeLessThanOrEqual(1.05 * bar);
      expect(layOutTraining(planned, TILES[tile], threads, 2).bytes).toBeLessThanOrEqual(1.3 * bar);
    },
  );
});
