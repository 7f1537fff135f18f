/** Two bundles of the packed package in one page, one minified: what one makes, the other takes. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BROWSERS, type TestBrowser } from "../browser/browsers.ts";
import { emptyProject, type Project, serveFolder } from "./project.ts";

const browsers: TestBrowser[] = [];
let project: Project;

beforeAll(async () => {
  for (const kind of BROWSERS) browsers.push(await kind.launch());
  project = emptyProject("two-copies", ["esbuild@0.28.2"]);
  for (const [name, flag] of [
    ["one", "--minify"],
    ["other", "--keep-names"],
  ] as const) {
    project.write(`${name}.js`, `import * as depthwise from "depthwise";\nglobalThis.${name} = depthwise;\n`);
    const command = ["npx", "esbuild", `${name}.js`, "--bundle", "--format=esm", flag, `--outfile=out/${name}.js`];
    const { status, output } = project.run(...command);
    expect([status, output]).toEqual([0, expect.not.stringMatching(/warn|error/i)]);
  }
  project.write(
    "out/ask.js",
    `globalThis.ask = async () => {
  const found = [];
  for (const [from, to] of [[one, other], [other, one]]) {
    let error;
    try { from.mobileNetV1({ alpha: -1 }); } catch (thrown) { error = thrown; }
    const internal = new from.InternalError("a test");
    const model = from.mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, seed: 5 });
    const image = from.tensor(Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i)), [1, 32, 32, 3]);
    const answers = [];
    for (const { compile } of [from, to]) {
      const session = await compile(model);
      answers.push([...(await session.run(image)).logits.data].join());
      session.close();
    }
    found.push({
      apart: from.compile !== to.compile,
      error: error instanceof to.DepthwiseError && to.isDepthwiseError(error),
      internal: internal instanceof to.InternalError,
      eager: to.relu(from.tensor([1, -2], [2])).data.join(),
      same: answers[0] === answers[1],
    });
  }
  return found;
};\n`,
  );
  const scripts = ["one", "other", "ask"].map((name) => `<script type="module" src="${name}.js"></script>`).join("");
  project.write("out/index.html", `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${scripts}`);
});
afterAll(async () => {
  project?.[Symbol.dispose]();
  for (const browser of browsers) await browser.close();
});

it("takes errors, tensors and networks of the other bundle, in both browsers", async () => {
  await using server = await serveFolder(join(project.path, "out"), false);
  for (const browser of browsers) {
    const page = await browser.open(`${server.url}/index.html`, "ask");
    const answer = await page.ask(() => (globalThis as never as { ask(): unknown }).ask(), undefined);
    await page.close();
    const works = { apart: true, error: true, internal: true, eager: "1,0", same: true };
    expect([browser.title, answer]).toEqual([browser.title, [works, works]]);
  }
});
