/** The kernels of depthwise layers in training, which share their functions: a module for each size of tiled windows. */

import type { DepthwiseCall } from "../../../operations/kernel-call.ts";
import type { ModuleBuilder } from "../assembler/index.ts";
import { DEPTHWISE_REACH, type TiledSize } from "../depthwise-tile.ts";
import type { Features, RegisterLanes } from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { depthwiseForward } from "./depthwise-forward.ts";
import { depthwiseInputGradient } from "./depthwise-input-gradient.ts";
import { depthwiseParts } from "./depthwise-rows.ts";
import { depthwiseWeightGradient } from "./depthwise-weight-gradient.ts";
import { packGroups } from "./pack-groups.ts";

/** @param size of the windows that have tiles, of which `depthwiseTiles` says which they are; 0 for any geometry */
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

type DepthwiseGeometry = Pick<DepthwiseCall, "window" | "channels" | "multiplier">;

/** The module that a layer takes: the size of its window if there are tiles for it, else 0. */
export function depthwiseTiles(
  { window, channels, multiplier }: DepthwiseGeometry,
  lanes: RegisterLanes,
): TiledSize | 0 {
  const { kernel, stride, dilation } = window;
  const isSquare = kernel[0] === kernel[1] && stride[0] === stride[1] && dilation[0] === 1 && dilation[1] === 1;
  if (multiplier !== 1 || channels < lanes || !isSquare || stride[0] > 2) return 0;
  return kernel[0] === 3 || kernel[0] === 5 ? kernel[0] : 0;
}

/** Bytes of the zeros that its kernels read, where there are tiles. */
export function depthwiseZeroBytes({ channels, multiplier }: DepthwiseGeometry): number {
  return 4 * DEPTHWISE_REACH * channels * multiplier;
}

/** Bytes of scratch that its weight gradient sums in. */
export function depthwiseSumBytes({ window, channels, multiplier }: DepthwiseGeometry, lanes: RegisterLanes): number {
  return 4 * window.kernel[0] * window.kernel[1] * lanes * Math.ceil((channels * multiplier) / lanes);
}
