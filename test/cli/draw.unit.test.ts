/** `depthwise draw`: a picture a subcommand, to a file or to standard output, written whole or not at all. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawAccuracy, drawCost, drawFront, drawNetwork, drawSeparable, svgText } from "../../src/draw/index.ts";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { run } from "./command.ts";

let folder = "";
const small = () => mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2 });
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-draw-"));
  await saveModel(small(), join(folder, "small.safetensors"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const draw = (...args: readonly string[]) => run(["draw", ...args], { cwd: folder });

describe("what is drawn", () => {
  it.each([
    [
      ["cost", "--alpha", "0.5", "--convention", "thop"],
      () => drawCost(mobileNetV1({ alpha: 0.5 }), { convention: "thop" }),
    ],
    [["cost", "--shallow", "--language", "ko"], () => drawCost(mobileNetV1({ shallow: true }), { language: "ko" })],
    [["network", "--resolution", "128"], () => drawNetwork(mobileNetV1({ resolution: 128 }))],
    [["network", "--weights", "small.safetensors"], () => drawNetwork(small())],
    [["separable"], () => drawSeparable()],
    [
      "separable --kernel-size 5 --input-channels 16 --filters 8 --size 33 --stride 2 --padding valid --multiplier 2".split(
        " ",
      ),
      () =>
        drawSeparable({
          ...{ kernelSize: 5, inputChannels: 16, filters: 8, size: 33, stride: 2, padding: "valid", multiplier: 2 },
        }),
    ],
    [["front"], () => drawFront()],
    [
      "front --mult-adds 100M --parameters 2M --bytes 6MB --activation-bytes 2MiB --language ko".split(" "),
      () =>
        drawFront({
          budget: { multAdds: 100e6, parameters: 2e6, bytes: 6e6, activationBytes: 2 ** 21 },
          language: "ko",
        }),
    ],
    [["front", "--table", "cifar10"], () => drawFront({ table: "cifar10" })],
    [["accuracy"], () => drawAccuracy()],
    [
      ["accuracy", "--table", "cifar10", "--against", "parameters"],
      () => drawAccuracy({ table: "cifar10", against: "parameters" }),
    ],
  ])("%j is what the library draws", async (args, expected) => {
    const { code, stdout, stderr } = await draw(...args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(svgText(expected()));
  });
});

describe("where it goes", () => {
  it("a file, which is named; one that is there is replaced, and a link stays", async () => {
    writeFileSync(join(folder, "old.svg"), "old");
    symlinkSync("old.svg", join(folder, "link.svg"));
    const { code, stdout, stderr } = await draw("separable", "--out", "link.svg");
    expect([code, stderr]).toEqual([0, ""]);
    const { title, width, height } = drawSeparable();
    expect(stdout).toBe(`link.svg: ${title}, ${width} × ${height}\n`);
    expect(readFileSync(join(folder, "old.svg"), "utf8")).toBe(svgText(drawSeparable()));
  });

  it("standard output for - too", async () => {
    expect((await draw("separable", "--out", "-")).stdout).toBe(svgText(drawSeparable()));
  });

  it("nowhere, if it cannot be written or drawn: nothing is left behind", async () => {
    mkdirSync(join(folder, "taken.svg"));
    const before = readdirSync(folder).sort();
    for (const [args, message] of [
      [["separable", "--out", "taken.svg"], /taken\.svg: the file cannot be written.*a directory/],
      [["separable", "--out", "missing/a.svg"], /missing\/a\.svg: the file cannot be written \(ENOENT\)/],
      [["separable", "--filters", "0", "--out", "a.svg"], /drawSeparable: filters: expected a positive integer/],
      [["network", "--weights", "none.h5", "--out", "a.svg"], /none\.h5: there is no such file/],
      [["cost", "--out", ""], /draw: --out: expected a path/],
    ] as const) {
      const { code, stdout, stderr } = await draw(...args);
      expect([code, stdout]).toEqual([stderr.includes("OPTION_INVALID") ? 2 : 1, ""]);
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});

it.each([
  [["front", "--language", "de"], "Allowed choices are en, ko."],
  [["accuracy", "--against", "bytes"], "Allowed choices are mult-adds, parameters."],
  [["separable", "--padding", "keras"], "Allowed choices are same, valid."],
  [["separable", "--alpha", "1"], "unknown option '--alpha'"],
  [["bars"], "unknown command 'bars'"],
])("%j is refused, and says what there is", async (args, message) => {
  const { code, stdout, stderr } = await draw(...args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});
