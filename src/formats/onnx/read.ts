/** ONNX models. Source: onnx/onnx.proto (IR versions 3 to 10) and the operators' documentation. */

import { damaged } from "../../core/file-error.ts";
import { INPUT_COST, NODE_COST } from "../../sources/decoded-budget.ts";
import type { GraphInput } from "../graph.ts";
import type { FormatReader } from "../model-file.ts";
import { type Message, openProtobuf } from "../protobuf/message.ts";
import { graphFromOnnx } from "./graph.ts";
import type { OnnxAttribute, OnnxNode } from "./node.ts";
import { type OnnxTensors, onnxTensors } from "./tensors.ts";

const ATTRIBUTE = {
  name: [1, "string"],
  f: [2, "float"],
  i: [3, "int"],
  s: [4, "bytes"],
  // Entered only for constants.
  tensor: [5, "bytes"],
  floats: [7, "float", "repeated"],
  ints: [8, "int", "repeated"],
} as const;

const NODE = {
  input: [1, "string", "repeated"],
  output: [2, "string", "repeated"],
  name: [3, "string"],
  op: [4, "string"],
  attributes: [5, ATTRIBUTE, "repeated"],
  domain: [7, "string"],
} as const;

const SHAPE = { dim: [1, { value: [1, "int"], parameter: [2, "string"] }, "repeated"] } as const;

const VALUE = {
  name: [1, "string"],
  type: [2, { tensor: [1, { elementType: [1, "int"], shape: [2, SHAPE] }] }],
} as const;

const GRAPH = {
  node: [1, NODE, "repeated"],
  initializer: [5, "bytes", "repeated"],
  input: [11, VALUE, "repeated"],
  output: [12, VALUE, "repeated"],
} as const;

const MODEL = {
  irVersion: [1, "int"],
  producerName: [2, "string"],
  producerVersion: [3, "string"],
  modelVersion: [5, "int"],
  graph: [7, GRAPH],
  opset: [8, { domain: [1, "string"], version: [2, "int"] }, "repeated"],
  metadata: [14, { key: [1, "string"], value: [2, "string"] }, "repeated"],
} as const;

/**
 * Reads an ONNX model. Weights kept in files beside it are fetched as its siblings.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`, `FILE_TOO_LARGE`; what `sibling`
 *         throws; `ARCHITECTURE_UNKNOWN` for pads that depend on an image whose size is not stated
 */
export const read: FormatReader = async (file, context) => {
  const protobuf = openProtobuf(file, context);
  const model = protobuf.decodeFile(MODEL, "ModelProto");
  const { graph } = model;
  if (graph === undefined) {
    throw damaged(file.name, "ModelProto", { expected: "a graph", found: "none" });
  }
  const tensors = onnxTensors(protobuf, file);
  for (const message of graph.initializer) {
    context.signal?.throwIfAborted();
    await tensors.add(message);
  }
  for (const node of graph.node) await addConstant(node, tensors);
  const inputs = graph.node.reduce((sum, { input }) => sum + input.length, 0);
  protobuf.chargeObjects(NODE_COST * graph.node.length + INPUT_COST * inputs, "the nodes of the graph");
  const content = graphFromOnnx(file.name, {
    nodes: graph.node.map(nodeOf),
    inputs: graph.input.map(inputOf),
    outputs: graph.output.map(({ name = "" }) => name),
    constants: tensors.constants,
    dtypes: tensors.dtypes,
    opset: opsetOf(model),
    charge: protobuf.charge,
  });
  return { format: "ONNX", content, facts: {}, remarks: remarksOf(model) };
};

/** Files from before there were versions state none. */
function opsetOf({ opset }: Message<typeof MODEL>): number {
  return opset.find(({ domain = "" }) => domain === "" || domain === "ai.onnx")?.version ?? 1;
}

function nodeOf({ name = "", op = "", domain = "", input, output, attributes }: Message<typeof NODE>): OnnxNode {
  const isStandard = domain === "" || domain === "ai.onnx";
  return {
    name,
    op: isStandard ? op : `${domain}.${op}`,
    inputs: input,
    outputs: output,
    attributes: new Map(attributes.map((attribute) => [attribute.name ?? "", attributeOf(attribute)])),
  };
}

function attributeOf({ f, i, s, floats, ints }: Message<typeof ATTRIBUTE>): OnnxAttribute {
  return { f: f ?? 0, i: i ?? 0, s: s === undefined ? "" : new TextDecoder().decode(s), floats, ints };
}

/** A `Constant` node's tensor, under the name of its output; text is left to the node. */
async function addConstant({ op, domain, output, attributes }: Message<typeof NODE>, tensors: OnnxTensors) {
  const [attribute] = attributes;
  const [name] = output;
  if (op !== "Constant" || (domain ?? "") !== "" || attribute === undefined || name === undefined) return;
  const { tensor, f, i, floats, ints } = attribute;
  if (attribute.name === "value" && tensor !== undefined) await tensors.add(tensor, name);
  else if (attribute.name === "value_float") tensors.addNumbers(name, [], [f ?? 0]);
  else if (attribute.name === "value_int") tensors.addNumbers(name, [], [i ?? 0]);
  else if (attribute.name === "value_floats") tensors.addNumbers(name, [floats.length], floats);
  else if (attribute.name === "value_ints") tensors.addNumbers(name, [ints.length], ints);
}

/** Its shape is that of the file, batch included, in the file's order. */
function inputOf({ name = "", type }: Message<typeof VALUE>): GraphInput {
  const sides = type?.tensor?.shape?.dim.map(({ value = 0 }) => (value > 0 ? value : undefined));
  return sides === undefined ? { name } : { name, shape: sides };
}

function remarksOf({ irVersion, producerName, producerVersion, modelVersion, opset, metadata }: Message<typeof MODEL>) {
  const opsets = opset.map(({ domain = "", version = 0 }) => [domain === "" ? "ai.onnx" : domain, version] as const);
  const entries = metadata.map(({ key = "", value = "" }) => [key, value] as const);
  return {
    ...(producerName ? { producer: [producerName, producerVersion].filter(Boolean).join(" ") } : {}),
    ...(irVersion === undefined ? {} : { irVersion }),
    ...(opsets.length === 0 ? {} : { opset: Object.fromEntries(opsets) }),
    ...(modelVersion ? { modelVersion } : {}),
    ...(entries.length === 0 ? {} : { metadata: Object.fromEntries(entries) }),
  };
}
