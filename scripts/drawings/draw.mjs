/** `npm run draw`: the pictures of examples/drawings, made again. `node scripts/drawings/draw.mjs FOLDER` puts them there. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { drawings } from "./drawings.mjs";

const [folder = "examples/drawings"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
for (const { name, draw } of drawings) {
  const { side, channels, pixels } = await draw();
  const image = sharp(pixels, { raw: { width: side, height: side, channels } });
  // A PNG of one channel stays one: grey, a byte a pixel.
  await image
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png()
    .toFile(join(folder, name));
  console.log(join(folder, name));
}
