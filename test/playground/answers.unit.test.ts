/** What the answers say in numbers is what the page shows where they lead. */

import { describe, expect, it } from "vitest";
import { ANSWERS } from "../../examples/playground/src/answers.ts";
import { type QuestionName, usualState } from "../../examples/playground/src/state.ts";
import { courseOf } from "../../examples/playground/src/why/cursor.ts";
import { lessonOf, type Settings } from "../../examples/playground/src/why/lesson.ts";
import { cost } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { en, ko } from "./words.ts";

const stateOf = (name: QuestionName, patch = {}) => ({ ...usualState("en"), ...ANSWERS[name], ...patch });
const lessonFor = (name: QuestionName, patch: Partial<Settings> = {}) => lessonOf(stateOf(name, patch));
const answers = (name: QuestionName) => [en, ko].map(({ questions }) => questions.list[name].answer);

/** Output channels of which a number is another when input channel 1 is. */
function changed(map: "between" | "output"): readonly number[] {
  const [after, before] = [lessonFor("mixing")[map], lessonFor("mixing", { changed: 0 })[map]];
  const channels = after.shape[3]!;
  return [
    ...new Set([...after.data].flatMap((value, i) => (value === before.data[i] ? [] : [(i % channels) + 1]))),
  ].sort();
}

describe("the answers", () => {
  it("mixing: input channel 1 changes output channel 1 alone; with the pointwise step all", () => {
    const { mixing, changed: which, filters } = stateOf("mixing");
    expect([mixing, which]).toEqual(["off", 1]);
    expect(changed("between")).toEqual([1]);
    expect(changed("output")).toEqual(Array.from({ length: filters }, (_, n) => n + 1));
  });

  it("separable: the cursor stands where the depthwise step has given way to the pointwise one", () => {
    const course = courseOf(lessonFor("separable"), true);
    expect(stateOf("separable").at).toBe(course.depthwise + 1);
  });

  it("channels: multiplier 2, 2 channels in, 6 out", () => {
    const { between, output, input } = lessonFor("channels");
    expect([input.shape[3], between.shape[3], output.shape[3], stateOf("channels").multiplier]).toEqual([2, 4, 6, 2]);
    for (const answer of answers("channels")) expect(answer).toMatch(/2[^\d]+2[^\d]+6/);
  });

  it("stride: D_F is half as long, and all counts are exactly a quarter", () => {
    const [two, one] = [lessonFor("stride"), lessonFor("stride", { stride: 1 })];
    expect(2 * two.output.shape[1]!).toBe(one.output.shape[1]);
    for (const name of ["standard", "depthwise", "pointwise"] as const) {
      expect([name, 4 * two.counts[name]]).toEqual([name, one.counts[name]]);
    }
  });

  it("letters: M is 3 and N is 5", () => {
    const { input, output } = lessonFor("letters");
    expect([input.shape[3], output.shape[3]]).toEqual([3, 5]);
    for (const answer of answers("letters")) expect(answer).toMatch(/M[^\d]+3[^\d]+N[^\d]+5/);
  });

  it("ratio: the pointwise part is 1/D_K², the depthwise part 1/N, from 64 on below a sixth of 1/9", () => {
    const { counts } = lessonFor("ratio");
    expect(counts.pointwise / counts.standard).toBeCloseTo(1 / 9, 12);
    expect(counts.depthwise / counts.standard).toBeCloseTo(1 / 8, 12);
    expect(1 / 64).toBeLessThan(1 / 9 / 6);
  });

  it("macs: the rule that is chosen counts two for each multiply-add", () => {
    const model = mobileNetV1();
    const { convention } = stateOf("macs");
    expect(cost(model, { convention }).totals.multAdds).toBe(2 * cost(model).totals.multAdds!);
  });

  it("memory: all activations together are more, the most at once is the same", () => {
    const of = (standardConvolution: boolean) => cost(mobileNetV1({ standardConvolution })).totals;
    expect(of(false).activationBytes).toBeGreaterThan(of(true).activationBytes);
    expect(of(false).peakActivationBytes).toBe(of(true).peakActivationBytes);
    expect(stateOf("memory").twin).toBe("beside");
  });
});
