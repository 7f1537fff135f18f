/** A network from left to right: widths are channels, heights are sides, pairs and strides are marked. */

import { describe, expect, it } from "vitest";
import { cost } from "../../src/cost/index.ts";
import { drawNetwork, type Picture } from "../../src/draw/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { activation, batchNorm, conv2d, pointwise, sequential } from "../../src/layers/index.ts";
import { branching } from "./networks.ts";
import { contentOf, shapesOf } from "./texts.ts";

const boxesOf = (picture: Picture) =>
  shapesOf(picture)
    .filter(({ tag, children }) => tag === "rect" && children.length > 0)
    .map(({ attributes, children }) => ({
      look: attributes["class"],
      says: children.map((child) => (typeof child === "string" ? child : contentOf(child))).join(""),
      ...(attributes as Record<"x" | "y" | "width" | "height", number>),
    }));
const saidIn = (picture: Picture) =>
  shapesOf(picture)
    .filter(({ tag }) => tag === "text")
    .map(contentOf);
const linesOf = (picture: Picture, look: string) =>
  shapesOf(picture).filter(({ tag, attributes }) => tag === "line" && attributes["class"] === look);

describe("MobileNet V1", () => {
  const model = mobileNetV1();
  const picture = drawNetwork(model);
  const boxes = boxesOf(picture);

  it("has a box a layer in order, and the input before them", () => {
    const { layers } = cost(model);
    const drawn = layers.filter(({ type }) => type !== "softmax");
    expect(boxes.map(({ says }) => says)).toEqual([
      "input: 224 × 224 × 3",
      ...drawn.map(({ name, outputShape }) => `${name}: ${outputShape.join(" × ")}`),
    ]);
    expect(picture.table.rows.map(([, , output]) => output)).toEqual([
      "224 × 224 × 3",
      ...drawn.map(({ outputShape }) => outputShape.join(" × ")),
    ]);
    expect(saidIn(picture)).toContain("Not drawn, since shapes stay as they are: softmax (1).");
    for (const [index, box] of boxes.slice(1).entries()) expect(box.x).toBeGreaterThan(boxes[index]!.x);
  });

  it("is as wide as channels and as high as sides, but for the classifier and what is tiny", () => {
    const scaled = boxes.filter(({ look }) => look !== "dense");
    const [row, channel] = [150 / 224, 64 / 1024];
    for (const { says, width, height } of scaled) {
      const sizes = says.replace(/^.*: /, "").split(" × ").map(Number);
      const [side = 1, channels = 0] = sizes.length === 3 ? [sizes[0], sizes[2]] : [1, sizes[0]];
      expect(Math.abs(width - Math.max(3, channels * channel))).toBeLessThanOrEqual(0.1);
      expect(Math.abs(height - Math.max(4, side * row))).toBeLessThanOrEqual(0.1);
    }
    expect(boxes.at(-1)).toMatchObject({ look: "dense", width: 16, height: 60 });
  });

  it("has thirteen pairs, each on one line, and a mark at each stride", () => {
    expect(linesOf(picture, "flow")).toHaveLength(13);
    expect(picture.description).toContain("13 times a depthwise layer and the pointwise layer behind it");
    const strides = cost(model).layers.filter(({ stride }) => stride?.[0] === 2);
    expect(saidIn(picture).filter((text) => text === "↓2")).toHaveLength(strides.length);
    expect(strides.length).toBe(5);
  });

  it("tells the paper's twin of standard convolutions from it", () => {
    const twin = drawNetwork(mobileNetV1({ standardConvolution: true }), { language: "ko" });
    expect(linesOf(twin, "flow")).toEqual([]);
    expect(new Set(boxesOf(twin).map(({ look }) => look))).toEqual(new Set(["other", "standard", "dense"]));
    expect(twin.description).toContain("깊이별 분리 합성곱 쌍이 없습니다");
  });
});

describe("a network with branches", () => {
  const picture = drawNetwork(branching());

  it("has a sign where branches meet, and says that they are not drawn", () => {
    const signs = saidIn(picture).filter((text) => text === "+" || text === "×");
    expect(signs.join("")).toBe("××+×+×+");
    expect(saidIn(picture).some((text) => text.includes("branches are not drawn"))).toBe(true);
  });

  it("takes nothing for a pair that a squeeze stands between", () => {
    expect(linesOf(picture, "flow")).toEqual([]);
  });
});

it("says of strides that differ both", () => {
  const picture = drawNetwork(
    sequential({ inputShape: [8, 8, 3] }, [conv2d({ filters: 4, kernel: 3, stride: [2, 1] })]),
  );
  expect(saidIn(picture)).toContain("↓2×1");
});

it("goes on in another line where there is no room, and names how many layers are too many", () => {
  const layers = Array.from({ length: 300 }, (_, index) => pointwise({ filters: 8, name: `layer_${index}` }));
  const picture = drawNetwork(sequential({ inputShape: [4, 4, 8] }, [...layers, activation("relu")]));
  expect(picture.width).toBeLessThanOrEqual(1120);
  expect(linesOf(picture, "rule").length).toBeGreaterThan(3);
  expect(boxesOf(picture)).toHaveLength(200);
  expect(saidIn(picture)).toContain("Not drawn for want of room: 101 layers more.");
  expect(picture.table.rows).toHaveLength(301);
});

it("counts what it does not draw by its type, and names no type that is not there", () => {
  const input = { inputShape: [4, 4, 8] as const };
  const notes = (layers: Parameters<typeof sequential>[1]) =>
    saidIn(drawNetwork(sequential(input, layers))).filter((text) => text.startsWith("Not drawn"));
  expect(notes([activation("relu"), batchNorm(), activation("relu"), activation("hardSigmoid")])).toEqual([
    "Not drawn, since shapes stay as they are: batch norm (1), activation (2).",
  ]);
  expect(notes([pointwise({ filters: 8 })])).toEqual([]);
});

it("draws vectors as maps of one pixel", () => {
  const picture = drawNetwork(sequential({ inputShape: [40] }, [activation("relu")]));
  expect(boxesOf(picture)).toMatchObject([{ says: "input: 40", width: 64 }]);
});
