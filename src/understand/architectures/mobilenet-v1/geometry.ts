/** Strides and padding of a graph's layers, as the options of the builder that give just them. */

import { isDepthwiseError } from "../../../core/errors.ts";
import { layWindow, type Padding } from "../../../core/window.ts";
import { type Fact, inferred, stated } from "../../../formats/fact.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../../models/index.ts";
import type { GraphLayer } from "../../graph/layers.ts";
import { optionsOf } from "./decide.ts";
import { expectedLayers, type KnownLayers, tableRows } from "./expected.ts";
import type { V1Facts } from "./facts.ts";
import { blockFacts } from "./own-blocks.ts";

type PaddingStyle = Pick<MobileNetV1Options, "padding" | "stemPadding">;

const STYLES: readonly PaddingStyle[] = [
  { padding: "same" },
  { padding: "keras" },
  { padding: "keras", stemPadding: "explicit" },
  { padding: "symmetric" },
];

/**
 * The facts, or why no options of the builder give this geometry.
 *
 * @param windowed the layers with a window: the first, then the depthwise ones (or full ones) of the blocks
 * @param variant  what is known of the layers besides
 * @param isAsked  whether the caller says that it is shallow
 */
export function geometryFacts(
  windowed: readonly GraphLayer[],
  variant: KnownLayers,
  isAsked: boolean,
  size: readonly [number, number] | undefined,
): V1Facts | string {
  const uneven = windowed.find(({ strides, dilations }) => strides[0] !== strides[1] || dilations[0] !== dilations[1]);
  if (uneven !== undefined) return `"${uneven.name}" has another stride across than down`;
  const strides = strideFacts(windowed, variant, isAsked);
  if (typeof strides === "string") return strides;
  const options = { ...variant, ...optionsOf(strides), inputSize: size ?? ([224, 224] as const), batchNorm: false };
  const padding = paddingFacts(windowed, options, size);
  return typeof padding === "string" ? padding : { ...strides, ...padding };
}

/** The paper's strides, an output stride, or strides of the network's own. */
function strideFacts(windowed: readonly GraphLayer[], variant: KnownLayers, isAsked: boolean): V1Facts | string {
  for (const outputStride of [32, 16, 8] as const) {
    const expected = builderWindows({ ...variant, outputStride, inputSize: [224, 224] });
    const isSame = windowed.every(({ strides, dilations }, i) => {
      const window = expected[i];
      return window?.stride[0] === strides[0] && window.dilation[0] === dilations[0];
    });
    if (!isSame) continue;
    return outputStride === 32 ? {} : { outputStride: inferred(outputStride, "strides and dilations of the layers") };
  }
  const dilated = windowed.find(({ dilations }) => dilations[0] !== 1);
  if (dilated !== undefined) return `"${dilated.name}" is dilated as no output stride of 8 or 16 has it`;
  const from = "strides of the layers";
  const rows = tableRows(expectedLayers(variant));
  const [stem, ...blocks] = rows.map(({ filters }, i) => ({ stride: windowed[i]?.strides[0] ?? 1, filters }));
  return { ...(stem && { stem: inferred(stem, from) }), ...blockFacts(blocks, variant, isAsked, from) };
}

/** The style that pads as the layers do: in the same words, or else with the same pixels. */
function paddingFacts(
  windowed: readonly GraphLayer[],
  options: MobileNetV1Options,
  size: readonly [number, number] | undefined,
): V1Facts | string {
  const literal = STYLES.find((style) => {
    // At any size, and one at which something is left of the image.
    const expected = builderWindows({ ...options, ...style, inputSize: [224, 224] });
    return windowed.every(({ padding }, i) => samePadding(padding, expected[i]?.padding));
  });
  if (literal !== undefined) {
    const from = literal.padding === "same" ? "SAME padding of every layer" : "pads of every layer";
    return styleFacts(literal, (value) => stated(value, from));
  }
  const fitting = STYLES.filter((style) => {
    const expected = windowsIfAny({ ...options, ...style });
    return windowed.every((layer, i) => {
      const window = expected[i];
      if (window === undefined) return false;
      const { kernel, stride, dilation, input } = window;
      const { padding } = layWindow(layer.name, { kernel, stride, dilation, padding: layer.padding }, input);
      return samePadding(padding, window.resolved);
    });
  });
  const [style] = fitting;
  if (style === undefined) {
    const [first] = windowed.filter(({ strides }) => strides[0] === 2);
    return `its layers pad in no known style ("${first?.name}": ${JSON.stringify(first?.padding)})`;
  }
  const at = size === undefined ? "at even sizes" : `at ${size.join(" × ")}`;
  const alike = [...new Set(fitting.map(({ padding }) => padding))].slice(1).map((name) => `"${name}"`);
  const from = `pads of every layer ${at}${alike.length === 0 ? "" : `; ${alike.join(" and ")} would be the same there`}`;
  return styleFacts(style, (value) => inferred(value, from));
}

function styleFacts({ padding, stemPadding }: PaddingStyle, fact: <Value>(value: Value) => Fact<Value>): V1Facts {
  return {
    ...(padding === undefined ? {} : { padding: fact(padding) }),
    ...(stemPadding === undefined ? {} : { stemPadding: fact(stemPadding) }),
  };
}

function samePadding(a: Padding, b: Padding | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The windows of the network these options build, in order. */
function builderWindows(options: MobileNetV1Options) {
  const model = mobileNetV1<MobileNetV1Options>(options);
  return model.layers.flatMap((node) => {
    if (node.type !== "conv2d" && node.type !== "depthwiseConv2d") return [];
    const [height = 0, width = 0] = model.shapes.get(node.inputs[0] ?? "") ?? [];
    const { kernel, stride, dilation, padding } = node.attributes;
    const window = layWindow(node.name, node.attributes, [height, width]);
    return [{ kernel, stride, dilation, padding, input: window.input, resolved: window.padding }];
  });
}

/** The same; none if a style that the file does not have would leave nothing of a small image. */
function windowsIfAny(options: MobileNetV1Options): ReturnType<typeof builderWindows> {
  try {
    return builderWindows(options);
  } catch (error) {
    if (isDepthwiseError(error) && error.code === "NETWORK_VANISHES") return [];
    throw error;
  }
}
