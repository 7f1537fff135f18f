/**
 * How other tools call the tensors of MobileNet V1, and how they lay them out. Ours are Keras' names and layouts.
 *
 * A map is one file; `table.ts` lists them.
 */

import type { Layout } from "../transpose.ts";

export interface Target {
  readonly name: string;
  readonly layout: Layout;
}

/** What a family of files is known to be made with, where the file itself does not say. */
export interface FamilyDefaults {
  readonly padding: "same" | "keras" | "symmetric";
  readonly epsilon: number;
  readonly activation: "relu" | "relu6";
  readonly channelRounding: "truncate" | "floor" | "divisible8";
}

export interface NameMap {
  readonly family: string;
  /** Whether these are the names of this family. */
  matches(names: ReadonlySet<string>): boolean;
  /** Our name, `"ignored"` for what a network does not need, or undefined for a name the family does not know. */
  translate(name: string): Target | "ignored" | undefined;
  readonly defaults: FamilyDefaults;
}

/** PyTorch's batch norm entries, and what Keras calls them. `num_batches_tracked` only counts. */
const BATCH_NORM: Readonly<Record<string, string>> = {
  weight: "gamma",
  bias: "beta",
  running_mean: "moving_mean",
  running_var: "moving_variance",
};

/** The target of a PyTorch batch norm entry behind the layer `layer`. */
export function batchNormTarget(layer: string, entry: string): Target | "ignored" | undefined {
  if (entry === "num_batches_tracked") return "ignored";
  const name = BATCH_NORM[entry];
  return name === undefined ? undefined : { name: `${layer}_bn/${name}`, layout: "as-is" };
}

/** The target of a PyTorch convolution weight or bias. */
export function convolutionTarget(layer: string, entry: string): Target | undefined {
  if (entry === "bias") return { name: `${layer}/bias`, layout: "as-is" };
  if (entry !== "weight") return undefined;
  return layer.startsWith("conv_dw_")
    ? { name: `${layer}/depthwise_kernel`, layout: "depthwise-oihw" }
    : { name: `${layer}/kernel`, layout: "oihw" };
}

/** The target of the classifier's weight or bias. */
export function classifierTarget(entry: string): Target | undefined {
  if (entry === "weight") return { name: "conv_preds/kernel", layout: "linear" };
  return entry === "bias" ? { name: "conv_preds/bias", layout: "as-is" } : undefined;
}
