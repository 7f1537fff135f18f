/** Draws docs/pictures/*.svg. `npm run draw:pictures` */

import { fileURLToPath } from "node:url";
import { mobileNetV1 } from "depthwise";
import * as draw from "depthwise/draw";
import { writeWhole } from "../shared/write-whole.mjs";
import { picturesOf } from "./list.mjs";

const folder = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
for (const [name, picture] of Object.entries(picturesOf(draw, mobileNetV1))) {
  writeWhole(`${folder}${name}.svg`, draw.svgText(picture));
}
