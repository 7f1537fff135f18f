/** A small writer of protobuf messages, and of GraphDefs and ONNX models out of it, for the tests of their readers. */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { GraphNode, GraphOperation, ModelGraph } from "../../src/weights/graph/graph.ts";
import type { ModelFile, OpenFile } from "../../src/weights/model-file.ts";

/** Number of a field and its value, in the form of its kind; `floats` and `ints` are packed. */
export type Field = readonly [
  number: number,
  value:
    | { readonly int: number }
    | { readonly float: number }
    | { readonly text: string }
    | { readonly bytes: Uint8Array }
    | { readonly message: readonly Field[] }
    | { readonly floats: readonly number[] }
    | { readonly doubles: readonly number[] }
    | { readonly ints: readonly number[] },
];

export function encode(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if ("int" in value) writer.tag(number, WireType.Varint).int64(value.int);
    else if ("float" in value) writer.tag(number, WireType.Bit32).float(value.float);
    else if ("text" in value) writer.tag(number, WireType.LengthDelimited).string(value.text);
    else if ("bytes" in value) writer.tag(number, WireType.LengthDelimited).bytes(value.bytes);
    else if ("message" in value) writer.tag(number, WireType.LengthDelimited).bytes(encode(value.message));
    else {
      const list = writer.tag(number, WireType.LengthDelimited).fork();
      if ("floats" in value) for (const entry of value.floats) list.float(entry);
      else if ("doubles" in value) for (const entry of value.doubles) list.double(entry);
      else for (const entry of value.ints) list.int64(entry);
      list.join();
    }
  }
  return writer.finish();
}

export function opened(bytes: Uint8Array, beside: Readonly<Record<string, Uint8Array>> = {}): OpenFile {
  return {
    name: "model",
    bytes,
    sibling: async (path) => {
      const found = beside[path];
      if (found === undefined) throw new Error(`no file beside: ${path}`);
      return found;
    },
  };
}

export function littleEndian(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(numbers).buffer);
}

export function graphOf({ content }: ModelFile): ModelGraph {
  if (content.kind !== "graph") throw new Error("no graph");
  return content;
}

export function nodeNamed(graph: ModelGraph, name: string): GraphNode {
  const found = graph.nodes.find((node) => node.name === name);
  if (found === undefined) throw new Error(`no node ${name} among ${graph.nodes.map((node) => node.name).join(", ")}`);
  return found;
}

export function valuesOf(graph: ModelGraph, name: string): readonly number[] {
  const found = graph.constants.get(name);
  if (found === undefined) throw new Error(`no constant ${name} among ${[...graph.constants.keys()].join(", ")}`);
  return [...found.read()];
}

export const operationsOf = (graph: ModelGraph): readonly GraphOperation[] =>
  graph.nodes.map(({ operation }) => operation);
