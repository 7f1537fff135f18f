/** Arguments of the wrong kind at the doors: a promise nobody awaited, null, a tensor for a network. */

import { describe, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { drawCost, drawNetwork } from "../../src/draw/index.ts";
import { toPixels } from "../../src/images/index.ts";
import {
  batchNorm,
  compile,
  createClassifier,
  isDepthwiseError,
  loadModel,
  mobileNetV1,
  saveModel,
  tensor,
} from "../../src/index.ts";
import { network, withInfo, withParameters } from "../../src/layers/index.ts";
import {
  addClasses,
  describe as describeModel,
  embeddingModel,
  encodeModel,
  encodeTfjs,
  foldBatchNorm,
  formatDescription,
  replaceHead,
  saveTfjs,
  writeSafetensors,
} from "../../src/weights/index.ts";

const x = tensor(new Float32Array(48), [1, 4, 4, 3]);
const WRONG = [undefined, null, 0, "model.safetensors", {}, [], x, Promise.resolve(mobileNetV1()), { layers: null }];

/** Each takes a network first. */
const TAKE_NETWORKS: Record<string, (value: never) => unknown> = {
  compile: (value) => compile(value),
  cost: (value) => cost(value),
  createClassifier: (value) => createClassifier(value),
  addClasses: (value) => addClasses(value, { classes: 1 }),
  describe: (value) => describeModel(value),
  drawCost: (value) => drawCost(value),
  drawNetwork: (value) => drawNetwork(value),
  embeddingModel: (value) => embeddingModel(value),
  encodeModel: (value) => encodeModel(value),
  encodeTfjs: (value) => encodeTfjs(value),
  foldBatchNorm: (value) => foldBatchNorm(value),
  replaceHead: (value) => replaceHead(value, { classes: 2 }),
  saveTfjs: (value) => saveTfjs(value, "/nowhere/at/all"),
  saveModel: (value) => saveModel(value, "/nowhere/at/all"),
  withInfo: (value) => withInfo(value, {}),
  withParameters: (value) => withParameters(value, new Map()),
};

const caught = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};

describe.each(Object.entries(TAKE_NETWORKS))("%s", (_name, call) => {
  it.each(WRONG)("refuses %o in place of a network", async (value) => {
    expect(await caught(() => call(value as never))).toMatchObject({ code: "NETWORK_INVALID" });
  });

  it("says to await a promise", async () => {
    expect(String(await caught(() => call(Promise.resolve() as never)))).toContain("Await it first");
  });
});

describe("other arguments", () => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 1, labels: ["a"] });

  it.each<[string, () => unknown]>([
    ["network(null)", () => network(null as never)],
    ["network without layers", () => network({ inputShape: [1], outputs: {} } as never)],
    ["withParameters without a map", () => withParameters(model, {} as never)],
    ["batchNorm without weights", () => batchNorm(x, undefined as never)],
    ["toPixels(null)", () => toPixels(null as never)],
    ["formatDescription of a model", () => formatDescription(model as never)],
    ["formatDescription of nothing", () => formatDescription(undefined as never)],
    ["loadModel with overrides null", () => loadModel(new Uint8Array(), null as never)],
    ["writeSafetensors(null)", () => writeSafetensors(null as never)],
    [
      "run with options null",
      async () => (await compile(model)).run(tensor(new Float32Array(3072), [1, 32, 32, 3]), null as never),
    ],
    ["classify(null)", async () => (await createClassifier(model)).classify(null as never)],
    ["embed(null)", async () => (await createClassifier(model)).embed(null as never)],
  ])("%s is a typed error", async (_name, call) => {
    const error = await caught(call);
    expect(isDepthwiseError(error), String(error)).toBe(true);
  });
});
