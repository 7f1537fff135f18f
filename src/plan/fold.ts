/** Batch norms that go into the layer before them, and its numbers then. */

import { invariant } from "../core/errors.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import type { LayerNode } from "../layers/node.ts";
import type { Fusible } from "../operations/operation.ts";
import { operationOf } from "../operations/table.ts";
import { type BatchNormNode, countReaders } from "./fuse.ts";
import { foldedWeights, namesByRole, stepWeights, weightNames } from "./step-weights.ts";

/** A batch norm, and the convolution or dense layer that takes it in. */
export interface Folding {
  readonly lead: LayerNode;
  readonly batchNorm: BatchNormNode;
}

/**
 * The batch norms that alone read a convolution or dense layer, wherever they stand: unlike the steps of a plan these
 * need not follow at once. A layer stays as it is if its own value is an output, or has another name to be tapped by.
 */
export function foldings({ layers, outputs, aliases }: Network): readonly Folding[] {
  const nodes = new Map(layers.map((node) => [node.name, node]));
  const readers = countReaders({ layers });
  const wanted = new Set([...Object.values<string>(outputs), ...Object.values(aliases)]);
  return layers.flatMap((batchNorm) => {
    const lead = nodes.get(batchNorm.inputs[0] ?? "");
    if (batchNorm.type !== "batchNorm" || lead === undefined) return [];
    const fuses: readonly Fusible[] = operationOf(lead.type).fuses;
    const isSole = readers.get(lead.name) === 1 && !wanted.has(lead.name);
    return fuses.includes("batchNorm") && isSole ? [{ lead, batchNorm }] : [];
  });
}

/** Kernels and biases with the batch norms in them, by their names: each layer that takes one in has a bias then. */
export function foldedParameters(
  { parameterInfo, parameters }: Network,
  folded: readonly Folding[],
): ReadonlyMap<string, FloatTensor> {
  const names = namesByRole({ parameterInfo });
  const values = new Map<string, FloatTensor>();
  for (const folding of folded) {
    const own = weightNames(names, folding);
    invariant(own?.kernel !== undefined, `"${folding.lead.name}" takes in a batch norm and has no kernel.`);
    const [kernel, bias] = foldedWeights(stepWeights(parameters, own));
    invariant(kernel !== undefined && bias !== undefined, `"${own.kernel}" was folded without a bias.`);
    values.set(own.kernel, tensor(kernel, parameterInfo.get(own.kernel)?.shape ?? []));
    values.set(`${folding.lead.name}/bias`, tensor(bias, [bias.length]));
  }
  return values;
}
