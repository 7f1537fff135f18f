/**
 * The emitted modules by name. Each is generic, emitted when first needed, once a process for each set of features,
 * and shared by all sessions: a network pays for the kernels that it uses.
 */

import { activation } from "./activation.ts";
import { type ModuleBuilder, moduleBuilder } from "./assembler/index.ts";
import { convolution } from "./convolution.ts";
import { depthwise } from "./depthwise.ts";
import { elementwise } from "./elementwise.ts";
import type { Features } from "./emit.ts";
import type { Exported, ExportsOf } from "./exports.ts";
import { gate } from "./gate.ts";
import { multiplyPanels } from "./multiply-panels.ts";
import { packing } from "./pack.ts";
import { pointwise } from "./pointwise.ts";
import { pool } from "./pool.ts";
import { scaleShift } from "./scale-shift.ts";
import { softmax } from "./softmax.ts";
import type { Tile } from "./tiles.ts";

/** Adds the functions of a module, and gives those that it exports. */
export type Emitter = (module: ModuleBuilder, features: Features, tile: Tile) => Exported | readonly Exported[];

export const MODULES = {
  product: (module, features, tile) => [...products(module, features, tile), packing(module, tile)],
  "product-slim": (module, features, tile) => products(module, features, tile.slim ?? tile),
  depthwise: (module, features, tile) => depthwise(module, 0, features, tile),
  "depthwise-3": (module, features, tile) => depthwise(module, 3, features, tile),
  "depthwise-5": (module, features, tile) => depthwise(module, 5, features, tile),
  pool: (module) => [pool(module, "averagePool"), pool(module, "maxPool")],
  elementwise: (module) => [
    elementwise(module, "add"),
    elementwise(module, "multiply"),
    scaleShift(module),
    activation(module, "clamp"),
    activation(module, "hardSigmoid"),
    activation(module, "hardSwish"),
    activation(module, "leakyRelu"),
  ],
  softmax,
  gate,
} as const satisfies Readonly<Record<string, Emitter>>;

function products(module: ModuleBuilder, features: Features, tile: Tile) {
  const panels = multiplyPanels(module, tile, features);
  return [pointwise(module, panels, tile, features), convolution(module, panels, tile)] as const;
}

export type ModuleName = keyof typeof MODULES;
export const MODULE_NAMES = /* @__PURE__ */ Object.keys(MODULES) as readonly ModuleName[];

/** What JavaScript calls of each module. */
export type ModuleExports = { readonly [M in ModuleName]: ExportsOf<(typeof MODULES)[M]> };

/** The binary of a module, of ours or of another table. */
export function emitModule(name: ModuleName, features: Features, tile: Tile): Uint8Array<ArrayBuffer>;
export function emitModule<M extends string>(
  name: M,
  features: Features,
  tile: Tile,
  modules: Readonly<Record<M, Emitter>>,
): Uint8Array<ArrayBuffer>;
export function emitModule(
  name: string,
  features: Features,
  tile: Tile,
  modules: Readonly<Record<string, Emitter>> = MODULES,
): Uint8Array<ArrayBuffer> {
  const module = moduleBuilder({ shared: features.shared });
  (modules[name] as Emitter)(module, features, tile);
  return module.bytes();
}
