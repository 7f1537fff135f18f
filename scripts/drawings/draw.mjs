/** `npm run draw`: the pictures of examples/drawings, made again. `node scripts/drawings/draw.mjs FOLDER` puts them there. */

import { join } from "node:path";
import sharp from "sharp";
import { isTold } from "../shared/told.mjs";
import { writeWhole } from "../shared/write-whole.mjs";
import { drawings } from "./drawings.mjs";

const [folder = "examples/drawings", ...more] = process.argv.slice(2);

try {
  if (more.length > 0 || folder.startsWith("-")) {
    console.error("Usage: npm run draw [-- FOLDER]   (default examples/drawings)");
    process.exitCode = 2;
  } else {
    await draw();
  }
} catch (cause) {
  if (!(await isTold(cause))) throw cause;
  console.error(cause.message);
  process.exitCode = 1;
}

async function draw() {
  for (const drawing of drawings) {
    const { side, channels, pixels } = await drawing.draw();
    const image = sharp(pixels, { raw: { width: side, height: side, channels } });
    // A PNG of one channel stays one: grey, a byte a pixel.
    const png = image.toColourspace(channels === 1 ? "b-w" : "srgb").png();
    writeWhole(join(folder, drawing.name), await png.toBuffer());
    console.log(join(folder, drawing.name));
  }
}
