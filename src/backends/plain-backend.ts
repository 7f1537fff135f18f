/** The backend for places that refuse WebAssembly: plain JavaScript as fast as it goes, with the bits of `reference`. */

import { plainKernel } from "../kernels/js/index.ts";
import type { Backend } from "./backend.ts";
import { arrayBackend } from "./reference-backend.ts";

export const plainBackend: Backend = /* @__PURE__ */ arrayBackend("plain", plainKernel);
