/** Models whose kernels are stored as 8-bit integers: any network, any reader, and what of a damaged one is said. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/core/random.ts";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { type StoredTensor, type TensorFile, toFloat32 } from "../../src/formats/stored-tensor.ts";
import { conv2d, dense, depthwise, flatten, type Network, pointwise, sequential } from "../../src/layers/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { kernelInEightBits } from "../fixtures/eight-bit.ts";
import { rounds, seedOf } from "../fuzz.ts";
import { inOneFile, type StoredPart } from "../writers/as-tensors.ts";

const networks = fc
  .record({
    channels: fc.integer({ min: 1, max: 4 }),
    filters: fc.integer({ min: 1, max: 9 }),
    kernel: fc.constantFrom(1, 2, 3),
    multiplier: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 1, max: 10_000 }),
  })
  .map(({ channels, filters, kernel, multiplier, classes, seed }) => {
    const model = sequential({ inputShape: [4, 4, channels], seed }, [
      conv2d({ filters, kernel }),
      depthwise({ kernel, multiplier, bias: false }),
      pointwise({ filters }),
      flatten(),
      dense({ filters: classes }),
    ]);
    // Channels of sizes that differ by far, and one of zeros.
    const random = mulberry32(seed);
    for (const { data, shape } of model.parameters.values()) {
      const sizes = Float64Array.from({ length: shape.at(-1)! }, () => 10 ** (8 * random() - 6));
      sizes[Math.floor(random() * 2 * sizes.length)] = 0;
      for (let i = 0; i < data.length; i++) data[i] = sizes[i % sizes.length]! * (2 * random() - 1);
    }
    return model;
  });

/** The kernels of a file as any tool would make them: the product of the two arrays, as they broadcast. */
function product(file: TensorFile, name: string): Float32Array {
  const [{ bytes, shape }, scale] = [file.tensors.get(name)!, file.tensors.get(`${name}_scale`)!];
  const scales = new Float32Array(scale.bytes.slice().buffer);
  return Float32Array.from(new Int8Array(bytes.slice().buffer), (integer, i) => {
    let place = 0;
    let rest = i;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]!;
      rest = (rest - index) / shape[axis]!;
      if (scale.shape[axis] === shape[axis]) place += step * index;
      step *= scale.shape[axis]!;
    }
    return integer * scales[place]!;
  });
}

const isKernel = (model: Network, name: string) => model.parameterInfo.get(name)?.role === "kernel";

describe("a model stored in I8", () => {
  it("comes back with kernels off by half a scale at most, and all else as it was", async () => {
    const property = fc.asyncProperty(networks, async (model) => {
      const bytes = encodeModel(model, { dtype: "I8" });
      const file = readSafetensors(bytes);
      const loaded = await loadModel(bytes);
      expect([...loaded.parameters.keys()]).toEqual([...model.parameters.keys()]);
      for (const [name, tensor] of model.parameters) {
        const back = loaded.parameters.get(name)!;
        if (!isKernel(model, name)) {
          expect(back).toEqual(tensor);
          continue;
        }
        const { scales, values } = kernelInEightBits(name, tensor);
        expect(back).toEqual({ ...tensor, data: values });
        expect(product(file, name)).toEqual(values);
        for (const [i, value] of tensor.data.entries()) {
          const scale = scales[i % scales.length]!;
          // Half a scale, and the rounding of the product.
          expect(Math.abs(back.data[i]! - value)).toBeLessThanOrEqual(scale * (0.5 + 127 * 2 ** -24));
        }
      }
    });
    await fc.assert(property, { seed: seedOf(20170417), numRuns: rounds(60) });
  });

  it("that is stored again has the same bytes, as soon as the file says no more of where it came from", async () => {
    const again = async (bytes: Uint8Array) => encodeModel(await loadModel(bytes), { dtype: "I8" });
    const property = fc.asyncProperty(networks, async (model) => {
      const first = encodeModel(model, { dtype: "I8" });
      const second = await again(first);
      const third = await again(second);
      for (const later of [second, third]) {
        expect(readSafetensors(later).tensors).toEqual(readSafetensors(first).tensors);
      }
      expect(await again(third)).toEqual(third);
    });
    await fc.assert(property, { seed: seedOf(7), numRuns: rounds(30) });
    const known = await again(encodeModel(mobileNetV1({ alpha: 0.1, resolution: 32, classes: 3 })));
    expect(await again(known)).toEqual(known);
  });

  it("is a quarter of a MobileNet V1, says so, and can be told from one that was not", async () => {
    const model = mobileNetV1({ alpha: 0.5, resolution: 32, classes: 10 });
    const [small, whole] = [encodeModel(model, { dtype: "I8" }), encodeModel(model)];
    expect(small.length / whole.length).toBeLessThan(0.31);
    expect(describeModel(await loadModel(small))).toMatchObject({
      format: "safetensors, weights as 8-bit integers with scales",
      understoodBy: "names of Keras Applications mobilenet",
    });
    expect(describeModel(await loadModel(whole)).format).toBe("safetensors");
    const again = encodeModel(await loadModel(small));
    expect(describeModel(await loadModel(again)).remarks).toMatchObject({
      origin: { format: "safetensors, weights as 8-bit integers with scales" },
    });
  });

  it("has each tensor at a multiple of its element's size, as others want it", () => {
    const model = sequential({ inputShape: [5, 5, 1] }, [conv2d({ filters: 3, kernel: 3 }), depthwise({ kernel: 1 })]);
    for (const dtype of ["I8", "F16"] as const) {
      const floats = [...readSafetensors(encodeModel(model, { dtype })).tensors.values()].filter(
        (stored) => stored.dtype === "F32",
      );
      expect(floats.map(({ bytes }) => bytes.byteOffset % 4)).toEqual(floats.map(() => 0));
      expect(floats.length).toBeGreaterThan(1);
    }
  });

  it.each([
    ["F32", "Save it as F16 or I8."],
    ["F16", "Save it as I8."],
    ["I8", "Close what holds memory, or save it where there is more."],
  ] as const)("or in %s is told what is smaller if memory is refused", (dtype, advice) => {
    const model = sequential({ inputShape: [3] }, [dense({ filters: 2, name: "last" })]);
    const left = { checks: model.parameterInfo.size };
    const parameters = new (class extends Map<string, FloatTensor> {
      // What checks them reads each once.
      override get(name: string) {
        if (left.checks-- > 0) return super.get(name);
        throw new RangeError("Array buffer allocation failed");
      }
    })(model.parameters);
    expect(() => encodeModel({ ...model, parameters }, { dtype })).toThrow(
      expect.objectContaining({ code: "MEMORY_EXCEEDED", message: expect.stringMatching(`bytes\\. ${advice}$`) }),
    );
  });

  it("is refused with a kernel that is not finite, by its name", () => {
    const model = sequential({ inputShape: [3] }, [dense({ filters: 2, name: "last" })]);
    model.parameters.get("last/kernel")!.data[3] = Number.NaN;
    expect(() => encodeModel(model, { dtype: "I8" })).toThrow(/tensor "last\/kernel", element 3: expected a finite/);
    model.parameters.get("last/kernel")!.data[3] = 1;
    model.parameters.get("last/bias")!.data[1] = Number.NaN;
    expect(() => encodeModel(model, { dtype: "I8" })).not.toThrow();
  });
});

describe("integers and scales that do not fit each other", () => {
  const model = sequential({ inputShape: [4, 4, 2] }, [
    conv2d({ filters: 3, kernel: 3, name: "a" }),
    depthwise({ kernel: 3, multiplier: 2, name: "b" }),
    flatten(),
    dense({ filters: 2, name: "c" }),
  ]);
  model.parameters.get("c/kernel")!.data.forEach((_, i, data) => {
    if (i % 2 === 1) data[i] = 0;
  });
  const good = readSafetensors(encodeModel(model, { dtype: "I8" }));

  /** The file with some tensors changed; undefined takes one away. */
  const file = (changed: Readonly<Record<string, Partial<StoredTensor> | undefined>>) => {
    const parts = [...good.tensors.values()].flatMap((stored): StoredPart[] => {
      if (!Object.hasOwn(changed, stored.name)) return [stored];
      const other = changed[stored.name];
      return other === undefined ? [] : [{ ...stored, ...other }];
    });
    return inOneFile(parts, { ...good.metadata });
  };
  const floats = (...values: number[]) => ({ bytes: new Uint8Array(Float32Array.from(values).buffer) });
  const scales = (name: string) => [...toFloat32(good.tensors.get(name)!)];
  const withFirst = (name: string, value: number) => floats(value, ...scales(name).slice(1));

  it("are none of these", async () => {
    expect((await loadModel(file({}))).parameters.size).toBe(model.parameters.size);
    const nothing = { "c/kernel_scale": floats(scales("c/kernel_scale")[0]!, 0) };
    expect((await loadModel(file(nothing))).parameters).toEqual((await loadModel(file({}))).parameters);
  });

  it.each([
    [
      "no scales",
      file({ "a/kernel_scale": undefined }),
      'tensor "a/kernel" [3, 3, 2, 3] of 8-bit integers: expected its scales beside it, as "a/kernel_scale" [1, 1, 1, 3] or [1, 1, 2, 3] or [3, 1, 1, 1] or [3, 1] or one number of F32, F16, BF16, found none',
    ],
    [
      "scales in a row",
      file({ "b/depthwise_kernel_scale": { shape: [6] } }),
      '"b/depthwise_kernel_scale" [1, 1, 1, 2] or [1, 1, 3, 2] or [3, 1, 1, 1] or one number of F32, F16, BF16, found [6] of F32',
    ],
    [
      "scales of another type",
      file({ "c/kernel_scale": { dtype: "I32" } }),
      'as "c/kernel_scale" [1, 2] or [96, 1] or one number of F32, F16, BF16, found [1, 2] of I32',
    ],
    [
      "a scale that is no number",
      file({ "a/kernel_scale": withFirst("a/kernel_scale", Number.NaN) }),
      'tensor "a/kernel_scale", element 0: expected a finite number above 0, or 0 where all of "a/kernel" is 0, found NaN',
    ],
    [
      "an infinite scale",
      file({ "c/kernel_scale": withFirst("c/kernel_scale", Number.POSITIVE_INFINITY) }),
      'tensor "c/kernel_scale", element 0: expected a finite number above 0, or 0 where all of "c/kernel" is 0, found Infinity',
    ],
    [
      "a negative scale",
      file({ "b/depthwise_kernel_scale": withFirst("b/depthwise_kernel_scale", -1) }),
      'tensor "b/depthwise_kernel_scale", element 0: expected a finite number above 0, or 0 where all of "b/depthwise_kernel" is 0, found -1',
    ],
    [
      "a scale of 0 for integers that are not",
      file({ "c/kernel_scale": withFirst("c/kernel_scale", 0) }),
      'tensor "c/kernel_scale", element 0: expected a finite number above 0, or 0 where all of "c/kernel" is 0, found 0',
    ],
    [
      "a bias of integers",
      file({ "c/bias": { dtype: "I8", bytes: new Uint8Array(2) } }),
      'tensor "c/bias" [2] of 8-bit integers: expected its scales beside it, as "c/bias_scale" [2] or one number of F32, F16, BF16, found none',
    ],
  ])("%s", async (_what, bytes, message) => {
    const refused = loadModel(bytes);
    await expect(refused).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    await expect(refused).rejects.toThrow(message);
  });

  it("scales without integers are left over", async () => {
    const kernel = floats(...model.parameters.get("c/kernel")!.data);
    await expect(loadModel(file({ "c/kernel": { dtype: "F32", ...kernel } }))).rejects.toMatchObject({
      code: "PARAMETERS_MISMATCH",
      message: expect.stringContaining('"c/kernel_scale" [1, 2] is left over'),
    });
  });

  it("products that are too large are told so", async () => {
    const bytes = file({ "a/kernel_scale": withFirst("a/kernel_scale", 3e38) });
    await expect(loadModel(bytes)).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
  });

  it("scales may be halves", async () => {
    const half = { dtype: "BF16", bytes: new Uint8Array(Uint16Array.of(0x3f80, 0x3f80, 0x4000).buffer) } as const;
    const { data } = (await loadModel(file({ "a/kernel_scale": half }))).parameters.get("a/kernel")!;
    const integers = new Int8Array(good.tensors.get("a/kernel")!.bytes.slice().buffer);
    expect(data).toEqual(Float32Array.from(integers, (n, i) => n * (i % 3 === 2 ? 2 : 1)));
  });

  it("each byte of scales and integers changed is loaded or refused by a typed error", async () => {
    const bytes = encodeModel(model, { dtype: "I8" });
    const start = bytes.length - [...good.tensors.values()].reduce((sum, stored) => sum + stored.bytes.length, 0);
    const random = mulberry32(seedOf(3));
    for (let i = 0; i < rounds(400); i++) {
      const damaged = bytes.slice();
      const at = start + Math.floor(random() * (bytes.length - start));
      damaged[at] = Math.floor(random() * 256);
      const outcome = await loadModel(damaged).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: expect.stringMatching(/CORRUPT|FINITE/) });
    }
  });
});

describe("the budget of a load", () => {
  it("is charged for what integers become before it is made", async () => {
    const model = sequential({ inputShape: [100] }, [dense({ filters: 50, name: "last", bias: false })]);
    const bytes = encodeModel(model, { dtype: "I8" });
    const needed = 4 * (100 * 50 + 50);
    await expect(loadModel(bytes, { maxDecodedBytes: needed - 1 })).rejects.toMatchObject({
      code: "FILE_TOO_LARGE",
      message: expect.stringContaining('tensor "last/kernel", together with what was decoded before it'),
    });
    expect((await loadModel(bytes, { maxDecodedBytes: needed })).parameters.size).toBe(1);
  });
});

it("writeSafetensors writes 8-bit integers as they are, from an Int8Array alone", () => {
  const data = Int8Array.of(-128, -1, 0, 127);
  const { tensors } = readSafetensors(writeSafetensors([{ name: "a", shape: [2, 2], data, dtype: "I8" }]));
  expect(tensors.get("a")).toMatchObject({ dtype: "I8", shape: [2, 2] });
  expect([...tensors.get("a")!.bytes]).toEqual([128, 255, 0, 127]);
  const wrong = { name: "a", shape: [2], data: new Float32Array(2), dtype: "I8" } as never;
  expect(() => writeSafetensors([wrong])).toThrow(/data of "a": expected an Int8Array/);
  const other = { name: "a", shape: [2], data: new Int8Array(2) } as never;
  expect(() => writeSafetensors([other])).toThrow(/data of "a": expected a Float32Array/);
});
