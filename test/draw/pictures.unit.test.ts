/** The pictures of docs/pictures are what is drawn now: `npm run draw:pictures` writes them again. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import * as draw from "../../src/draw/index.ts";
import { mobileNetV1 } from "../../src/index.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "docs/pictures");
const { picturesOf } = (await import(join(root, "scripts/pictures/list.mjs"))) as {
  picturesOf(all: typeof draw, build: typeof mobileNetV1): Readonly<Record<string, draw.Picture>>;
};
const pictures = picturesOf(draw, mobileNetV1);

it.each(Object.entries(pictures))("%s.svg", (name, picture) => {
  expect(readFileSync(join(folder, `${name}.svg`), "utf8")).toBe(draw.svgText(picture));
});

it("there are no others", () => {
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(pictures)
      .map((name) => `${name}.svg`)
      .sort(),
  );
});
