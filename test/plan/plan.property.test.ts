/** @slow: it takes more than a second. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { type Lifetime, layOutArena } from "../../src/plan/arena.ts";
import { plan } from "../../src/plan/plan.ts";
import { compile } from "../../src/session/compile.ts";
import { recipe } from "../golden/vectors.ts";

describe("the arena", () => {
  const lifetime = fc
    .record({
      // 0: a value that one step hands to the next without a place of its own.
      elements: fc.integer({ min: 0, max: 500 }),
      from: fc.integer({ min: 0, max: 20 }),
      length: fc.integer({ min: 0, max: 6 }),
    })
    .map(({ elements, from, length }): Lifetime => ({ elements, from, to: from + length }));

  it("never lets two living values overlap", () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), (values) => {
        const { offsets, elements } = layOutArena(values);
        values.forEach((a, i) => {
          expect(offsets[i]! + a.elements).toBeLessThanOrEqual(elements);
          values.forEach((b, j) => {
            if (i >= j || a.elements === 0 || b.elements === 0 || a.from > b.to || b.from > a.to) return;
            expect(offsets[i]! + a.elements <= offsets[j]! || offsets[j]! + b.elements <= offsets[i]!).toBe(true);
          });
        });
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [1, 224, 4_816_896],
    [0.25, 128, 393_216],
    [0.5, 160, 1_228_800],
  ])(
    "of %s MobileNet-%s holds the largest input and output, %s bytes, and no more",
    async (alpha, resolution, bytes) => {
      const model = mobileNetV1({ alpha, resolution });
      expect(plan(model).arenaBytes).toBe(bytes);
      expect(cost(model).totals.peakActivationBytes).toBe(bytes);
      const session = await compile(model);
      expect(session.arenaBytes).toBe(bytes);
      session.close();
      expect(session.arenaBytes).toBe(0);
    },
  );
});

describe("the plan", () => {
  it("is plain data: one step a layer, batch norm and activation inside", () => {
    const steps = plan(mobileNetV1({ alpha: 0.25, resolution: 32 })).steps;
    expect(steps.map(({ name }) => name)).toHaveLength(28 + 2);
    expect(steps[1]).toMatchObject({
      name: "conv_dw_1",
      layers: ["conv_dw_1", "conv_dw_1_bn", "conv_dw_1_relu"],
      call: { activation: "relu6" },
    });
  });

  it("gives a leaky ReLU a step of its own, in the memory of what it reads, also for a tap of the convolution", () => {
    const options = { alpha: 0.25, resolution: 128 };
    const leaky = mobileNetV1({ ...options, activation: "leakyRelu", negativeSlope: 0.3 });
    const planned = plan(leaky, { taps: ["conv_dw_1"] });
    const [stem, after, , tapped] = planned.steps;
    expect(stem).toMatchObject({ layers: ["conv1", "conv1_bn"], call: { activation: "linear" } });
    const call = { kernel: "activation", activation: "leakyRelu", slope: Math.fround(0.3) };
    expect(after).toMatchObject({ layers: ["conv1_relu"], call });
    const offset = (name: string) => planned.values.get(name)!.offset;
    expect(offset(after!.reads[0]!)).toBe(offset(after!.writes[0]!));
    expect([planned.taps["conv_dw_1"]!.value]).toEqual(tapped!.writes);
    expect(tapped!.name).toBe("conv_dw_1_relu");
    expect(plan(leaky).arenaBytes).toBe(plan(mobileNetV1(options)).arenaBytes);
  });

  it("gives the same numbers folded and unfolded, for random networks", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          alpha: fc.constantFrom(0.1, 0.25, 0.3),
          inputSize: fc.tuple(fc.integer({ min: 32, max: 60 }), fc.integer({ min: 32, max: 60 })),
          padding: fc.constantFrom("same" as const, "keras" as const, "symmetric" as const),
          activation: fc.constantFrom("relu" as const, "relu6" as const, "hardSwish" as const, "leakyRelu" as const),
          outputStride: fc.constantFrom(8 as const, 16 as const, 32 as const),
          convolutionBias: fc.boolean(),
          seed: fc.integer({ min: 1, max: 1000 }),
        }),
        async (options) => {
          const model = mobileNetV1({ ...options, classes: 5 });
          let seed = options.seed;
          for (const { name, role, shape } of model.parameterInfo.values()) {
            if (role === "kernel") continue;
            const [low, high] = role === "gamma" || role === "variance" ? [0.5, 1.5] : [-0.5, 0.5];
            model.parameters.set(name, recipe(shape, ++seed, low, high));
          }
          const input = recipe([2, ...options.inputSize, 3], options.seed, -1, 1);
          const folded = await (await compile(model, { batch: 2 })).run(input);
          const unfolded = await (await compile(model, { batch: 2, fold: false })).run(input);
          const scale = Math.max(...folded.logits.data.map(Math.abs));
          folded.logits.data.forEach((value, i) => {
            expect(Math.abs(value - unfolded.logits.data[i]!)).toBeLessThanOrEqual(1e-4 * scale + 1e-5);
          });
        },
      ),
      { numRuns: 25 },
    );
  });
});
