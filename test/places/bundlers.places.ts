/** The packed package under each bundler's defaults: it builds in silence, and the page answers as Node does. */

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import budgets from "../../budgets.json" with { type: "json" };
import { compile, loadModel, mobileNetV1 } from "../../src/index.ts";
import { cifar10 } from "../../src/pretrained/cifar10.ts";
import { digits } from "../../src/pretrained/digits.ts";
import type { LoadedModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { BROWSERS, type TestBrowser } from "../browser/browsers.ts";
import { networkFiles } from "../browser/readers-networks.ts";
import { emptyProject, type Project, serveFolder } from "./project.ts";

const ENTRIES = ["run", "load", "models", "eager", "cost"] as const;
type Entry = (typeof ENTRIES)[number];

interface Bundler {
  readonly title: string;
  readonly packages: readonly string[];
  /** Whether it sees the worker and places its script. */
  readonly placesWorker: boolean;
  /** From `src/ENTRY.js` to `out/ENTRY/`. */
  readonly command: (entry: Entry) => readonly string[];
  /** Whether it writes parts that nothing in the result names; no page fetches them. */
  readonly writesUnnamed?: boolean;
}

const BUNDLERS: readonly Bundler[] = [
  {
    title: "esbuild",
    packages: ["esbuild@0.28.2"],
    placesWorker: false,
    command: (entry) => [
      "npx",
      "esbuild",
      `src/${entry}.js`,
      "--bundle",
      "--format=esm",
      `--outfile=out/${entry}/main.js`,
    ],
  },
  {
    // Whatever an `import()` names becomes an entry of its own before esbuild drops what is not used.
    title: "esbuild, splitting",
    packages: ["esbuild@0.28.2"],
    placesWorker: false,
    writesUnnamed: true,
    command: (entry) => [
      "npx",
      "esbuild",
      `src/${entry}.js`,
      "--bundle",
      "--format=esm",
      "--splitting",
      `--outdir=out/${entry}`,
    ],
  },
  {
    title: "Vite",
    packages: ["vite@8.4.0"],
    placesWorker: true,
    command: (entry) => ["npx", "vite", "build", `pages/${entry}`, "--base", "./", "--outDir", `../../out/${entry}`],
  },
  {
    title: "webpack",
    packages: ["webpack@5.113.0", "webpack-cli@7.2.3"],
    placesWorker: true,
    command: (entry) => [
      "npx",
      "webpack",
      "--entry",
      `./src/${entry}.js`,
      "--mode",
      "production",
      "-o",
      `out/${entry}`,
    ],
  },
  {
    title: "Rspack",
    packages: ["@rspack/core@2.2.8", "@rspack/cli@2.2.8"],
    placesWorker: true,
    command: (entry) => [
      "npx",
      "rspack",
      "build",
      "--entry",
      `./src/${entry}.js`,
      "--mode",
      "production",
      "-o",
      `out/${entry}`,
    ],
  },
  {
    title: "Rollup",
    packages: ["rollup@4.68.8", "@rollup/plugin-node-resolve@16.0.3"],
    placesWorker: false,
    command: (entry) => ["npx", "rollup", `src/${entry}.js`, "-p", "node-resolve", "-d", `out/${entry}`, "-f", "es"],
  },
  {
    title: "Parcel",
    packages: ["parcel@2.16.4"],
    placesWorker: true,
    command: (entry) => [
      "npx",
      "parcel",
      "build",
      `pages/${entry}/index.html`,
      "--public-url",
      "./",
      "--dist-dir",
      `out/${entry}`,
    ],
  },
  {
    title: "Bun",
    packages: ["bun@1.4.5"],
    placesWorker: false,
    command: (entry) => ["npx", "bun", "build", `src/${entry}.js`, "--outdir", `out/${entry}`],
  },
];

interface RunAnswer {
  readonly logits: readonly number[];
  readonly threads: number;
  readonly reasons: readonly string[];
  readonly backend: string;
  readonly apart: {
    readonly equal: boolean;
    readonly inWorker: boolean;
    readonly threads: number;
    readonly reasons: readonly string[];
  };
}

const PAGE = (script: string) =>
  `<!doctype html><meta charset="utf-8"><title>place</title><input type="file" multiple id="files"><script type="module" src="${script}"></script>`;

/** Lines that are said of any large page, and a page with networks in it is one. */
const SIZE_ADVICE =
  /^WARNING in (?:⚠ )?(?:(?:asset|entrypoint) size limit|\w+ performance recommendations)|build\.chunkSizeWarningLimit|^\w+(?: \S+)? compiled with \d+ warnings? in /;

const browsers: TestBrowser[] = [];
const expected: Record<string, unknown> = {};
let files: string[] = [];

beforeAll(async () => {
  for (const kind of BROWSERS) browsers.push(await kind.launch());
  const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed: 5 });
  const session = await compile(model);
  const { logits } = await session.run(Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)));
  session.close();
  expected["run"] = [...logits.data];
  expected["models"] = [];
  for (const pretrained of [await digits(), await cifar10()])
    (expected["models"] as number[][]).push(await waved(pretrained));
});
afterAll(async () => {
  for (const browser of browsers) await browser.close();
});

/** What a network makes of a wave. */
async function waved(model: LoadedModel): Promise<number[]> {
  using session = await compile(model);
  const [height = 0, width = 0, channels = 0] = model.inputShape;
  const input = Float32Array.from({ length: height * width * channels }, (_, i) => Math.sin(i));
  return [...(await session.run(input)).logits!.data];
}

/** Small networks in forms that need a lazy reader, or none. */
async function modelFiles(project: Project): Promise<string[]> {
  const small = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
  const wanted = ["TFLite", "ONNX", "Keras 3 archive"];
  const made = (await networkFiles()).filter(({ format }) => wanted.includes(format)).flatMap(({ files }) => files);
  const all = [new File([new Uint8Array(encodeModel(small))], "small.safetensors"), ...made];
  const answers: number[][] = [];
  const paths: string[] = [];
  for (const file of all) {
    answers.push(await waved(await loadModel(file)));
    const path = join(project.path, file.name);
    writeFileSync(path, new Uint8Array(await file.arrayBuffer()));
    paths.push(path);
  }
  expected["load"] = answers;
  return paths;
}

function withoutLines(text: string, pattern: RegExp): string {
  return text
    .split("\n")
    .filter((line) => !pattern.test(line))
    .join("\n");
}

/** The bounds of the backends: float32 sums in another order, relaxed or not. */
function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  for (const [place, value] of wanted.entries())
    expect(Math.abs((found[place] ?? Number.NaN) - value)).toBeLessThan(1e-4);
}

const scriptsOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => /\.m?js$/.test(file) && statSync(join(folder, file)).isFile(),
  );

const gzipBytes = (folder: string, files: readonly string[]) =>
  files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0);

/** What a page fetches before it is asked for anything, and all that was written for it, against budgets.json. */
function expectWithinBudget(title: string, entry: Entry, eager: number, all: number): void {
  const places: Readonly<Record<string, Readonly<Record<string, { readonly eager: number; readonly all: number }>>>> =
    budgets.places;
  const budget = places[title]?.[entry];
  const found = { eager, all };
  console.log(`${title}, ${entry}: gzip bytes ${JSON.stringify(found)} of ${JSON.stringify(budget)}`);
  expect(budget, `${title}, ${entry}: budgets.json has none`).toBeDefined();
  for (const kind of ["eager", "all"] as const) {
    const most = budget?.[kind] ?? 0;
    expect(found[kind], `${title}, ${entry}, ${kind}`).toBeLessThanOrEqual(most);
    if (found[kind] < 0.9 * most) console.log(`  ${kind} shrank by more than a tenth: lower its budget.`);
  }
}

describe.each(BUNDLERS)("$title", ({ title, packages, placesWorker, writesUnnamed = false, command }) => {
  let project: Project;
  beforeAll(async () => {
    project = emptyProject(title, packages);
    for (const entry of ENTRIES) project.write(`pages/${entry}/index.html`, PAGE(`../../src/${entry}.js`));
    files = await modelFiles(project);
  });
  afterAll(() => project?.[Symbol.dispose]());

  it.each(ENTRIES)("builds %s on its defaults, in silence, and the page answers in both browsers", async (entry) => {
    const { status, output } = project.run(...command(entry));
    const said = entry === "models" ? withoutLines(output, SIZE_ADVICE) : output;
    expect([status, said]).toEqual([0, expect.not.stringMatching(/warn|error|could not|unresolved/i)]);
    const folder = join(project.path, "out", entry);
    const scripts = scriptsOf(folder);
    const hasPage = readdirSync(folder).includes("index.html");
    if (!hasPage)
      project.write(`out/${entry}/index.html`, PAGE(scripts.includes("main.js") ? "main.js" : `${entry}.js`));
    for (const isolated of [true, false]) {
      await using server = await serveFolder(folder, isolated);
      for (const browser of browsers) {
        const page = await browser.open(`${server.url}/index.html`, "ask");
        if (isolated && browser === browsers[0]) {
          const eager = scripts.filter((file) => server.requested.has(file));
          expect(eager).not.toEqual([]);
          expectWithinBudget(title, entry, gzipBytes(folder, eager), gzipBytes(folder, scripts));
          const text = (writesUnnamed ? eager : scripts)
            .map((file) => readFileSync(join(folder, file), "utf8"))
            .join("");
          if (entry === "eager" || entry === "cost")
            for (const mark of ["superblock", "CONV_2D", "OrderedDict"]) expect(text).not.toContain(mark);
        }
        if (entry === "load") await page.pick("files", files);
        const answer = await page.ask(
          (threads: number) => (globalThis as never as { ask(threads: number): unknown }).ask(threads),
          2,
        );
        await page.close();
        if (entry === "run") {
          const { logits, threads, reasons, backend, apart } = answer as RunAnswer;
          // A session in a worker of its own, whose script is its threads' too.
          expect(apart).toMatchObject({
            equal: true,
            inWorker: placesWorker,
            threads: isolated && placesWorker ? 2 : 1,
            reasons: placesWorker
              ? expect.anything()
              : expect.arrayContaining([expect.stringMatching(/on this thread: a worker cannot be started/)]),
          });
          expect(backend).toBe("wasm");
          expectClose(logits, expected["run"] as number[]);
          if (isolated && placesWorker) expect(threads).toBe(2);
          else
            expect([threads, reasons.join()]).toEqual([
              1,
              expect.stringMatching(isolated ? /one thread: a worker cannot be started/ : /no shared memory/),
            ]);
        } else if (entry === "load") {
          for (const [place, wanted] of (expected["load"] as number[][]).entries())
            expectClose((answer as number[][])[place]!, wanted);
        } else if (entry === "models") {
          const { digit, answers } = answer as { readonly digit: number; readonly answers: readonly number[][] };
          expect(digit).toBe(7);
          for (const [place, wanted] of (expected["models"] as number[][]).entries())
            expectClose(answers[place]!, wanted);
        } else if (entry === "cost") expect(answer).toEqual({ recounted: 68, agree: 56, differ: 12 });
        else expect((answer as number[]).length).toBe(4 * 4 * 16);
      }
    }
  });
});
