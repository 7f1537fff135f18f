/**
 * The packed package under Jest and Vitest, whose sandboxes have classes of their own beside Node's, and under jsdom and
 * happy-dom, which are no browsers.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectedLogits, writeModels } from "./networks.ts";
import { emptyProject, type Project } from "./project.ts";

/** What an author of tests would do: `print` what came of it. */
const BODY = `
const run = async () => {
  const { DepthwiseError, compile, conv2d, createClassifier, doctor, isDepthwiseError, loadModel, mobileNetV1, saveModel, tensor } = depthwise;
  const logits = [];
  for (const options of [{}, { threads: 2 }, { backend: "plain" }, { backend: "reference" }])
    for (const seed of [5, 6]) {
      const session = await compile(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed }), options);
      const input = Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i));
      const { data } = (await session.run(tensor(input, [1, 64, 64, 3]), { signal: new AbortController().signal })).logits;
      if (!(data instanceof Float32Array)) throw new Error("the outputs are of another realm");
      if (session.threads !== (options.threads ?? 1)) throw new Error(session.explain().reasons.join());
      if (seed === 5 && options.threads === undefined) await session.profile(undefined, { runs: 1 });
      logits.push([...data]);
      session.close();
    }
  const loaded = [];
  for (const file of ["small.safetensors", "model.tflite", "model.h5", "model.keras"]) {
    const buffer = fs.readFileSync(file);
    const floats = new Float32Array(Math.ceil(buffer.length / 4));
    new Uint8Array(floats.buffer).set(buffer);
    const sources = {
      path: file,
      "file: URL": url.pathToFileURL(file),
      Buffer: buffer,
      Uint8Array: Uint8Array.from(buffer),
      "ArrayBuffer of Floats": floats.buffer.slice(0, buffer.length),
      Blob: new Blob([Uint8Array.from(buffer)]),
      "Blob of Node": new nodeBuffer.Blob([buffer]),
      stream: fs.createReadStream(file),
    };
    for (const [kind, source] of Object.entries(sources)) {
      try {
        const model = await loadModel(source);
        const session = await compile(model);
        await session.run(new Float32Array(model.inputShape.reduce((a, b) => a * b)));
        session.close();
        loaded.push(file + " " + kind);
      } catch (error) {
        throw new Error(file + " as " + kind + ": " + error);
      }
    }
  }
  const codes = [];
  for (const fail of [() => loadModel("nothing.h5"), () => mobileNetV1({ alpha: -1 })])
    try {
      await fail();
    } catch (error) {
      if (!(error instanceof DepthwiseError && isDepthwiseError(error) && error instanceof Error)) throw error;
      codes.push(error.code);
    }
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
  fs.mkdirSync("written", { recursive: true });
  await saveModel(model, "written/one.safetensors");
  await weights.saveTfjs(model, "written/a/b");
  const cached = (await weights.listCache({ cache: "written/none" })).length;
  const read = weights.readSafetensors(fs.readFileSync("written/one.safetensors")).tensors.size;
  const classifier = await createClassifier(model, { labels: ["a", "b", "c"] });
  const [best] = await classifier.classify({ width: 2, height: 2, data: new Uint8ClampedArray(16) });
  classifier.close();
  const eager = conv2d(tensor(new Float32Array(64), [1, 4, 4, 4]), tensor(new Float32Array(72), [3, 3, 4, 2])).shape;
  const wasm = doctor().features.find(({ name }) => name === "wasm").on;
  return { logits, loaded: loaded.length, codes, cached, read: read > 50, best: typeof best.label, eager, agree: cost.paper().summary.agree, wasm };
};
test("works", async () => {
  fs.writeFileSync("result.json", JSON.stringify(await run()));
}, 120_000);
`;
const NAMES = [
  ["depthwise", "depthwise"],
  ["cost", "depthwise/cost"],
  ["weights", "depthwise/weights"],
  ["fs", "node:fs"],
  ["url", "node:url"],
  ["nodeBuffer", "node:buffer"],
] as const;
const imports = NAMES.map(([name, from]) => `import * as ${name} from "${from}";`).join("\n");
const requires = NAMES.map(([name, from]) => `const ${name} = require("${from}");`).join("\n");

const RUNNERS = [
  { title: "Jest, CommonJS", file: "use.jest.cjs", command: ["npx", "jest"] },
  {
    title: "Jest, ES modules",
    file: "use.jest.mjs",
    command: ["node", "--experimental-vm-modules", "node_modules/jest/bin/jest.js"],
  },
  { title: "Jest, jsdom", file: "jsdom.jest.cjs", command: ["npx", "jest", "--env", "jsdom"], loaded: 28 },
  { title: "Vitest", file: "use.vitest.mjs", command: ["npx", "vitest", "run"] },
  {
    title: "Vitest, jsdom",
    file: "use.vitest.mjs",
    // The newest jsdom wants a newer Node than the oldest that the package runs on.
    command: ["npx", "-y", "node@24", "node_modules/vitest/vitest.mjs", "run", "--environment", "jsdom"],
  },
  {
    title: "Vitest, happy-dom",
    file: "use.vitest.mjs",
    command: ["npx", "vitest", "run", "--environment", "happy-dom"],
  },
] as const;

let project: Project;
const expected: number[][] = [];

beforeAll(async () => {
  const packages = ["jest@30", "jest-environment-jsdom@30", "vitest@4", "jsdom@31", "happy-dom@21"];
  const jest = { testRegex: "\\.jest\\.[cm]js$", moduleFileExtensions: ["js", "mjs", "cjs", "json"], transform: {} };
  project = emptyProject("test-runners", packages, { jest });
  project.write("vitest.config.mjs", 'export default { test: { include: ["*.vitest.mjs"] } };');
  project.write("use.jest.cjs", `${requires}${BODY}`);
  // What Jest's jsdom hides of Node, and who loads anything there sets; its own Blobs give nobody their bytes.
  const hidden =
    'const util = require("node:util");\nObject.assign(globalThis, { TextDecoder: util.TextDecoder, TextEncoder: util.TextEncoder });';
  project.write(
    "jsdom.jest.cjs",
    `${hidden}\n${requires}${BODY.replace("      Blob: new Blob([Uint8Array.from(buffer)]),\n", "")}`,
  );
  project.write("use.jest.mjs", `${imports}${BODY}`);
  project.write("use.vitest.mjs", `import { test } from "vitest";\n${imports}${BODY}`);
  await writeModels(project);
  expected.push(...(await expectedLogits()));
});
afterAll(() => project?.[Symbol.dispose]());

it.each(RUNNERS)(
  "$title: networks, threads, files of every kind, what is written and what fails; and it ends",
  (runner) => {
    project.write("result.json", "{}");
    const { status, output } = project.run(...runner.command, runner.file);
    // What a runner says of a process that does not end by itself.
    expect([status, status === 0 ? "" : output, /did not exit|open handle|force/i.test(output)]).toEqual([
      0,
      "",
      false,
    ]);
    const { logits, ...others } = JSON.parse(readFileSync(join(project.path, "result.json"), "utf8")) as {
      readonly logits: number[][];
    };
    expect(others).toEqual({
      loaded: "loaded" in runner ? runner.loaded : 32,
      codes: ["FILE_NOT_FOUND", "OPTION_INVALID"],
      cached: 0,
      read: true,
      best: "string",
      eager: [1, 4, 4, 2],
      agree: 56,
      wasm: true,
    });
    // Threads change no bit; other backends, and other processors' multiply-add, the last ones.
    expect(logits.slice(2, 4)).toEqual(logits.slice(0, 2));
    for (const [at, values] of logits.entries())
      for (const [index, value] of values.entries())
        expect(Math.abs(value - expected[at % 2]![index]!)).toBeLessThan(1e-4);
  },
);
