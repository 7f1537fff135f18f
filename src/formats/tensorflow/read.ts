/**
 * TensorFlow frozen graphs: a GraphDef whose variables are `Const` nodes.
 *
 * Source: TensorFlow, core/framework/{graph,node_def,attr_value,tensor,tensor_shape,types,versions}.proto.
 */

import { damaged, quoted } from "../../core/file-error.ts";
import { INPUT_COST, NODE_COST } from "../../sources/decoded-budget.ts";
import type { GraphConstant } from "../graph.ts";
import type { FormatReader } from "../model-file.ts";
import { type Message, type NumberKind, openProtobuf, type Protobuf } from "../protobuf/message.ts";
import { tensorConstant } from "../protobuf/tensor.ts";
import type { StoredDType } from "../stored-tensor.ts";
import { graphFromGraphDef } from "./graph-def.ts";
import type { GraphDefAttribute, GraphDefNode } from "./node.ts";

const SHAPE = { dim: [2, { size: [1, "int"] }, "repeated"], unknownRank: [3, "int"] } as const;

const LIST = { s: [2, "bytes", "repeated"], i: [3, "int", "repeated"], shape: [7, SHAPE, "repeated"] } as const;

const ATTRIBUTE = {
  list: [1, LIST],
  s: [2, "bytes"],
  i: [3, "int"],
  f: [4, "float"],
  b: [5, "int"],
  type: [6, "int"],
  shape: [7, SHAPE],
  // Entered only for constants.
  tensor: [8, "bytes"],
} as const;

const NODE = {
  name: [1, "string"],
  op: [2, "string"],
  input: [3, "string", "repeated"],
  attributes: [5, { key: [1, "string"], value: [2, ATTRIBUTE] }, "repeated"],
} as const;

const GRAPH = {
  node: [1, NODE, "repeated"],
  versions: [4, { producer: [1, "int"], minConsumer: [2, "int"] }],
} as const;

const TENSOR = { dtype: [1, "int"], shape: [2, SHAPE], content: [4, "bytes"] } as const;

/** By number: TensorFlow's name and, for those that hold numbers, how they are stored, as bytes or in a list. */
const TYPES: ReadonlyMap<number, readonly [name: string, dtype?: StoredDType, field?: number, kind?: NumberKind]> =
  new Map([
    [1, ["DT_FLOAT", "F32", 5, "float"]],
    [2, ["DT_DOUBLE", "F64", 6, "double"]],
    [3, ["DT_INT32", "I32", 7, "int32"]],
    [4, ["DT_UINT8", "U8", 7, "int32"]],
    [5, ["DT_INT16", "I16", 7, "int32"]],
    [6, ["DT_INT8", "I8", 7, "int32"]],
    [7, ["DT_STRING"]],
    [8, ["DT_COMPLEX64"]],
    [9, ["DT_INT64", "I64", 10, "int64"]],
    [10, ["DT_BOOL", "BOOL", 11, "int32"]],
    [11, ["DT_QINT8", "I8", 7, "int32"]],
    [12, ["DT_QUINT8", "U8", 7, "int32"]],
    [13, ["DT_QINT32", "I32", 7, "int32"]],
    [14, ["DT_BFLOAT16", "BF16", 13, "int32"]],
    [15, ["DT_QINT16", "I16", 7, "int32"]],
    [16, ["DT_QUINT16", "U16", 7, "int32"]],
    [17, ["DT_UINT16", "U16", 7, "int32"]],
    [19, ["DT_HALF", "F16", 13, "int32"]],
  ]);

/**
 * Reads a frozen graph.
 *
 * @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`, `FILE_TOO_LARGE`;
 *         `ARCHITECTURE_UNKNOWN` for NCHW
 */
export const read: FormatReader = async (file, context) => {
  const protobuf = openProtobuf(file, context);
  const { node: messages, versions } = protobuf.decodeFile(GRAPH, "GraphDef");
  const inputs = messages.reduce((sum, { input }) => sum + input.length, 0);
  protobuf.chargeObjects(NODE_COST * messages.length + INPUT_COST * inputs, "the nodes of the graph");
  const nodes: GraphDefNode[] = [];
  const constants = new Map<string, GraphConstant>();
  for (const message of messages) {
    context.signal?.throwIfAborted();
    const node = nodeOf(message);
    nodes.push(node);
    if (node.op !== "Const") continue;
    const constant = constantOf(protobuf, node, message);
    if (constant !== undefined) constants.set(node.name, constant);
  }
  const content = graphFromGraphDef(nodes, constants, { name: file.name, charge: protobuf.charge });
  const { producer, minConsumer } = versions ?? {};
  return {
    format: "TensorFlow frozen graph",
    content,
    facts: {},
    remarks: {
      ...(producer === undefined ? {} : { producerVersion: producer }),
      ...(minConsumer === undefined ? {} : { minConsumerVersion: minConsumer }),
    },
  };
};

function nodeOf({ name = "", op = "", input, attributes }: Message<typeof NODE>): GraphDefNode {
  const plain = attributes.map(({ key = "", value }) => [key, value === undefined ? {} : attributeOf(value)] as const);
  return { name, op, inputs: input, attributes: new Map(plain) };
}

function attributeOf({ list, s, i, f, b, type, shape }: Message<typeof ATTRIBUTE>): GraphDefAttribute {
  const sides = shape && shapeOf(shape);
  return {
    ...(s === undefined ? {} : { s: textOf(s) }),
    ...(i === undefined ? {} : { i }),
    ...(f === undefined ? {} : { f }),
    ...(b === undefined ? {} : { b: b !== 0 }),
    ...(type === undefined ? {} : { type: TYPES.get(type)?.[0] ?? `type ${type}` }),
    ...(sides === undefined ? {} : { shape: sides }),
    ...(list === undefined ? {} : { list: { s: list.s.map(textOf), i: list.i, shape: list.shape.map(shapeOf) } }),
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function shapeOf({ dim, unknownRank }: Message<typeof SHAPE>): readonly number[] | undefined {
  return unknownRank ? undefined : dim.map(({ size = 0 }) => size);
}

/** The constant of a `Const` node; undefined for text and other things that are no numbers. */
function constantOf(
  protobuf: Protobuf,
  { name }: GraphDefNode,
  { attributes }: Message<typeof NODE>,
): GraphConstant | undefined {
  const message = attributes.find(({ key }) => key === "value")?.value?.tensor;
  if (message === undefined) {
    const what = `constant ${quoted(name)}`;
    throw damaged(protobuf.name, what, { expected: "a tensor as its value", found: "none" });
  }
  const { dtype: type = 0, shape, content } = protobuf.decode(TENSOR, message, `tensor ${quoted(name)}`);
  const [, dtype, field, kind] = TYPES.get(type) ?? [];
  if (dtype === undefined || field === undefined || kind === undefined) return undefined;
  return tensorConstant(protobuf, {
    name,
    dtype,
    shape: (shape && shapeOf(shape)) ?? [],
    data:
      content !== undefined && content.length > 0
        ? { type: "bytes", bytes: content }
        : { type: "list", message, field, kind, isExtended: true },
  });
}
