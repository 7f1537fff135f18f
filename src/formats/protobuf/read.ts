/** Protobuf files, which have no signature: ONNX, TensorFlow graphs and others told apart by their outermost fields. */

import { fileError } from "../../core/file-error.ts";
import { ownPart } from "../../core/own-part.ts";
import { budgetOf } from "../../sources/decoded-budget.ts";
import type { FormatReader } from "../model-file.ts";
import { openProtobuf } from "./message.ts";

/**
 * Reads an ONNX model or a TensorFlow frozen graph.
 *
 * @throws {DepthwiseError} `FORMAT_UNKNOWN` for other protobuf files, by name; whatever the reader
 *         of the format throws
 */
export const read: FormatReader = async (file, given) => {
  const context = { ...given, budget: budgetOf(given) };
  const { outline } = openProtobuf(file, context);
  const kind = kindOf(outline());
  if (kind === "ONNX")
    return (await ownPart("the reader of ONNX", () => import("../onnx/read.ts"))).read(file, context);
  if (kind === "GraphDef")
    return (await ownPart("the reader of TensorFlow graphs", () => import("../tensorflow/read.ts"))).read(
      file,
      context,
    );
  const { found, advice } = REFUSED[kind];
  const expected = "an ONNX model or a TensorFlow frozen graph";
  throw fileError("FORMAT_UNKNOWN", file.name, "", advice, { expected, found, fields: { kind } });
};

type RefusedKind = "SavedModel" | "MetaGraph" | "Caffe" | "unknown";

const FREEZE = "freeze the graph (convert_variables_to_constants) or save the model as .h5, .keras or TFLite";

const REFUSED = {
  SavedModel: {
    found: "the graph of a TensorFlow SavedModel, whose weights lie in files beside it (variables/)",
    advice: `TensorFlow's variables files are not read: ${FREEZE}.`,
  },
  MetaGraph: {
    found: "a TensorFlow MetaGraph (.meta), which goes with a checkpoint and holds no weights",
    advice: `TensorFlow's checkpoints are not read: ${FREEZE}.`,
  },
  Caffe: {
    found: "a Caffe network",
    advice: "Convert it to ONNX or safetensors where it was made.",
  },
  unknown: {
    found: "a protobuf message of another kind",
    advice: "Check that it is the file you meant, and that it is complete.",
  },
} as const satisfies Record<RefusedKind, { found: string; advice: string }>;

/**
 * Field numbers from onnx.proto (ModelProto), graph.proto, saved_model.proto, meta_graph.proto of TensorFlow and
 * caffe.proto (NetParameter); after the colon the wire type: 0 a number, 2 a string or message.
 */
function kindOf(outline: ReadonlySet<string>): "ONNX" | "GraphDef" | RefusedKind {
  const has = (field: string) => outline.has(field);
  if (has("1:2")) {
    if (has("100:2") || has("4:0")) return "Caffe";
    return has("3:2") || has("5:2") ? "MetaGraph" : "GraphDef";
  }
  // A graph, or the operator sets; a SavedModel has neither number.
  if (has("7:2") || (has("1:0") && has("8:2"))) return "ONNX";
  return has("1:0") && has("2:2") ? "SavedModel" : "unknown";
}
