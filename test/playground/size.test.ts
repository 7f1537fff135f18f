/** @slow: it builds the page. */

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import budgets from "../../budgets.json" with { type: "json" };
import { buildPage } from "./built.ts";

/** A script, and what it imports at once. */
function reached(folder: string, first: string): ReadonlySet<string> {
  const files = new Set([first]);
  for (const file of files) {
    for (const [, name] of readFileSync(join(folder, file), "utf8").matchAll(AT_ONCE)) files.add(name as string);
  }
  return files;
}

const AT_ONCE = /(?:import|export)[^"'`;()]*["'`]\.\/([\w.-]+\.js)["'`]/g;

let dist: string;
beforeAll(() => {
  dist = buildPage();
});
afterAll(() => rmSync(dist, { recursive: true, force: true }));

it("is small: what the page loads at once, and all sections with their charts", () => {
  const page = readFileSync(join(dist, "index.html"), "utf8");
  const first = /src="\.\/assets\/(index-[\w-]+\.js)"/.exec(page)?.[1] ?? "";
  const assets = join(dist, "assets");
  const weigh = (files: ReadonlySet<string>) =>
    [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(assets, file)), { level: 9 }).length, 0);
  const atOnce = reached(assets, first);
  const sections = readdirSync(assets).filter((name) => /^view-.*\.js$/.test(name));
  expect(sections).toHaveLength(4);
  const all = new Set([...atOnce, ...sections.flatMap((name) => [...reached(assets, name)])]);
  const weights = { atOnce: weigh(atOnce), allSections: weigh(all) };
  console.log(`playground: ${JSON.stringify(weights)} bytes of script, gzip; ${[...all].join(" ")}`);
  expect(weights.atOnce).toBeLessThanOrEqual(budgets.playground.atOnce);
  expect(weights.allSections).toBeLessThanOrEqual(budgets.playground.allSections);
});
