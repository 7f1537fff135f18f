/** What a person types first: no weights, a folder, standard input, counts with units. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { toCount } from "../../src/cli/network-options.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { temporaryFolder } from "../weights/source-tools.ts";

const command = resolve(import.meta.dirname, "../../dist/cli/depthwise.js");

async function folderOfPictures() {
  const folder = await temporaryFolder();
  const create = { width: 40, height: 40, channels: 3, background: "#a52" } as const;
  writeFileSync(join(folder.path, "one.png"), await sharp({ create }).png().toBuffer());
  mkdirSync(join(folder.path, "more", "deep"), { recursive: true });
  copyFileSync(join(folder.path, "one.png"), join(folder.path, "more", "b.PNG"));
  copyFileSync(join(folder.path, "one.png"), join(folder.path, "more", "deep", "a.png"));
  writeFileSync(join(folder.path, "more", "notes.txt"), "no picture");
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, labels: ["a", "b", "c"] });
  writeFileSync(join(folder.path, "tiny.safetensors"), encodeModel(model));
  return folder;
}

it("a folder stands for the pictures in it, and - for standard input", async () => {
  await using folder = await folderOfPictures();
  const args = [command, "classify", "--weights", "tiny.safetensors", "--json"];
  const shown = execFileSync(process.execPath, [...args, "more"], { cwd: folder.path, encoding: "utf8" });
  expect(
    shown
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).file),
  ).toEqual(["more/b.PNG", "more/deep/a.png"]);
  const png = await sharp(join(folder.path, "one.png")).png().toBuffer();
  const piped = execFileSync(process.execPath, [...args, "-"], { cwd: folder.path, encoding: "utf8", input: png });
  expect(JSON.parse(piped)).toMatchObject({ file: "-", predictions: [{}, {}, {}] });
  mkdirSync(join(folder.path, "empty"));
  const { status, stderr } = spawnSync(process.execPath, [...args.slice(0, -1), "empty"], {
    cwd: folder.path,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/FILE_UNREADABLE: empty: /)]);
});

it("without --weights it takes the usual ones, says so, and offline what to pass", async () => {
  await using folder = await folderOfPictures();
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "classify", "one.png", "--offline"], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, DEPTHWISE_CACHE: join(folder.path, "cache") },
  });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^No --weights given: taking keras:mobilenet_1_0_224_tf \(17 MB/);
  expect(stderr).toMatch(
    /the usual weights cannot be had: .* Pass --weights FILE, or an address, keras:name or hf:owner\/name\.\n$/,
  );
});

it("counts have units", () => {
  for (const [text, count] of [
    ["569e6", 569e6],
    ["100M", 1e8],
    ["1.5G", 1.5e9],
    ["6MB", 6e6],
    ["6MiB", 6 * 2 ** 20],
    ["12", 12],
    ["4k", 4000],
  ] as const)
    expect(toCount(text)).toBe(count);
  for (const text of ["100Q", "", "M", "many", "1.2.3M"]) expect(() => toCount(text)).toThrow(/not a (count|number)/);
});
