/** Whether images of an ONNX graph have their channels first or last: its convolutions want them first. */

import type { GraphInput, ImageLayout } from "../graph.ts";
import type { OnnxNode } from "./node.ts";

const TO_CHANNELS_FIRST = "0,3,1,2";
const TO_CHANNELS_LAST = "0,2,3,1";

/** Operations behind which the channels lie where they lay. */
const LAYOUT_KEEPING: ReadonlySet<string> = new Set([
  ..."Identity Cast Dropout Relu Clip LeakyRelu PRelu HardSwish HardSigmoid Sigmoid Softmax".split(" "),
  ..."Add Sub Mul Div Sum Pad QuantizeLinear DequantizeLinear".split(" "),
]);

/** Operations that take their channels first. */
export const CHANNELS_FIRST: ReadonlySet<string> = new Set(
  "Conv BatchNormalization GlobalAveragePool GlobalMaxPool AveragePool MaxPool InstanceNormalization".split(" "),
);

/** The layout of a node's result. */
export function nextLayout({ op, attributes }: OnnxNode, layout: ImageLayout): ImageLayout {
  if (op !== "Transpose") return LAYOUT_KEEPING.has(op) ? layout : "NCHW";
  return attributes.get("perm")?.ints.join() === TO_CHANNELS_LAST ? "NHWC" : "NCHW";
}

/** Whether what a transposition makes has the height and width that it had, by the layouts before and after. */
export function keepsImage({ attributes }: OnnxNode, before: ImageLayout, after: ImageLayout): boolean {
  const perm = attributes.get("perm")?.ints ?? [3, 2, 1, 0];
  const [from, to] = [AXES[before], AXES[after]];
  return perm.length === 4 && to.every((axis, i) => perm[axis] === from[i]);
}

const AXES: { readonly [Order in ImageLayout]: readonly number[] } = { NCHW: [2, 3], NHWC: [1, 2] };

/**
 * The layouts of the inputs: what the first node that cares expects. If none does, the channels are the side of 1 or 3.
 *
 * @param inputs with shapes that include the batch
 * @param nodes  in an order in which they can run
 */
export function inputLayouts(inputs: readonly GraphInput[], nodes: readonly OnnxNode[]): Map<string, ImageLayout> {
  const layouts = new Map<string, ImageLayout>();
  const origins = new Map(inputs.map(({ name }) => [name, name]));
  for (const node of nodes) {
    const origin = node.inputs.map((value) => origins.get(value)).find((name) => name !== undefined);
    if (origin === undefined) continue;
    const expected = expectedLayout(node);
    if (expected !== undefined && !layouts.has(origin)) layouts.set(origin, expected);
    const [result] = node.outputs;
    if (LAYOUT_KEEPING.has(node.op) && result !== undefined) origins.set(result, origin);
  }
  for (const { name, shape } of inputs) if (!layouts.has(name)) layouts.set(name, likelyLayout(shape));
  return layouts;
}

/** What a node expects of its input, if it cares. */
function expectedLayout({ op, attributes }: OnnxNode): ImageLayout | undefined {
  if (CHANNELS_FIRST.has(op)) return "NCHW";
  const order = op === "Transpose" ? attributes.get("perm")?.ints.join() : undefined;
  if (order === TO_CHANNELS_FIRST) return "NHWC";
  return order === TO_CHANNELS_LAST ? "NCHW" : undefined;
}

function likelyLayout(shape: GraphInput["shape"]): ImageLayout {
  const isChannels = (side: number | undefined) => side === 1 || side === 3;
  return shape?.length === 4 && isChannels(shape[3]) && !isChannels(shape[1]) ? "NHWC" : "NCHW";
}
