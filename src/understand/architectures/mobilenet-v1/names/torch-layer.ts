/** What PyTorch calls the parameters of a layer, the same in every family that was trained with it. */

import type { Target } from "../../../name-map.ts";

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
} as const satisfies Record<string, Record<string, readonly [string, Target["layout"]]>>;

/** What a family calls a convolution and the batch norm after it, without the parameters. */
export type Pair = readonly [convolution: string, batchNorm: string];

/**
 * All names of a family with what they mean; the counts of batches seen are ignored.
 *
 * @param blockNames of a block, 1 to 13: of its depthwise and of its pointwise convolution
 */
export function torchNames(
  stem: Pair,
  blockNames: (block: number) => readonly [depthwise: Pair, pointwise: Pair],
  classifier: string,
): ReadonlyMap<string, Target | "ignored"> {
  const names = new Map<string, Target | "ignored">();
  const add = (type: keyof typeof PARAMETERS, ours: string, theirs: string) => {
    for (const [parameter, [name, layout]] of Object.entries(PARAMETERS[type])) {
      names.set(`${theirs}.${parameter}`, { name: `${ours}/${name}`, layout });
    }
  };
  const addPair = (type: "convolution" | "depthwise", ours: string, [convolution, batchNorm]: Pair) => {
    add(type, ours, convolution);
    add("batchNorm", `${ours}_bn`, batchNorm);
    names.set(`${batchNorm}.num_batches_tracked`, "ignored");
  };
  addPair("convolution", "conv1", stem);
  for (let block = 1; block <= BLOCKS; block++) {
    const [depthwise, pointwise] = blockNames(block);
    addPair("depthwise", `conv_dw_${block}`, depthwise);
    addPair("convolution", `conv_pw_${block}`, pointwise);
  }
  add("linear", "conv_preds", classifier);
  return names;
}
