/** 8-bit integers as others write them: scales of other shapes, zero points, and integers that no network needs. */

import { describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { conv2d, flatten, type Network, sequential } from "../../src/layers/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { bytesOf, sample, unsaid } from "../fixtures/sample-networks.ts";
import { eightBitSafetensors, inOneFile, namedTensors, type StoredPart, torchState } from "../writers/as-tensors.ts";
import { stateDict, tensorValue, zipForm } from "../writers/torch.ts";

const floats = (shape: readonly number[], ...values: number[]) =>
  ({ dtype: "F32", shape, bytes: bytesOf(Float32Array.from(values)) }) as const;
const integers = (shape: readonly number[], ...values: number[]) =>
  ({ dtype: "I8", shape, bytes: bytesOf(Int8Array.from(values)) }) as const;

const v1 = sample("eight wide at least", { alpha: 0.25, resolution: 32, classes: 4 }, 1);
const given = unsaid(v1);

/** A file of ours with one convolution, and tensors more or others in place of those. */
const model: Network = sequential({ inputShape: [5, 5, 2] }, [conv2d({ filters: 4, kernel: 3, name: "a" }), flatten()]);
const good = readSafetensors(encodeModel(model, { dtype: "I8" }));
const kernel = [...toFloat32(good.tensors.get("a/kernel")!)];
function file(more: Readonly<Record<string, Omit<StoredPart, "name"> | undefined>>): Uint8Array {
  const parts = { ...Object.fromEntries(good.tensors), ...more };
  const there = Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [] : [{ ...part, name }]));
  return inOneFile(there, { ...good.metadata });
}

describe("scales of compressed-tensors", () => {
  it("have two axes, [out, 1], whatever the kernel has", async () => {
    const entries = namedTensors(v1, "timm");
    const [all, two] = [eightBitSafetensors(entries), eightBitSafetensors(entries, "two")];
    expect(readSafetensors(two).tensors.get("conv_stem.weight_scale")!.shape).toEqual([8, 1]);
    expect((await loadModel(two, given)).parameters).toEqual((await loadModel(all, given)).parameters);
  });

  it("are refused where [out, 1] could mean another axis", async () => {
    const own = sequential({ inputShape: [5, 5, 3] }, [conv2d({ filters: 4, kernel: 3, name: "a" })]);
    const { tensors, metadata } = readSafetensors(encodeModel(own, { dtype: "I8" }));
    const there = new Map<string, StoredPart>([...tensors]);
    there.set("a/kernel_scale", { name: "a/kernel_scale", ...floats([3, 1], 1, 2, 3) });
    await expect(loadModel(inOneFile([...there.values()], { ...metadata }))).rejects.toThrow(
      'as "a/kernel_scale" [1, 1, 1, 4] or [1, 1, 3, 4] or [3, 1, 1, 1] or one number of F32, F16, BF16, found [3, 1]',
    );
  });

  it.each([[[]], [[1]], [[1, 1]], [[1, 1, 1, 1]]])("of shape %j are one for the whole tensor", async (shape) => {
    const { parameters } = await loadModel(file({ "a/kernel_scale": floats(shape, 0.25) }));
    expect([...parameters.get("a/kernel")!.data]).toEqual(kernel.map((integer) => 0.25 * integer));
  });
});

describe("zero points", () => {
  it("of 0 change nothing", async () => {
    const plain = await loadModel(file({}));
    for (const zeros of [integers([4, 1], 0, 0, 0, 0), floats([1], 0)]) {
      expect((await loadModel(file({ "a/kernel_zero_point": zeros }))).parameters).toEqual(plain.parameters);
    }
  });

  it("that are others are refused by their name: they are not read", async () => {
    const refused = loadModel(file({ "a/kernel_zero_point": integers([4, 1], 0, 0, -3, 0) }));
    await expect(refused).rejects.toMatchObject({
      code: "DTYPE_MISMATCH",
      fields: { tensor: "a/kernel", zeroPoint: "a/kernel_zero_point" },
      message: expect.stringContaining(
        'tensor "a/kernel" [3, 3, 2, 4] of 8-bit integers: expected zero points of 0: others are not read here, found others, in "a/kernel_zero_point".',
      ),
    });
  });

  it("without integers are left over", async () => {
    const left = loadModel(file({ "a/bias_zero_point": integers([1], 0) }));
    await expect(left).rejects.toThrow('"a/bias_zero_point" [1] is left over');
  });
});

describe("8-bit integers that no network needs", () => {
  it("such as counters in safetensors want no scale, and do not make a file one of 8-bit integers", async () => {
    const entries = namedTensors(v1, "timm");
    const parts = entries.map(([name, { shape, data }]) => ({ name, ...floats(shape, ...data) }));
    const counters = entries.flatMap(([name]) =>
      name.endsWith("running_var")
        ? [{ name: name.replace("running_var", "num_batches_tracked"), ...integers([], 7) }]
        : [],
    );
    expect(counters.length).toBe(27);
    const loaded = await loadModel(inOneFile([...parts, ...counters]), given);
    expect(loaded.parameters).toEqual((await loadModel(inOneFile(parts), given)).parameters);
    expect(describeModel(loaded).format).toBe("safetensors");
  });

  it("want none in a file of PyTorch either", async () => {
    const { values, storages } = torchState(namedTensors(v1, "PyTorch conv_bn and conv_dw"));
    const counters = Object.keys(values).filter((name) => name.endsWith("num_batches_tracked"));
    for (const [i, name] of counters.entries()) {
      values[name] = tensorValue({ key: `c${i}`, shape: [], elements: 1, type: "CharStorage" });
      storages.push([`c${i}`, 1, Uint8Array.of(7)]);
    }
    const loaded = await loadModel(zipForm(stateDict(values), storages), given);
    expect(loaded.parameters).toEqual(v1.model.parameters);
  });

  it("are told as left over where no name is known to need them", async () => {
    const refused = loadModel(file({ more: integers([2], 1, 2) }));
    await expect(refused).rejects.toMatchObject({
      code: "PARAMETERS_MISMATCH",
      message: expect.stringContaining('"more" [2] is left over'),
    });
  });

  it("want their scales where they are needed", async () => {
    await expect(loadModel(file({ "a/kernel_scale": undefined }))).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });
});
