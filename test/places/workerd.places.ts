/** The packed package in workerd, where no code is compiled from bytes: with modules that a build wrote, and without. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile, mobileNetV1 } from "../../src/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { networkFiles } from "../browser/readers-networks.ts";
import { emptyProject, type Project } from "./project.ts";

const NETWORKS = [5, 6].map((seed) => ({ alpha: 0.25, resolution: 64, classes: 11, seed }));
const input = () => Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i));

const BUILD = `
import { mkdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { mobileNetV1 } from "depthwise";
import { kernelModules } from "depthwise/kernels";

for (const simd of ["plain", "relaxed"]) {
  mkdirSync("out/" + simd, { recursive: true });
  for (const [name, bytes] of Object.entries(kernelModules(mobileNetV1(), { simd }))) {
    if (!["depthwise-3", "pool", "product", "softmax"].includes(name)) throw new Error(name);
    writeFileSync("out/" + simd + "/" + name + ".wasm", bytes);
  }
}
const { warnings } = await build({ entryPoints: ["worker.js"], bundle: true, format: "esm", outfile: "out/worker.js", external: ["*.wasm"] });
if (warnings.length > 0) throw new Error(JSON.stringify(warnings));
`;

const importsOf = (simd: string) =>
  ["depthwise-3", "pool", "product", "softmax"].map(
    (name) => `import ${simd}_${name.replace("-", "_")} from "./${simd}/${name}.wasm";`,
  );
const recordOf = (simd: string) =>
  `${simd}: { "depthwise-3": ${simd}_depthwise_3, pool: ${simd}_pool, product: ${simd}_product, softmax: ${simd}_softmax }`;

const WORKER = `
${[...importsOf("plain"), ...importsOf("relaxed")].join("\n")}
import { compile, conv2d, doctor, isDepthwiseError, loadModel, mobileNetV1, tensor } from "depthwise";
import { paper } from "depthwise/cost";

const KINDS = { none: undefined, ${recordOf("plain")}, ${recordOf("relaxed")} };

export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const { modules, threads = 1, ...options } = JSON.parse(searchParams.get("options"));
    const file = await request.blob();
    const given = modules === undefined ? {} : { modules: KINDS[modules] };
    try {
      const logits = [];
      let explained, profile;
      for (const network of ${JSON.stringify(NETWORKS)}) {
        const session = await compile(mobileNetV1(network), { ...options, ...given, threads });
        const input = Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i));
        logits.push([...(await session.run(input)).logits.data]);
        explained = session.explain();
        profile = await session.profile(undefined, { runs: 1 });
        session.close();
      }
      const model = await loadModel(file);
      const session = await compile(model, given);
      const rerun = await session.run(new Float32Array(model.inputShape.reduce((a, b) => a * b)));
      session.close();
      const eager = conv2d(tensor(new Float32Array(64), [1, 4, 4, 4]), tensor(new Float32Array(72), [3, 3, 4, 2])).shape;
      const { backend, simd, threads: ran, reasons } = explained;
      const loaded = rerun.logits.data.length;
      const { on } = doctor().features.find(({ name }) => name === "wasm");
      return Response.json({ logits, backend, simd, threads: ran, reasons, eager, loaded, agree: paper().summary.agree, on, steps: profile.steps.length });
    } catch (error) {
      return Response.json({ code: isDepthwiseError(error) ? error.code : String(error), message: String(error) });
    }
  },
};`;

/** One answer a line; the newest date, with Node's modules, and one when there was no FinalizationRegistry. */
const RUN = `
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const wasm = ["plain", "relaxed"].flatMap((simd) => ["depthwise-3", "pool", "product", "softmax"].map((name) => simd + "/" + name + ".wasm"));
const modules = [
  { type: "ESModule", path: "out/worker.js" },
  ...wasm.map((path) => ({ type: "CompiledWasm", path: "out/" + path })),
];
for (const [compatibilityDate, compatibilityFlags] of [["2026-04-01", []], ["2026-04-01", ["nodejs_compat"]], ["2024-01-01", []]]) {
  const workerd = new Miniflare({ modulesRoot: "out", modules, compatibilityDate, compatibilityFlags });
  for (const line of JSON.parse(process.argv[2])) {
    const address = "http://localhost/?options=" + encodeURIComponent(JSON.stringify(line.options));
    const answer = await workerd.dispatchFetch(address, { method: "POST", body: readFileSync(line.file) });
    console.log("answer " + (await answer.text()));
  }
  await workerd.dispose();
}`;

interface Answer {
  readonly logits: number[][];
  readonly backend: string;
  readonly simd: string;
  readonly threads: number;
  readonly reasons: readonly string[];
  readonly code?: string;
  readonly message?: string;
}

const CALLS = {
  "without modules": { options: {}, file: "small.safetensors" },
  "without modules, wasm by name": { options: { backend: "wasm" }, file: "small.safetensors" },
  "with plain modules": { options: { modules: "plain" }, file: "model.tflite" },
  "with relaxed modules": { options: { modules: "relaxed" }, file: "model.h5" },
  "with modules and two threads": { options: { modules: "plain", threads: 2, backend: "wasm" }, file: "model.tflite" },
} as const;
const DATES = ["the newest date", "nodejs_compat", "a date of 2024"];

let project: Project;
const answers: Record<string, Answer>[] = [];
const expected: number[][] = [];

beforeAll(async () => {
  project = emptyProject("workerd", ["miniflare@4.20260730.0", "esbuild@0.28"]);
  project.write("build.mjs", BUILD);
  project.write("worker.js", WORKER);
  project.write("run.mjs", RUN);
  writeFileSync(
    join(project.path, "small.safetensors"),
    encodeModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 })),
  );
  for (const { files } of await networkFiles())
    for (const file of files) writeFileSync(join(project.path, file.name), new Uint8Array(await file.arrayBuffer()));
  const built = project.run("node", "build.mjs");
  expect([built.status, built.output]).toEqual([0, ""]);
  // Its own Node has to be newer than the oldest that the package runs on.
  const { status, output } = project.run("npx", "-y", "node@24", "run.mjs", JSON.stringify(Object.values(CALLS)));
  const lines = [...output.matchAll(/^answer (.*)$/gm)].map(([, text = ""]) => JSON.parse(text) as Answer);
  expect([status, lines.length, output.slice(-2000)]).toEqual([0, 15, expect.anything()]);
  for (const [at] of DATES.entries()) {
    const some = lines.slice(5 * at, 5 * at + 5);
    answers.push(Object.fromEntries(Object.keys(CALLS).map((name, index) => [name, some[index]!])));
  }
  for (const network of NETWORKS) {
    const session = await compile(mobileNetV1(network), { simd: "plain" });
    expected.push([...(await session.run(input())).logits.data]);
    session.close();
  }
});
afterAll(() => project?.[Symbol.dispose]());

describe.each(DATES.map((title, at) => ({ title, at })))("workerd of $title", ({ at }) => {
  const near = ({ logits }: Answer) => {
    for (const [network, wanted] of expected.entries())
      for (const [index, value] of wanted.entries())
        expect(Math.abs(logits[network]![index]! - value)).toBeLessThan(1e-4);
  };
  const whole = { eager: [1, 4, 4, 2], agree: 56, loaded: expect.any(Number), on: false, steps: 30 };

  it("runs plain where no modules are given, and says why and what to pass", () => {
    const answer = answers[at]!["without modules"]!;
    expect(answer).toMatchObject({ backend: "plain", simd: "none", threads: 1, ...whole });
    expect(answer.reasons.join()).toMatch(/refuses to compile WebAssembly .* modules: see depthwise\/kernels/);
    near(answer);
  });

  it("refuses wasm by name without modules, with the same words", () => {
    const { code, message } = answers[at]!["without modules, wasm by name"]!;
    expect([code, message]).toEqual(["BACKEND_UNAVAILABLE", expect.stringContaining("modules: see depthwise/kernels")]);
  });

  it("runs the modules that a build wrote, with the bits of Node", () => {
    const answer = answers[at]!["with plain modules"]!;
    expect(answer).toMatchObject({ backend: "wasm", simd: "plain", threads: 1, ...whole });
    expect(answer.logits).toEqual(expected);
  });

  it("runs those with relaxed SIMD", () => {
    const answer = answers[at]!["with relaxed modules"]!;
    expect(answer).toMatchObject({ backend: "wasm", simd: "relaxed", threads: 1, ...whole });
    near(answer);
  });

  it("runs one thread where two are asked for, and says so", () => {
    const answer = answers[at]!["with modules and two threads"]!;
    expect(answer).toMatchObject({ backend: "wasm", threads: 1, ...whole });
    expect(answer.reasons.join()).toContain("one thread");
  });
});
