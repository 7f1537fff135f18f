/** What a process that loads a model from disk does not wait for. */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { temporaryFolder } from "../fixtures/source-tools.ts";

const built = pathToFileURL(resolve(import.meta.dirname, "../../dist/esm/index.js")).href;

it("a model from disk is loaded and run without Node's fetch, which takes 20 ms to load", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "tiny.safetensors");
  writeFileSync(file, encodeModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 })));
  const program = `
    const { compile, loadModel } = await import(${JSON.stringify(built)});
    const session = await compile(await loadModel(${JSON.stringify(file)}));
    await session.run(new Float32Array(32 * 32 * 3));
    console.log(process.moduleLoadList.filter((name) => /undici/.test(name)).join());`;
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", program]).toString().trim()).toBe("");
});
