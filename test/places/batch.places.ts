/** `depthwise batch` of the packed package, in an empty project: its workers are processes of their own files. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { emptyProject, type Project } from "./project.ts";

const SOURCE = "node_modules/depthwise/examples/drawings";

let project: Project;
beforeAll(() => {
  project = emptyProject("batch", [`sharp@${manifest.devDependencies.sharp}`]);
  project.write(
    "one.mjs",
    `import { runShard } from "depthwise/batch";
import { cifar10 } from "depthwise/models/cifar10";
const model = await cifar10();
for (const shard of [3, 0, 2, 1]) await runShard({ source: "${SOURCE}", model, out: "one", shard, shards: 4, simd: "plain" });
`,
  );
});
afterAll(() => project?.[Symbol.dispose]());

/** Of each part's rows, by its name. */
function partsIn(out: string): Readonly<Record<string, string>> {
  const folder = join(project.path, out);
  const names = readdirSync(folder).filter((name) => /^part-.*\.jsonl$/.test(name));
  const hashed = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
  return Object.fromEntries(names.sort().map((name) => [name, hashed(name)]));
}

it("gives the same parts by two workers on either Node, and by a program of one's own", () => {
  const nodes = { "node-20": ["node"], "node-24": ["npx", "-y", "node@24"] };
  const ask = ["batch", SOURCE, "--weights", "cifar10", "--shards", "4", "--workers", "2", "--simd", "plain"];
  for (const [out, node] of Object.entries(nodes)) {
    const { status, output } = project.run(...node, "node_modules/.bin/depthwise", ...ask, "--out", out);
    expect([status, output]).toEqual([0, expect.stringMatching(/4 parts, 20 pictures, no errors/)]);
  }
  expect(project.run("node", "one.mjs")).toMatchObject({ status: 0 });
  expect(Object.keys(partsIn("one"))).toHaveLength(4);
  expect(partsIn("node-20")).toEqual(partsIn("one"));
  expect(partsIn("node-24")).toEqual(partsIn("one"));
});
