/**
 * The emitted modules by name. Each is generic, emitted when first needed, once a process for each set of features,
 * and shared by all sessions: a network pays for the kernels that it uses.
 */

import { type ModuleBuilder, moduleBuilder } from "./assembler/index.ts";
import { convolution } from "./convolution.ts";
import { depthwise } from "./depthwise.ts";
import { activation, binary, scaleShift } from "./elementwise.ts";
import type { Features } from "./emit.ts";
import { gate } from "./gate.ts";
import { multiplyPanels } from "./multiply-panels.ts";
import { packing } from "./pack.ts";
import { pointwise } from "./pointwise.ts";
import { pool } from "./pool.ts";
import { softmax } from "./softmax.ts";
import type { Tile } from "./tiles.ts";

const MODULES = {
  product: (module, features, tile) => {
    const panels = multiplyPanels(module, tile, features);
    pointwise(module, panels, tile, features);
    convolution(module, panels, tile);
    packing(module, tile);
  },
  depthwise: (module, features) => depthwise(module, 0, features),
  "depthwise-3": (module, features) => depthwise(module, 3, features),
  "depthwise-5": (module, features) => depthwise(module, 5, features),
  pool: (module) => {
    pool(module, "averagePool");
    pool(module, "maxPool");
  },
  elementwise: (module) => {
    binary(module, "add");
    binary(module, "multiply");
    scaleShift(module);
    activation(module, "clamp");
    activation(module, "hardSigmoid");
    activation(module, "hardSwish");
    activation(module, "leakyRelu");
  },
  softmax,
  gate,
} as const satisfies Readonly<Record<string, (module: ModuleBuilder, features: Features, tile: Tile) => void>>;

export type ModuleName = keyof typeof MODULES;
export const MODULE_NAMES = /* @__PURE__ */ Object.keys(MODULES) as readonly ModuleName[];

/** The binary of a module. */
export function emitModule(name: ModuleName, features: Features, tile: Tile): Uint8Array<ArrayBuffer> {
  const module = moduleBuilder({ shared: features.shared });
  MODULES[name](module, features, tile);
  return module.bytes();
}
