/** MobileNet V1's table, and what its layers are called, stand in `models/`; who understands files asks there. */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { MOBILENET_V1_BLOCKS } from "../../src/models/mobilenet-v1/table.ts";

const src = resolve(import.meta.dirname, "../../src");
const ROOMS = ["understand", "weights"];
/** Of networks that are no MobileNet V1, some of which have layers of the same names. */
const OF_OTHERS = "understand/architectures/mobilenet-v1/names/others.ts";

const files = ROOMS.flatMap((room) =>
  readdirSync(resolve(src, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${room}/${file}`),
);

/** Comments may tell of names and numbers: that is what they are for. */
function codeOf(file: string): string {
  const text = readFileSync(resolve(src, file), "utf8");
  return text.replace(/\/\*.*?\*\//gs, "").replace(/(^|\s)\/\/.*$/gm, "");
}

const { parameterInfo } = mobileNetV1();
const nodes = [...parameterInfo.values()].map(({ node }) => node);
/** `conv1`, `conv_dw`, …; what timm calls `blocks.0.0.conv_dw` has a dot before. */
const words = [...new Set(nodes.map((node) => node.replace(/_\d+(?=_|$)/, "")))];
const names = new RegExp(`(?<![./\\w])(?:${words.join("|")})(?![a-z])`);
const kernels = [...parameterInfo.values()].filter(({ role }) => role === "kernel").length;
/** Of blocks, layers before the classifier, all of them, parameters, features; 8 and 64 mean much else. */
const counts = [
  MOBILENET_V1_BLOCKS.length,
  kernels - 1,
  kernels,
  parameterInfo.size,
  MOBILENET_V1_BLOCKS.at(-1)!.filters,
];
const numbers = new RegExp(`(?<![\\w.])(?:${counts.join("|")})(?![\\w.])`);

it("a pattern of this test finds what it looks for", () => {
  expect(words).toEqual(["conv1", "conv1_bn", "conv_dw", "conv_dw_bn", "conv_pw", "conv_pw_bn", "conv_preds"]);
  expect(counts).toEqual([13, 27, 28, 137, 1024]);
  for (const text of ['"conv1/kernel"', "`conv_dw_$", '"conv_pw"}_', '"conv_preds"']) expect(text).toMatch(names);
  for (const text of ["BLOCKS = 13;", "[13,", "i <= 13", "2 * 27"]) expect(text).toMatch(numbers);
  for (const text of ["place.conv_dw`", "conv_pwl", "conv_stem"]) expect(text).not.toMatch(names);
});

it.each(files.filter((file) => file !== OF_OTHERS))("%s asks for the names of layers", (file) => {
  expect(names.exec(codeOf(file))?.[0]).toBeUndefined();
});

it.each(files)("%s asks how many layers there are", (file) => {
  expect(numbers.exec(codeOf(file))?.[0]).toBeUndefined();
});
