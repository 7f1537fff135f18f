import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import { leakyRelu, relu } from "../../src/eager/index.ts";
import { activation, sequential } from "../../src/layers/index.ts";

const row = (...values: number[]) => tensor(values, [1, values.length]);

describe("leakyRelu", () => {
  it("keeps what is not below 0 and multiplies the rest, rounding once", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.double({ min: 1e-30, max: 0.999, noNaN: true }), (x, slope) => {
        const expected = x >= 0 ? x : Math.fround(x * Math.fround(slope));
        expect(leakyRelu(row(x), slope).data[0]).toBe(expected);
      }),
    );
  });

  it("has PyTorch's slope if none is given", () => {
    expect([...leakyRelu(row(-100, 100)).data]).toEqual([Math.fround(-100 * Math.fround(0.01)), 100]);
  });

  it("lets NaN, infinities and −0 through", () => {
    const special = [Number.NaN, Infinity, -Infinity, -0];
    expect([...leakyRelu(row(...special), 0.5).data]).toEqual(special);
  });

  it("of slope 0 is relu, also for minus infinity", () => {
    const x = row(-Infinity, -2, -1e-45, -0, 0, 3, Infinity, Number.NaN);
    for (const slope of [0, 1e-60]) expect(leakyRelu(x, slope).data).toEqual(relu(x).data);
  });

  it("leaves its input as it was", () => {
    const x = row(-1, 2);
    leakyRelu(x, 0.5);
    expect([...x.data]).toEqual([-1, 2]);
  });
});

describe("a layer of leakyRelu", () => {
  const attributesOf = (...layer: Parameters<typeof activation>) =>
    sequential({ inputShape: [3] }, [activation(...layer)]).layers[0]!.attributes;

  it("has a slope, and others have none", () => {
    expect(attributesOf("leakyRelu")).toEqual({ function: "leakyRelu", slope: 0.01 });
    expect(attributesOf("leakyRelu", { slope: 0.3 })).toEqual({ function: "leakyRelu", slope: 0.3 });
    expect(attributesOf("relu")).toEqual({ function: "relu" });
  });

  it.each([1, -0.1, Number.NaN, Infinity, "0.1"])("refuses the slope %s", (slope) => {
    expect(() => attributesOf("leakyRelu", { slope: slope as never })).toThrow(/slope: expected .* below 1/);
  });

  it("refuses a slope for a function that has none", () => {
    expect(() => attributesOf("relu", { slope: 0.1 })).toThrow(/"leakyRelu" with a slope, found "relu"/);
  });
});
