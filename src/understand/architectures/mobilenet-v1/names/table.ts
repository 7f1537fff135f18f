/** Name maps of other tools. A new family is one file beside this one and one entry here; the first that matches is used. */

import type { NameMap } from "../name-map.ts";
import { huggingFace } from "./hugging-face.ts";
import { pytorch } from "./pytorch.ts";
import { retinaface } from "./retinaface.ts";
import { tfSlim } from "./tf-slim.ts";
import { timm } from "./timm.ts";

export const OTHER_NAME_MAPS: readonly NameMap[] = [huggingFace, timm, pytorch, retinaface, tfSlim];
