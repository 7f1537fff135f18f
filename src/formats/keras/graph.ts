/** What the translation of Keras layers writes into: nodes, constants, and the shapes that are known on the way. */

import { type DepthwiseError, shorten } from "../../core/errors.ts";
import { fileError, quoted } from "../../core/file-error.ts";
import { type Shape, shapeText } from "../../core/tensor.ts";
import type { GraphConstant, GraphNode, GraphOperation } from "../graph.ts";
import { configCorrupt } from "./config.ts";
import type { FlatCall, OpenShape } from "./flatten.ts";

/** One call of a layer while it is translated. */
export interface LayerTranslation {
  readonly call: FlatCall;
  readonly config: FlatCall["config"];
  /** Values that come from other layers. */
  readonly inputs: readonly string[];
  /** Shape of the first of them, without its batch, if it is known. */
  readonly shape: OpenShape | undefined;
  /** Shapes of all arguments, as far as they are known; a number has none. */
  readonly shapes: readonly (OpenShape | undefined)[];
  /** Of the file, for messages. */
  readonly file: string;
  /**
   * Adds a node and returns the name of its value. The node is named after the layer, or after the layer and `part`.
   */
  emit(operation: GraphOperation, inputs: readonly string[], part?: string): string;
  /**
   * A weight of the layer as a constant.
   *
   * @param names what the weight is called in one version of Keras or another
   * @throws {DepthwiseError} `FILE_CORRUPT` if it is missing or has another number of sides than `rank`
   */
  weight(names: readonly string[], rank: number): string;
  /** A constant of one's own. */
  constant(part: string, shape: Shape, read: () => Float32Array): string;
  /** Weights as they are in the file, by variable name. */
  readonly weights: ReadonlyMap<string, GraphConstant>;
}

export interface Sheet {
  readonly nodes: GraphNode[];
  readonly constants: Map<string, GraphConstant>;
  /** A name of its own for a node or a constant: a layer may be called thousands of times. */
  readonly unused: (wished: string) => string;
}

/**
 * @param weights of the layer, by variable name
 * @param shapes  of the arguments
 */
export function openLayerTranslation(
  sheet: Sheet,
  call: FlatCall,
  file: string,
  weights: ReadonlyMap<string, GraphConstant>,
  shapes: readonly (OpenShape | undefined)[],
): LayerTranslation {
  const keep = (constant: GraphConstant) => {
    const name = sheet.unused(constant.name);
    sheet.constants.set(name, { name, shape: constant.shape, read: () => constant.read() });
    return name;
  };
  return {
    call,
    config: call.config,
    inputs: call.arguments.filter((value) => typeof value === "string"),
    shape: shapes[call.arguments.findIndex((value) => typeof value === "string")],
    shapes,
    file,
    weights,
    emit(operation, inputs, part) {
      const name = sheet.unused(part === undefined ? call.id : `${call.id}/${part}`);
      sheet.nodes.push({ name, operation, inputs, outputs: [name] });
      return name;
    },
    weight(names, rank) {
      const found = names.map((name) => weights.get(name)).find((weight) => weight !== undefined);
      const what = `layer ${quoted(call.path)}`;
      if (found === undefined) {
        const there = [...weights.keys()].slice(0, 8).join(", ") || "no weights";
        throw configCorrupt(file, what, { expected: `a weight ${names.join(" or ")}`, found: there });
      }
      if (found.shape.length !== rank) {
        throw configCorrupt(file, `${what}: ${names[0]}`, { expected: `${rank} sides`, found: shapeText(found.shape) });
      }
      return keep({ name: `${call.path}/${names[0]}`, shape: found.shape, read: () => found.read() });
    },
    constant: (part, constantShape, read) => keep({ name: `${call.path}/${part}`, shape: constantShape, read }),
  };
}

/** A setting of a layer that cannot be translated and would change every number: refused rather than left `other`. */
export function settingUnknown(
  { file, call }: LayerTranslation,
  setting: string,
  expected: string,
  found: unknown,
): DepthwiseError {
  const what = `${setting} of layer ${quoted(call.path)} (${shorten(call.className, 100)})`;
  return fileError("ARCHITECTURE_UNKNOWN", file, what, "Such layers do not run here.", {
    expected,
    found: found === undefined ? "nothing" : shorten(JSON.stringify(found), 100),
    fields: { layer: call.path },
  });
}
