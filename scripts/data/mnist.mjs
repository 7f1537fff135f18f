/** `npm run data:mnist`: MNIST's four IDX files in `data/mnist`, for `idx(images, labels)`. */

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { checkFile } from "./check-file.mjs";
import { main, PACKAGES } from "./packages.mjs";

/** The md5 sums that the unpacked files are known by. */
const FILES = {
  "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
  "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
  "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
  "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
};

await main(PACKAGES.mnist, "data/mnist", async (from, to) => {
  for (const [name, md5] of Object.entries(FILES)) {
    await copyFile(join(from, "data", name), join(to, name));
    await checkFile(join(to, name), md5);
  }
});
