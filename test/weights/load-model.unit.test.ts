/** @slow: it takes 4 seconds. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { type LoadOptions, loadModel } from "../../src/weights/load-model.ts";
import { encodeModel, saveModel } from "../../src/weights/save-model.ts";
import { recipe } from "../golden/vectors.ts";

const tiny = { alpha: 0.25, resolution: 32, classes: 6 } as const;

/** A network whose every parameter is a different random number. */
function randomModel(options: MobileNetV1Options) {
  const model = mobileNetV1<MobileNetV1Options>(options);
  let seed = 0;
  for (const { name, role, shape } of model.parameterInfo.values()) {
    model.parameters.set(name, recipe(shape, ++seed, role === "variance" ? 0.5 : -1, 1.5));
  }
  return model;
}

/** The bytes of a file with these tensors and no word about the model. */
const bare = (parameters: Iterable<readonly [string, FloatTensor]>, metadata = {}) =>
  writeSafetensors(
    [...parameters].map(([name, { shape, data }]) => ({ name, shape, data })),
    metadata,
  );

/** PyTorch's layouts, by the definition: element by element. */
function toTorch(name: string, { shape, data }: FloatTensor): FloatTensor {
  if (!/kernel$/.test(name)) return tensor(data, shape);
  const [kh = 1, kw = 1, i = 1, o = 1] = shape;
  const result = new Float32Array(data.length);
  const isDepthwise = name.endsWith("depthwise_kernel");
  for (let y = 0; y < kh; y++)
    for (let x = 0; x < kw; x++)
      for (let a = 0; a < i; a++)
        for (let b = 0; b < o; b++) result[((b * i + a) * kh + y) * kw + x] = data[((y * kw + x) * i + a) * o + b]!;
  if (isDepthwise) return tensor(result, [i, 1, kh, kw]);
  return tensor(result, name.startsWith("conv_preds") ? [o, i] : [o, i, kh, kw]);
}

const BATCH_NORM: Record<string, string> = {
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
};
const STAGE = ["0.0", "1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "4.0", "4.1"];

/** How each family writes a layer of ours; `part` is `bn` or `conv`. */
const FAMILIES: Record<string, (layer: string, isBatchNorm: boolean) => string> = {
  "Hugging Face": (layer, bn) => {
    const [, kind, block] = /^conv_(dw|pw)_(\d+)$/.exec(layer) ?? [];
    const place = kind === undefined ? "conv_stem" : `layer.${2 * (Number(block) - 1) + (kind === "pw" ? 1 : 0)}`;
    return layer === "conv_preds" ? "classifier" : `mobilenet_v1.${place}.${bn ? "normalization" : "convolution"}`;
  },
  timm: (layer, bn) => {
    const [, kind, block] = /^conv_(dw|pw)_(\d+)$/.exec(layer) ?? [];
    if (layer === "conv_preds") return "classifier";
    if (kind === undefined) return bn ? "bn1" : "conv_stem";
    return `blocks.${STAGE[Number(block) - 1]}.${bn ? (kind === "dw" ? "bn1" : "bn2") : `conv_${kind}`}`;
  },
  PyTorch: (layer, bn) => {
    const [, kind, block] = /^conv_(dw|pw)_(\d+)$/.exec(layer) ?? [];
    if (layer === "conv_preds") return "module.fc";
    const place = (kind === "pw" ? 3 : 0) + (bn ? 1 : 0);
    return `module.model.${block ?? 0}.${place}`;
  },
};

function inFamily(family: string, parameters: ReadonlyMap<string, FloatTensor>): [string, FloatTensor][] {
  const entries: [string, FloatTensor][] = [];
  for (const [name, value] of parameters) {
    const [layer = "", weight = ""] = name.split("/");
    const isBatchNorm = layer.endsWith("_bn");
    const place = FAMILIES[family]!(layer.replace(/_bn$/, ""), isBatchNorm);
    const entry = isBatchNorm ? BATCH_NORM[weight]! : weight === "bias" ? "bias" : "weight";
    entries.push([`${place}.${entry}`, toTorch(name, value)]);
    if (entry === "running_var") entries.push([`${place}.num_batches_tracked`, tensor([7], [1])]);
  }
  return entries.reverse();
}

describe("loadModel", () => {
  it.each([
    ["Hugging Face", { padding: "same", epsilon: 1e-3, activation: "relu6" }],
    ["timm", { padding: "symmetric", epsilon: 1e-5, activation: "relu6" }],
    ["PyTorch", { padding: "symmetric", epsilon: 1e-5, activation: "relu" }],
  ] as const)("understands the names, layouts and habits of %s", async (family, habits) => {
    const model = randomModel({ ...tiny, ...habits });
    const loaded = await loadModel(bare(inFamily(family, model.parameters)), { resolution: 32 });
    expect([...loaded.parameters].map(([name]) => name)).toEqual([...model.parameters.keys()]);
    for (const [name, value] of model.parameters) expect(loaded.parameters.get(name)).toEqual(value);
    expect(loaded.info.options).toMatchObject({ alpha: 0.25, classes: 6, ...habits });
    const image = recipe([1, 32, 32, 3], 5, -1, 1);
    const [a, b] = [await compile(model), await compile(loaded)];
    expect((await b.run(image)).logits!.data).toEqual((await a.run(image)).logits?.data);
  });

  it("matches names, not order, and takes Keras' other spellings", async () => {
    const model = randomModel(tiny);
    const spelled = [...model.parameters].reverse().map(([name, value]) => {
      const [layer = "", weight = ""] = name.split("/");
      return [`${layer}/${layer}/${weight === "depthwise_kernel" ? "kernel" : weight}:0`, value] as const;
    });
    const loaded = await loadModel(bare([...spelled, ["optimizer/iterations:0", tensor([1], [1])]]), {
      resolution: 32,
    });
    expect(loaded.parameters).toEqual(new Map(model.parameters));
  });

  it.each([
    [{ alpha: 0.35 }, { alpha: 0.35, channelRounding: "truncate" }],
    [
      { alpha: 0.35, channelRounding: "divisible8" },
      { alpha: 0.35, channelRounding: "divisible8" },
    ],
    [
      { alpha: 0.1, channelRounding: "floor" },
      { alpha: 0.1, channelRounding: "floor" },
    ],
    [{ alpha: 0.25, inputChannels: 1 }, { inputChannels: 1 }],
    [{ alpha: 0.25, shallow: true }, { shallow: true }],
    [{ alpha: 0.25, standardConvolution: true }, { standardConvolution: true }],
    [{ alpha: 0.25, includeTop: false, pooling: "avg" }, { includeTop: false }],
    [
      { alpha: 0.25, batchNorm: false },
      { batchNorm: false, convolutionBias: true },
    ],
    [
      { alpha: 0.25, convolutionBias: true },
      { batchNorm: true, convolutionBias: true },
    ],
  ] as const)("infers %j from the tensors alone", async (options, expected) => {
    const model = mobileNetV1<MobileNetV1Options>({
      ...options,
      resolution: 32,
      ...("includeTop" in options ? {} : { classes: 4 }),
    });
    const loaded = await loadModel(bare(model.parameters), { resolution: 32 });
    expect(loaded.info.options).toMatchObject(expected);
    for (const [name, shape] of loaded.shapes)
      if (model.shapes.has(name)) expect([name, shape]).toEqual([name, model.shapes.get(name)]);
  });

  it("drops the background for 1000 classes, and adds one that is never chosen for 1001", async () => {
    const image = recipe([1, 32, 32, 3], 5, -1, 1);
    const probabilities = async (bytes: Uint8Array, options: Pick<LoadOptions, "classes">) =>
      (await (await compile(await loadModel(bytes, { ...options, resolution: 32 }))).run(image)).logits!.data;
    const slim = bare(randomModel({ alpha: 0.25, resolution: 32, classes: 1001 }).parameters);
    const all = await probabilities(slim, {});
    expect(await probabilities(slim, { classes: 1000 })).toEqual(all.slice(1));
    const keras = bare(randomModel({ alpha: 0.25, resolution: 32, classes: 1000 }).parameters);
    const widened = await loadModel(keras, { classes: 1001, resolution: 32 });
    const result = await (await compile(widened)).run(image);
    expect(result.logits!.data.slice(1)).toEqual(await probabilities(keras, {}));
    expect(result.probabilities!.data[0]).toBe(0);
    expect(widened.info.background).toBe(true);
    await expect(loadModel(keras, { classes: 10 })).rejects.toMatchObject({ code: "CLASSES_MISMATCH" });
  });

  it("lists every missing, extra and misshapen tensor, with the nearest name", async () => {
    const parameters = new Map(mobileNetV1(tiny).parameters);
    const bias = parameters.get("conv_preds/bias")!;
    parameters.delete("conv_preds/bias");
    parameters.set("conv_pred/bias", bias);
    parameters.delete("conv_dw_3_bn/beta");
    parameters.set("conv_pw_5/kernel", tensor(new Float32Array(4), [1, 1, 2, 2]));
    const error = await loadModel(bare(parameters), { resolution: 32 }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: "PARAMETERS_MISMATCH" });
    const { message } = error as Error;
    expect(message).toContain('"conv_preds/bias" [6] is missing (Did you mean "conv_pred/bias")');
    expect(message).toContain('"conv_pred/bias" [6] is left over');
    expect(message).toContain('"conv_dw_3_bn/beta" [32] is missing');
    expect(message).toContain('"conv_pw_5/kernel": expected shape [1, 1, 64, 64], found [1, 1, 2, 2]');
  });

  it("names each tensor that holds NaN or Infinity", async () => {
    const model = mobileNetV1(tiny);
    model.parameters.get("conv1/kernel")!.data[3] = Number.NaN;
    model.parameters.get("conv_pw_2_bn/beta")!.data[0] = Number.POSITIVE_INFINITY;
    await expect(loadModel(encodeModel(model))).rejects.toThrow(
      /"conv1\/kernel" \(NaN at element 3\), "conv_pw_2_bn\/beta" \(Infinity at element 0\)/,
    );
  });

  it.each([
    [{ architecture: "resnet" }, "ARCHITECTURE_UNKNOWN"],
    [{ alpha: "wide" }, "FILE_CORRUPT"],
    [{ labels: "[" }, "FILE_CORRUPT"],
    [{ options: "[]" }, "FILE_CORRUPT"],
    [{ options: '{"alpha":-1}' }, "OPTION_INVALID"],
    [{ network: "{}" }, "NETWORK_INVALID"],
    [{ network: '{"inputShape":[1],"layers":[null],"outputs":{}}' }, "NETWORK_INVALID"],
    [{ network: '{"inputShape":[4],"layers":[{"name":"a","type":"dens"}],"outputs":{}}' }, "NETWORK_INVALID"],
  ])("refuses the metadata %j", async (metadata, code) => {
    await expect(loadModel(bare(mobileNetV1(tiny).parameters, metadata))).rejects.toMatchObject({ code });
  });

  it("refuses tensors of another network by name", async () => {
    await expect(loadModel(bare([["layer1.0.conv1.weight", tensor([1], [1])]]))).rejects.toThrow(
      /layer1\.0\.conv1\.weight/,
    );
  });

  it("keeps all a model knows of itself", async () => {
    const model = mobileNetV1({
      ...tiny,
      inputSize: [40, 32],
      resolution: undefined as never,
      padding: "symmetric",
      epsilon: 1e-5,
      activation: "relu",
      labels: ["a", "b", "c", "d", "e", "ü"],
      background: false,
      preprocessing: { range: [0, 1], channelOrder: "bgr" },
    });
    const loaded = await loadModel(encodeModel(model));
    const { provenance, ...info } = loaded.info;
    expect(info).toEqual(model.info);
    expect(provenance).toMatchObject({ format: "safetensors", file: "bytes" });
    expect(loaded.inputShape).toEqual([40, 32, 3]);
    expect(loaded.parameters).toEqual(new Map(model.parameters));
  });

  it("halves the size with F16, and only kernels lose digits", async () => {
    const model = randomModel(tiny);
    const half = encodeModel(model, { dtype: "F16" });
    expect(half.length).toBeLessThan(0.6 * encodeModel(model).length);
    const loaded = await loadModel(half);
    expect(loaded.parameters.get("conv1_bn/beta")).toEqual(model.parameters.get("conv1_bn/beta"));
    for (const [i, value] of loaded.parameters.get("conv_pw_3/kernel")!.data.entries()) {
      expect(Math.abs(value - model.parameters.get("conv_pw_3/kernel")!.data[i]!)).toBeLessThan(1e-3);
    }
  });
});

describe("sources", () => {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-load-"));
  const file = join(folder, "m.safetensors");
  const bytes = encodeModel(mobileNetV1(tiny));
  writeFileSync(file, bytes);
  let server: Server | undefined;

  afterEach(() => server?.close());

  const serve = async (listener: RequestListener): Promise<string> => {
    server = createServer(listener);
    await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/m.safetensors`;
  };

  it("may be a path, a file URL, a Blob, bytes or a buffer", async () => {
    const copy = bytes.slice();
    for (const source of [file, pathToFileURL(file), pathToFileURL(file).href, new Blob([copy]), copy, copy.buffer]) {
      expect((await loadModel(source)).name).toBe("mobilenet_v1_0.25_32");
    }
  });

  it("may be a web address", async () => {
    const url = await serve((_request, response) => response.end(bytes));
    expect((await loadModel(url)).name).toBe("mobilenet_v1_0.25_32");
    expect((await loadModel(new URL(url))).name).toBe("mobilenet_v1_0.25_32");
  });

  it.each<[string, RequestListener, string]>([
    ["404", (_q, r) => r.writeHead(404).end("no"), "FILE_NOT_FOUND"],
    ["500", (_q, r) => r.writeHead(500).end(), "FILE_UNREADABLE"],
    ["a page in place of the file", (_q, r) => r.end("<!doctype html><html></html>"), "FORMAT_UNKNOWN"],
    ["half of the file", (_q, r) => r.end(bytes.subarray(0, bytes.length / 2)), "FILE_TRUNCATED"],
    [
      "a connection that breaks",
      (_q, r) => {
        r.writeHead(200, { "content-length": bytes.length });
        r.write(bytes.subarray(0, 1000));
        setTimeout(() => r.destroy(), 20);
      },
      "FILE_UNREADABLE",
    ],
    ["more than asked for", (_q, r) => r.end(Buffer.alloc(5_000_000)), "FILE_TOO_LARGE"],
  ])("that answers %s is refused by name", async (_name, listener, code) => {
    const url = await serve(listener);
    const error = await loadModel(url, { maxBytes: 4_000_000, retries: 0, cache: false }).catch(
      (caught: Error) => caught,
    );
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain("127.0.0.1");
  });

  it.each([
    [join(folder, "none.safetensors"), "FILE_NOT_FOUND"],
    [join(import.meta.dirname, "."), "FILE_NOT_FOUND"],
    ["http://127.0.0.1:1/x", "FILE_UNREADABLE"],
    ["", "OPTION_INVALID"],
    [42, "OPTION_INVALID"],
  ])("%s is refused with %s", async (source, code) => {
    await expect(loadModel(source as string, { retries: 0 })).rejects.toMatchObject({ code });
  });

  it("ends with the signal's reason", async () => {
    const reason = new Error("stop");
    await expect(loadModel(file, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const url = await serve(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 30);
    await expect(loadModel(url, { signal: controller.signal })).rejects.toBe(reason);
    server?.closeAllConnections();
  });

  it("saves whole files only, and says where it could not", async () => {
    await expect(saveModel(mobileNetV1(tiny), join(folder, "no/such/folder.safetensors"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
    });
    await saveModel(mobileNetV1(tiny), pathToFileURL(join(folder, "second.safetensors")));
    expect(readdirSync(folder).sort()).toEqual(["m.safetensors", "second.safetensors"]);
    rmSync(folder, { recursive: true });
  });
});
