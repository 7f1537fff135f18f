/** Activations of TFLite: an attribute of the operator before them, or nothing but the range of its quantized output. */

import type { GraphOperation, ValueQuantization } from "../graph.ts";
import type { TfliteModel, TfliteOperator } from "./schema.ts";

/** What bytes of a type can be. */
export const BYTE_RANGES: { readonly [dtype: string]: readonly [number, number] } = {
  uint8: [0, 255],
  int8: [-128, 127],
};

const KERNELS = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"];
const ARITHMETIC = ["ADD", "SUB", "MUL", "DIV"];
const WITH_RANGE = new Set([...KERNELS, ...ARITHMETIC]);
const AFTER_FEATURES = new Set([...WITH_RANGE, "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "PAD"]);
const VIEWS = new Set(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"]);

/** A fused activation as an operation of its own; undefined for "NONE". */
export function fusedActivation(fused: string, node: string): GraphOperation | undefined {
  if (fused === "NONE") return undefined;
  if (fused !== "RELU" && fused !== "RELU6") return { type: "other", name: fused };
  const from = `attribute fused_activation_function of "${node}"`;
  return { type: "activation", function: fused === "RELU" ? "relu" : "relu6", basis: "stated", from };
}

/** Tensors that layers read, and nothing else: no result, no classes; by way of others of the same numbers as well. */
export function featuresOf({ operators, outputs }: TfliteModel): ReadonlySet<number> {
  const features = new Set<number>();
  const others = new Set(outputs);
  for (const { name, inputs, outputs: made } of operators.toReversed()) {
    const isLayer = VIEWS.has(name) ? features.has(made[0] ?? -1) : AFTER_FEATURES.has(name);
    for (const input of inputs) {
      if (!isLayer) others.add(input);
      if (others.has(input)) features.delete(input);
      else features.add(input);
    }
  }
  return features;
}

/**
 * The activation that a range stands for. Older converters dropped a ReLU whose bounds are those of the output's
 * bytes: saturation does its work, of sums as of convolutions. Only for features between layers: logits may happen to
 * begin at 0 too; and not of arithmetic with constants, which scales an image.
 */
export function activationByRange(
  { name, inputs, outputs }: TfliteOperator,
  { tensors }: TfliteModel,
  features: ReadonlySet<number>,
  node: string,
): GraphOperation | undefined {
  const [output = -1] = outputs;
  const { quantization } = tensors[output] ?? {};
  if (!WITH_RANGE.has(name) || !features.has(output) || quantization === undefined) return undefined;
  const isFixed = (input: number) => (tensors[input]?.data.length ?? 0) > 0;
  if (ARITHMETIC.includes(name) && inputs.some(isFixed)) return undefined;
  const range = rangeOf(quantization);
  if (range === undefined || range[0] !== 0 || !(range[1] > 0)) return undefined;
  const [scale = 0] = quantization.scale;
  const isSix = Math.abs(range[1] - 6) <= scale / 2;
  const top = isSix ? "6" : range[1].toPrecision(4);
  const from = `the range 0 to ${top} of the output of "${node}"`;
  return { type: "activation", function: isSix ? "relu6" : "relu", basis: "inferred", from };
}

/** The least and the greatest number a byte can stand for; undefined if it is not bytes with one scale. */
export function rangeOf({ dtype, scale, zeroPoint }: ValueQuantization): readonly [number, number] | undefined {
  const bytes = Object.hasOwn(BYTE_RANGES, dtype) ? BYTE_RANGES[dtype] : undefined;
  const [step = 0, ...others] = scale;
  const [zero = 0] = zeroPoint;
  if (bytes === undefined || others.length > 0) return undefined;
  return [step * (bytes[0] - zero), step * (bytes[1] - zero)];
}
