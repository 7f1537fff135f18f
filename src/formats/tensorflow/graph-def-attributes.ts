/** Attributes of a GraphDef's nodes: layouts, windows, pads. */

import { fileError, quoted } from "../../core/file-error.ts";
import type { ExplicitPadding } from "../../core/window.ts";
import type { Pair } from "../graph.ts";
import { type GraphBuilder, senseless } from "../protobuf/graph-builder.ts";
import { isNaturals } from "../stored-tensor.ts";
import type { GraphDefNode } from "./node.ts";

/** @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN` for channels first */
export function requireNhwc(node: GraphDefNode, { file }: GraphBuilder): void {
  const format = node.attributes.get("data_format")?.s ?? "NHWC";
  if (format === "NHWC") return;
  const what = `data_format of node ${quoted(node.name)} (${node.op})`;
  const advice = "Freeze the graph with channels last, as TensorFlow runs it on a CPU.";
  throw fileError("ARCHITECTURE_UNKNOWN", file, what, advice, {
    expected: "NHWC, channels last",
    found: quoted(format),
    fields: { node: node.name, dataFormat: format },
  });
}

/** Height and width out of `[1, height, width, 1]`. */
export function windowSides(node: GraphDefNode, graph: GraphBuilder, attribute: string): Pair {
  const list = node.attributes.get(attribute)?.list?.i ?? [];
  const [batch, height, width, channels] = list;
  const isPositive = list.every((side) => Number.isSafeInteger(side) && side > 0);
  if (list.length === 4 && isPositive && batch === 1 && channels === 1 && height !== undefined && width !== undefined) {
    return [height, width];
  }
  throw senseless(node, graph, attribute, "[1, height, width, 1]", `[${list.slice(0, 8).join(", ")}]`);
}

export function paddingOf(node: GraphDefNode, graph: GraphBuilder): "same" | "valid" | ExplicitPadding {
  const text = node.attributes.get("padding")?.s;
  if (text === "SAME") return "same";
  if (text === "VALID") return "valid";
  const pads = text === "EXPLICIT" ? explicit(node.attributes.get("explicit_paddings")?.list?.i) : undefined;
  if (pads !== undefined) return pads;
  const found = text === "EXPLICIT" ? "explicit pads that are none" : quoted(text ?? "");
  throw senseless(node, graph, "padding", "SAME, VALID or EXPLICIT with pads of the image", found);
}

/** Pads before and after each of the four axes; undefined unless they are pixels around the image. */
export function explicit(pads: readonly number[] | undefined): ExplicitPadding | undefined {
  if (pads?.length !== 8 || !isNaturals(pads)) return undefined;
  const [before = 0, after = 0, top = 0, bottom = 0, left = 0, right = 0, front = 0, back = 0] = pads;
  if (before + after + front + back > 0) return undefined;
  return [
    [top, bottom],
    [left, right],
  ];
}

export function floatAttribute(node: GraphDefNode, name: string): number | undefined {
  return node.attributes.get(name)?.f;
}
