/** Threads of the built package: by import and by require, from any folder, and what bundlers make of the worker. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** A program that uses two threads and closes nothing. */
const program = (load: string) => `
  ${load}
  (async () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 10 });
    const image = new Float32Array(64 * 64 * 3).fill(0.25);
    const [one, two] = await Promise.all([1, 2].map((threads) => compile(model, { backend: "wasm", threads })));
    const [a, b] = [(await one.run(image)).logits.data, (await two.run(image)).logits.data];
    console.log(one.threads, two.threads, a.every((value, i) => value === b[i]));
  })();`;

describe("threads of the built package", () => {
  // Characters that a URL must escape.
  const folder = join(mkdtempSync(join(tmpdir(), "depthwise-worker-")), "a folder #1, 100 %41?");
  beforeAll(() => {
    for (const part of ["dist/esm", "dist/cjs", "package.json"]) {
      cpSync(resolve(root, part), join(folder, "node_modules/depthwise", part), { recursive: true });
    }
    const names = "{ compile, mobileNetV1 }";
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "import.mjs"), program(`import ${names} from "depthwise";`));
    writeFileSync(join(folder, "require.cjs"), program(`const ${names} = require("depthwise");`));
  });
  afterAll(() => rmSync(resolve(folder, ".."), { recursive: true, force: true }));

  it.each(["import.mjs", "require.cjs"])("%s: run, and let the process exit by itself", (file) => {
    const out = execFileSync(process.execPath, [join(folder, file)], { encoding: "utf8", timeout: 30_000 });
    expect(out).toBe("1 2 true\n");
  });
});

describe("a bundler", () => {
  const bundle = (contents: string) =>
    buildSync({
      stdin: { contents, resolveDir: root },
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
      logLevel: "silent",
    });

  it("keeps the worker's script where it is imported for its effect", () => {
    const { outputFiles, warnings } = bundle('import "depthwise/worker";');
    expect(warnings).toEqual([]);
    expect(outputFiles[0]?.text).toContain("postMessage");
  });

  it("drops every other door that is imported for its effect", () => {
    for (const door of ["depthwise", "depthwise/layers", "depthwise/weights"]) {
      expect(bundle(`import "${door}";`).outputFiles[0]?.text).toBe("");
    }
  });
});
