/** Two copies of the built package in one process, ES modules and CommonJS: what one makes, the other takes. */

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type * as Kernels from "../../src/backends/wasm/kernel-modules.ts";
import type * as Costs from "../../src/cost/index.ts";
import type * as Main from "../../src/index.ts";
import type * as Weights from "../../src/weights/index.ts";

interface Copy {
  readonly main: typeof Main;
  readonly weights: typeof Weights;
  readonly costs: typeof Costs;
  readonly kernels: typeof Kernels;
}

const dist = resolve(import.meta.dirname, "../../dist");
const require = createRequire(import.meta.url);
const DOORS = ["index", "weights", "cost", "kernels"];

const load = async (open: (door: string) => unknown): Promise<Copy> => {
  const [main, weights, costs, kernels] = (await Promise.all(DOORS.map(open))) as [
    Copy["main"],
    Copy["weights"],
    Copy["costs"],
    Copy["kernels"],
  ];
  return { main, weights, costs, kernels };
};
const imported = await load((door) => import(pathToFileURL(`${dist}/esm/${door}.js`).href));
const required = await load((door) => require(`${dist}/cjs/${door}.js`));

const input = () => Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i));

function caught(fail: () => unknown): unknown {
  try {
    fail();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe.each([
  { title: "imported to required", one: imported, other: required },
  { title: "required to imported", one: required, other: imported },
])("from the copy that is $title", ({ one, other }) => {
  const model = one.main.mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, seed: 5 });

  it("are two copies indeed", () => expect(one.main.compile).not.toBe(other.main.compile));

  it("errors are instances of either's classes, and of no other", () => {
    const error = caught(() => one.main.mobileNetV1({ alpha: -1 }));
    expect(error).toBeInstanceOf(other.main.DepthwiseError);
    expect(other.main.isDepthwiseError(error)).toBe(true);
    expect(error).not.toBeInstanceOf(other.main.InternalError);
    const internal = new one.main.InternalError("a test");
    expect(internal).toBeInstanceOf(other.main.InternalError);
    expect(internal).not.toBeInstanceOf(other.main.DepthwiseError);
    expect(new Error("plain")).not.toBeInstanceOf(other.main.InternalError);
  });

  it("tensors go into eager operations and sessions", async () => {
    const image = one.main.tensor(new Float32Array(64).fill(0.5), [1, 4, 4, 4]);
    const filters = one.main.tensor(new Float32Array(72).fill(0.1), [3, 3, 4, 2]);
    expect(other.main.conv2d(image, filters)).toEqual(one.main.conv2d(image, filters));
    const wrong = caught(() => other.main.conv2d({ ...image, data: new Float32Array(3) }, filters));
    expect(wrong).toBeInstanceOf(one.main.DepthwiseError);
    const session = await other.main.compile(model);
    const given = one.main.tensor(input(), [1, 32, 32, 3]);
    const fromTensor = (await session.run(given)).logits.data;
    expect(fromTensor).toEqual((await session.run(input())).logits.data);
    session.close();
  });

  it.each([
    { backend: "wasm", threads: 1 },
    { backend: "wasm", threads: 2 },
    { backend: "plain", threads: 1 },
    { backend: "reference", threads: 1 },
  ] as const)("networks are compiled, with the same bits: $backend, $threads", async (options) => {
    const answers: Float32Array[] = [];
    for (const { main } of [one, other]) {
      const session = await main.compile(model, options);
      await session.replaceParameters(model.parameters);
      expect(session.threads).toBe(options.threads);
      answers.push((await session.run(input())).logits.data);
      session.close();
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  it("networks are counted, written, described, given new heads, and classify", async () => {
    expect(other.costs.cost(model)).toEqual(one.costs.cost(model));
    const bytes = other.weights.encodeModel(model);
    expect(Buffer.compare(bytes, one.weights.encodeModel(model))).toBe(0);
    const files = one.weights.encodeTfjs(model);
    for (const [name, content] of other.weights.encodeTfjs(model))
      expect([name, Buffer.compare(content, files.get(name) ?? new Uint8Array())]).toEqual([name, 0]);
    const loaded = await one.main.loadModel(bytes);
    expect(other.main.describe(loaded)).toEqual(one.main.describe(loaded));
    expect(other.main.formatDescription(one.main.describe(loaded))).toContain("alpha");
    const flowers = one.main.replaceHead(loaded, { labels: ["daisy", "rose"] });
    expect(other.main.addClasses(flowers, { labels: ["tulip"] }).info.labels).toEqual(["daisy", "rose", "tulip"]);
    const classifier = await other.main.createClassifier(flowers);
    expect(await classifier.classify({ width: 2, height: 2, data: new Uint8ClampedArray(16) })).toHaveLength(2);
    classifier.close();
  });

  it("modules that one wrote run in the other", async () => {
    const files = Object.entries(one.kernels.kernelModules(model));
    const modules = Object.fromEntries(files.map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]));
    const session = await other.main.compile(model, { modules });
    expect((await session.run(input())).logits.data).toHaveLength(3);
    session.close();
  });
});
