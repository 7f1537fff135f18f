/** Strides, dilations and pads of ONNX's convolutions and pools. */

import { fileError, quoted } from "../../core/file-error.ts";
import { layWindow, type Padding } from "../../core/window.ts";
import type { Pair } from "../graph.ts";
import { type GraphBuilder, senseless } from "../protobuf/graph-builder.ts";
import { isNaturals } from "../stored-tensor.ts";
import type { OnnxNode } from "./node.ts";

export interface OnnxWindow {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: "same" | "valid" | readonly [Pair, Pair];
}

/**
 * The window of a node over images.
 *
 * @param kernel of the constant, for a convolution; pools state theirs
 * @returns undefined if the window has not two sides
 * @throws {DepthwiseError} `FILE_CORRUPT`; `ARCHITECTURE_UNKNOWN` for SAME_LOWER where it depends on a size that is
 *         not stated
 */
export function windowOf(node: OnnxNode, graph: GraphBuilder, kernel: Pair | undefined): OnnxWindow | undefined {
  const list = (name: string) => node.attributes.get(name)?.ints;
  const own = kernel ?? list("kernel_shape");
  if (own?.length !== 2) return undefined;
  const pair = (name: string, values: readonly number[]): Pair => {
    const [vertical = 0, horizontal = 0] = values;
    if (values.length === 2 && values.every((side) => Number.isSafeInteger(side) && side > 0)) {
      return [vertical, horizontal];
    }
    throw senseless(node, graph, name, "two sides of at least 1", values);
  };
  const window = {
    kernel: pair("kernel_shape", own),
    strides: pair("strides", list("strides") ?? [1, 1]),
    dilations: pair("dilations", list("dilations") ?? [1, 1]),
  };
  return { ...window, padding: paddingOf(node, graph, window) };
}

function paddingOf(node: OnnxNode, graph: GraphBuilder, window: Omit<OnnxWindow, "padding">): OnnxWindow["padding"] {
  const automatic = node.attributes.get("auto_pad")?.s ?? "NOTSET";
  switch (automatic) {
    case "SAME_UPPER":
      return "same";
    case "SAME_LOWER":
      return samePixelBefore(node, graph, window);
    case "VALID":
      return "valid";
    case "NOTSET":
    case "":
      break;
    default:
      throw senseless(node, graph, "auto_pad", "NOTSET, VALID, SAME_UPPER or SAME_LOWER", [quoted(automatic)]);
  }
  const pads = node.attributes.get("pads")?.ints ?? [0, 0, 0, 0];
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  if (pads.length !== 4 || !isNaturals(pads)) {
    throw senseless(node, graph, "pads", "four sides of at least 0", pads);
  }
  return [
    [top, bottom],
    [left, right],
  ];
}

/** As TensorFlow's "same", but with the odd pixel in front: above, and on the left. */
function samePixelBefore(node: OnnxNode, graph: GraphBuilder, window: Omit<OnnxWindow, "padding">) {
  const { kernel, strides, dilations } = window;
  const isEven = kernel.every((side, axis) => strides[axis] === 1 && ((side - 1) * (dilations[axis] ?? 1)) % 2 === 0);
  if (isEven) return "same";
  const size = graph.sizes.of(node.inputs[0] ?? "");
  if (size === undefined) {
    const what = `auto_pad of node ${quoted(node.name)} (${node.op})`;
    throw fileError("ARCHITECTURE_UNKNOWN", graph.file, what, "Export the model with a fixed input size.", {
      expected: "SAME_UPPER, explicit pads, or an input whose height and width are stated",
      found: "SAME_LOWER over an image of any size, whose pads depend on that size",
      fields: { node: node.name },
    });
  }
  const same: Padding = "same";
  const { padding } = layWindow(node.name, { kernel, stride: strides, dilation: dilations, padding: same }, size);
  const [[top, bottom], [left, right]] = padding;
  return [
    [bottom, top],
    [right, left],
  ] as const;
}
