/** Kernels that an ONNX file computes from its initializers: the same network as with the product in the file. */

import { describe, expect, it } from "vitest";
import { compile } from "../../src/session/compile.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { attr, floats, onnxModel, onnxNode } from "../writers/onnx.ts";
import type { Field } from "../writers/protobuf.ts";

const numbers = (count: number, seed: number) => Array.from({ length: count }, (_, i) => Math.sin(seed + i * i));

async function answer(nodes: readonly Field[], initializers: readonly Field[]): Promise<Float32Array> {
  const bytes = onnxModel({ inputs: { x: [1, 3, 6, 5] }, nodes, initializers, outputs: ["y"] });
  const model = await loadModel(new File([Uint8Array.from(bytes)], "net.onnx"));
  const session = await compile(model);
  const { output } = (await session.run(Float32Array.from(numbers(90, 3)))) as {
    readonly output?: { readonly data: Float32Array };
  };
  session.close();
  return output?.data ?? new Float32Array();
}

const kernel = numbers(4 * 3 * 2 * 3, 1);
const scale = [0.5, 2, -1, 4];
const scaled = kernel.map((value, i) => value * (scale[Math.floor(i / 18)] ?? 0));

describe("a kernel that is computed from initializers", () => {
  it.each([
    ["explicit pads", { pads: attr.ints(1, 0, 0, 1) }],
    ["pads that depend on its size", { auto_pad: attr.s("SAME_LOWER"), strides: attr.ints(2, 2) }],
  ])("is that of a convolution that does not state its shape: %s", async (_, attributes) => {
    const conv = onnxNode("Conv", ["x", "k"], ["y"], attributes);
    const product = onnxNode("Mul", ["stored", "scale"], ["k"]);
    const computed = await answer(
      [product, conv],
      [floats("stored", [4, 3, 2, 3], kernel), floats("scale", [4, 1, 1, 1], scale)],
    );
    expect(computed).toEqual(await answer([conv], [floats("k", [4, 3, 2, 3], scaled)]));
    // Stored in another order of axes: [kw, kh, in, out].
    const order = attr.ints(3, 2, 1, 0);
    const turned = Array.from({ length: 72 }, (_, i) => {
      const [out, inside, row, column] = [i % 4, Math.floor(i / 4) % 3, Math.floor(i / 12) % 2, Math.floor(i / 24)];
      return kernel[((out * 3 + inside) * 2 + row) * 3 + column] ?? 0;
    });
    const transposed = await answer(
      [onnxNode("Transpose", ["turned"], ["stored"], { perm: order }), product, conv],
      [floats("turned", [3, 2, 3, 4], turned), floats("scale", [4, 1, 1, 1], scale)],
    );
    expect(transposed).toEqual(computed);
  });

  it("leaves the size of the image known: a pool over all of it is a global one", async () => {
    const scaleInitializer = floats("scale", [4, 1, 1, 1], scale);
    const pool = onnxNode("AveragePool", ["c"], ["y"], { kernel_shape: attr.ints(5, 3) });
    const conv = onnxNode("Conv", ["x", "k"], ["c"]);
    const types = async (nodes: readonly Field[], initializers: readonly Field[]) => {
      const bytes = onnxModel({ inputs: { x: [1, 3, 6, 5] }, nodes, initializers, outputs: ["y"] });
      const { layers } = await loadModel(new File([Uint8Array.from(bytes)], "net.onnx"));
      return layers.map(({ type }) => type);
    };
    const stored = await types([conv, pool], [floats("k", [4, 3, 2, 3], scaled)]);
    const computed = await types(
      [onnxNode("Mul", ["stored", "scale"], ["k"]), conv, pool],
      [floats("stored", [4, 3, 2, 3], kernel), scaleInitializer],
    );
    expect(stored).toContain("globalAveragePool");
    expect(computed).toEqual(stored);
  });

  it("is that of a MatMul", async () => {
    const pool = onnxNode("GlobalAveragePool", ["x"], ["p"]);
    const flat = onnxNode("Flatten", ["p"], ["f"]);
    const matMul = onnxNode("MatMul", ["f", "k"], ["y"]);
    const matrix = numbers(6, 2);
    const computed = await answer(
      [onnxNode("Mul", ["stored", "two"], ["k"]), pool, flat, matMul],
      [floats("stored", [3, 2], matrix), floats("two", [1], [2])],
    );
    const doubled = matrix.map((value) => 2 * Math.fround(value));
    expect(computed).toEqual(await answer([pool, flat, matMul], [floats("k", [3, 2], doubled)]));
  });

  it("of a picture is refused", async () => {
    const nodes = [onnxNode("Mul", ["x", "scale"], ["k"]), onnxNode("Conv", ["x", "k"], ["y"])];
    await expect(answer(nodes, [floats("scale", [1], [2])])).rejects.toThrow(/Conv whose kernel is computed/);
  });
});
