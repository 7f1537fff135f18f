/** Batch norms that go into the layer before them, and its numbers then. */

import { invariant } from "../core/errors.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import type { LayerNode } from "../layers/node.ts";
import { scaleAndShift } from "../operations/batch-norm.ts";
import type { Fusible } from "../operations/operation.ts";
import { operationOf } from "../operations/table.ts";
import { type BatchNormNode, countReaders } from "./fuse.ts";
import { namesByRole } from "./step-weights.ts";

/** A convolution or dense layer, and the batch norms in a row behind it that it takes in: one at least. */
export interface Folding {
  readonly lead: LayerNode;
  readonly batchNorms: readonly BatchNormNode[];
}

/**
 * The batch norms that alone read a convolution or dense layer, or the last of such batch norms, wherever they stand:
 * unlike the steps of a plan these need not follow at once. One stays as it is if the value that it reads is an output,
 * or has another name to be tapped by. A row with an alias in it stays whole: the alias would have to name the layer, and
 * tapping a layer gives its activated value.
 */
export function foldings({ layers, outputs, aliases }: Network): readonly Folding[] {
  const readers = countReaders({ layers });
  const named = new Set(Object.values(aliases));
  const wanted = new Set([...Object.values<string>(outputs), ...named]);
  /** By the layer whose value is the last of each so far. */
  const ends = new Map<string, { readonly lead: LayerNode; readonly batchNorms: BatchNormNode[] }>();
  for (const layer of layers) {
    const [before = ""] = layer.inputs;
    const found = ends.get(before);
    const fuses: readonly Fusible[] = operationOf(layer.type).fuses;
    if (fuses.includes("batchNorm")) ends.set(layer.name, { lead: layer, batchNorms: [] });
    else if (layer.type === "batchNorm" && found && readers.get(before) === 1 && !wanted.has(before)) {
      found.batchNorms.push(layer);
      ends.set(layer.name, found);
    }
  }
  return [...new Set(ends.values())].filter(
    ({ batchNorms }) => batchNorms.length > 0 && !batchNorms.some(({ name }) => named.has(name)),
  );
}

/**
 * Kernels and biases with the batch norms in them, by their names: each layer that takes one in has a bias then. Those
 * in a row become one scale and one shift in float64, so that each number is rounded once.
 */
export function foldedParameters(
  { parameterInfo, parameters }: Network,
  folded: readonly Folding[],
): ReadonlyMap<string, FloatTensor> {
  const names = namesByRole({ parameterInfo });
  const values = new Map<string, FloatTensor>();
  const numbersOf = (node: string, role: string) => parameters.get(names.get(node)?.[role] ?? "");
  for (const { lead, batchNorms } of folded) {
    const kernel = numbersOf(lead.name, "kernel");
    invariant(kernel !== undefined, `"${lead.name}" takes in a batch norm and has no kernel.`);
    const { scale, shift } = composed(batchNorms, numbersOf, numbersOf(lead.name, "bias")?.data);
    const data = kernel.data.map((value, i) => value * (scale[i % scale.length] as number));
    values.set(names.get(lead.name)?.["kernel"] ?? "", tensor(data, kernel.shape));
    values.set(`${lead.name}/bias`, tensor(new Float32Array(shift), [shift.length]));
  }
  return values;
}

/** What all of them do to what the kernel alone gives, one behind the other: `y = x · scale + shift`. */
function composed(
  batchNorms: readonly BatchNormNode[],
  numbersOf: (node: string, role: string) => FloatTensor | undefined,
  bias: Float32Array | undefined,
) {
  let scale = new Float64Array();
  let shift = new Float64Array();
  for (const [place, { name, attributes }] of batchNorms.entries()) {
    const [gamma, beta] = [numbersOf(name, "gamma")?.data, numbersOf(name, "beta")?.data];
    const [mean, variance] = [numbersOf(name, "mean")?.data, numbersOf(name, "variance")?.data];
    invariant(mean !== undefined && variance !== undefined, "A batch norm lacks its statistics.");
    const next = scaleAndShift({ gamma, beta, mean, variance }, attributes.epsilon);
    const [before, offset] = place === 0 ? [undefined, bias] : [scale, shift];
    scale = next.scale.map((factor, c) => factor * (before?.[c] ?? 1));
    shift = next.shift.map((value, c) => value + (offset?.[c] ?? 0) * (next.scale[c] as number));
  }
  return { scale, shift };
}
