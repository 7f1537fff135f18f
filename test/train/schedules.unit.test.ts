import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rateAt, withSteps } from "../../src/train/rates.ts";
import {
  checkSchedule,
  constant,
  cosine,
  exponential,
  linear,
  oneCycle,
  type Schedule,
  step,
  warmUp,
} from "../../src/train/schedules.ts";
import { readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const rates = (schedule: Schedule, count: number) => Array.from({ length: count }, (_, t) => rateAt(schedule, t));

function largestRelative(found: readonly number[], expected: readonly number[]): number {
  return Math.max(...found.map((rate, t) => (rate === expected[t] ? 0 : Math.abs(rate / expected[t]! - 1))));
}

interface Golden {
  readonly schedules: readonly { readonly schedule: Schedule; readonly values: readonly number[] }[];
}

describeShared("the golden schedules", () => {
  const schedules = sharedRoot === undefined ? [] : readJson<Golden>("golden/train/index.json").schedules;

  it("are all there", () => {
    expect(schedules.length).toBe(12);
  });

  it.each(schedules.map((entry) => [JSON.stringify(entry.schedule), entry] as const))("%s", (_, entry) => {
    const schedule = checkSchedule("test", entry.schedule);
    expect(schedule).toEqual(entry.schedule);
    expect(entry.values.length).toBe(50);
    expect(largestRelative(rates(schedule, 50), entry.values)).toBeLessThan(1e-13);
  });
});

describe("a schedule", () => {
  it("is plain data, in the form of a recipe file", () => {
    expect(constant({ rate: 0.1 })).toEqual({ type: "constant", rate: 0.1 });
    expect(step({ rate: 0.1, every: 30 })).toEqual({ type: "step", rate: 0.1, factor: 0.1, every: 30 });
    expect(exponential({ rate: 0.045, factor: 0.94 })).toEqual({
      type: "exponential",
      rate: 0.045,
      factor: 0.94,
      decaySteps: 1,
      staircase: false,
    });
    expect(cosine({ rate: 0.05, steps: 40 })).toEqual({ type: "cosine", rate: 0.05, steps: 40, minimum: 0 });
    expect(cosine({ rate: 0.05 })).toEqual({ type: "cosine", rate: 0.05, minimum: 0 });
    expect(linear({ rate: 0.05, steps: 4 })).toEqual({ type: "linear", rate: 0.05, end: 0, steps: 4 });
    expect(warmUp({ steps: 5, after: constant({ rate: 0.2 }) })).toEqual({
      type: "warmup",
      steps: 5,
      after: { type: "constant", rate: 0.2 },
    });
    expect(oneCycle({ peak: 0.2 })).toEqual({
      type: "oneCycle",
      peak: 0.2,
      pctStart: 0.3,
      divFactor: 25,
      finalDivFactor: 1e4,
    });
  });

  it("comes through JSON as it is, and is a copy", () => {
    const schedule = warmUp({ steps: 5, after: cosine({ rate: 0.05, steps: 40, minimum: 0.001 }) });
    const read = JSON.parse(JSON.stringify(schedule)) as { after: { rate: number } };
    const checked = checkSchedule("test", read);
    expect(checked).toEqual(schedule);
    read.after.rate = 7;
    expect(checked).toEqual(schedule);
  });

  it("of one cycle has the rates of PyTorch's OneCycleLR", () => {
    const ten = [
      0.008000000000000007, 0.10400000000000001, 0.2, 0.19009692640269477, 0.1623491307899526, 0.12225240438725786,
      0.07774839561274215, 0.0376516692100474, 0.009903873597305258, 8e-7,
    ];
    expect(largestRelative(rates(oneCycle({ peak: 0.2, steps: 10 }), 10), ten)).toBeLessThan(1e-14);
    const seven = [
      0.1, 0.9944209976994517, 0.8666594099789982, 0.611649206511179, 0.31801215832898566, 0.08779373222916066, 0.001,
    ];
    const other = oneCycle({ peak: 1, steps: 7, pctStart: 0.25, divFactor: 10, finalDivFactor: 100 });
    expect(largestRelative(rates(other, 7), seven)).toBeLessThan(1e-14);
    expect(largestRelative(rates(oneCycle({ peak: 0.2, steps: 2 }), 2), [0.1623491307899526, 8e-7])).toBeLessThan(
      1e-14,
    );
    expect(largestRelative(rates(oneCycle({ peak: 0.2, steps: 1 }), 1), [8e-7])).toBeLessThan(1e-14);
  });

  it("stays where it ends", () => {
    expect(rateAt(oneCycle({ peak: 0.2, steps: 10 }), 500)).toBe(0.2 / 25 / 1e4);
    expect(rateAt(cosine({ rate: 0.2, steps: 10, minimum: 0.003 }), 500)).toBe(0.003);
    expect(rateAt(linear({ rate: 0.2, steps: 10, end: 0.003 }), 500)).toBe(0.003);
  });

  it("of one cycle is at its peak where the way up ends, if that is an update", () => {
    expect(rateAt(oneCycle({ peak: 0.2, steps: 1, pctStart: 0 }), 0)).toBe(0.2 / 25 / 1e4);
    expect(rateAt(oneCycle({ peak: 0.2, steps: 4, pctStart: 0.25 }), 0)).toBe(0.2);
  });

  it("without steps takes those of the run, less what it warms up", () => {
    expect(withSteps(cosine({ rate: 1 }), 9)).toEqual(cosine({ rate: 1, steps: 9 }));
    expect(withSteps(linear({ rate: 1 }), 9)).toEqual(linear({ rate: 1, steps: 9 }));
    expect(withSteps(oneCycle({ peak: 1 }), 9)).toEqual(oneCycle({ peak: 1, steps: 9 }));
    expect(withSteps(oneCycle({ peak: 1, steps: 5 }), 9)).toEqual(oneCycle({ peak: 1, steps: 5 }));
    const warm = warmUp({ steps: 4, after: cosine({ rate: 1 }) });
    expect(withSteps(warm, 9)).toEqual(warmUp({ steps: 4, after: cosine({ rate: 1, steps: 5 }) }));
    expect(withSteps(warm, 3)).toEqual(warmUp({ steps: 4, after: cosine({ rate: 1, steps: 1 }) }));
    expect(withSteps(constant({ rate: 1 }), 9)).toEqual(constant({ rate: 1 }));
    expect(withSteps(step({ rate: 1, every: 2 }), 9)).toEqual(step({ rate: 1, every: 2 }));
  });

  it("says what is missing where nobody has filled its steps in", () => {
    expect(() => rateAt(oneCycle({ peak: 0.2 }), 0)).toThrow(
      "oneCycle: steps: expected a positive integer, found undefined. fit knows how many updates a run has, and fills " +
        "them in; elsewhere say steps.",
    );
    expect(() => rateAt(warmUp({ steps: 2, after: linear({ rate: 1 }) }), 3)).toThrow(/^linear: steps/);
  });

  it("is at most its peak and never below its end", () => {
    const cycle = fc.record({
      peak: fc.double({ min: 1e-6, max: 10, noNaN: true }),
      steps: fc.integer({ min: 1, max: 300 }),
      pctStart: fc.double({ min: 0, max: 0.99, noNaN: true }),
      divFactor: fc.double({ min: 1, max: 100, noNaN: true }),
      finalDivFactor: fc.double({ min: 1, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(cycle, (options) => {
        const { peak, steps, divFactor, finalDivFactor } = options;
        const all = rates(oneCycle(options), steps + 3);
        expect(Math.max(...all)).toBeLessThanOrEqual(peak * (1 + 1e-15));
        expect(Math.min(...all)).toBeGreaterThanOrEqual((peak / divFactor / finalDivFactor) * (1 - 1e-15));
        expect(Math.max(...rates(oneCycle({ ...options, steps: 4, pctStart: 0.5 }), 4))).toBe(peak);
        expect(all.at(-1)).toBe(peak / divFactor / finalDivFactor);
      }),
      { numRuns: 200 },
    );
  });
});

const invalid = (message: RegExp | string) =>
  expect.objectContaining({
    code: "OPTION_INVALID",
    message: typeof message === "string" ? message : expect.stringMatching(message),
  });

describe("a schedule that is none", () => {
  it.each([
    [undefined, /^fit: schedule: expected a schedule, an object with a type, found undefined\./],
    [null, /found null\. Such as \{ "type": "constant", "rate": 0\.1 \}\.$/],
    [[], /found \[\]/],
    [0.1, /found 0\.1/],
    [{}, /^fit: schedule\.type: expected one of "constant", "step", .*found undefined/],
    [{ type: "cosin", rate: 1 }, /found "cosin".*"cosine"/],
    [{ type: "__proto__" }, /schedule\.type/],
    [{ type: ["cosine"] }, /schedule\.type/],
    [{ type: "constant" }, /^fit: schedule\.rate: expected a finite number above 0, found undefined/],
    [{ type: "constant", rate: "0.1" }, /schedule\.rate/],
    [{ type: "constant", rate: 0 }, /schedule\.rate/],
    [{ type: "constant", rate: -1 }, /schedule\.rate/],
    [{ type: "constant", rate: Number.POSITIVE_INFINITY }, /schedule\.rate/],
    [{ type: "constant", rate: null }, /schedule\.rate/],
    [{ type: "constant", rate: 0.1, every: 3 }, /^fit: schedule of type "constant": unknown option "every"/],
    [{ type: "step", rate: 1, every: 0 }, /schedule\.every: expected a positive integer/],
    [{ type: "step", rate: 1, every: 1.5 }, /schedule\.every/],
    [{ type: "step", rate: 1, every: 3, factor: 0 }, /schedule\.factor/],
    [{ type: "exponential", rate: 1 }, /schedule\.factor/],
    [{ type: "exponential", rate: 1, factor: 0.9, staircase: 1 }, /schedule\.staircase: expected true or false/],
    [{ type: "exponential", rate: 1, factor: 0.9, decaySteps: null }, /schedule\.decaySteps/],
    [{ type: "cosine", rate: 1, steps: -1 }, /schedule\.steps/],
    [{ type: "cosine", rate: 1, steps: null }, /schedule\.steps/],
    [{ type: "cosine", rate: 1, minimum: -1 }, /schedule\.minimum: expected a finite number of at least 0/],
    [{ type: "linear", rate: 1, end: Number.NaN }, /schedule\.end/],
    [{ type: "oneCycle", peak: 0.2, pctStart: 1 }, /schedule\.pctStart/],
    [{ type: "oneCycle", peak: 0.2, divFactor: 0 }, /schedule\.divFactor/],
    [{ type: "oneCycle", rate: 0.2 }, /unknown option "rate"/],
    [{ type: "warmup", steps: 3 }, /^fit: schedule\.after: expected a schedule/],
    [{ type: "warmup", steps: 3, after: { type: "constant", rate: 0 } }, /^fit: schedule\.after\.rate/],
  ])("%o", (value, message) => {
    expect(() => checkSchedule("fit", value)).toThrow(invalid(message));
  });

  it("is nested too deep, or in itself", () => {
    let deep: unknown = { type: "constant", rate: 1 };
    for (let i = 0; i < 3; i++) deep = { type: "warmup", steps: 1, after: deep };
    expect(rateAt(checkSchedule("fit", deep), 0)).toBe(1);
    const self: { type: string; steps: number; after?: unknown } = { type: "warmup", steps: 1 };
    self.after = self;
    const message =
      "fit: schedule.after.after.after.after: expected warm-ups nested at most 3 deep, found deeper ones.";
    expect(() => checkSchedule("fit", { type: "warmup", steps: 1, after: deep })).toThrow(invalid(message));
    expect(() => checkSchedule("fit", self)).toThrow(invalid(message));
  });

  it("is named by its function where that made it", () => {
    expect(() => constant({ rate: -1 })).toThrow(
      invalid(/^constant: rate: expected a finite number above 0, found -1/),
    );
    expect(() => warmUp({ steps: 0, after: constant({ rate: 1 }) })).toThrow(invalid(/^warmUp: steps/));
    expect(() => warmUp({ steps: 1, after: {} as never })).toThrow(invalid(/^warmUp: after\.type/));
    expect(() => cosine({ rate: 1, step: 4 } as never)).toThrow(invalid(/^cosine: unknown option "step".*"steps"/));
    expect(() => oneCycle(undefined as never)).toThrow(invalid(/^oneCycle: options: expected an object/));
  });

  it("says how it is called where it was given a number", () => {
    const calls: readonly (readonly [make: (options: never) => unknown, call: string])[] = [
      [constant, "constant({ rate: 0.1 })"],
      [step, "step({ rate: 0.1, every: 1000 })"],
      [exponential, "exponential({ rate: 0.1, factor: 0.94 })"],
      [cosine, "cosine({ rate: 0.1 })"],
      [linear, "linear({ rate: 0.1 })"],
      [oneCycle, "oneCycle({ peak: 0.1 })"],
      [warmUp, "warmUp({ steps: 500, after: cosine({ rate: 0.1 }) })"],
    ];
    for (const [make, call] of calls) {
      const found = (value: unknown) => `${call.replace(/\(.*/, "")}: options: expected an object, found ${value}. `;
      for (const value of [0.1, undefined]) {
        expect(() => make(value as never)).toThrow(`${found(value)}Call it as ${call}.`);
      }
    }
  });

  it("or is a good one, whatever JSON holds", () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.integer(), fc.constant("cosine"));
    const key = fc.constantFrom("type", "rate", "steps", "after", "factor", "peak", "every", "minimum", "end");
    const type = fc.constantFrom("constant", "step", "exponential", "cosine", "linear", "warmup", "oneCycle");
    fc.assert(
      fc.property(fc.dictionary(key, value), type, (record, name) => {
        try {
          const schedule = checkSchedule("fit", { ...record, type: name });
          expect(Number.isNaN(rateAt(withSteps(schedule, 10), 3))).toBe(false);
        } catch (error) {
          expect(error).toEqual(invalid(/^fit: schedule/));
        }
      }),
    );
  });
});
