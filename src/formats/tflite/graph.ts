/** A TFLite file as a graph: values named after tensors, nodes after the tensors they give. */

import { damaged, quoted } from "../../core/file-error.ts";
import { elementCount } from "../../core/tensor.ts";
import { uniqueNames } from "../../core/unique-names.ts";
import type { DecodedBudget } from "../../sources/decoded-budget.ts";
import type { GraphConstant, GraphInput, GraphNode, ModelGraph, ValueQuantization } from "../graph.ts";
import { activationByRange, featuresOf, fusedActivation } from "./activation.ts";
import { tfliteConstant } from "./constant.ts";
import { translateOperator } from "./operators.ts";
import type { TfliteModel, TfliteTensor } from "./schema.ts";

/**
 * @param file for messages
 * @throws {DepthwiseError} `FILE_CORRUPT` if values are read before they are there, or written twice; `FILE_TOO_LARGE`
 *         if its constants take more than may be decoded as float32
 */
export function tfliteGraph(model: TfliteModel, file: string, budget: DecodedBudget): ModelGraph {
  const { tensors } = model;
  const unique = uniqueNames();
  const values = tensors.map(({ name, index }) => unique(name === "" ? `tensor ${index}` : name));
  const value = (index: number): string => values[index] ?? "";
  const constants = readConstants(tensors, values, file, budget);

  const known = knownValues(model, file);
  const features = featuresOf(model);
  const nodeName = uniqueNames();
  const nodes = model.operators.flatMap((operator): GraphNode[] => {
    const [output = -1] = operator.outputs;
    const name = nodeName(firstName(value(output)) || operator.name);
    const inputs = operator.inputs.filter((index) => index !== -1);
    const early = inputs.find((index) => !known.has(index));
    if (early !== undefined)
      throw damaged(file, `${quoted(name)} reads ${quoted(value(early))}, which is not there yet`);
    for (const index of operator.outputs) {
      if (known.has(index))
        throw damaged(file, `${quoted(name)} gives ${quoted(value(index))}, which is there already`);
      known.add(index);
    }

    const {
      operation,
      fused,
      inputs: read = operator.inputs.length,
    } = translateOperator(operator, model, `${file}: "${name}"`);
    const node = { name, operation, inputs: withoutLastGaps(operator.inputs.slice(0, read).map(value)) };
    const outputs = operator.outputs.map(value);
    const activation = fusedActivation(fused, name) ?? activationByRange(operator, model, features, name);
    if (activation === undefined) return [{ ...node, outputs }];
    const [result = "", ...others] = outputs;
    const between = unique(`${result}/before activation`);
    const after = { name: nodeName(`${name}/activation`), operation: activation };
    return [
      { ...node, outputs: [between, ...others] },
      { ...after, inputs: [between], outputs: [result] },
    ];
  });
  return {
    kind: "graph",
    inputs: model.inputs.map((index) => graphInput(tensors[index], value(index))),
    nodes,
    constants,
    outputs: model.outputs.map(value),
    quantization: quantizations(tensors, values),
  };
}

/** Converters join the names of all that was fused with ";", the last operation first. */
function firstName(name: string): string {
  return name.split(";", 1)[0] ?? name;
}

function readConstants(
  tensors: readonly TfliteTensor[],
  values: readonly string[],
  file: string,
  budget: DecodedBudget,
): ReadonlyMap<string, GraphConstant> {
  const constants = new Map<string, GraphConstant>();
  let bytes = 0;
  for (const tensor of tensors) {
    if (tensor.data.length === 0) continue;
    const name = values[tensor.index] ?? "";
    const constant = tfliteConstant(tensor, name, file);
    constants.set(name, constant);
    bytes += 4 * elementCount(constant.shape);
  }
  budget.charge(file, bytes, "its constants as float32");
  return constants;
}

/** Tensors that are there before the first operator runs. */
function knownValues({ tensors, inputs }: TfliteModel, file: string): Set<number> {
  const outside = new Set(inputs);
  if (outside.size < inputs.length) throw damaged(file, "one of its inputs is named twice");
  const constant = inputs.find((index) => tensors[index]?.data.length !== 0);
  if (constant !== undefined) throw damaged(file, `its input ${constant} is a constant`);
  const there = tensors.filter(({ data, isVariable }) => data.length > 0 || isVariable);
  return new Set([...outside, ...there.map(({ index }) => index)]);
}

/** Inputs at the end that are left out are no inputs; those before them keep their place. */
function withoutLastGaps(inputs: readonly string[]): readonly string[] {
  const last = inputs.findLastIndex((name) => name !== "");
  return inputs.slice(0, last + 1);
}

/** Without the batch, which is the first side. */
function graphInput(tensor: TfliteTensor | undefined, name: string): GraphInput {
  if (tensor === undefined || tensor.shape.length < 2) return { name };
  const { shape, signature } = tensor;
  const isOpen = (axis: number) => signature.length === shape.length && (signature[axis] ?? 0) < 0;
  const sides = shape.map((side, axis) => (isOpen(axis) || side < 1 ? undefined : side));
  return { name, shape: sides.slice(1) };
}

function quantizations(
  tensors: readonly TfliteTensor[],
  values: readonly string[],
): ReadonlyMap<string, ValueQuantization> {
  return new Map(
    tensors.flatMap(({ quantization, index }) => (quantization ? [[values[index] ?? "", quantization] as const] : [])),
  );
}
