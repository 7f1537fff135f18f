/** What a layer is to the eye: each kind has a colour. */

import type { CostLayer } from "../cost/index.ts";

/** In the order of legends; the names are classes of the style sheet. */
export const LAYER_KINDS = ["standard", "depthwise", "pointwise", "dense", "other"] as const;

export type LayerKind = (typeof LAYER_KINDS)[number];

/** A standard convolution of one pixel is a pointwise one, and whatever makes the logits of one pixel is dense. */
export function layerKind({ type, kind }: Pick<CostLayer, "type" | "kind">): LayerKind {
  if (kind === "Fully Connected") return "dense";
  if (kind === "Conv 1x1") return "pointwise";
  if (type === "conv2d") return "standard";
  return type === "depthwiseConv2d" ? "depthwise" : "other";
}
