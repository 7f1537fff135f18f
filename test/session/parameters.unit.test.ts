/** @slow: it takes more than a second. */

/** Parameters that cannot be right are refused at every door, and never read as something else. */

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { type Network, withParameters } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { addClasses, embeddingModel, encodeModel, encodeTfjs, replaceHead } from "../../src/weights/index.ts";
import { recipe } from "../golden/vectors.ts";

const OPTIONS = { alpha: 0.25, resolution: 32, classes: 3 };
const NAME = "conv_pw_3/kernel";
const base = mobileNetV1(OPTIONS);
const kernel = base.parameters.get(NAME)!;
const image = recipe([1, 32, 32, 3], 1, -1, 1);

/** A tensor as a caller without types may pass it. */
const fake = (parts: Readonly<Record<string, unknown>>) => ({ ...kernel, ...parts }) as FloatTensor;

function detached(data: Float32Array): Float32Array {
  const copy = data.slice();
  structuredClone(copy.buffer, { transfer: [copy.buffer] });
  return copy;
}

function shrunk(data: Float32Array): Float32Array {
  // Not in the types of the oldest language that is supported; in Node 20 it is.
  const Resizable = ArrayBuffer as object as new (
    bytes: number,
    options: { readonly maxByteLength: number },
  ) => ArrayBuffer & { resize(bytes: number): void };
  const buffer = new Resizable(data.byteLength, { maxByteLength: data.byteLength });
  const view = new Float32Array(buffer);
  view.set(data);
  buffer.resize(data.byteLength / 2);
  return view;
}

const FAULTS: readonly (readonly [string, FloatTensor, RegExp])[] = [
  ["data shorter than its shape", fake({ data: kernel.data.subarray(1) }), /expected 1024 numbers.*found 1023/],
  ["data longer than its shape", fake({ data: new Float32Array(2000) }), /expected 1024 numbers.*found 2000/],
  ["an Int32Array", fake({ data: new Int32Array(kernel.data.length) }), /expected a Float32Array, found Int32Array/],
  ["an array of numbers", fake({ data: [...kernel.data] }), /expected a Float32Array, found Array/],
  ["no data", fake({ data: undefined }), /expected a Float32Array, found Undefined/],
  ["a detached buffer", fake({ data: detached(kernel.data) }), /transferred/],
  ["a buffer that was shrunk", fake({ data: shrunk(kernel.data) }), /expected 1024 numbers.*found 512/],
  ["another dtype", fake({ dtype: "int32" }), /expected float32, found int32/],
  ["another shape", fake({ shape: [32, 32] }), /expected shape \[1, 1, 32, 32\], found \[32, 32\]/],
  ["a shape that is none", fake({ shape: 1024 }), /expected a tensor/],
  ["null", null as never, /expected a tensor/],
  ["numbers alone", kernel.data as never, /expected a tensor/],
];

/** The doors that take a Map, or a network whose Map was changed. */
const DOORS: Record<string, (parameters: Map<string, FloatTensor>, changed: Network) => unknown> = {
  withParameters: (parameters) => withParameters(base, parameters),
  compile: (_, changed) => compile(changed),
  "compile, plain": (_, changed) => compile(changed, { backend: "plain" }),
  "compile, reference": (_, changed) => compile(changed, { backend: "reference" }),
  replaceParameters: async (parameters) => {
    const session = await compile(base);
    const before = (await session.run(image)).logits.data;
    try {
      return await session.replaceParameters(parameters);
    } finally {
      expect((await session.run(image)).logits.data).toEqual(before);
    }
  },
  "replaceParameters behind a run": async (parameters) => {
    const session = await compile(base);
    const run = session.run(image);
    await Promise.all([session.replaceParameters(parameters), run]);
  },
  encodeModel: (_, changed) => encodeModel(changed),
  encodeTfjs: (_, changed) => encodeTfjs(changed),
  replaceHead: (_, changed) => replaceHead(changed as never, { classes: 2 }),
  addClasses: (_, changed) => addClasses(changed, { classes: 2 }),
  embeddingModel: (_, changed) => embeddingModel(changed),
};

describe.each(Object.entries(DOORS))("%s", (_door, call) => {
  const outcome = async (name: string, value: FloatTensor): Promise<unknown> => {
    const changed = mobileNetV1(OPTIONS);
    changed.parameters.set(name, value);
    try {
      return await call(changed.parameters, changed);
    } catch (error) {
      return error;
    }
  };

  it.each(FAULTS)("refuses %s and names the tensor", async (_name, value, text) => {
    const error = await outcome(NAME, value);
    expect(error).toMatchObject({ code: "PARAMETERS_MISMATCH" });
    expect((error as Error).message).toMatch(text);
    expect((error as Error).message).toContain(`"${NAME}"`);
  });

  it("takes a Float32Array of another realm", async () => {
    const foreign = runInNewContext("new Float32Array(numbers)", { numbers: [...kernel.data] }) as Float32Array;
    expect(foreign instanceof Float32Array).toBe(false);
    const result = await outcome(NAME, fake({ data: foreign }));
    expect(result).not.toBeInstanceOf(Error);
  });
});

it.each(["wasm", "plain", "reference"] as const)(
  "of numbers that change at each look none is replaced, on %s, or all are",
  async (backend) => {
    const session = await compile(base, { backend });
    const before = (await session.run(image)).logits.data;
    let isReplaced = false;
    for (let look = 1; look < 400 && !isReplaced; look += 7) {
      let looks = 0;
      const parameters = new Map<string, FloatTensor>();
      for (const [name, { dtype, shape, data }] of base.parameters) {
        parameters.set(name, {
          dtype,
          shape,
          get data() {
            if (++looks === look) throw new RangeError("mine");
            return looks % 11 === 0 && look % 2 === 0 ? data.subarray(1) : data.map((value) => 3 * value);
          },
        });
      }
      isReplaced = await session.replaceParameters(parameters).then(
        () => true,
        () => false,
      );
      if (!isReplaced) expect((await session.run(image)).logits.data, `look ${look}`).toEqual(before);
    }
    expect(isReplaced).toBe(true);
    session.close();
  },
);

it("a faulty classifier is refused by addClasses, which reads it", () => {
  for (const data of [new Int32Array(1024 * 3), undefined, new Float32Array(1)]) {
    const changed = mobileNetV1(OPTIONS);
    changed.parameters.set("conv_preds/kernel", {
      ...changed.parameters.get("conv_preds/kernel")!,
      data,
    } as FloatTensor);
    expect(() => addClasses(changed, { classes: 1 })).toThrow(expect.objectContaining({ code: "PARAMETERS_MISMATCH" }));
  }
});

it("all that is wrong is listed at once, what is left over as well", () => {
  const parameters = new Map(base.parameters);
  parameters.set(NAME, fake({ data: new Int32Array(1024) }));
  parameters.set("conv1/kernel", fake({ data: new Float32Array(3) }));
  parameters.set("extra", undefined as never);
  const lists = [NAME, "conv1/kernel", "extra"].map((name) => expect.stringContaining(`"${name}"`));
  expect(() => withParameters(base, parameters)).toThrow(
    expect.objectContaining({ fields: { problems: expect.arrayContaining(lists) } }),
  );
});

describe("a network whose parameters change after compile was called", () => {
  const expected = async () => (await (await compile(base)).run(image)).logits.data;

  it.each([
    ["one is replaced", (model: Network) => model.parameters.set(NAME, fake({ data: new Float32Array(1024) }))],
    ["one is replaced by what does not fit", (model: Network) => model.parameters.set(NAME, tensor([1], [1]))],
    ["one is deleted", (model: Network) => model.parameters.delete(NAME)],
    ["all are deleted", (model: Network) => model.parameters.clear()],
    ["one is added", (model: Network) => model.parameters.set("extra", tensor([1], [1]))],
    [
      "a tensor of it gets other data",
      (model: Network) => Object.assign(model.parameters.get(NAME)!, { data: new Float32Array(1024) }),
    ],
  ])("when %s: it answers as it was at the call", async (_name, change) => {
    for (const backend of ["wasm", "plain", "reference"] as const) {
      const model = mobileNetV1(OPTIONS);
      const compiling = compile(model, { backend });
      change(model);
      const answer = (await (await compiling).run(image)).logits.data;
      const same = (await (await compile(base, { backend })).run(image)).logits.data;
      expect(answer).toEqual(same);
    }
    await expected();
  });

  it.each(["wasm", "plain", "reference"] as const)(
    "when a buffer is transferred: a typed error, on %s",
    async (backend) => {
      const model = mobileNetV1(OPTIONS);
      const compiling = compile(model, { backend });
      const { buffer } = model.parameters.get(NAME)!.data;
      structuredClone(buffer, { transfer: [buffer] });
      const outcome = await compiling.catch((error: unknown) => error);
      expect(outcome).toMatchObject({ code: "PARAMETERS_MISMATCH" });
      expect((outcome as Error).message).toContain(NAME);
    },
  );
});
