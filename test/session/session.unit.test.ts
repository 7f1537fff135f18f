import { describe, expect, it } from "vitest";
import { type Tensor, tensor } from "../../src/core/tensor.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  globalAveragePool,
  network,
  sequential,
  softmax,
} from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { recipe } from "../golden/vectors.ts";

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 7 });
const image = (seed: number, batch = 1) => recipe([batch, 32, 32, 3], seed, -1, 1);

describe("a session", () => {
  it("gives each image of a batch what it gives it alone, to the bit", async () => {
    const session = await compile(model, { batch: 4, taps: ["conv_pw_3"] });
    const images = [1, 2, 3].map((seed) => image(seed));
    const joined = new Float32Array(3 * 32 * 32 * 3);
    for (const [i, one] of images.entries()) joined.set(one.data, i * one.data.length);
    const together = await session.run(tensor(joined, [3, 32, 32, 3]));
    expect(together.taps.conv_pw_3.shape[0]).toBe(3);
    for (const [i, one] of images.entries()) {
      const alone = await session.run(one);
      expect(together.logits.data.slice(i * 7, i * 7 + 7)).toEqual(alone.logits.data);
    }
  });

  it("queues calls made at the same time and mixes none", async () => {
    const session = await compile(model);
    const alone = [];
    for (const seed of [1, 2, 3, 4]) alone.push((await session.run(image(seed))).logits.data);
    const together = await Promise.all([1, 2, 3, 4].map((seed) => session.run(image(seed))));
    expect(together.map(({ logits }) => logits.data)).toEqual(alone);
  });

  it("hands out copies: a later run does not change an earlier result", async () => {
    const session = await compile(model);
    const first = await session.run(image(1));
    const kept = first.logits.data.slice();
    await session.run(image(2));
    expect(first.logits.data).toEqual(kept);
  });

  it("does not write its input", async () => {
    const input = image(1);
    const before = input.data.slice();
    await (await compile(model)).run(input);
    expect(input.data).toEqual(before);
  });

  it("rejects runs after close, and may be closed twice", async () => {
    const session = await compile(model);
    session.close();
    session.close();
    await expect(session.run(image(1))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });

  it("rejects a run that is waiting when it is closed", async () => {
    const session = await compile(model);
    const runs = [session.run(image(1)), session.run(image(2))];
    session.close();
    for (const run of runs) await expect(run).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });

  it("ends an aborted run with the signal's reason, before and in the middle", async () => {
    // A backend slow enough that the event loop gets its turn in the middle.
    const session = await compile(mobileNetV1({ resolution: 160 }), { backend: "reference" });
    const input = recipe([1, 160, 160, 3], 1, -1, 1);
    const reason = new Error("enough");
    await expect(session.run(input, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const run = session.run(input, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 1);
    await expect(run).rejects.toBe(reason);
    expect((await session.run(input)).logits.shape).toEqual([1, 1000]);
  });

  it("lets NaN and denormals through", async () => {
    const session = await compile(model);
    const input = image(1);
    input.data[5] = Number.NaN;
    expect((await session.run(input)).logits.data.every(Number.isNaN)).toBe(true);
    const tiny = tensor(new Float32Array(32 * 32 * 3).fill(1e-42), [1, 32, 32, 3]);
    expect((await session.run(tiny)).logits.data.every(Number.isFinite)).toBe(true);
  });

  it("can be disposed", async () => {
    const session = await compile(model);
    (session as unknown as Record<symbol, () => void>)[Symbol.dispose ?? Symbol.for("Symbol.dispose")]!();
    await expect(session.run(image(1))).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});

describe("bad input", () => {
  it.each([
    ["rank", tensor(new Float32Array(32 * 32 * 3), [32, 32, 3]), "SHAPE_MISMATCH", "[1, 32, 32, 3]"],
    ["channels", tensor(new Float32Array(32 * 32), [1, 32, 32, 1]), "SHAPE_MISMATCH", "[1, 32, 32, 3]"],
    ["batch", tensor(new Float32Array(2 * 32 * 32 * 3), [2, 32, 32, 3]), "SHAPE_MISMATCH", "batch: 2"],
    ["empty batch", tensor(new Float32Array(0), [0, 32, 32, 3]), "SHAPE_MISMATCH", "at least one"],
    [
      "batch in pieces",
      { dtype: "float32", shape: [1.5, 32, 32, 3], data: new Float32Array(1.5 * 32 * 32 * 3) },
      "SHAPE_MISMATCH",
      "[1, 32, 32, 3]",
    ],
    ["length", new Float32Array(32 * 32), "SHAPE_MISMATCH", "[1, 32, 32, 3]"],
    ["dtype", new BigInt64Array(32 * 32 * 3), "DTYPE_MISMATCH", "typed array"],
  ])("of the wrong %s is refused with what was expected", async (_name, input, code, text) => {
    const session = await compile(model);
    const error = await session.run(input as Tensor).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(text);
  });

  it.each([
    [{ backend: "wsam" }, "OPTION_INVALID"],
    [{ batch: 0 }, "OPTION_INVALID"],
    [{ threads: 0 }, "OPTION_INVALID"],
    [{ threads: 65 }, "OPTION_INVALID"],
    [{ threads: "two", backend: "plain" }, "OPTION_INVALID"],
    [{ batch: 1.5 }, "OPTION_INVALID"],
    [{ taps: ["conv_pw_99"] }, "NAME_UNKNOWN"],
    [{ tap: [] }, "OPTION_INVALID"],
    [{ batch: 1e9 }, "MEMORY_EXCEEDED"],
  ])("%j is refused by compile", async (options, code) => {
    await expect(compile(model, options as never)).rejects.toMatchObject({ code });
  });

  it("refuses a huge resolution before it allocates anything", async () => {
    const huge = mobileNetV1({ resolution: 200_000, classes: 2, alpha: 0.25 });
    await expect(compile(huge)).rejects.toMatchObject({ code: "MEMORY_EXCEEDED" });
  });

  it("names a parameter that was replaced by one of another shape", async () => {
    const mine = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 7 });
    mine.parameters.set("conv1/kernel", tensor(new Float32Array(8), [8]));
    await expect(compile(mine)).rejects.toThrow(/conv1\/kernel.*\[3, 3, 3, 8\].*\[8\]/);
  });
});

describe("a network of one's own", () => {
  it("runs a residual graph, with taps between the fused layers", async () => {
    const graph = network({
      inputShape: [6, 6, 4],
      layers: [
        { name: "a", type: "conv2d", attributes: { filters: 4, kernel: 3, bias: false } },
        { name: "a_bn", type: "batchNorm" },
        { name: "a_relu", type: "activation", attributes: { function: "relu" } },
        { name: "sum", type: "add", inputs: ["a_relu", "input"] },
        { name: "gate", type: "globalAveragePool", attributes: { keepDims: true } },
        { name: "scaled", type: "multiply", inputs: ["sum", "gate"] },
      ],
      outputs: { output: "scaled" },
    });
    const x = recipe([2, 6, 6, 4], 3, -1, 1);
    const session = await compile(graph, { batch: 2, taps: ["a", "a_bn", "sum", "gate"] });
    const { output, taps } = await session.run(x);
    const relu = taps.a_bn.data.map((value) => Math.max(value, 0));
    expect(taps.a.data).toEqual(relu);
    for (const [i, value] of taps.sum.data.entries()) expect(value).toBeCloseTo(relu[i]! + x.data[i]!, 6);
    output.data.forEach((value, i) => {
      const gate = taps.gate.data[Math.floor(i / 144) * 4 + (i % 4)]!;
      expect(value).toBeCloseTo(taps.sum.data[i]! * gate, 6);
    });
  });

  it("is named layer by layer and gives logits and probabilities", async () => {
    const mine = sequential({ inputShape: [8, 8, 1] }, [
      conv2d({ filters: 3, kernel: 3 }),
      batchNorm(),
      activation("relu6"),
      conv2d({ filters: 3, kernel: 3 }),
      globalAveragePool(),
      dense({ filters: 2, name: "head" }),
      softmax(),
    ]);
    expect(mine.layers.map(({ name }) => name)).toEqual([
      "conv2d",
      "batchNorm",
      "activation",
      "conv2d_1",
      "globalAveragePool",
      "head",
      "softmax",
    ]);
    const { logits, probabilities, output } = await (await compile(mine)).run(recipe([1, 8, 8, 1], 1, -1, 1));
    expect(output.data).toEqual(probabilities.data);
    expect(logits.shape).toEqual([1, 2]);
  });
});
