/** What PyTorch calls the parameters of a layer, the same in every family that was trained with it. */

import type { Target } from "./name-map.ts";

/** A layer under our name, without the parameter. */
export interface TorchLayer {
  readonly type: "convolution" | "depthwise" | "batchNorm" | "linear";
  readonly name: string;
}

/** Blocks of depthwise and pointwise convolution in a MobileNet V1. */
export const BLOCKS = 13;

/** How most PyTorch code brings a picture, first to 0..1, into the range of its network: torchvision's figures. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

const PARAMETERS = {
  convolution: { weight: ["kernel", "oihw"], bias: ["bias", "as-is"] },
  depthwise: { weight: ["depthwise_kernel", "depthwise-oihw"], bias: ["bias", "as-is"] },
  batchNorm: {
    weight: ["gamma", "as-is"],
    bias: ["beta", "as-is"],
    running_mean: ["moving_mean", "as-is"],
    running_var: ["moving_variance", "as-is"],
  },
  linear: { weight: ["kernel", "linear"], bias: ["bias", "as-is"] },
} as const satisfies Record<TorchLayer["type"], Record<string, readonly [string, Target["layout"]]>>;

/** Our name and the layout of a layer's parameter; the count of batches seen is ignored. */
export function torchTarget(layer: TorchLayer, parameter: string): Target | "ignored" | undefined {
  if (layer.type === "batchNorm" && parameter === "num_batches_tracked") return "ignored";
  const known: Readonly<Record<string, readonly [string, Target["layout"]]>> = PARAMETERS[layer.type];
  const target = Object.hasOwn(known, parameter) ? known[parameter] : undefined;
  return target === undefined ? undefined : { name: `${layer.name}/${target[0]}`, layout: target[1] };
}
