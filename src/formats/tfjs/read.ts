/**
 * TensorFlow.js: a `model.json` with its shards beside it.
 *
 *     { format?, generatedBy?, convertedBy?, signature?, userDefinedMetadata?, modelTopology, weightsManifest }
 *
 * `modelTopology` is a Keras configuration (a layers model), alone or in `model_config`; or a GraphDef (a graph
 * model); or null. Files before 2019 have only the last two entries. Source: tfjs-core, `io/types.ts`.
 */

import { type DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import { fileError, quoted } from "../../core/file-error.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { budgetOf } from "../../sources/decoded-budget.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import { type FileFacts, stated } from "../fact.ts";
import type { GraphConstant } from "../graph.ts";
import { graphFromKeras } from "../keras/topology.ts";
import type { FormatReader, ModelFile, ReadContext } from "../model-file.ts";
import { graphFromGraphDef } from "../tensorflow/graph-def.ts";
import { graphDefNodes, shapeSides } from "./graph.ts";
import { parseModelJson, tfjsCorrupt, unknownJson } from "./json.ts";
import { type ManifestGroup, type ManifestWeight, parseManifest, readWeights } from "./manifest.ts";
import { readOwnFile } from "./own.ts";

/** Reads the bytes of a `model.json`; its shards are asked for with `file.sibling`. */
export const read: FormatReader = async (file, given) => {
  const budget = budgetOf(given);
  const context = { ...given, budget };
  const json = parseModelJson(file.bytes, file.name, context.maxBytes, budget);
  const { modelTopology: topology, weightsManifest: manifest } = json;
  if (manifest === undefined) throw unknownJson(json, file.name);
  const groups = parseManifest(manifest, file.name, context.maxBytes, budget);
  const remarks = remarksOf(json, groups);
  if (topology === undefined || topology === null) return readManifestAlone(groups, remarks, file, context);
  if (!isObject(topology)) throw tfjsCorrupt(file.name, "modelTopology", "an object", quoted(topology));
  const own = isObject(json["userDefinedMetadata"]) ? readOwnFile(json["userDefinedMetadata"], file.name) : undefined;
  const layers = layersOf(topology);
  const { node } = topology;
  if (own === undefined && layers === undefined && !Array.isArray(node)) throw unknownTopology(topology, file.name);

  const weights = await readWeights(groups, file, context);
  if (own !== undefined) return own(weights, remarks);
  const facts = signatureFacts(json);
  if (layers !== undefined) {
    const found = graphFromKeras(layers, weightsOf(weights, file.name), { name: file.name });
    return { format: "TensorFlow.js layers model", content: found.graph, facts: { ...facts, ...found.facts }, remarks };
  }
  const nodes = graphDefNodes(node as readonly unknown[], file.name);
  const constants = new Map([...weights].map(([name, { constant }]) => [name, constant]));
  const outputs = signatureOutputs(json, new Set(nodes.map(({ name }) => name)));
  const graph = graphFromGraphDef(nodes, constants, {
    name: file.name,
    ...(outputs.length === 0 ? {} : { outputs: outputs.map(([, value]) => value) }),
  });
  const content = outputs.length === 0 ? graph : { ...graph, outputNames: outputs.map(([name]) => name) };
  return { format: "TensorFlow.js graph model", content, facts, remarks };
};

/** The Keras configuration in a topology, which may be the topology itself. */
function layersOf(topology: JsonObject): JsonObject | undefined {
  const config = topology["model_config"] ?? topology;
  return isObject(config) && typeof config["class_name"] === "string" ? config : undefined;
}

/** Names by which Keras calls weights; without a topology nothing else says what a weight is. */
const KERAS_WEIGHT = /(^|\/)(kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)$/;

const NO_TOPOLOGY = "the manifest names weights, but modelTopology is null: it says nothing of the layers";

/** Weights without a topology: tensors by name, if the shards are there and the names say something. */
async function readManifestAlone(
  groups: readonly ManifestGroup[],
  remarks: ModelFile["remarks"],
  file: OpenFile,
  context: ReadContext,
): Promise<ModelFile> {
  const names = groups.flatMap(({ weights }) => weights.map(({ name }) => name));
  if (!names.some((name) => KERAS_WEIGHT.test(name))) {
    throw fileError("ARCHITECTURE_UNKNOWN", file.name, NO_TOPOLOGY, "Pass the complete model.json.", {
      expected: "weights under Keras' names, such as conv1/kernel",
      found: names.length === 0 ? "none" : names.slice(0, 4).map(quoted).join(", "),
      fields: { names },
    });
  }
  const weights = await readWeights(groups, file, context).catch((cause: unknown) => {
    const isMissing = isDepthwiseError(cause) && (cause.code === "FILE_NOT_FOUND" || cause.code === "FILE_UNREADABLE");
    if (!isMissing) throw cause;
    const what = `${NO_TOPOLOGY}; and a shard is missing: ${cause.message.replace(/[.!?]$/, "")}`;
    const advice = "Put the shards beside the model.json to load the weights by their names.";
    throw fileError(cause.code, file.name, what, advice, { fields: cause.fields, cause });
  });
  const tensors = new Map([...weights].map(([name, weight]) => [name, weight.stored()]));
  return {
    format: "TensorFlow.js weights without a topology",
    content: { kind: "tensors", tensors, isOrdered: false },
    facts: {},
    remarks,
  };
}

/**
 * The weights of a layer by their Keras names. A weight's name is `layer/kernel`, or with the models around it
 * `mobilenet/layer/kernel`, which need not be the models that the configuration names.
 */
function weightsOf(
  weights: ReadonlyMap<string, ManifestWeight>,
  file: string,
): (layer: string) => readonly GraphConstant[] {
  const byPath = new Map<string, GraphConstant[]>();
  /** Paths by their last two parts, and by the last one. */
  const bySuffix = new Map<string, string[]>();
  for (const [name, { constant }] of weights) {
    const path = name.slice(0, Math.max(0, name.lastIndexOf("/")));
    if (!byPath.has(path)) for (const parts of [2, 1]) push(bySuffix, suffix(path, parts), path);
    push(byPath, path, { ...constant, name: suffix(name, 1) });
  }
  return (layer) => {
    const exact = byPath.get(layer);
    if (exact !== undefined) return exact;
    const paths = new Set(bySuffix.get(suffix(layer, 2)) ?? bySuffix.get(suffix(layer, 1)));
    const [path = "", ...others] = paths;
    if (others.length === 0) return byPath.get(path) ?? [];
    const advice = "Two models inside this one have layers of the same name; save the one you need alone.";
    throw fileError("ARCHITECTURE_UNKNOWN", file, `the weights of layer ${quoted(layer)}`, advice, {
      expected: "weights under one name",
      found: [...paths].slice(0, 4).map(quoted).join(", "),
      fields: { layer },
    });
  };
}

/** The last few parts of a path. */
function suffix(path: string, parts: number): string {
  return path.split("/").slice(-parts).join("/");
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** The signature of a graph model; converters before 2.0 kept it with the user's metadata. */
function signatureOf(json: JsonObject): JsonObject {
  const { signature, userDefinedMetadata: metadata } = json;
  const inside = isObject(metadata) ? metadata["signature"] : undefined;
  return isObject(signature) ? signature : isObject(inside) ? inside : {};
}

/** What the signature calls the results, and their values; a name that begins with `^` is of an order, not of a value. */
function signatureOutputs(
  json: JsonObject,
  nodes: ReadonlySet<string>,
): readonly (readonly [name: string, value: string])[] {
  const { outputs } = signatureOf(json);
  return Object.entries(isObject(outputs) ? outputs : {}).flatMap(([name, entry]) => {
    const value = isObject(entry) ? entry["name"] : undefined;
    return typeof value === "string" && !value.startsWith("^") && nodes.has(value.replace(/:\d+$/, ""))
      ? [[name, value] as const]
      : [];
  });
}

/** The size of the only input, if the signature states it. */
function signatureFacts(json: JsonObject): FileFacts {
  const { inputs } = signatureOf(json);
  const [input, ...others] = isObject(inputs) ? Object.values(inputs) : [];
  if (!isObject(input) || others.length > 0 || !isObject(input["tensorShape"])) return {};
  const wrong = () => new RangeError();
  let shape: readonly number[] | undefined;
  try {
    shape = shapeSides(input["tensorShape"], wrong);
  } catch {
    // A signature is only told, never needed.
    return {};
  }
  const [, height = 0, width = 0] = shape ?? [];
  const isSize = shape?.length === 4 && height > 0 && width > 0;
  return isSize ? { inputSize: stated([height, width], "signature") } : {};
}

/** What is told of the file besides: who wrote it, with what, and how its weights are stored. */
function remarksOf(json: JsonObject, groups: readonly ManifestGroup[]): ModelFile["remarks"] {
  const { format, generatedBy, convertedBy, modelTopology, userDefinedMetadata } = json;
  const keras = isObject(modelTopology) ? modelTopology["keras_version"] : undefined;
  const stored = groups.flatMap(({ weights }) => weights.flatMap(({ storage }) => storage ?? []));
  const counts = Object.fromEntries(
    [...new Set(stored)].map((kind) => [kind, stored.filter((k) => k === kind).length]),
  );
  const said = { format, generatedBy, convertedBy, kerasVersion: keras };
  const {
    depthwise: _own,
    dilations: _dilations,
    signature: _signature,
    ...metadata
  } = isObject(userDefinedMetadata) ? userDefinedMetadata : {};
  return {
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => typeof value === "string")),
    ...(stored.length === 0 ? {} : { quantizedWeights: counts }),
    ...(Object.keys(metadata).length === 0 ? {} : { userDefinedMetadata: metadata }),
  };
}

function unknownTopology(topology: JsonObject, file: string): DepthwiseError {
  return fileError("FORMAT_UNKNOWN", file, "modelTopology", "Convert the model again with TensorFlow.js' converter.", {
    expected: "a Keras configuration (class_name and config) or a graph (node)",
    found: `an object with ${Object.keys(topology).slice(0, 6).map(quoted).join(", ") || "nothing in it"}`,
  });
}
