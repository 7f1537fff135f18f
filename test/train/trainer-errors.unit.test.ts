/** What the trainer refuses, before anything is done, and what it says. */

import { describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { batchNorm, dense, globalAveragePool, pointwise, sequential } from "../../src/layers/index.ts";
import { network } from "../../src/layers/network.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { adam, rmsprop, sgd } from "../../src/train/optimizers.ts";
import { CLASSES, errorOf, labelsOf, pictures, smallNetwork } from "./small-network.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

const BATCH = 4;
const wasm = TRAINING_BACKENDS[1]!.options;
const make = (options: object = {}) => createTrainer(smallNetwork(), { batch: BATCH, ...wasm, ...options });

describe("createTrainer refuses", () => {
  const frozen = { ...sgd(), momentum: 1 };
  it.each<[string, object, string, RegExp]>([
    ["an unknown option", { batchsize: 3 }, "OPTION_INVALID", /unknown option "batchsize"/],
    ["a batch of none", { batch: 0 }, "OPTION_INVALID", /batch: expected a positive integer, found 0/],
    ["a batch that is a text", { batch: "4" }, "OPTION_INVALID", /batch: expected a positive integer, found "4"/],
    [
      "more parts than examples",
      { accumulate: 5 },
      "OPTION_INVALID",
      /accumulate: expected at most 4, the batch, found 5/,
    ],
    ["half a part", { accumulate: 0.5 }, "OPTION_INVALID", /accumulate: expected a positive integer, found 0.5/],
    ["a clip of 0", { clipNorm: 0 }, "OPTION_INVALID", /clipNorm: expected a finite number above 0, found 0/],
    ["an endless clip", { clipNorm: Number.POSITIVE_INFINITY }, "OPTION_INVALID", /clipNorm/],
    ["averages that never move", { averageDecay: 1 }, "OPTION_INVALID", /averageDecay: expected .* below 1, found 1/],
    ["labels that say nothing", { labelSmoothing: 1 }, "OPTION_INVALID", /labelSmoothing/],
    ["a smoothing below 0", { labelSmoothing: -0.1 }, "OPTION_INVALID", /labelSmoothing: .* found -0.1/],
    ["a seed that is no integer", { seed: 1.5 }, "OPTION_INVALID", /seed: expected an integer .*, found 1.5/],
    ["a seed below 0", { seed: -1 }, "OPTION_INVALID", /seed: expected an integer of at least 0 .*, found -1/],
    ["no threads", { threads: 0 }, "OPTION_INVALID", /createTrainer: threads: .* found 0/],
    ["threads that are NaN", { threads: Number.NaN }, "OPTION_INVALID", /threads/],
    ["an unknown backend", { backend: "cuda" }, "OPTION_INVALID", /backend: expected one of .*, found "cuda"/],
    ["unknown vectors", { simd: "sse" }, "OPTION_INVALID", /simd: expected one of .*, found "sse"/],
    ["a worker that is none", { worker: 3 }, "OPTION_INVALID", /worker: expected a function/],
    ["a signal that is none", { signal: 3 }, "OPTION_INVALID", /signal: expected an AbortSignal/],
    ["an optimizer by name", { optimizer: "sgd" }, "OPTION_INVALID", /optimizer/],
    ["a momentum of 1", { optimizer: frozen }, "OPTION_INVALID", /momentum/],
    ["a schedule that is a number", { schedule: 0.1 }, "OPTION_INVALID", /schedule/],
    ["a rate of NaN", { schedule: { type: "constant", rate: Number.NaN } }, "OPTION_INVALID", /rate/],
    ["batch norm as a text", { batchNorm: "frozen" }, "OPTION_INVALID", /batchNorm: options: expected an object/],
    [
      "an unknown option of batch norm",
      { batchNorm: { epsilon: 1 } },
      "OPTION_INVALID",
      /batchNorm: unknown option "epsilon"/,
    ],
    ["moving statistics that never move", { batchNorm: { momentum: 1 } }, "OPTION_INVALID", /batchNorm.momentum/],
    ["an unknown variance", { batchNorm: { variance: "both" } }, "OPTION_INVALID", /batchNorm.variance/],
    ["an unknown mode", { batchNorm: { mode: "train" } }, "OPTION_INVALID", /batchNorm.mode/],
    ["a decay that is a number", { decay: 0.1 }, "OPTION_INVALID", /decay: expected a function/],
    ["a factor that is a number", { rateFactor: 0.1 }, "OPTION_INVALID", /rateFactor: expected a function/],
    ["a factor below 0", { rateFactor: () => -1 }, "OPTION_INVALID", /rateFactor of \S+: .* found -1/],
    ["a factor of NaN", { rateFactor: () => Number.NaN }, "OPTION_INVALID", /rateFactor of \S+: /],
    ["a decay of NaN", { decay: () => Number.NaN }, "OPTION_INVALID", /^logits\/kernel: weight decay: expected/],
    [
      "one name in place of a list",
      { train: "logits/kernel" },
      "OPTION_INVALID",
      /train: expected names of parameters/,
    ],
    ["a parameter that is not there", { train: ["logit/kernel"] }, "NAME_UNKNOWN", /"logit\/kernel".*logits\/kernel/],
    ["moving statistics to train", { train: ["conv_bn/moving_mean"] }, "NAME_UNKNOWN", /measured, not trained/],
    ["nothing to train", { train: [] }, "NETWORK_INVALID", /at least one parameter to train/],
    ["a function that says no", { train: () => false }, "NETWORK_INVALID", /at least one parameter to train/],
  ])("%s", async (_name, options, code, message) => {
    const error = await errorOf(() => make(options));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^(createTrainer|train|logits)/);
  });

  it("options that are no object", async () => {
    for (const options of [null, 3, "sgd"]) {
      const error = await errorOf(() => createTrainer(smallNetwork(), options as unknown as object));
      expect(error, String(options)).toMatchObject({ code: "OPTION_INVALID" });
    }
  });

  it("what is no network", async () => {
    for (const none of [undefined, null, {}, "mobilenet", Promise.resolve(smallNetwork())]) {
      const error = await errorOf(() => createTrainer(none as never, { batch: 2, ...wasm }));
      expect(error).toMatchObject({ code: "NETWORK_INVALID" });
      expect(error.message).toMatch(/^createTrainer: model: expected a network/);
    }
  });

  it("a network of several outputs without logits, and takes one of that name, or what a softmax reads", async () => {
    const layers = [
      { name: "a", type: "dense", attributes: { filters: 3 } },
      { name: "b", type: "dense", inputs: ["input"], attributes: { filters: 2 } },
      { name: "c", type: "softmax" },
    ];
    const of = (outputs: Readonly<Record<string, string>>) =>
      createTrainer(network({ inputShape: [5], layers, outputs }), { batch: 2, ...wasm });
    const error = await errorOf(() => of({ a: "a", b: "b" }));
    expect(error).toMatchObject({ code: "NETWORK_INVALID" });
    expect(error.message).toContain("expected one of the name logits, or a single one, found a, b");
    const x = new Float32Array(10);
    for (const outputs of [{ a: "a", logits: "b" }, { c: "c" }, { c: "c", b: "b" }]) {
      using trainer = await of(outputs as unknown as Record<string, string>);
      expect((await errorOf(() => trainer.step(x, [0, 2]))).message).toContain("a class from 0 to 1");
    }
  });

  it("a network whose parameters are not those it should have, or not there", async () => {
    const model = smallNetwork();
    model.parameters.set("conv/kernel", tensor(new Float32Array(3), [3]));
    expect(await errorOf(() => createTrainer(model, { batch: 2, ...wasm }))).toMatchObject({
      code: "PARAMETERS_MISMATCH",
    });
    const other = smallNetwork();
    other.parameters.delete("conv_bn/gamma");
    expect(await errorOf(() => createTrainer(other, { batch: 2, ...wasm }))).toMatchObject({
      code: "PARAMETERS_MISMATCH",
    });
  });

  it("more than memory holds, before anything is allocated", async () => {
    const error = await errorOf(() => make({ batch: 4_000_000 }));
    expect(error).toMatchObject({ code: "MEMORY_EXCEEDED" });
    expect(error.message).toContain("batch");
  });

  it("to go on when its signal says so", async () => {
    const reason = new Error("enough");
    expect(await errorOf(() => make({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    const control = new AbortController();
    const making = errorOf(() => make({ signal: control.signal }));
    control.abort(reason);
    expect(await making).toBe(reason);
  });
});

const x = pictures(BATCH, 1) as FloatTensor;
const perImage = 8 * 8 * 3;

/** Arguments of `step`, `evaluate` and `profile` that are refused. */
const ARGUMENTS: readonly [string, unknown, unknown, string, RegExp][] = [
  [
    "more examples than the batch",
    pictures(BATCH + 1, 1),
    labelsOf(BATCH + 1),
    "SHAPE_MISMATCH",
    /expected shape \[1 to 4, 8, 8, 3\]/,
  ],
  ["no examples", new Float32Array(0), [], "SHAPE_MISMATCH", /found shape \[0, 8, 8, 3\]|found \[0/],
  ["half an example", new Float32Array(perImage / 2), [0], "SHAPE_MISMATCH", /An image has 192 numbers/],
  [
    "pictures of another size",
    tensor(new Float32Array(2 * 75), [2, 5, 5, 3]),
    [0, 1],
    "SHAPE_MISMATCH",
    /\[2, 5, 5, 3\]/,
  ],
  [
    "one picture without a batch",
    tensor(new Float32Array(perImage), [8, 8, 3]),
    [0],
    "SHAPE_MISMATCH",
    /begins with 1/,
  ],
  ["nothing", undefined, [0], "DTYPE_MISMATCH", /input/],
  ["an array of numbers", [1, 2, 3], [0], "DTYPE_MISMATCH", /input/],
  [
    "a class that there is not",
    x,
    [0, 1, 2, CLASSES],
    "OPTION_INVALID",
    /example 3: expected a class from 0 to 3, found 4/,
  ],
  ["a class below 0", x, [0, -1, 2, 3], "OPTION_INVALID", /example 1.*found -1/],
  ["a class between two", x, [0, 1.5, 2, 3], "OPTION_INVALID", /example 1.*found 1.5/],
  ["a class that is NaN", x, new Float32Array([0, 1, Number.NaN, 2]), "OPTION_INVALID", /example 2/],
  [
    "a hole in the labels",
    x,
    Object.assign(new Array(4), { 0: 0, 2: 2, 3: 3 }),
    "OPTION_INVALID",
    /example 1.*found undefined/,
  ],
  ["labels that are texts", x, ["0", "1", "2", "3"], "OPTION_INVALID", /example 0/],
  ["fewer labels than examples", x, [0, 1], "SHAPE_MISMATCH", /expected 4, one for each example.*found 2/],
  ["more labels than examples", x, [0, 1, 2, 3, 0], "SHAPE_MISMATCH", /found 5/],
  ["no labels", x, undefined, "DTYPE_MISMATCH", /labels/],
  ["large integers", x, new BigInt64Array(4), "DTYPE_MISMATCH", /labels/],
  [
    "shares that do not add up",
    x,
    new Float32Array(BATCH * CLASSES).fill(0.3),
    "OPTION_INVALID",
    /shares that add up to 1/,
  ],
  [
    "a share below 0",
    x,
    Float32Array.of(...new Array(BATCH).fill([2, -1, 0, 0]).flat()),
    "OPTION_INVALID",
    /at least 0/,
  ],
  ["shares that are NaN", x, new Float32Array(BATCH * CLASSES).fill(Number.NaN), "OPTION_INVALID", /NaN/],
];

describe.each(["step", "evaluate", "profile"] as const)("%s refuses", (method) => {
  it.each(ARGUMENTS)("%s", async (_name, input, labels, code, message) => {
    using trainer = await make();
    const before = await trainer.state();
    const error = await errorOf(() => trainer[method](input as FloatTensor, labels as number[]));
    expect(error).toMatchObject({ code, name: "DepthwiseError" });
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(method)).toBe(true);
    expect(await trainer.state()).toEqual(before);
    // And goes on.
    expect((await trainer.step(x, labelsOf(BATCH))).loss).toBeGreaterThan(0);
  });

  it("what was transferred", async () => {
    using trainer = await make();
    const gone = new Float32Array(perImage);
    structuredClone(gone, { transfer: [gone.buffer] });
    const error = await errorOf(() => trainer[method](gone, [0]));
    expect(error).toMatchObject({ code: "SHAPE_MISMATCH" });
    expect(error.message).toContain("transferred");
    const labels = new Int32Array(BATCH);
    structuredClone(labels, { transfer: [labels.buffer] });
    expect(await errorOf(() => trainer[method](x, labels))).toMatchObject({ code: "SHAPE_MISMATCH" });
  });

  it.each(["transferred", "resized"])("what is %s while labels are read", async (what) => {
    using trainer = await make();
    type Resizable = ArrayBuffer & { resize(to: number): void };
    const bytes = 4 * BATCH * perImage;
    const buffer = Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }]) as Resizable;
    const labels = new Proxy(labelsOf(BATCH), {
      get: (target, name) => {
        if (name !== "0" || buffer.byteLength === 0) return Reflect.get(target, name);
        if (what === "transferred") structuredClone(buffer, { transfer: [buffer] });
        else buffer.resize(0);
        return 1;
      },
    });
    expect(await errorOf(() => trainer[method](new Float32Array(buffer), labels))).toMatchObject({
      code: "SHAPE_MISMATCH",
    });
    expect(trainer.updates).toBe(0);
  });

  it("no labels that say something else when they are read again: they are read once", async () => {
    using trainer = await make();
    let reads = 0;
    const labels = new Proxy(labelsOf(BATCH), {
      get: (target, name) => (name === "1" && reads++ > 0 ? 99 : Reflect.get(target, name)),
    });
    await trainer[method](x, labels);
    expect(reads).toBe(1);
  });

  it("more labels than there can be, before they are copied", async () => {
    using trainer = await make();
    const labels = Object.assign([], { length: 2 ** 32 - 1 });
    expect(await errorOf(() => trainer[method](x, labels))).toMatchObject({ code: "SHAPE_MISMATCH" });
  });
});

describe("a trainer", () => {
  it.each([
    ["another optimizer", { optimizer: adam() }],
    ["averages", { averageDecay: 0.9 }],
    ["RMSprop", { optimizer: rmsprop({ momentum: 0.9 }) }],
  ])("restores no state of a trainer without %s", async (_name, options) => {
    using plain = await make({ optimizer: sgd() });
    using trainer = await make(options);
    const error = await errorOf(async () => trainer.restore(await plain.state()));
    expect(error).toMatchObject({ code: "PARAMETERS_MISMATCH" });
    expect(error.message).toMatch(/missing/);
  });

  it("has what a state says when restore returns, and what is changed later does not matter", async () => {
    using trainer = await make();
    const state = await trainer.state();
    await trainer.step(x, labelsOf(BATCH));
    const restoring = trainer.restore(state);
    const kept = structuredClone(state);
    for (const { data } of state.tensors.values()) data.fill(Number.NaN);
    await restoring;
    expect(await trainer.state()).toEqual(kept);
  });

  it("draws the same after a step of fewer parts as after its state", async () => {
    const options = { batch: BATCH, ...wasm, accumulate: 2 };
    using trainer = await createTrainer(smallNetwork({ rate: 0.5 }), options);
    await trainer.step(pictures(1, 2), [0]);
    const state = await trainer.state();
    const next = await trainer.step(x, labelsOf(BATCH));
    await trainer.restore(state);
    expect(await trainer.step(x, labelsOf(BATCH))).toEqual(next);
  });
});

describe.each(TRAINING_BACKENDS.map(({ name, options }) => [name, options] as const))("numbers on %s", (_name, on) => {
  const model = () =>
    sequential({ inputShape: [3] }, [
      dense({ filters: 5, name: "first" }),
      batchNorm({ name: "norm" }),
      dense({ filters: CLASSES, name: "logits" }),
    ]);

  it("of a batch norm with one value a channel are refused, and two are enough", async () => {
    using trainer = await createTrainer(model(), { batch: 4, ...on });
    const one = new Float32Array(3).fill(1);
    const error = await errorOf(() => trainer.step(one, [0]));
    expect(error).toMatchObject({ code: "NETWORK_INVALID", fields: { layer: "norm" } });
    expect(
      (
        await trainer.step(
          new Float32Array(6).map((_, i) => i),
          [0, 1],
        )
      ).examples,
    ).toBe(2);
    // Two examples in two parts are twice one.
    using parts = await createTrainer(model(), { batch: 4, accumulate: 2, ...on });
    expect(await errorOf(() => parts.step(new Float32Array(6), [0, 1]))).toMatchObject({ code: "NETWORK_INVALID" });
    using frozen = await createTrainer(model(), { batch: 4, batchNorm: { mode: "frozen" }, ...on });
    expect((await frozen.step(one, [0])).loss).toBeGreaterThan(0);
  });

  it.each([
    ["an example", Number.NaN, "input"],
    ["an example", Number.POSITIVE_INFINITY, "input"],
  ])("of %s that are not finite stop the step: %s, and a state goes on", async (_what, value, layer) => {
    using trainer = await createTrainer(smallNetwork(), { batch: BATCH, ...on });
    await trainer.step(x, labelsOf(BATCH));
    const state = await trainer.state();
    const bad = x.data.slice();
    bad[5] = value;
    const error = await errorOf(() => trainer.step(bad, labelsOf(BATCH)));
    expect(error).toMatchObject({ code: "VALUES_NOT_FINITE", fields: { layer } });
    // Nothing was updated.
    expect(trainer.updates).toBe(1);
    expect(await errorOf(() => trainer.step(x, labelsOf(BATCH)))).toMatchObject({ code: "VALUES_NOT_FINITE" });
    await trainer.restore(state);
    expect(await trainer.state()).toEqual(state);
    expect((await trainer.step(x, labelsOf(BATCH))).loss).toBeGreaterThan(0);
  });

  it("that overflow are told with the layer where they begin", async () => {
    const large = sequential({ inputShape: [2, 2, 3] }, [
      pointwise({ filters: 4, name: "small" }),
      pointwise({ filters: 4, name: "huge" }),
      batchNorm(),
      globalAveragePool(),
      dense({ filters: CLASSES, name: "logits" }),
    ]);
    large.parameters.get("huge/kernel")!.data.fill(3e38);
    using trainer = await createTrainer(large, { batch: 2, ...on });
    const error = await errorOf(() => trainer.step(new Float32Array(24).fill(9), [0, 1]));
    expect(error).toMatchObject({ code: "VALUES_NOT_FINITE", fields: { layer: "huge" } });
  });
});
