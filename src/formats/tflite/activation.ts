/** Activations of TFLite: an attribute of the operator before them, or nothing but the range of its quantized output. */

import type { GraphOperation, ValueQuantization } from "../graph.ts";
import type { TfliteModel, TfliteOperator } from "./schema.ts";

/** What bytes of a type can be. */
export const BYTE_RANGES: { readonly [dtype: string]: readonly [number, number] } = {
  uint8: [0, 255],
  int8: [-128, 127],
};

const WITH_RANGE = new Set(["CONV_2D", "DEPTHWISE_CONV_2D"]);
const AFTER_FEATURES = new Set(["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "PAD"]);

/** A fused activation as an operation of its own; undefined for "NONE". */
export function fusedActivation(fused: string, node: string): GraphOperation | undefined {
  if (fused === "NONE") return undefined;
  if (fused !== "RELU" && fused !== "RELU6") return { type: "other", name: fused };
  const from = `attribute fused_activation_function of "${node}"`;
  return { type: "activation", function: fused === "RELU" ? "relu" : "relu6", basis: "stated", from };
}

/** Operators that read a tensor, by the tensor; each is looked up again for every convolution. */
export function consumersOf({ operators }: TfliteModel): ReadonlyMap<number, readonly string[]> {
  const consumers = new Map<number, string[]>();
  for (const { name, inputs } of operators) {
    for (const input of inputs) {
      const names = consumers.get(input);
      if (names === undefined) consumers.set(input, [name]);
      else names.push(name);
    }
  }
  return consumers;
}

/**
 * The activation that a range stands for. Older converters dropped a ReLU whose bounds are those of the output's
 * bytes: saturation does its work. Only for features between layers: logits may happen to begin at 0 too.
 */
export function activationByRange(
  { name, outputs }: TfliteOperator,
  model: TfliteModel,
  consumers: ReadonlyMap<number, readonly string[]>,
  results: ReadonlySet<number>,
  node: string,
): GraphOperation | undefined {
  const [output = -1] = outputs;
  const { quantization } = model.tensors[output] ?? {};
  const readers = consumers.get(output) ?? [];
  if (!WITH_RANGE.has(name) || readers.length === 0 || !readers.every((reader) => AFTER_FEATURES.has(reader))) {
    return undefined;
  }
  if (results.has(output) || quantization === undefined) return undefined;
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
