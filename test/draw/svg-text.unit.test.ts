/** The SVG file of a picture: whole, accessible, in classes of the style sheet, the same bytes everywhere. */

import sharp from "sharp";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  drawAccuracy,
  drawCost,
  drawFront,
  drawNetwork,
  drawSeparable,
  PICTURE_CLASS,
  type Picture,
  pictureStyle,
  svgText,
} from "../../src/draw/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { conv2d, sequential } from "../../src/layers/index.ts";
import { branching } from "./networks.ts";
import { shapesOf } from "./texts.ts";

const small = () => sequential({ inputShape: [8, 8, 3], name: "small" }, [conv2d({ filters: 2, kernel: 3 })]);
const PICTURES: Readonly<Record<string, () => Picture>> = {
  cost: () => drawCost(mobileNetV1()),
  "cost of parameters": () => drawCost(branching(), { convention: "keras", language: "ko" }),
  network: () => drawNetwork(branching()),
  "a network of one layer": () => drawNetwork(small(), { language: "ko" }),
  separable: () => drawSeparable({ stride: 2, multiplier: 3 }),
  front: () => drawFront({ budget: { multAdds: 100e6 } }),
  accuracy: () => drawAccuracy({ against: "parameters", language: "ko" }),
};

afterEach(() => vi.restoreAllMocks());

describe.each(Object.entries(PICTURES))("%s", (_name, draw) => {
  const picture = draw();
  const svg = svgText(picture);

  it("is an image with a title and a description, and one style sheet", () => {
    expect(svg).toMatch(
      new RegExp(
        `^<svg xmlns="http://www.w3.org/2000/svg" class="${PICTURE_CLASS}" role="img" viewBox="0 0 [0-9.]+ [0-9.]+" width`,
      ),
    );
    const [, title = "", description = ""] =
      /\n<title>([^<]+)<\/title>\n<desc>([^<]+)<\/desc>\n<style>/.exec(svg) ?? [];
    expect(title.length).toBeGreaterThan(5);
    expect(description).toMatch(/\.$/);
    expect(svg.match(/<style>/g)).toHaveLength(1);
    expect(svg).toContain("@media (prefers-color-scheme: dark)");
  });

  it("has looks that the style sheet knows, and no colour of its own", () => {
    const style = pictureStyle();
    for (const { tag, attributes } of shapesOf(picture)) {
      expect(Object.keys(attributes).filter((name) => /fill|stroke|style|font-family|^on/.test(name))).toEqual([]);
      const looks = String(attributes["class"] ?? "")
        .split(" ")
        .filter((look) => look !== "");
      if (["rect", "line", "path", "circle"].includes(tag)) expect(looks.length).toBeGreaterThan(0);
      for (const look of looks) expect(style).toMatch(new RegExp(`\\.${PICTURE_CLASS} \\.${look}[ ,]`));
    }
  });

  it("has numbers of a tenth of a pixel at most, and none that is none", () => {
    for (const { attributes } of shapesOf(picture)) {
      for (const value of Object.values(attributes)) {
        if (typeof value === "number") expect(value).toBe(Math.round(value * 10) / 10);
      }
      expect(String(attributes["d"] ?? "M0,0")).toMatch(/^M(-?\d+(\.\d)?[,LMZ]?)+$/);
    }
    const body = svg.slice(svg.indexOf("</style>"));
    expect(body).not.toMatch(/NaN|Infinity|undefined|="-0"|e-\d/);
    expect([picture.width, picture.height].every((length) => length > 100 && length < 2000)).toBe(true);
  });

  it("has a table as wide as its titles, of numbers that are written in it", () => {
    const { titles, rows } = picture.table;
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toHaveLength(titles.length);
  });

  it("is drawn by a renderer that is no browser", async () => {
    const { width, height } = await sharp(Buffer.from(svg)).metadata();
    expect([width, height]).toEqual([Math.round(picture.width), Math.round(picture.height)]);
  });

  it("is plain data", () => {
    expect(JSON.parse(JSON.stringify(picture))).toEqual(picture);
  });

  it("asks no function whose last bit differs between engines", () => {
    for (const name of ["log", "log2", "log10", "exp", "pow", "hypot", "cbrt", "sin", "cos", "tan", "atan2"] as const) {
      vi.spyOn(Math, name).mockImplementation(() => {
        throw new Error(`Math.${name} was asked`);
      });
    }
    expect(svgText(draw())).toBe(svg);
  });
});

describe("names out of files", () => {
  const hostile = `<script>alert("1")</script>&amp;'\u202e\u0007\ufffe\uffff]]>\\u{41}`;
  const network = sequential({ inputShape: [8, 8, 3], name: hostile }, [
    conv2d({ filters: 2, kernel: 3, name: hostile.replaceAll("/", "-") }),
  ]);

  it.each([
    ["cost", () => drawCost(network)],
    ["network", () => drawNetwork(network)],
  ])("stay text in a picture of its %s", (_name, draw) => {
    const svg = svgText(draw());
    for (const unseen of ["<script", "\u202e", "\u0007", "\ufffe", "\uffff"]) expect(svg).not.toContain(unseen);
    expect(svg).toContain("&lt;script&gt;alert(&quot;1&quot;)");
    expect(svg).toContain("&#39;\\u{202e}\\u{7}\\u{fffe}\\u{ffff}]]&gt;");
    // What stood there as it looks when it is written out is told from what was written out, and that once.
    expect(svg).toContain("\\u{5c}u{41}");
    expect(svg).not.toContain("\\u{5c}u{5c}");
  });
});

describe("a picture that came from elsewhere", () => {
  const picture = drawCost(small());
  const holding = (shape: object) => ({ ...picture, shapes: [{ tag: "g", attributes: {}, children: [shape] }] });

  it.each([
    ["an element that runs", { tag: "script", attributes: {}, children: ["alert(1)"] }],
    ["an element that is more than a name", { tag: 'g onload="alert(1)"', attributes: {}, children: [] }],
    ["an attribute that runs", { tag: "g", attributes: { onload: "alert(1)" }, children: [] }],
    ["an attribute that is more than a name", { tag: "g", attributes: { 'x="1" onload': "alert(1)" }, children: [] }],
    ["a link", { tag: "g", attributes: { "xlink:href": "javascript:alert(1)" }, children: [] }],
  ])("is refused with %s", (_name, shape) => {
    expect(() => svgText(holding(shape) as never)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringContaining("svgText: picture") }),
    );
  });
});

it.each([undefined, null, "picture", {}, [], { shapes: [{}] }, { shapes: [null] }, Promise.resolve()])(
  "%o in place of a picture is refused",
  (value) => {
    expect(() => svgText(value as never)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringContaining("svgText: picture") }),
    );
  },
);
