/** Bytes and options of a load are those of the call; the model keeps nothing of the caller's. */

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import type { ModelSource } from "../../src/sources/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";

const OPTIONS = { alpha: 0.25, resolution: 32, classes: 3 } as const;
const model = mobileNetV1<MobileNetV1Options>(OPTIONS);
const file = encodeModel(model);

/** A comparison whose failure prints no million numbers. */
const isTheFile = (parameters: ReadonlyMap<string, FloatTensor>) =>
  [...model.parameters].every(([name, { data }]) => Buffer.from(data.buffer).equals(own(parameters.get(name)!.data)));
const own = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

/** Each way of holding the bytes, and what to spoil. */
const HOLDERS: Record<string, () => { source: ModelSource; bytes: Uint8Array }> = {
  "a Uint8Array": () => {
    const bytes = file.slice();
    return { source: bytes, bytes };
  },
  "an ArrayBuffer": () => {
    const bytes = file.slice();
    return { source: bytes.buffer, bytes };
  },
  "a view at an odd place": () => {
    const bytes = new Uint8Array(file.length + 3).subarray(3);
    bytes.set(file);
    return { source: bytes, bytes };
  },
  "a DataView": () => {
    const bytes = file.slice();
    return { source: new DataView(bytes.buffer), bytes };
  },
  "a Buffer": () => {
    const bytes = Buffer.from(file);
    return { source: bytes, bytes };
  },
  "shared memory": () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(file.length));
    bytes.set(file);
    return { source: bytes.buffer as SharedArrayBuffer, bytes };
  },
};

describe.each(Object.entries(HOLDERS))("loadModel of %s", (_name, hold) => {
  it("answers as the bytes were at the call", async () => {
    const { source, bytes } = hold();
    const loading = loadModel(source);
    bytes.fill(0xff);
    const { parameters } = await loading;
    expect(isTheFile(parameters)).toBe(true);
  });

  it("gives a model that keeps nothing of them", async () => {
    const { source, bytes } = hold();
    const { parameters } = await loadModel(source);
    bytes.fill(0xff);
    expect(isTheFile(parameters)).toBe(true);
  });
});

/** Shared memory cannot be transferred. */
const TRANSFERABLE = Object.entries(HOLDERS).filter(([name]) => name !== "shared memory");

describe.each(TRANSFERABLE)("loadModel of %s", (_name, hold) => {
  it("does not mind that they are transferred", async () => {
    const { source, bytes } = hold();
    const loading = loadModel(source);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    const { parameters } = await loading;
    expect(isTheFile(parameters)).toBe(true);
  });

  it("refuses them by name if they were transferred before", async () => {
    const { source, bytes } = hold();
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    const error = await loadModel(source).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "OPTION_INVALID" });
    expect((error as Error).message).toContain("transferred");
  });
});

describe("loadModel", () => {
  it("copies a file once", async () => {
    const large = encodeModel(mobileNetV1({ resolution: 32 }));
    const before = process.memoryUsage().arrayBuffers;
    const loaded = await loadModel(large);
    const held = process.memoryUsage().arrayBuffers - before;
    expect(loaded.parameters.size).toBeGreaterThan(0);
    expect(held).toBeLessThan(1.5 * large.length);
  });

  it("refuses bytes over the limit before it copies them", async () => {
    const bytes = new Uint8Array(2 ** 26);
    const before = process.memoryUsage().arrayBuffers;
    await expect(loadModel(bytes, { maxBytes: 100 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it("reads the options at the call, lists in them as well", async () => {
    const labels = ["a", "b", "c"];
    const range: [number, number] = [0, 1];
    const preprocessing: Record<string, unknown> = { range };
    const options: Record<string, unknown> = { labels, preprocessing };
    const loading = loadModel(file.slice(), options);
    labels.length = 0;
    range[1] = 7;
    preprocessing["resize"] = "nothing";
    options["classes"] = 1000;
    const { info } = await loading;
    expect(info.labels).toEqual(["a", "b", "c"]);
    expect(info.preprocessing).toMatchObject({ range: [0, 1] });
    expect(info.preprocessing).not.toHaveProperty("resize");
  });

  it("takes both halves of a pair at the call", async () => {
    const pair: [Uint8Array, Uint8Array] = [file.slice(), file.slice()];
    const second = pair[1];
    const loading = loadModel(pair);
    second.fill(0xff);
    pair[1] = new Uint8Array();
    await expect(loading).rejects.toThrow(/two files that hold operations.*safetensors and safetensors/);
  });

  it("takes bytes of another realm", async () => {
    const foreign = runInNewContext("new Uint8Array(numbers)", { numbers: file }) as Uint8Array;
    expect((await loadModel(foreign)).parameters.size).toBe(model.parameters.size);
  });
});
