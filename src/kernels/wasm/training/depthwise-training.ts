/** The kernels of depthwise layers in training, which share their functions: a module for each size of tiled windows. */

import type { ModuleBuilder } from "../assembler/index.ts";
import type { TiledSize } from "../depthwise-tile.ts";
import type { Features } from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { depthwiseForward } from "./depthwise-forward.ts";
import { depthwiseInputGradient } from "./depthwise-input-gradient.ts";
import { depthwiseParts } from "./depthwise-rows.ts";
import { depthwiseWeightGradient } from "./depthwise-weight-gradient.ts";
import { packGroups } from "./pack-groups.ts";

/** @param size of the windows that have tiles; 0 for none: any geometry. See `depthwiseRows` for which may be tiled. */
export function depthwiseTraining(
  module: ModuleBuilder,
  size: TiledSize | 0,
  features: Features,
  tile: Pick<Tile, "lanes">,
) {
  const parts = depthwiseParts(module, size, features, tile);
  return [
    packGroups(module, tile),
    depthwiseForward(module, parts),
    depthwiseInputGradient(module, parts),
    depthwiseWeightGradient(module, parts),
  ] as const;
}
