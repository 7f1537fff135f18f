/**
 * The nodes of a graph model: a GraphDef in the JSON of protobuf, where enums are names, integers may be strings and
 * bytes are base64. Source: protobuf's JSON mapping; tfjs-converter, `operations/operation_mapper.ts`.
 */

import { quoted } from "../../core/file-error.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import type { GraphDefAttribute, GraphDefNode } from "../tensorflow/node.ts";
import { tfjsCorrupt } from "./json.ts";

/** @throws {DepthwiseError} `FILE_CORRUPT`, naming the node */
export function graphDefNodes(nodes: readonly unknown[], file: string): readonly GraphDefNode[] {
  return nodes.map((node, index) => {
    if (!isObject(node) || typeof node["name"] !== "string" || typeof node["op"] !== "string") {
      throw tfjsCorrupt(file, `node ${index + 1} of the graph`, "{ name, op, input, attr }", quoted(node));
    }
    const { name, op, input = [], attr = {} } = node as JsonObject & { readonly name: string; readonly op: string };
    if (!Array.isArray(input) || !input.every((entry) => typeof entry === "string")) {
      throw tfjsCorrupt(file, `node ${quoted(name)}: input`, "an array of names", quoted(input));
    }
    if (!isObject(attr)) throw tfjsCorrupt(file, `node ${quoted(name)}: attr`, "an object", quoted(attr));
    const attributes = new Map(
      Object.entries(attr).map(([key, value]) => {
        const wrong = (expected: string, found: unknown) =>
          tfjsCorrupt(file, `node ${quoted(name)}: attribute ${quoted(key)}`, expected, quoted(found));
        return [key, attribute(value, wrong)] as const;
      }),
    );
    return { name, op, inputs: input, attributes };
  });
}

type Wrong = (expected: string, found: unknown) => Error;

/** Fields that no reader of graphs asks for (tensors, functions) are left out. */
function attribute(value: unknown, wrong: Wrong): GraphDefAttribute {
  if (!isObject(value)) throw wrong("an object", value);
  const { s, i, f, b, type, shape, list } = value;
  return {
    ...(s === undefined ? {} : { s: bytesAsText(s, wrong) }),
    ...(i === undefined ? {} : { i: integer(i, wrong) }),
    ...(f === undefined ? {} : { f: float(f, wrong) }),
    ...(b === undefined ? {} : { b: boolean(b, wrong) }),
    ...(type === undefined ? {} : { type: String(type) }),
    ...withShape(shape, wrong),
    ...(list === undefined ? {} : { list: attributeList(list, wrong) }),
  };
}

function attributeList(list: unknown, wrong: Wrong): NonNullable<GraphDefAttribute["list"]> {
  if (!isObject(list)) throw wrong("a list", list);
  const entries = <T>(key: string, read: (entry: unknown, wrong: Wrong) => T): readonly T[] | undefined => {
    const values = list[key];
    if (values === undefined) return undefined;
    if (!Array.isArray(values)) throw wrong("a list of arrays", values);
    return values.map((entry: unknown) => read(entry, wrong));
  };
  const s = entries("s", bytesAsText);
  const i = entries("i", integer);
  const shape = entries("shape", shapeSides);
  return {
    ...(s === undefined ? {} : { s }),
    ...(i === undefined ? {} : { i }),
    ...(shape === undefined ? {} : { shape }),
  };
}

function withShape(shape: unknown, wrong: Wrong): Pick<GraphDefAttribute, "shape"> {
  const found = shape === undefined ? undefined : shapeSides(shape, wrong);
  return found === undefined ? {} : { shape: found };
}

/** `{ dim: [{ size }] }`; undefined where the rank is unknown. An empty object is a scalar's. */
export function shapeSides(shape: unknown, wrong: Wrong): readonly number[] | undefined {
  if (!isObject(shape)) throw wrong("a shape", shape);
  if (shape["unknownRank"] === true) return undefined;
  const { dim = [] } = shape;
  if (!Array.isArray(dim)) throw wrong("a shape", shape);
  // Protobuf leaves out what is 0.
  return dim.map((side: unknown) => integer(isObject(side) ? (side["size"] ?? 0) : side, wrong));
}

/** Base64, or an array of bytes as early converters wrote. */
function bytesAsText(value: unknown, wrong: Wrong): string {
  if (Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) {
    return new TextDecoder().decode(Uint8Array.from(value as number[]));
  }
  if (typeof value !== "string") throw wrong("base64", value);
  let binary: string;
  try {
    // Protobuf allows the alphabet of URLs as well.
    binary = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw wrong("base64", value);
  }
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

function integer(value: unknown, wrong: Wrong): number {
  const number = typeof value === "string" && /^[+-]?\d{1,20}$/.test(value) ? Number(value) : value;
  // Ends of a range are written as the greatest of 64 bits, which a number holds only nearly.
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw wrong("an integer", value);
}

function float(value: unknown, wrong: Wrong): number {
  if (typeof value === "number") return value;
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity" || value === "-Infinity") return Number(value);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (!Number.isNaN(number)) return number;
  throw wrong("a number", value);
}

function boolean(value: unknown, wrong: Wrong): boolean {
  if (typeof value === "boolean") return value;
  throw wrong("true or false", value);
}
