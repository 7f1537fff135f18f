/** What of a network is drawn, part by part: layers that change a shape, pairs of them, and where branches meet. */

import type { Shape } from "../core/tensor.ts";
import { type CostLayer, cost } from "../cost/index.ts";
import type { Network } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import { type LayerKind, layerKind } from "./kinds.ts";
import { shownName } from "./layer-names.ts";

/** A layer as a box. */
export interface Box {
  readonly name: string;
  readonly kind: LayerKind | "input";
  /** What comes out: height, width and channels; of a vector its length. */
  readonly output: Shape;
  /** Height of the feature map; 1 of a vector. */
  readonly side: number;
  readonly channels: number;
  readonly stride: readonly [number, number];
}

/** One box, the two of a separable pair, or the sign of an operation on what several layers gave. */
export interface NetworkPart {
  readonly boxes: readonly Box[];
  readonly sign?: "+" | "×";
}

/** The parts of a network in the order in which they run. */
export interface NetworkParts {
  readonly parts: readonly NetworkPart[];
  /** Layers that are boxes or signs, without the input. */
  readonly drawn: number;
  readonly pairs: number;
  /** Layers of a step of their own that change no shape: not drawn. How many there are of each type that there is. */
  readonly hidden: readonly (readonly [type: UnseenType, count: number])[];
}

const UNSEEN_TYPES = ["batchNorm", "activation", "softmax"] as const satisfies readonly CostLayer["type"][];
export type UnseenType = (typeof UNSEEN_TYPES)[number];
const SIGNS: { readonly [Type in CostLayer["type"]]?: "+" | "×" } = { add: "+", multiply: "×" };

export function partsOf(network: Network): NetworkParts {
  const { layers } = cost(network);
  const hidden = UNSEEN_TYPES.flatMap((type) => {
    const count = layers.filter((layer) => layer.type === type).length;
    return count === 0 ? [] : [[type, count] as const];
  });
  const shown = layers.filter(({ type }) => hidden.every(([unseen]) => unseen !== type));
  const parts: NetworkPart[] = [{ boxes: [boxOf(INPUT, "input", network.inputShape)] }];
  let pairs = 0;
  for (const [index, layer] of shown.entries()) {
    const sign = SIGNS[layer.type];
    if (sign !== undefined) {
      parts.push({ boxes: [], sign });
      continue;
    }
    const box = boxOf(shownName(layer.name), layerKind(layer), layer.outputShape, layer.stride);
    const last = parts[parts.length - 1];
    if (isSecond(layer, shown[index - 1]) && last !== undefined) {
      parts[parts.length - 1] = { boxes: [...last.boxes, box] };
      pairs++;
    } else parts.push({ boxes: [box] });
  }
  return { parts, pairs, drawn: shown.length, hidden };
}

/** Whether it is the pointwise layer of a pair: a count says of both what they save. */
function isSecond(layer: CostLayer, before: CostLayer | undefined): boolean {
  return (
    layer.type === "pointwiseConv2d" &&
    before?.type === "depthwiseConv2d" &&
    layer.standardRatio !== undefined &&
    before.standardRatio !== undefined
  );
}

function boxOf(name: string, kind: Box["kind"], output: Shape, stride: readonly [number, number] = [1, 1]): Box {
  const side = output.length === 3 ? (output[0] ?? 1) : 1;
  return { name, kind, output, side, channels: output[output.length - 1] ?? 1, stride };
}
