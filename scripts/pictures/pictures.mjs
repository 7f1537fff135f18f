/** Draws docs/pictures/*.svg. `npm run draw:pictures` */

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mobileNetV1 } from "depthwise";
import * as draw from "depthwise/draw";
import { picturesOf } from "./list.mjs";

const folder = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, picture] of Object.entries(picturesOf(draw, mobileNetV1))) {
  writeFileSync(`${folder}${name}.svg`, draw.svgText(picture));
}
