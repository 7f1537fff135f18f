/** Values of another realm: a frame, Jest's sandbox, jsdom. Each entry takes them as it takes its own. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";
import { afterAll, describe, expect, it, vi } from "vitest";
import { isError, systemCode } from "../../src/core/realms.ts";
import { conv2d } from "../../src/eager/index.ts";
import { decodeImage, normalize, preprocess, toPixels } from "../../src/images/index.ts";
import { loadModel, mobileNetV1, tensor } from "../../src/index.ts";
import { withParameters } from "../../src/layers/index.ts";
import { compile } from "../../src/session/compile.ts";
import { readSafetensors, saveModel, toFloat32 } from "../../src/weights/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";

const context = createContext({});
/** What a piece of code makes over there. */
function foreign<Value>(code: string, given: Record<string, unknown> = {}): Value {
  Object.assign(context, given);
  return runInContext(code, context) as Value;
}

const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
const file = new Uint8Array(encodeModel(model));
const numbers = Array.from(file);
const folder = mkdtempSync(join(tmpdir(), "depthwise-realms-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "model.safetensors");
writeFileSync(path, file);
/** As jsdom has them: classes of its own, which say by their tag what they are. */
const tagged = (tag: string, members: object) => Object.assign(members, { [Symbol.toStringTag]: tag });

describe("a value of another realm", () => {
  const sources: Readonly<Record<string, () => unknown>> = {
    Uint8Array: () => foreign("new Uint8Array(numbers)", { numbers }),
    ArrayBuffer: () => foreign("new Uint8Array(numbers).buffer", { numbers }),
    SharedArrayBuffer: () =>
      foreign("const s = new SharedArrayBuffer(numbers.length); new Uint8Array(s).set(numbers); s", { numbers }),
    "stream of Uint8Array": () => foreign("(async function* () { yield new Uint8Array(numbers); })()", { numbers }),
    Blob: () => tagged("Blob", { size: file.length, type: "", stream: () => new Blob([file]).stream() }),
    "File without a stream, as jsdom's": () =>
      tagged("File", { name: "a.safetensors", size: file.length, arrayBuffer: async () => file.slice().buffer }),
    "stream, as jsdom's": () =>
      tagged("ReadableStream", { getReader: () => new Blob([file]).stream().getReader(), locked: false }),
    "FileList, as a frame's": () => tagged("FileList", { 0: new File([file], "a.safetensors"), length: 1 }),
    "URL of a file": () => {
      const url = pathToFileURL(path);
      const { href, protocol, hostname, pathname, host, username, password, search } = url;
      return tagged("URL", {
        href,
        protocol,
        hostname,
        pathname,
        host,
        username,
        password,
        search,
        toString: () => href,
      });
    },
  };
  it.each(Object.entries(sources))("%s is a source of a model", async (_, source) => {
    const loaded = await loadModel(source() as Uint8Array);
    expect(loaded.parameters.size).toBe(model.parameters.size);
  });

  it("is a File in a list of them", async () => {
    const members = { name: "model.safetensors", size: file.length, stream: () => new Blob([file]).stream() };
    const loaded = await loadModel([tagged("File", members) as object as File]);
    expect(loaded.parameters.size).toBe(model.parameters.size);
  });

  it("is a URL to write to", async () => {
    const { href } = pathToFileURL(join(folder, "written.safetensors"));
    await saveModel(model, tagged("URL", { href, toString: () => href }) as object as URL);
    expect((await loadModel(join(folder, "written.safetensors"))).parameters.size).toBe(model.parameters.size);
  });

  it("is the bytes of safetensors, and of a stored tensor", () => {
    const { tensors } = readSafetensors(foreign<Uint8Array>("new Uint8Array(numbers)", { numbers }));
    const [first] = [...tensors.values()];
    const bytes = foreign<Uint8Array>("new Uint8Array(bytes)", { bytes: Array.from(first!.bytes) });
    expect(toFloat32({ ...first!, bytes })).toEqual(toFloat32(first!));
  });

  it("is the bytes of an image, whatever they are", async () => {
    const buffer = foreign<ArrayBuffer>("new ArrayBuffer(16)");
    await expect(decodeImage(buffer)).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
  });

  it.each(["Uint8Array", "Uint8ClampedArray", "Uint16Array"])("is the %s of an image's pixels", (kind) => {
    const data = foreign<Uint8Array>(`new ${kind}(64).fill(${kind === "Uint16Array" ? 0x4000 : 0x40})`);
    expect([...toPixels({ width: 4, height: 4, data }).data.slice(0, 2)]).toEqual([207, 207]);
  });

  it("is pixels to preprocess, and values to normalize", () => {
    const description = { inputShape: model.inputShape, range: [-1, 1] };
    const data = foreign<Uint8Array>("new Uint8Array(48).fill(255)");
    expect(preprocess({ width: 4, height: 4, data }, description as never)[0]).toBe(1);
    const values = foreign<Float32Array>("new Float32Array(48).fill(255)");
    expect(normalize(values, description as never)[0]).toBe(1);
  });

  it("is the data of a tensor made by hand", () => {
    const x = foreign<Float32Array>("new Float32Array(16).fill(1)");
    const input = { dtype: "float32", shape: [1, 4, 4, 1], data: x } as const;
    const kernel = tensor(new Float32Array(9).fill(1), [3, 3, 1, 1]);
    expect(conv2d(input, kernel, { padding: "valid" }).data).toEqual(new Float32Array(4).fill(9));
  });

  it("is a Map of parameters", async () => {
    const entries = [...model.parameters];
    const map = foreign<Map<string, never>>("new Map(entries)", { entries });
    expect(withParameters(model, map).parameters.size).toBe(entries.length);
    const session = await compile(model);
    await session.replaceParameters(map);
    session.close();
  });

  it("is an error of the system", () => {
    const error = foreign('Object.assign(new Error("no"), { code: "ENOENT" })');
    expect([error instanceof Error, isError(error), systemCode(error)]).toEqual([false, true, "ENOENT"]);
    expect([isError({}), systemCode({ code: "ENOENT" }), systemCode(new Error("no"))]).toEqual([
      false,
      undefined,
      undefined,
    ]);
  });
});

it("a place without a TextDecoder is named, and no file is blamed", async () => {
  vi.stubGlobal("TextDecoder", undefined);
  try {
    const said = { code: "FILE_UNREADABLE", message: expect.stringContaining("there is no TextDecoder") };
    await expect(loadModel(file)).rejects.toMatchObject(said);
    expect(() => readSafetensors(file)).toThrow(expect.objectContaining(said));
  } finally {
    vi.unstubAllGlobals();
  }
});
