/** Windows larger than any image: right or refused, and never walked tap by tap. */

import { describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import { averagePool, maxPool } from "../../src/eager/index.ts";
import { type NodeDefinition, network } from "../../src/layers/index.ts";
import { compile } from "../../src/session/compile.ts";

const image = Float32Array.from({ length: 16 }, (_, i) => i + 1);
const of = (type: string, attributes: object) =>
  network({
    inputShape: [4, 4, 1],
    layers: [{ name: "a", type, attributes } as NodeDefinition],
    outputs: { y: "a" },
  });
const HUGE = [2 ** 28 + 1, 2 ** 31 - 1, 2 ** 32, 2 ** 32 + 1];

describe("a window that 32 bits cannot place", () => {
  it.each(HUGE)("is refused for a dilation of %d", (dilation) => {
    for (const type of ["maxPool", "averagePool", "conv2d", "depthwiseConv2d"]) {
      const attributes = { kernel: 3, dilation, ...(type === "conv2d" ? { filters: 1 } : {}) };
      expect(() => of(type, attributes)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    }
  });

  it.each(HUGE)("is refused for a kernel, a stride and a padding of %d", (pixels) => {
    const pad = [
      [pixels, 0],
      [0, 0],
    ];
    for (const attributes of [{ kernel: [1, pixels] }, { kernel: 1, stride: pixels }, { kernel: 1, padding: pad }]) {
      expect(() => of("maxPool", attributes)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    }
  });

  it.each([2 ** 20, 2 ** 26])("gives the same everywhere for a dilation of %d, which it can", async (dilation) => {
    const model = of("maxPool", { kernel: 3, dilation });
    const answers = [];
    for (const backend of ["wasm", "plain", "reference"] as const) {
      const session = await compile(model, { backend });
      answers.push([...(await session.run(image)).y.data]);
      session.close();
    }
    expect(answers).toEqual([[...image], [...image], [...image]]);
  });
});

it("a pool over more taps than could be walked looks at those inside the image", () => {
  const kernel = [1, 2e8] as const;
  const two = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
  expect([...maxPool(two, { kernel }).data]).toEqual([3, 4, 3, 4]);
  expect([...averagePool(two, { kernel }).data]).toEqual([2, 3, 2, 3]);
});
