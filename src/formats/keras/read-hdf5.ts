/** Keras models in HDF5: whole ones, weights alone by name (Keras 1 and 2), and weights by position (Keras 3). */

import { fileError, quoted } from "../../core/file-error.ts";
import { budgetOf, type DecodedBudget } from "../../sources/decoded-budget.ts";
import { type Hdf5Group, openHdf5 } from "../hdf5/hdf5.ts";
import type { FormatReader, ModelFile } from "../model-file.ts";
import { parseConfig } from "./config.ts";
import { hasLayerNames, readNamedWeights, tensorsByLayer, weightsByLayer } from "./named-weights.ts";
import { hasNumberedWeights, tensorsByPosition } from "./numbered-weights.ts";
import { graphFromKeras } from "./topology.ts";

export const read: FormatReader = async (file, context) => {
  const { name } = file;
  const budget = budgetOf(context);
  const root = openHdf5(file.bytes, name, { ...context, budget });
  const inner = root.get("model_weights");
  const weights = inner?.kind === "group" ? inner : root;
  const remarks = remarksOf(root, weights);
  const config = root.text("model_config");
  if (config !== undefined) return wholeModel(config, weights, name, remarks, budget);
  if (hasLayerNames(weights)) {
    const tensors = tensorsByLayer(await readNamedWeights(weights, name), name);
    return {
      format: "Keras HDF5, weights only",
      content: { kind: "tensors", tensors, isOrdered: true },
      facts: {},
      remarks,
    };
  }
  if (hasNumberedWeights(root)) {
    const tensors = await tensorsByPosition(root, name);
    const order = "Keras 3 counts layers class by class; the file does not say how classes follow each other.";
    const content = { kind: "tensors", tensors, isOrdered: false } as const;
    return { format: "Keras 3 weights", content, facts: {}, remarks: { ...remarks, order } };
  }
  const names = root.names.slice(0, 100);
  throw fileError("FORMAT_UNKNOWN", name, "", "Save the model with Keras: model.save or model.save_weights.", {
    expected: "a model or weights that Keras wrote",
    found: `HDF5 with ${names.slice(0, 5).map(quoted).join(", ") || "nothing in it"}`,
    fields: { names },
  });
};

async function wholeModel(
  text: string,
  weights: Hdf5Group,
  name: string,
  remarks: Remarks,
  budget: DecodedBudget,
): Promise<ModelFile> {
  const layers = await readNamedWeights(weights, name);
  const config = parseConfig(text, name, "model_config", budget);
  const { graph, facts } = graphFromKeras(config, weightsByLayer(layers), { name });
  return { format: "Keras HDF5, whole model", content: graph, facts, remarks };
}

type Remarks = Record<string, unknown>;

function remarksOf(root: Hdf5Group, weights: Hdf5Group): Remarks {
  const remarks: Remarks = {};
  const version = root.text("keras_version") ?? weights.text("keras_version");
  const backend = root.text("backend") ?? weights.text("backend");
  if (version !== undefined) remarks.kerasVersion = version;
  if (backend !== undefined) remarks.kerasBackend = backend;
  if (["optimizer_weights", "optimizer"].some((group) => root.get(group)?.kind === "group")) {
    remarks.optimizer = "The optimizer's state stands beside the weights and was left out.";
  }
  return remarks;
}
