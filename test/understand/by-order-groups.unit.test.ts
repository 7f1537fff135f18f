/** Tensors of unknown names in groups: what belongs together by name, what is no layer, and how names are sorted. */

import { describe, expect, it } from "vitest";
import {
  groupsOf,
  sortedByName,
  withoutNumbers,
} from "../../src/understand/architectures/mobilenet-v1/names/by-order-groups.ts";

const KERNEL = [3, 3, 2, 4];
type Shapes = Readonly<Record<string, readonly number[]>>;
const grouped = (shapes: Shapes) => groupsOf(new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape }])));
function groups(shapes: Shapes) {
  const found = grouped(shapes);
  if ("reason" in found) throw new Error(found.reason);
  return found.groups;
}
/** Each group as its key, its kernel and what its vectors say they are. */
const told = (shapes: Shapes) =>
  groups(shapes).map(({ key, kernel, vectors }) => [key, kernel?.name, ...vectors.map(({ hint }) => hint)]);

describe("tensors in groups", () => {
  it("are a kernel with all that shares its name but for the last word, which says what it is", () => {
    const words = { kernel: KERNEL, bias: [4], gamma: [4], beta: [4], moving_mean: [4], moving_variance: [4] };
    const named = Object.fromEntries(Object.entries(words).map(([word, shape]) => [`A/b.${word}:0`, shape]));
    const hints = ["bias", "gamma", "beta", "mean", "variance"];
    expect(told(named)).toEqual([["a/b", "A/b.kernel:0", ...hints]]);
    const others = { weight: KERNEL, biases: [4], gamma: [4], beta: [4], running_mean: [4], running_var: [4] };
    expect(told(Object.fromEntries(Object.entries(others).map(([word, shape]) => [`a_${word}`, shape])))).toEqual([
      ["a", "a_weight", ...hints],
    ]);
    for (const word of ["depthwise_kernel", "pointwise_kernel", "depthwise_weights", "weights", "weight"]) {
      expect(told({ [`a/${word}`]: KERNEL, "a/mean": [4], "a/var": [4] })).toEqual([
        ["a", `a/${word}`, "mean", "variance"],
      ]);
    }
    expect(groups({ "a/kernel": KERNEL })[0]?.kernel).toEqual({ name: "a/kernel", shape: KERNEL, hint: "weight" });
  });

  it("are told by the last / or . where the last word says nothing, by all of the name without one", () => {
    expect(told({ "a/b.x": KERNEL, "a/b.y": [4] })).toEqual([["a/b", "a/b.x", undefined]]);
    expect(told({ "a.b/x": KERNEL, "a.b/y": [4] })).toEqual([["a.b", "a.b/x", undefined]]);
    for (const names of [
      ["x", "y"],
      ["/x", "/y"],
      [".x", ".y"],
      ["kernel", "bias"],
      ["/kernel", "/bias"],
      ["_weight", "_bias"],
      ["akernel", "abias"],
      ["kernel1", "kernel2"],
    ] as const) {
      expect(told({ [names[0]]: KERNEL, [names[1]]: [4] }), `${names}`).toEqual([
        [names[0], names[0]],
        [names[1], undefined, undefined],
      ]);
    }
  });

  it("stand alone where they would be two kernels, or more vectors than a layer has", () => {
    expect(told({ "a/kernel": KERNEL, "a/x": [2, 2] })).toEqual([
      ["a/kernel", "a/kernel"],
      ["a/x", "a/x"],
    ]);
    const vectors = (count: number): Shapes =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`a/v${i}`, [4]]));
    expect(told({ "a/kernel": KERNEL, ...vectors(5) })).toHaveLength(1);
    expect(told({ "a/kernel": KERNEL, ...vectors(6) })).toHaveLength(7);
    expect(told(vectors(5))).toEqual([["a", undefined, ...Array<undefined>(5)]]);
  });

  it("come in the order of the file, by the first of each", () => {
    const names = groups({ "b/bias": [4], "a/kernel": KERNEL, "c/mean": [4], "b/kernel": KERNEL, "a/bias": [4] });
    expect(names.map(({ key }) => key)).toEqual(["b", "a", "c"]);
    // Those of a group that was none stand where each stood.
    expect(
      told({ "a/x": KERNEL, "b/bias": [4], "b/kernel": KERNEL, "a/y": [2, 2], "c/bias": [4], "a/z": [4] }),
    ).toEqual([
      ["a/x", "a/x"],
      ["b", "b/kernel", "bias"],
      ["a/y", "a/y"],
      ["c", undefined, "bias"],
      ["a/z", undefined, undefined],
    ]);
  });

  it("are no counters, and nothing of an optimizer", () => {
    const ignored = [
      ...["num_batches_tracked", "a.iteration", "a/iterations", "x_step", "global_step", "b/learning_rate:0", "epoch"],
      ...["optimizer/a/kernel", "optimizer_weights/a", "training.a", "Training_a", "a/seed_generator_state"],
    ];
    const kept = ["my_optimizer/x", "mytraining.a", "trainings/a", "steps", "stepper.x", "a.epochs"];
    const shapes = Object.fromEntries([...ignored, ...kept].map((name) => [name, [4]]));
    const found = grouped({ ...shapes, scalar: [] });
    expect(found).toMatchObject({ ignored: [...ignored, "scalar"] });
    expect(groups(shapes).flatMap(({ vectors }) => vectors.map(({ name }) => name))).toEqual(kept);
  });

  it.each([[[1, 2, 3]], [[1, 1, 1, 1, 1]], [[0]], [[3, 3, 0, 4]]])("of shape %j are of no layer", (shape) => {
    expect(grouped({ "a/kernel": KERNEL, x: shape })).toEqual({
      reason: `"x" of shape [${shape.join(", ")}] is of no layer of a MobileNet V1`,
    });
  });
});

describe("groups by name", () => {
  it("are sorted by their numbers, and by the letters between", () => {
    const names = ["b1", "a10", "a1c1", "", "a2", "a1b2", "b", "a01c", "a1", "a10b", "a", "a1b"];
    const keyed = names.map((key) => ({ key, kernel: undefined, vectors: [] }));
    const found = sortedByName(keyed).map(({ key }) => key);
    expect(found).toEqual(["", "a", "a01c", "a1", "a1b", "a1b2", "a1c1", "a2", "a10", "a10b", "b", "b1"]);
    expect(sortedByName(keyed.reverse()).map(({ key }) => key)).toEqual(found);
  });

  it("have their vectors sorted so as well", () => {
    const part = (name: string) => ({ name, shape: [4], hint: undefined });
    const vectors = ["v10", "v9", "v1"].map(part);
    const kernel = { name: "k", shape: KERNEL, hint: undefined };
    expect(sortedByName([{ key: "k", kernel, vectors }])).toEqual([
      { key: "k", kernel, vectors: ["v1", "v9", "v10"].map(part) },
    ]);
  });

  it("without their numbers are alike", () => {
    expect(withoutNumbers("a12/b_3.c")).toBe("a#/b_#.c");
  });
});
