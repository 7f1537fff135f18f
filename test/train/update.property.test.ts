import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import { updateRunner } from "../../src/kernels/reference/update.ts";
import { UPDATE_UNIT, updateUnits } from "../../src/kernels/wasm/training/update-rows.ts";
import { slotsOf, type UpdateRule } from "../../src/operations/update-call.ts";
import { hyperOf, hyperValues } from "../../src/train/hyper.ts";
import { sameBits } from "../kernels/on-wasm.ts";
import { type Tensor, updateOnWasm } from "./update-on-wasm.ts";

const EPSILON = 2 ** -24;

const share = fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999);
const RULES: Readonly<Record<UpdateRule["type"], fc.Arbitrary<UpdateRule>>> = {
  sgd: fc
    .record({ momentum: share, nesterov: fc.boolean(), form: fc.constantFrom("torch", "keras") })
    .map((numbers) => ({ type: "sgd", ...numbers })),
  rmsprop: fc
    .record({
      decay: share,
      momentum: share,
      epsilon: fc.constantFrom(1e-10, 1e-3, 1),
      form: fc.constantFrom("tensorflow", "torch"),
      initialAccumulator: fc.constantFrom(0, 1),
    })
    .map((numbers) => ({ type: "rmsprop", ...numbers })),
  adam: fc
    .record({
      beta1: share,
      beta2: share,
      epsilon: fc.constantFrom(1e-8, 1e-3),
      form: fc.constantFrom("torch", "keras"),
    })
    .map((numbers) => ({ type: "adam", ...numbers })),
};

const geometry = fc.record({
  seed: fc.integer(),
  lengths: fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 70 }),
      fc.constantFrom(UPDATE_UNIT - 1, UPDATE_UNIT, UPDATE_UNIT + 1, 2 * UPDATE_UNIT + 3, 10_007),
    ),
    { minLength: 1, maxLength: 6 },
  ),
  update: fc.integer({ min: 0, max: 2000 }),
  rate: fc.constantFrom(1e-4, 0.01, 0.1),
  clipNorm: fc.constantFrom(undefined, 0.5, 1e6),
  averageDecay: fc.constantFrom(undefined, 0.9, 0.9999),
  threads: fc.integer({ min: 2, max: 5 }),
});

/** Tensors in the middle of a run. */
function draw(rule: UpdateRule, lengths: readonly number[], seed: number, withAverage: boolean): Tensor[] {
  const random = mulberry32(seed);
  const numbers = (length: number, size: number) => Float32Array.from({ length }, () => (2 * random() - 1) * size);
  return lengths.map((length) => ({
    parameter: numbers(length, 1),
    gradient: numbers(length, random() < 0.2 ? 1e-6 : 1),
    slots: slotsOf(rule).map(({ name }) =>
      name === "meanSquare" ? numbers(length, 1).map((value) => value * value) : numbers(length, 1),
    ),
    average: withAverage ? numbers(length, 1) : undefined,
    decay: random() < 0.5 ? 0 : random() * 0.1,
    rateFactor: random() < 0.5 ? 1 : random(),
  }));
}

const copied = (tensors: readonly Tensor[]): Tensor[] =>
  tensors.map((tensor) => ({
    ...tensor,
    parameter: tensor.parameter.slice(),
    slots: tensor.slots.map((slot) => slot.slice()),
    average: tensor.average?.slice(),
  }));

/** The absolute values that a number is made of: a new parameter, and each slot. Roundings are in proportion. */
function sizesOf(rule: UpdateRule, before: Tensor, after: Tensor, i: number, rate: number, step: number) {
  const w = Math.abs(before.parameter[i]!);
  const g = Math.abs(before.gradient[i]!) + before.decay * w;
  const [first = 0, second = 0] = before.slots.map((slot) => Math.abs(slot[i]!));
  switch (rule.type) {
    case "sgd": {
      const size = rule.form === "torch" ? rate : 1;
      return { parameter: w + 2 * rate * g + 2 * size * first, slots: [first + g] };
    }
    case "rmsprop": {
      const s = after.slots[0]![i]!;
      const isTorch = rule.form === "torch";
      const move = isTorch ? g / (Math.sqrt(s) + rule.epsilon) : (rate * g) / Math.sqrt(s + rule.epsilon);
      return { parameter: w + (isTorch ? rate : 1) * (move + second), slots: [first + g * g, second + move] };
    }
    case "adam": {
      const move = (step * (first + g)) / (Math.sqrt(after.slots[1]![i]!) + rule.epsilon);
      return { parameter: w + move, slots: [first + g, second + g * g] };
    }
  }
}

describe("the emitted updates", () => {
  it.each(Object.keys(RULES) as UpdateRule["type"][])("of %s agree with the plain loops, for any tensors", (type) => {
    fc.assert(
      fc.property(RULES[type], geometry, (rule, { seed, lengths, threads, ...options }) => {
        const before = draw(rule, lengths, seed, options.averageDecay !== undefined);
        const hyper = hyperValues(rule, options);
        const { step } = hyperOf(rule, options);
        const emitted = copied(before);
        const norm = updateOnWasm(rule, emitted, hyper);
        const exact = Math.sqrt(before.flatMap(({ gradient }) => [...gradient]).reduce((sum, g) => sum + g * g, 0));
        expect(Math.abs(norm - exact)).toBeLessThanOrEqual(EPSILON * exact);

        const looped = copied(before);
        for (const { parameter, gradient, slots, average, decay, rateFactor } of looped) {
          const elements = parameter.length;
          const call = { kernel: "update", rule, elements, decay, rateFactor, average: average !== undefined } as const;
          const [slot0, slot1] = slots;
          const norms = Float32Array.of(norm);
          updateRunner(call)(1, { parameter, gradient, slot0, slot1, average, hyper, norm: norms });
        }
        for (const [t, tensor] of looped.entries()) {
          for (let i = 0; i < tensor.parameter.length; i++) {
            const sizes = sizesOf(rule, before[t]!, tensor, i, options.rate, step);
            for (const [k, slot] of tensor.slots.entries()) {
              const off = Math.abs(slot[i]! - emitted[t]!.slots[k]![i]!);
              if (!(off <= 8 * EPSILON * sizes.slots[k]!)) throw new Error(`slot ${k} of element ${i}: off by ${off}`);
            }
            const size = sizes.parameter;
            const off = Math.abs(tensor.parameter[i]! - emitted[t]!.parameter[i]!);
            if (!(off <= 12 * EPSILON * size)) throw new Error(`element ${i}: off by ${off} of ${size}`);
            if (tensor.average === undefined) continue;
            const away = Math.abs(tensor.average[i]! - emitted[t]!.average![i]!);
            const all = size + Math.abs(before[t]!.average![i]!);
            if (!(away <= 12 * EPSILON * all)) throw new Error(`average of ${i}: off by ${away} of ${all}`);
          }
        }

        const shared = copied(before);
        expect(updateOnWasm(rule, shared, hyper, threads)).toBe(norm);
        for (const [t, tensor] of shared.entries()) {
          expect(sameBits(tensor.parameter, emitted[t]!.parameter)).toBe(true);
          for (const [s, slot] of tensor.slots.entries()) expect(sameBits(slot, emitted[t]!.slots[s]!)).toBe(true);
          if (tensor.average !== undefined) expect(sameBits(tensor.average, emitted[t]!.average!)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

const NUMBERS = { momentum: 0.9, epsilon: 1e-3, decay: 0.9, beta1: 0.9, beta2: 0.999, initialAccumulator: 0 };
const { momentum, epsilon, decay, beta1, beta2, initialAccumulator } = NUMBERS;

/** Bits of every formula after three updates: FNV-1a of all bytes. The same on every engine, with any set of features. */
const BITS: readonly (readonly [UpdateRule, number])[] = [
  [{ type: "sgd", momentum: 0, nesterov: false, form: "torch" }, 3361001075],
  [{ type: "sgd", momentum, nesterov: false, form: "torch" }, 4283061491],
  [{ type: "sgd", momentum, nesterov: true, form: "torch" }, 2908114918],
  [{ type: "sgd", momentum, nesterov: false, form: "keras" }, 4055880097],
  [{ type: "sgd", momentum, nesterov: true, form: "keras" }, 849456584],
  [{ type: "rmsprop", decay, momentum: 0, epsilon, form: "tensorflow", initialAccumulator }, 2130855301],
  [{ type: "rmsprop", decay, momentum, epsilon, form: "tensorflow", initialAccumulator }, 1223646092],
  [{ type: "rmsprop", decay, momentum: 0, epsilon, form: "torch", initialAccumulator }, 3894662858],
  [{ type: "rmsprop", decay, momentum, epsilon, form: "torch", initialAccumulator }, 3429690899],
  [{ type: "adam", beta1, beta2, epsilon, form: "torch" }, 4245213388],
  [{ type: "adam", beta1, beta2, epsilon, form: "keras" }, 2326694622],
];

describe("the bits of an update", () => {
  it.each(BITS)("of %o are the same everywhere", (rule, expected) => {
    const tensors = draw(rule, [5, 4099, 64], 7, true);
    for (let t = 0; t < 3; t++) {
      updateOnWasm(rule, tensors, hyperValues(rule, { update: t, rate: 0.01, clipNorm: 2, averageDecay: 0.99 }));
    }
    let hash = 0x811c9dc5;
    for (const { parameter, slots, average } of tensors) {
      for (const array of [parameter, ...slots, average!]) {
        for (const byte of new Uint8Array(array.buffer)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
      }
    }
    expect(hash).toBe(expected);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("change nothing where a gradient is %s", (value) => {
    const rule = { type: "sgd", momentum: 0.9, nesterov: true, form: "torch" } as const;
    const tensors = draw(rule, [9], 1, true);
    tensors[0]!.gradient[4] = value;
    const before = structuredClone(tensors);
    const norm = updateOnWasm(
      rule,
      tensors,
      hyperValues(rule, { update: 0, rate: 0.1, clipNorm: 1, averageDecay: 0.9 }),
    );
    expect(norm).toBe(value);
    expect(tensors).toEqual(before);
  });

  it("take no unit for tensors without elements", () => {
    expect(updateUnits([0, 1, UPDATE_UNIT, UPDATE_UNIT + 1])).toBe(4);
  });
});
