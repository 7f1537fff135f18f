/** Parameters: what may stand in the place of one, how they start, and how many there may be. */

import { describe, expect, it } from "vitest";
import { parameterFault, shapeOf } from "../../src/layers/check-parameter.ts";
import { checkParameterBytes, initialise, parameterBytes } from "../../src/layers/initialise.ts";
import type { ParameterInfo } from "../../src/layers/parameter-info.ts";

const info = (name: string, role: ParameterInfo["role"], ...shape: number[]): ParameterInfo => ({
  name,
  node: "n",
  role,
  shape,
  trainable: true,
});

describe("in the place of a parameter", () => {
  const shape = [2, 3];
  const data = () => new Float32Array(6);
  const gone = new Float32Array(6);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  class Liar extends Float32Array {
    override get length() {
      return 9;
    }
  }
  class Six extends Float32Array {
    override get length() {
      return 6;
    }
  }

  it.each<[string, unknown, string | undefined]>([
    ["a tensor", { dtype: "float32", shape, data: data() }, undefined],
    ["nothing", undefined, "expected a tensor { dtype, shape, data }, found Undefined"],
    ["null", null, "expected a tensor { dtype, shape, data }, found Null"],
    ["an array", data(), "expected a tensor { dtype, shape, data }, found Float32Array"],
    ["a tensor without numbers", { dtype: "float32", shape }, "expected a tensor { dtype, shape, data }, found Object"],
    [
      "a tensor without a shape",
      { dtype: "float32", data: data() },
      "expected a tensor { dtype, shape, data }, found Object",
    ],
    ["a shape that is text", { shape: "2,3", data: data() }, "expected a tensor { dtype, shape, data }, found Object"],
    ["integers", { dtype: "int32", shape, data: new Int32Array(6) }, "expected float32, found int32"],
    ["a type that is none", { dtype: 5, shape, data: data() }, "expected float32, found 5"],
    ["a type that is a symbol", { dtype: Symbol("s"), shape, data: data() }, "expected float32, found Symbol(s)"],
    ["another shape", { dtype: "float32", shape: [3, 2], data: data() }, "expected shape [2, 3], found [3, 2]"],
    ["a list", { dtype: "float32", shape, data: [1, 2, 3, 4, 5, 6] }, "expected a Float32Array, found Array"],
    ["doubles", { dtype: "float32", shape, data: new Float64Array(6) }, "expected a Float32Array, found Float64Array"],
    ["too few", { dtype: "float32", shape, data: new Float32Array(5) }, "expected 6 numbers for shape [2, 3], found 5"],
    [
      "a transferred array",
      { dtype: "float32", shape, data: gone },
      "expected 6 numbers for shape [2, 3], found 0, since its buffer was transferred",
    ],
    [
      "one that says another length",
      { dtype: "float32", shape, data: new Liar(6) },
      "expected 6 numbers for shape [2, 3], found 9",
    ],
    [
      "one of another length that says the right one",
      { dtype: "float32", shape, data: new Six(5) },
      "expected 6 numbers for shape [2, 3], found 5",
    ],
    [
      "one that says another length, of another length",
      { dtype: "float32", shape, data: new Liar(5) },
      "expected 6 numbers for shape [2, 3], found 5",
    ],
  ])("%s", (_, value, fault) => {
    expect(parameterFault(value, shape)).toBe(fault);
  });

  it("a message knows the shape of a tensor, and of nothing else", () => {
    expect(shapeOf({ shape, data: data() })).toBe("[2, 3]");
    for (const value of [undefined, null, 5, {}, { shape: "2,3", data: data() }, { shape }])
      expect(shapeOf(value)).toBe("");
  });
});

describe("initial parameters", () => {
  const parameters = [
    info("c/kernel", "kernel", 3, 3, 8, 64),
    info("c/bias", "bias", 64),
    info("w/depthwise_kernel", "kernel", 3, 3, 64, 2),
    info("n/gamma", "gamma", 4),
    info("n/beta", "beta", 4),
    info("n/moving_mean", "mean", 4),
    info("n/moving_variance", "variance", 4),
    info("d/kernel", "kernel", 400, 10),
    info("e/kernel", "kernel", 10),
  ];
  const values = initialise(parameters, 3);
  const of = (name: string) => values.get(name)?.data ?? new Float32Array();

  it.each([
    ["c/kernel", 3 * 3 * 8],
    ["w/depthwise_kernel", 3 * 3],
    ["d/kernel", 400],
  ])("of %s are uniform in ±√(6 / %s), by He's rule", (name, fanIn) => {
    const bound = Math.sqrt(6 / fanIn);
    const data = [...of(name)].map((value) => value / bound);
    expect(Math.max(...data)).toBeLessThanOrEqual(1);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...data)).toBeGreaterThan(0.98);
    expect(Math.min(...data)).toBeLessThan(-0.98);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(mean)).toBeLessThan(0.07);
    const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length;
    expect(variance).toBeCloseTo(1 / 3, 1);
  });

  it("of a kernel of one axis, which nothing flows into, are within ±√6", () => {
    expect(Math.max(...of("e/kernel").map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(6));
    expect(Math.max(...of("e/kernel").map(Math.abs))).toBeGreaterThan(1);
  });

  it("are ones for gamma and variance, zeros for the rest, each of its shape", () => {
    for (const name of ["n/gamma", "n/moving_variance"]) expect([...of(name)]).toEqual([1, 1, 1, 1]);
    for (const name of ["n/beta", "n/moving_mean"]) expect([...of(name)]).toEqual([0, 0, 0, 0]);
    expect(new Set(of("c/bias"))).toEqual(new Set([0]));
    expect([...values].map(([name, { shape }]) => [name, shape])).toEqual(
      parameters.map(({ name, shape }) => [name, shape]),
    );
  });

  it("are the same numbers everywhere", () => {
    // Of seed 1, `mulberry32`: what a network starts from is part of what it is.
    const values = initialise([info("a/kernel", "kernel", 6, 1), info("b/kernel", "kernel", 6, 1)], 1);
    const [first, second, ...others] = [...values.values()].flatMap(({ data }) => [...data]);
    const all = initialise([info("a/kernel", "kernel", 6, 2)], 1).get("a/kernel")?.data ?? [];
    expect([first, second, ...others]).toEqual([...all]);
    expect(first).toBe(Math.fround(2 * 0.6270739405881613 - 1));
    expect(second).toBe(Math.fround(2 * 0.002735721180215478 - 1));
  });
});

describe("the bytes of parameters", () => {
  it("are four a number", () => {
    expect(parameterBytes([info("a", "kernel", 2, 3), info("b", "bias", 5)])).toBe(44);
  });

  it("are at most 4 GiB", () => {
    const side = 2 ** 15;
    expect(() => checkParameterBytes("mine", [info("a", "kernel", side, side)])).not.toThrow();
    const refusal = {
      code: "MEMORY_EXCEEDED",
      message: expect.stringMatching(/^mine: parameters: .*4,294,967,300.*smaller alpha/),
    };
    expect(() => checkParameterBytes("mine", [info("a", "kernel", side, side), info("b", "bias", 1)])).toThrow(
      expect.objectContaining(refusal),
    );
  });
});
