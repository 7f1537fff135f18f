/** Every function of every door, each argument and each part of one in turn a wrong value, or two: a typed error. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as costs from "../../src/cost/index.ts";
import * as draw from "../../src/draw/index.ts";
import * as images from "../../src/images/index.ts";
import * as main from "../../src/index.ts";
import * as layers from "../../src/layers/index.ts";
import * as weights from "../../src/weights/index.ts";

// "wrong" is a path like any other to what writes files.
const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "depthwise-wrong-"));
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const transferred = () => {
  const data = new Float32Array(12);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
};

/** Made anew for each call: a generator is used up. */
const WRONG: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  "0": () => 0,
  "-1": () => -1,
  "1.5": () => 1.5,
  NaN: () => Number.NaN,
  Infinity: () => Infinity,
  "an empty string": () => "",
  "a string": () => "wrong",
  true: () => true,
  "an empty list": () => [],
  "a list of one": () => [1],
  "a list of null": () => [null],
  "a list with holes": () => new Array(3),
  "an empty object": () => ({}),
  "an object": () => ({ wrong: 1, shape: null, data: null, name: 5, width: 2 }),
  "an object without a prototype": () => Object.create(null),
  "a function": () => () => undefined,
  "a symbol": () => Symbol("wrong"),
  "a bigint": () => 1n,
  "a date": () => new Date(Number.NaN),
  "a map": () => new Map([[1, 2]]),
  "a generator": () => (function* () {})(),
  "a promise": () => Promise.resolve(1),
  numbers: () => new Float32Array(3),
  "numbers that were transferred": transferred,
  "bytes of nothing": () => new Uint8Array(),
};

const { tensor } = main;
const picture = () => draw.drawSeparable({ inputChannels: 1, filters: 1, size: 4 });
const model = main.mobileNetV1({ alpha: 0.1, resolution: 32, classes: 2, labels: ["a", "b"] });
const x = () => tensor(new Float32Array(48), [1, 4, 4, 3]);
const kernel = (...shape: number[]) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
const four = () => kernel(3);
const options = { bias: four(), activation: "relu", stride: 1, dilation: 1, padding: "same" };
const pixels = () => ({ width: 2, height: 2, data: new Uint8Array(12) });
const described = () => images.completePreprocessing([2, 2, 3], { mean: [0, 0, 0], deviation: [1, 1, 1] });
const bytes = weights.encodeModel(model);
const stored = () => ({ name: "a", dtype: "F32", shape: [1], bytes: new Uint8Array(4) });
const [costOnce, paperOnce] = [costs.cost(model), costs.paper()];
const window = { kernel: 3, stride: 1, dilation: 1, padding: "same", name: "a" };

/** Arguments that are right. */
const RIGHT: Readonly<Record<string, Readonly<Record<string, () => readonly unknown[]>>>> = {
  depthwise: {
    add: () => [x(), x(), { activation: "relu" }],
    averagePool: () => [x(), { kernel: 2, stride: 1, dilation: 1, padding: "same" }],
    batchNorm: () => [x(), { gamma: four(), beta: four(), mean: four(), variance: four() }, { epsilon: 1 }],
    conv2d: () => [x(), kernel(3, 3, 3, 3), options],
    dense: () => [kernel(1, 3), kernel(3, 3), { bias: four(), activation: "relu" }],
    depthwiseConv2d: () => [x(), kernel(3, 3, 3, 1), options],
    globalAveragePool: () => [x(), { keepDims: true }],
    hardSigmoid: () => [x()],
    hardSwish: () => [x()],
    isDepthwiseError: () => [new Error()],
    leakyRelu: () => [x(), 0.1],
    maxPool: () => [x(), { kernel: 2, stride: 1, dilation: 1, padding: "same" }],
    multiply: () => [x(), x(), { activation: "relu" }],
    pointwiseConv2d: () => [x(), kernel(1, 1, 3, 3), { bias: four(), activation: "relu" }],
    relu: () => [x()],
    relu6: () => [x()],
    softmax: () => [x()],
    tensor: () => [[1, 2], [2]],
    mobileNetV1: () => [
      {
        ...{ alpha: 0.1, resolution: 32, inputChannels: 3, classes: 2, includeTop: true, pooling: null, dropout: 0.1 },
        ...{ padding: "keras", stemPadding: "same", activation: "relu", epsilon: 1, convolutionBias: true, seed: 1 },
        ...{ batchNorm: true, channelRounding: "floor", minDepth: 8, outputStride: 32, shallow: true, multiplier: 1 },
        ...{ standardConvolution: false, stem: { stride: 2, filters: 8 }, labels: ["a", "b"], background: false },
        ...{ blocks: [{ stride: 1, filters: 8 }], preprocessing: { range: [0, 1] } },
      },
    ],
    compile: () => [model, { backend: "plain", batch: 1, taps: ["conv1"], fold: true }],
    createClassifier: () => [
      model,
      { backend: "plain", batch: 1, labels: ["a", "b"], preprocessing: { range: [0, 1] } },
    ],
    addClasses: () => [model, { classes: 1, labels: ["c"], seed: 1 }],
    describe: () => [model],
    embeddingModel: () => [model],
    foldBatchNorm: () => [model],
    formatDescription: () => [main.describe(model)],
    loadModel: () => [bytes, { resolution: 32, preprocessing: { range: [0, 1] }, labels: ["a", "b"] }],
    replaceHead: () => [model, { classes: 1, labels: ["c"], background: false, seed: 1, dropout: 0.1 }],
    saveModel: () => [model, "/nowhere/at/all", { dtype: "F16" }],
  },
  "depthwise/layers": {
    network: () => [
      {
        name: "n",
        inputShape: [4, 4, 3],
        layers: [{ name: "a", type: "conv2d", inputs: ["input"], attributes: { filters: 1, kernel: 1 } }],
        outputs: { out: "a" },
        aliases: { b: "a" },
        info: { architecture: "custom", labels: ["a"], background: false, preprocessing: {} },
        seed: 1,
      },
    ],
    withInfo: () => [model, { labels: ["a", "b"], background: false, preprocessing: { range: [0, 1] } }],
    withParameters: () => [model, model.parameters, "source"],
    activation: () => ["relu", { name: "a", slope: 0.1 }],
    averagePool: () => [window],
    batchNorm: () => [{ epsilon: 1, scale: true, center: true, name: "a" }],
    conv2d: () => [{ ...window, filters: 1, bias: true }],
    dense: () => [{ filters: 1, bias: true, name: "a" }],
    depthwise: () => [{ ...window, multiplier: 1, bias: true }],
    dropout: () => [0.1, { name: "a" }],
    flatten: () => [{ name: "a" }],
    globalAveragePool: () => [{ keepDims: true, name: "a" }],
    globalMaxPool: () => [{ keepDims: true, name: "a" }],
    maxPool: () => [window],
    pointwise: () => [{ filters: 1, bias: true, name: "a" }],
    reshape: () => [[1, 48], { name: "a" }],
    sequential: () => [
      { inputShape: [4, 4, 3], name: "n", seed: 1, info: { labels: ["a"], preprocessing: {} } },
      [layers.flatten()],
    ],
    softmax: () => [{ name: "a" }],
  },
  "depthwise/cost": {
    cost: () => [model, { convention: costs.CONVENTIONS.paper }],
    formatCost: () => [costOnce, "text"],
    formatPaper: () => [paperOnce, "text"],
    knownNetworks: () => ["imagenet"],
    paper: () => [{}],
    separableCounts: () => [
      { kernelSize: 3, inputChannels: 2, filters: 2, size: 8, stride: 1, padding: "same", multiplier: 1 },
    ],
    withinBudget: () => [{ multAdds: 1e8 }],
  },
  "depthwise/draw": {
    drawAccuracy: () => [{ table: "imagenet", against: "parameters", language: "ko" }],
    drawCost: () => [model, { convention: "thop", language: "ko" }],
    drawFront: () => [{ table: "imagenet", budget: { multAdds: 1e8, bytes: 1e7 }, language: "ko" }],
    drawNetwork: () => [model, { language: "ko" }],
    drawSeparable: () => [
      {
        ...{ kernelSize: 3, inputChannels: 2, filters: 2, size: 8, stride: 1, multiplier: 1 },
        ...{ padding: "same", language: "ko" },
      },
    ],
    svgText: () => [picture()],
  },
  "depthwise/weights": {
    addClasses: () => [model, { classes: 1, labels: ["c"] }],
    clearCache: () => [{ cache: "/nowhere/at/all" }],
    describe: () => [model],
    embeddingModel: () => [model],
    encodeModel: () => [model, { dtype: "F16" }],
    encodeTfjs: () => [model],
    foldBatchNorm: () => [model],
    formatDescription: () => [main.describe(model)],
    listCache: () => [{ cache: "/nowhere/at/all" }],
    loadModel: () => [bytes, {}],
    readSafetensors: () => [bytes, { name: "a", maxHeaderBytes: 1e6 }],
    replaceHead: () => [model, { classes: 1 }],
    saveModel: () => [model, "/nowhere/at/all", {}],
    saveTfjs: () => [model, "/dev/null/at/all"],
    toFloat32: () => [stored()],
    writeSafetensors: () => [[{ name: "a", shape: [1], data: new Float32Array(1), dtype: "F32" }], { a: "b" }],
  },
  "depthwise/images": {
    completePreprocessing: () => [[2, 2, 3], { range: [0, 1], mean: [0, 0, 0], deviation: [1, 1, 1] }],
    cropAndResize: () => [pixels(), described()],
    decodeImage: () => [new Uint8Array([0xff, 0xd8, 0xff]), { maxPixels: 1, maxBytes: 1 }],
    normalize: () => [new Uint8Array(12), described()],
    preprocess: () => [pixels(), described()],
    resizeAntialiased: () => [pixels(), 4, 4, { window: { left: 0, top: 0, width: 1, height: 1 } }],
    resizePlain: () => [pixels(), 4, 4, { centers: "legacy", window: { left: 0, top: 0, width: 1, height: 1 } }],
    toPixels: () => [{ ...pixels(), channels: 3 }],
  },
};

const DOORS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  depthwise: main,
  "depthwise/layers": layers,
  "depthwise/cost": costs,
  "depthwise/draw": draw,
  "depthwise/weights": weights,
  "depthwise/images": images,
};

/** Classes, and functions without arguments. */
const LEFT_OUT = ["DepthwiseError", "InternalError", "doctor", "pictureStyle"];

type Path = readonly (string | number)[];

/** Each argument, each entry of one, and each entry of that. */
function paths(args: readonly unknown[], depth = 3): readonly Path[] {
  const below = (value: unknown, left: number): readonly Path[] => {
    // Networks are frozen: what is inside one was checked when it was made.
    if (Object.isFrozen(value)) return [];
    const isPlain =
      Array.isArray(value) || (typeof value === "object" && value !== null && value.constructor === Object);
    if (left === 0 || !isPlain) return [];
    return Object.entries(value)
      .slice(0, 30)
      .flatMap(([key, entry]) => [[key], ...below(entry, left - 1).map((path) => [key, ...path])]);
  };
  return below([...args], depth);
}

function replaced(value: unknown, [key, ...rest]: Path, wrong: unknown): unknown {
  if (key === undefined) return wrong;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, wrong);
  return copy;
}

/** Whatever is no typed error: a TypeError of a place that trusted its argument. */
async function fault(call: () => unknown): Promise<unknown> {
  try {
    const value = await call();
    if (typeof value === "object" && value !== null && "close" in value && typeof value.close === "function")
      value.close();
    return undefined;
  } catch (error) {
    return main.isDepthwiseError(error) ? undefined : error;
  }
}

describe.each(Object.entries(DOORS))("%s", (door, exported) => {
  const functions = Object.entries(exported).filter(([, value]) => typeof value === "function");
  const right = RIGHT[door] ?? {};

  it("has no function that is not tried", () => {
    const names = functions.map(([name]) => name).filter((name) => !LEFT_OUT.includes(name));
    expect(Object.keys(right).sort()).toEqual(names.sort());
  });

  it.each(Object.keys(right))("%s refuses wrong values by a typed error", async (name) => {
    const call = exported[name] as (...args: unknown[]) => unknown;
    const make = right[name] as () => readonly unknown[];
    const faults: string[] = [];
    const tried = async (what: string, change: (args: readonly unknown[]) => readonly unknown[]) => {
      const error = await fault(() => call(...change(make())));
      if (error !== undefined) faults.push(`${what}: ${String(error)}`);
    };
    const places = paths(make());
    for (const path of places) {
      for (const [kind, wrong] of Object.entries(WRONG)) {
        await tried(`${path.join(".")} = ${kind}`, (args) => replaced(args, path, wrong()) as readonly unknown[]);
      }
    }
    // Two arguments at once: what checks the second may trust the first.
    const count = make().length;
    for (let at = 0; at + 1 < count; at++) {
      for (const [first, one] of Object.entries(WRONG)) {
        for (const [second, other] of Object.entries(WRONG)) {
          await tried(`${at} = ${first}, ${at + 1} = ${second}`, (args) =>
            args.map((value, index) => (index === at ? one() : index === at + 1 ? other() : value)),
          );
        }
      }
    }
    expect(faults).toEqual([]);
  });
});
