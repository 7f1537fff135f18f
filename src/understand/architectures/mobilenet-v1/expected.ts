/**
 * The layers that a file of a MobileNet V1 is expected to have: asked of the network that the builder makes, so that
 * its table alone says how many there are, in what order, and what they are called.
 */

import type { ParameterInfo } from "../../../layers/parameter-info.ts";
import {
  type Block,
  MOBILENET_V1_BLOCKS,
  MOBILENET_V1_STEM,
  type MobileNetV1Options,
  mobileNetV1,
  shallowBlocks,
} from "../../../models/index.ts";

/** What may be known of the layers before they are looked for. */
export type KnownLayers = Pick<MobileNetV1Options, "stem" | "blocks" | "shallow" | "standardConvolution">;

export interface ExpectedLayer {
  readonly name: string;
  readonly kind: "stem" | "full" | "depthwise" | "pointwise" | "classifier";
  /** The number of its block, from 1; 0 for the stem, one more than there are blocks for the classifier. */
  readonly block: number;
  /** As the table has it: an output stride may turn it into dilation. */
  readonly stride: number;
  /** Of its block in the table. */
  readonly filters: number;
  /** Our names of all that it may have, in our order: of its kernel, its bias, and the batch norm behind it. */
  readonly parameters: ReadonlyMap<ParameterInfo["role"], string>;
}

const KINDS: Readonly<Record<string, ExpectedLayer["kind"]>> = {
  conv2d: "full",
  depthwiseConv2d: "depthwise",
  pointwiseConv2d: "pointwise",
};

/** What was asked for lately, by what was known. */
const made = /* @__PURE__ */ new Map<string, readonly ExpectedLayer[]>();
const MOST_MADE = 8;

/**
 * In order: the stem, the blocks, the classifier.
 *
 * @throws {DepthwiseError} what `mobileNetV1` throws for these options
 */
export function expectedLayers(known: KnownLayers = {}): readonly ExpectedLayer[] {
  const key = keyOf(known);
  if (key === undefined) return layersOf(known);
  const layers = made.get(key) ?? layersOf(known);
  if (made.size === MOST_MADE) made.clear();
  made.set(key, layers);
  return layers;
}

/** The same for the same layers; none for what a file or a caller says that is no number: the builder refuses that. */
function keyOf({ stem = MOBILENET_V1_STEM, blocks = MOBILENET_V1_BLOCKS, ...others }: KnownLayers): string | undefined {
  const rows: readonly (Partial<Block> | undefined)[] = [stem, ...(Array.isArray(blocks) ? blocks : [])];
  const numbers: readonly unknown[] = rows.flatMap((row) => [row?.stride, row?.filters]);
  const switches: readonly unknown[] = [others.shallow ?? false, others.standardConvolution ?? false];
  const isSound =
    numbers.every((value) => typeof value === "number") && switches.every((value) => typeof value === "boolean");
  return isSound ? [...numbers, ...switches].join() : undefined;
}

function layersOf(known: KnownLayers): readonly ExpectedLayer[] {
  const { layers, aliases, parameterInfo } = mobileNetV1<MobileNetV1Options>({ ...known, convolutionBias: true });
  const { stem = MOBILENET_V1_STEM, blocks = MOBILENET_V1_BLOCKS, shallow = false } = known;
  const rows = [stem, ...(shallow ? shallowBlocks(blocks) : blocks)];
  const ends = new Set(Object.values(aliases));
  const places = new Map<string, Omit<ExpectedLayer, "parameters">>();
  let block = 0;
  for (const { name, type } of layers) {
    const kind = block === 0 ? "stem" : block === ends.size ? "classifier" : KINDS[type];
    const { stride = 1, filters = 0 } = rows[block] ?? {};
    if (kind !== undefined) places.set(name, { name, kind, block, stride: kind === "pointwise" ? 1 : stride, filters });
    if (ends.has(name)) block++;
  }
  const found: ExpectedLayer[] = [];
  let parameters = new Map<ParameterInfo["role"], string>();
  for (const { name, node, role } of parameterInfo.values()) {
    const place = places.get(node);
    if (role === "kernel" && place !== undefined) {
      parameters = new Map();
      found.push({ ...place, parameters });
    }
    parameters.set(role, name);
  }
  return found;
}

/** The last of the layers. */
export function classifierOf(layers: readonly ExpectedLayer[] = expectedLayers()): ExpectedLayer {
  return layers.at(-1) as ExpectedLayer;
}

/** How many blocks are among the layers. */
export function blockCount(layers: readonly ExpectedLayer[]): number {
  return classifierOf(layers).block - 1;
}

/** The stem and the last layer of each block: their filters are those of the table. */
export function tableRows(layers: readonly ExpectedLayer[]): readonly ExpectedLayer[] {
  return layers.filter(({ kind }) => kind !== "depthwise" && kind !== "classifier");
}

/** A parameter of a layer, its kernel if no other is named. */
export function parameterOf<Value>(
  parameters: ReadonlyMap<string, Value>,
  layer: ExpectedLayer | undefined,
  role: ParameterInfo["role"] = "kernel",
): Value | undefined {
  return parameters.get(layer?.parameters.get(role) ?? "");
}

/** What options say of the layers. */
export function knownLayers({ stem, blocks, shallow, standardConvolution }: MobileNetV1Options): KnownLayers {
  return {
    ...(stem && { stem }),
    ...(blocks && { blocks }),
    ...(shallow !== undefined && { shallow }),
    ...(standardConvolution !== undefined && { standardConvolution }),
  };
}
