/**
 * Lower learning rates for earlier layers, which know what most pictures have in common.
 *
 * Source: Howard and Ruder 2018, "Universal Language Model Fine-tuning", §3.2, discriminative rates; a hundredth for the
 * first layer as in fastai's `fine_tune`, in even steps on a logarithmic scale, a step a layer.
 */

import { powerOf } from "../../core/power.ts";
import type { Network } from "../../layers/network.ts";
import type { ParameterInfo } from "../../layers/parameter-info.ts";

/**
 * The factor of each parameter's rate: `firstRate` in the first layer that has parameters to train, 1 in the head,
 * firstRate^(1 − depth) between, depth from 0 to 1 by how many such layers come before. A batch norm has the depth of what
 * it normalises.
 */
export function depthRates(
  { layers, parameterInfo }: Pick<Network, "layers" | "parameterInfo">,
  head: string,
  firstRate: number,
): (parameter: ParameterInfo) => number {
  const trained = new Set([...parameterInfo.values()].filter(({ trainable }) => trainable).map(({ node }) => node));
  const places = new Map<string, number>();
  let count = 0;
  for (const { name, type, inputs } of layers) {
    const own = type === "batchNorm" ? places.get(inputs[0] ?? "") : undefined;
    if (own !== undefined) places.set(name, own);
    else if (trained.has(name)) places.set(name, count++);
  }
  const last = places.get(head) ?? count - 1;
  return ({ node }) => {
    const place = Math.min(places.get(node) ?? 0, last);
    return place >= last ? 1 : powerOf(firstRate, 1 - place / last);
  };
}
