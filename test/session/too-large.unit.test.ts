/** @slow: it takes more than a second. */

/** Networks that fit nowhere are refused from their shapes: at once, with nothing allocated, before a random number. */

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import { cost, formatCost } from "../../src/cost/index.ts";
import { depthwiseConv2d } from "../../src/eager/index.ts";
import { conv2d, sequential } from "../../src/layers/index.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";
import { addClasses, embeddingModel, encodeModel, encodeTfjs, replaceHead } from "../../src/weights/index.ts";

const HUGE: readonly MobileNetV1Options[] = [
  { alpha: 20, resolution: 32 },
  { alpha: 50 },
  { alpha: 1000 },
  { alpha: 1e12 },
  { classes: 1e8 },
  { multiplier: 1e6 },
  { inputChannels: 1e12 },
  { blocks: [{ stride: 1, filters: 1e9 }] },
  { blocks: Array.from({ length: 300 }, () => ({ stride: 1, filters: 2048 })) },
];

/** Of the processor, not the clock: far below what making the numbers takes (22 s for the first), far above counting. */
const BOUND_MS = 2000;

async function refused(call: () => unknown): Promise<Error & { fields: Record<string, unknown> }> {
  const before = process.memoryUsage().arrayBuffers;
  const start = process.cpuUsage();
  const error = await (async () => call())().then(
    () => expect.unreachable(),
    (caught: unknown) => caught as Error & { fields: Record<string, unknown> },
  );
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(BOUND_MS);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  expect(error).toMatchObject({ code: "MEMORY_EXCEEDED" });
  expect(error.fields["bytes"]).toBeGreaterThan(2 ** 32);
  expect(error.message).toMatch(/smaller alpha|fewer/);
  expect(error.message).toContain("Nothing was allocated.");
  return error;
}

describe.each(HUGE.map((options) => [JSON.stringify(options).slice(0, 60), options] as const))(
  "%s",
  (_name, options) => {
    it.each(["auto", "wasm", "plain", "reference"] as const)("is refused by compile, %s", async (backend) => {
      await refused(() => compile(mobileNetV1(options), { backend }));
    });

    it.each<[string, (model: ReturnType<typeof mobileNetV1>) => unknown]>([
      ["parameters", (model) => model.parameters],
      ["encodeModel", (model) => encodeModel(model)],
      ["encodeTfjs", (model) => encodeTfjs(model)],
      ["addClasses", (model) => addClasses(model, { classes: 2 })],
      ["embeddingModel", (model) => embeddingModel(model)],
    ])("is refused by %s", async (_door, call) => {
      await refused(() => call(mobileNetV1(options)));
    });

    it("is counted all the same", () => {
      const counted = cost(mobileNetV1(options));
      expect(counted.totals.parameters).toBeGreaterThan(2 ** 30);
      expect(formatCost(counted)).toContain("parameters");
    });
  },
);

it.each([{ batch: 1e9 }, { batch: Number.MAX_SAFE_INTEGER }])("%j is refused by compile", async (options) => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 32 });
  for (const backend of ["wasm", "plain", "reference"] as const) {
    const error = await refused(() => compile(model, { backend, ...options }));
    expect(error.fields["batch"]).toBe(options.batch);
  }
});

it.each([
  [1e6, 1e6],
  [1e9, 1e9],
  [2 ** 50, 3],
] as const)("an input of %d × %d is refused by compile", async (...inputSize) => {
  for (const backend of ["wasm", "plain", "reference"] as const) {
    await refused(() => compile(mobileNetV1({ alpha: 0.25, inputSize }), { backend }));
  }
});

it("more classes than fit are refused by replaceHead and addClasses", async () => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
  await refused(() => replaceHead(model, { classes: 1e8 }));
  await refused(() => addClasses(model, { classes: 1e8 }));
});

it("taps that a dilation spreads over more than memory are refused by encodeTfjs", () => {
  const model = sequential({ inputShape: [4, 4, 1] }, [
    conv2d({
      filters: 1,
      kernel: 3,
      stride: 2,
      dilation: 1e6,
      padding: [
        [1e6, 1e6],
        [1e6, 1e6],
      ],
    }),
  ]);
  expect(() => encodeTfjs(model)).toThrow(expect.objectContaining({ code: "MEMORY_EXCEEDED" }));
});

it("an eager operation whose output fits nowhere is refused", () => {
  const x = tensor(new Float32Array(4), [1, 2, 2, 1]);
  const kernel = tensor([1], [1, 1, 1, 1]);
  const padding = [
    [1e6, 1e6],
    [1e6, 1e6],
  ] as const;
  expect(() => depthwiseConv2d(x, kernel, { padding })).toThrow(expect.objectContaining({ code: "MEMORY_EXCEEDED" }));
});

describe("memory that the system refuses", () => {
  it.each(["wasm", "plain", "reference"])("is a typed error of compile, %s", (backend) => {
    // 1.3 GB of parameters in a process that may not have so much.
    const script = `
      const { compile, mobileNetV1 } = await import(${JSON.stringify(resolve(import.meta.dirname, "../../dist/esm/index.js"))});
      const model = mobileNetV1({ classes: 300_000, alpha: 1, resolution: 32 });
      await compile(model, { backend: ${JSON.stringify(backend)}, batch: 3000 }).then(() => console.log("none"), (e) => console.log(e.code ?? e.name));`;
    const shell = `ulimit -v 3500000; exec "$0" --input-type=module -e "$1"`;
    const out = execFileSync("bash", ["-c", shell, process.execPath, script], { encoding: "utf8" });
    expect(out.trim()).toBe("MEMORY_EXCEEDED");
  });
});
