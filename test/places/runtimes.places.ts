/** The packed package in runtimes: what each prints, and that it ends. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectedLogits, writeModels } from "./networks.ts";
import { emptyProject, type Project } from "./project.ts";

const PROGRAM = `
const work = async ({ compile, conv2d, loadModel, mobileNetV1, tensor }, { paper }) => {
  const logits = [];
  for (const [threads, inWorker] of [[1, false], [2, false], [1, true], [2, true]]) {
    const sessions = [];
    for (const seed of [5, 6]) sessions.push(await compile(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed }), { threads, inWorker }));
    for (const session of sessions) {
      const input = Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i));
      logits.push([...(await session.run(input)).logits.data]);
      if (session.threads !== threads || session.explain().inWorker !== inWorker) throw new Error(session.explain().reasons.join());
      session.close();
    }
  }
  for (const file of ["small.safetensors", "model.tflite", "model.keras"]) {
    const model = await loadModel(file);
    const session = await compile(model);
    await session.run(new Float32Array(model.inputShape.reduce((a, b) => a * b)));
    session.close();
  }
  const eager = conv2d(tensor(new Float32Array(64), [1, 4, 4, 4]), tensor(new Float32Array(72), [3, 3, 4, 2]));
  const version = globalThis["Bun"]?.version ?? globalThis["Deno"]?.version.deno ?? process.version;
  console.log(JSON.stringify({ logits, eager: eager.shape, agree: paper().summary.agree, version }));
};`;

const RUNTIMES = [
  // The oldest that package.json names, to the digit.
  { title: "Node 20.19.0", command: ["npx", "-y", "node@20.19.0"], files: ["use.mjs", "use.cjs"] },
  { title: "Node 20", command: ["npx", "-y", "node@20"], files: ["use.mjs", "use.cjs"] },
  // Before 22.18 types are stripped on demand.
  {
    title: "Node 22.12.0, --experimental-strip-types",
    command: ["npx", "-y", "node@22.12.0", "--experimental-strip-types"],
    files: ["use.mjs", "use.cjs", "use.ts"],
  },
  { title: "Node 22", command: ["npx", "-y", "node@22"], files: ["use.mjs", "use.cjs", "use.ts"] },
  { title: "Node 24", command: ["npx", "-y", "node@24"], files: ["use.mjs", "use.cjs", "use.ts"] },
  { title: "Bun", command: ["npx", "bun"], files: ["use.mjs", "use.cjs", "use.ts"] },
  {
    title: "Deno, --allow-read alone",
    command: ["npx", "deno", "run", "--no-prompt", "--allow-read"],
    files: ["use.mjs"],
  },
] as const;

let project: Project;
const expected: number[][] = [];

beforeAll(async () => {
  project = emptyProject("runtimes", ["bun@1.4.5", "deno@2.9.6"]);
  const imports = 'import * as depthwise from "depthwise";\nimport * as cost from "depthwise/cost";';
  project.write("use.mjs", `${imports}${PROGRAM}\nawait work(depthwise, cost);`);
  project.write("use.cjs", `${PROGRAM}\nwork(require("depthwise"), require("depthwise/cost"));`);
  const typed = PROGRAM.replace("tensor }, { paper })", "tensor }: typeof depthwise, { paper }: typeof cost)").replace(
    "[2, true]]",
    "[2, true]] as const",
  );
  project.write("use.ts", `${imports}${typed}\nawait work(depthwise, cost);`);
  await writeModels(project);
  expected.push(...(await expectedLogits()));
});
afterAll(() => project?.[Symbol.dispose]());

describe.each(RUNTIMES)("$title", ({ command, files }) => {
  it.each(files)(
    "runs %s: two networks, one and two threads, here and in a worker, files with lazy readers; and ends",
    (file) => {
      const { status, output } = project.run(...command, file);
      expect([status, output]).toEqual([0, expect.stringMatching(/\{"logits"/)]);
      const { logits, eager, agree, version } = JSON.parse(/^\{"logits".*$/m.exec(output)?.[0] ?? "") as {
        logits: number[][];
        eager: number[];
        agree: number;
        version: string;
      };
      console.log(`${command.join(" ")} ${file}: ${version}`);
      expect([eager, agree]).toEqual([[1, 4, 4, 2], 56]);
      // Threads change no bit, nor does a worker.
      for (const from of [2, 4, 6]) expect(logits.slice(from, from + 2)).toEqual(logits.slice(0, 2));
      for (const [place, wanted] of expected.entries())
        for (const [at, value] of wanted.entries()) expect(Math.abs(logits[place]![at]! - value)).toBeLessThan(1e-4);
    },
  );
});
