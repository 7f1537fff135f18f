/** What each operation of a graph becomes in a network of ours: one row an operation. */

import { quoted } from "../../core/file-error.ts";
import { type ExplicitPadding, layWindow } from "../../core/window.ts";
import type { GraphNode, GraphOperation } from "../../formats/graph.ts";
import { affine } from "./emit-affine.ts";
import { convolution, dense } from "./emit-weighted.ts";
import { isKind } from "./path.ts";
import { described, imageOf, inShape, laidValue, layoutOf, naturally, rawValue, type Site } from "./site.ts";
import { imageView, longAxes, plainView, reshapedView, type Value, withLast } from "./views.ts";

type OperationOf<Type extends GraphOperation["type"]> = Extract<GraphOperation, { readonly type: Type }>;

type Row<Type extends GraphOperation["type"]> = (site: Site, node: GraphNode, operation: OperationOf<Type>) => void;

const ROWS: { readonly [Type in GraphOperation["type"]]: Row<Type> } = {
  convolution,
  dense,
  batchNorm: affine,
  add: (site, node, { type }) => joined(site, node, type),
  multiply: (site, node, { type }) => joined(site, node, type),
  subtract: affine,
  divide: affine,
  rsqrt: (site, { name }) => site.refuse(`${quoted(name)} takes a root of what is computed`),
  activation,
  pad,
  globalPool,
  pool,
  softmax,
  reshape,
  identity: (site, node) => give(site, node, rawValue(site, node.inputs[0], node.name)),
  other: (site, { name }, { name: kind }) => site.refuse(isKind(name, kind)),
};

/** Adds the layers of a node, and notes its value. */
export function emit<Type extends GraphOperation["type"]>(
  site: Site,
  node: GraphNode & { readonly operation: OperationOf<Type> },
): void {
  const row: Row<Type> = ROWS[node.operation.type as Type];
  row(site, node, node.operation);
}

function give(site: Site, { outputs: [output = ""] }: GraphNode, value: Value): void {
  site.values.set(output, value);
}

/** A sum or product of two computed values, or of one with a constant. */
function joined(site: Site, node: GraphNode, type: "add" | "multiply"): void {
  const { name, inputs } = node;
  const [first, second] = inputs;
  if (inputs.length !== 2) site.refuse(`${quoted(name)} has ${inputs.length} operands, not two`);
  if (inputs.some((input) => site.constants.has(input))) {
    affine(site, node);
    return;
  }
  const [a, b] = [laidValue(site, first, name), laidValue(site, second, name)];
  const covers = (large: Value, small: Value) =>
    large.sides.length === small.sides.length &&
    small.sides.every((side, axis) => side === 1 || side === large.sides[axis]);
  const [large, small] = covers(a, b) ? [a, b] : [b, a];
  const order = large.order.filter((axis) => small.sides[axis] !== 1);
  const isAlike = longAxes(small).every((axis, i) => axis === order[i]);
  const isRow = [a, b].some(({ flattened, isUnsure }) => flattened !== undefined || isUnsure);
  if (!covers(large, small) || !isAlike || isRow || large.sides.length > 3) {
    site.refuse(`${quoted(name)} joins ${described(a)} and ${described(b)}`);
  }
  const shape = large.order.map((axis) => large.sides[axis] ?? 1);
  const other = large.order.map((axis) => small.sides[axis] ?? 1);
  const layer = site.draft.add(name, type, [inShape(site, large, shape), inShape(site, small, other)]);
  give(site, node, { node: layer, shape, sides: large.sides, order: large.order });
}

function activation(site: Site, node: GraphNode, { function: kind, slope = 0 }: OperationOf<"activation">): void {
  const value = laidValue(site, node.inputs[0], node.name);
  if (kind === "leakyRelu" && !(slope >= 0 && slope < 1))
    site.refuse(`${quoted(node.name)} is a leakyRelu of slope ${slope}`);
  const attributes = { function: kind, ...(kind === "leakyRelu" ? { slope } : {}) };
  const isNone = kind === "linear";
  const layer = isNone ? value.node : site.draft.add(node.name, "activation", [value.node], attributes);
  give(site, node, { ...value, node: layer });
}

/** Zeros are left to whoever reads the image, as most windows can lay them themselves. */
function pad(site: Site, node: GraphNode, { padding, layout = layoutOf(site) }: OperationOf<"pad">): void {
  const raw = rawValue(site, node.inputs[0], node.name);
  const image = imageOf(site, raw, node.name, layout);
  give(site, node, { ...image, pad: raw.pad === undefined ? padding : sum(raw.pad, padding) });
}

function sum(a: ExplicitPadding, b: ExplicitPadding): ExplicitPadding {
  const side = (axis: 0 | 1) => [a[axis][0] + b[axis][0], a[axis][1] + b[axis][1]] as const;
  return [side(0), side(1)];
}

function globalPool(site: Site, node: GraphNode, operation: OperationOf<"globalPool">): void {
  const { kind, keepDims = false, layout = layoutOf(site) } = operation;
  const image = imageOf(site, laidValue(site, node.inputs[0], node.name), node.name, layout);
  const channels = image.shape[2] ?? 1;
  const type = kind === "average" ? "globalAveragePool" : "globalMaxPool";
  const layer = site.draft.add(node.name, type, [image.node], { keepDims });
  const shape = keepDims ? [1, 1, channels] : [channels];
  give(site, node, { node: layer, shape, ...(keepDims ? imageView(shape, layout) : plainView(shape)) });
}

function pool(site: Site, node: GraphNode, { kind, kernel, strides, padding }: OperationOf<"pool">): void {
  const layout = layoutOf(site);
  const image = imageOf(site, laidValue(site, node.inputs[0], node.name), node.name, layout);
  const [height = 1, width = 1, channels = 1] = image.shape;
  const window = { kernel, stride: strides, dilation: [1, 1], padding } as const;
  const shape = [...layWindow(node.name, window, [height, width]).output, channels];
  const layer = site.draft.add(node.name, kind === "average" ? "averagePool" : "maxPool", [image.node], { ...window });
  give(site, node, { node: layer, shape, ...imageView(shape, layout) });
}

/** Over the last axis of the network. */
function softmax(site: Site, node: GraphNode, { axis }: OperationOf<"softmax">): void {
  const value = laidValue(site, node.inputs[0], node.name);
  const { sides } = value;
  const at = axis === undefined ? sides.length - 1 : axis < 0 ? axis + sides.length : axis - 1;
  // Of a row it is the same in any order.
  const last = sides.length === 1 && !value.isUnsure ? value : withLast(value, at);
  // Older versions of ONNX take all behind the axis as one.
  const isLast = at === sides.length - 1 || longAxes(value).every((long) => long === at);
  if (last === undefined || !(isLast || layoutOf(site) === "NHWC"))
    site.refuse(`${quoted(node.name)} is a softmax of ${described(value)} over axis ${at + 1}`);
  const row = naturally(site, { ...value, ...last });
  give(site, node, { ...row, node: site.draft.add(node.name, "softmax", [row.node]) });
}

function reshape(site: Site, node: GraphNode, { form }: OperationOf<"reshape">): void {
  const value = laidValue(site, node.inputs[0], node.name);
  const view = reshapedView(value, form);
  if (view === undefined) site.refuse(`${quoted(node.name)} lays ${described(value)} out anew`);
  const { node: source, shape } = value;
  give(site, node, { node: source, shape, ...view });
}
