/** What there is here to be measured: asked of the engine itself, and of the Pythons. */

import { spawnSync } from "node:child_process";

// (module (func (result v128) (f32x4.relaxed_madd (i8x16.splat (i32.const 0)) ×3)))
const ZERO_VECTOR = [0x41, 0x00, 0xfd, 0x0f];
const RELAXED_MADD = [0xfd, 0x85, 0x02];
const BODY = [0x00, ...ZERO_VECTOR, ...ZERO_VECTOR, ...ZERO_VECTOR, ...RELAXED_MADD, 0x0b];
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, BODY.length + 2, 0x01, BODY.length, ...BODY],
];

/** Whether this engine takes relaxed SIMD. */
export const hasRelaxedSimd = WebAssembly.validate(Uint8Array.from(MODULE));

/** V8's switch by which it joins two vectors of 128 bits to one of 256. It is one of the whole process. */
export const WIDE_SWITCH = "--experimental-wasm-revectorize";

/** Whether this engine may have that switch, and use for it: V8 since version 13.6, on x64. */
export const hasWideSimd =
  hasRelaxedSimd && process.arch === "x64" && Number(process.versions.node.split(".")[0]) >= 24;

let torch;

/** `{ python, version }` of the first Python that can import torch, or undefined; `PYTHON` chooses one. */
export function findTorch() {
  torch ??= {
    found: (process.env.PYTHON ? [process.env.PYTHON] : PYTHONS).map(askTorch).find((answer) => answer !== undefined),
  };
  return torch.found;
}

/** The second is Debian's, where another is first in the path. */
const PYTHONS = ["python3", "/usr/bin/python3"];

function askTorch(python) {
  const { status, stdout } = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
  return status === 0 ? { python, version: stdout.trim() } : undefined;
}
