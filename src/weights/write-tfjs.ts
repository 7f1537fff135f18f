/**
 * TensorFlow.js layers models: a `model.json` and shards of 4 MiB, named and cut as TensorFlow.js' converter does.
 * The weights are float32, under their own names; everything else a model knows stands in `userDefinedMetadata`.
 */

import { allocated, checkBytes } from "../core/memory.ts";
import { checkKnownOptions, signalOption } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { elementCount, type Shape } from "../core/tensor.ts";
import { uniqueNames } from "../core/unique-names.ts";
import { checkNetwork, checkParameters, type Network } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import { ARCHITECTURE_IDS } from "../understand/architectures/table.ts";
import { writeMetadata } from "../understand/metadata.ts";
import { placeToWrite } from "./place-to-write.ts";
import type { SaveOptions } from "./save-model.ts";
import { asKerasLayers, checkLayerName, type TranslatedNode, type WrittenLayer } from "./tfjs-layers.ts";

/** As in the converter: browsers cache files of this size. */
const SHARD_BYTES = 2 ** 22;

/**
 * A model as the files of a TensorFlow.js layers model, by name: `model.json`, `group1-shard1of5.bin` and so on.
 * `tf.loadLayersModel` reads it; its outputs are the layers that no other layer reads (for a MobileNet the
 * probabilities), but for an `embedding` that is only flattened beside the `output`; before them results under names of
 * the network's own, such as `edges` and `heat`. `loadModel` gives back the same network. The same model gives the same
 * bytes.
 *
 *     for (const [name, bytes] of encodeTfjs(model)) download(name, bytes);
 *
 * @throws {DepthwiseError} `NETWORK_INVALID`, naming a layer that TensorFlow.js cannot express (hard-swish, a pool with
 *         padding of its own); `PARAMETERS_MISMATCH` if a parameter was replaced by one that does not fit;
 *         `MEMORY_EXCEEDED`, from shapes alone, for kernels that a dilation spreads too wide
 */
export function encodeTfjs(model: Network): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  return encode("encodeTfjs", model, (_shard, number, count) => `group1-shard${number}of${count}.bin`);
}

/** Results that come with one another: who asks TensorFlow.js for a classifier's answer wants the last of them. */
const USUAL: ReadonlySet<string> = new Set(["output", "logits", "probabilities", "embedding"]);

type ShardName = (shard: Uint8Array, number: number, count: number) => string;

function encode(owner: string, model: Network, nameOf: ShardName): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  checkNetwork(owner, model);
  const translated = new Map(model.layers.map((node) => [node.name, asKerasLayers(node, model)]));
  const config = functional(model, translated);
  checkParameters(model, model.parameters, owner);
  checkWrittenBytes(model, translated);
  const weights = [...model.parameterInfo.values()].map(({ name, node, shape }) => {
    const data = model.parameters.get(name)?.data ?? new Float32Array();
    const dilation = translated.get(node)?.dilation;
    return dilation === undefined || shape.length !== 4
      ? { name, shape, data }
      : spreadTaps(name, shape, data, dilation);
  });
  const shards = cut(weights.map(({ data }) => data));
  const paths = shards.map((shard, index) => nameOf(shard, index + 1, shards.length));
  const dilations = [...translated].flatMap(([name, { dilation }]) =>
    dilation === undefined ? [] : [[name, dilation]],
  );
  const json = JSON.stringify({
    format: "layers-model",
    generatedBy: "depthwise",
    convertedBy: null,
    // Since 2.4 a model like this is called Functional.
    modelTopology: { keras_version: "2.4.0", backend: "tensorflow", model_config: config },
    weightsManifest: [{ paths, weights: weights.map(({ name, shape }) => ({ name, shape, dtype: "float32" })) }],
    userDefinedMetadata: {
      depthwise: writeMetadata(model, ARCHITECTURE_IDS),
      ...(dilations.length === 0 ? {} : { dilations: Object.fromEntries(dilations) }),
    },
  });
  return new Map([
    ...shards.map((shard, index) => [paths[index] ?? "", shard] as const),
    ["model.json", new TextEncoder().encode(json)],
  ]);
}

/**
 * Saves a model as a TensorFlow.js layers model, in Node: `model.json`, and shards that are called after their content,
 * such as `group1-shard1of5-0123456789abcdef.bin`. Each is written under another name and renamed, `model.json` last, so
 * that whoever reads it, at any time, finds one model whole. Shards of former saves go when no `model.json` has named
 * them for a minute; other files stay.
 *
 *     await saveTfjs(await loadModel("mobilenet.h5"), "public/mobilenet");
 *
 * @param directory a path or a `file:` URL; made if it does not exist
 * @throws {DepthwiseError} as `encodeTfjs`, before anything is written; `OPTION_INVALID` for another address;
 *         `FILE_UNREADABLE` if a file cannot be written, `signal.reason` if aborted: what was there then still is
 */
export async function saveTfjs(
  model: Network,
  directory: string | URL,
  options: Pick<SaveOptions, "signal"> = {},
): Promise<void> {
  checkKnownOptions("saveTfjs", options, ["signal"]);
  const signal = signalOption("saveTfjs", options.signal);
  const place = placeToWrite("saveTfjs", "directory", directory, "In a browser take the files from encodeTfjs.");
  signal?.throwIfAborted();
  const contents = encode("saveTfjs", model, nameOfContent);
  const { writeTfjs } = await ownPart("what writes directories", () => import("./tfjs-directory.ts"));
  return writeTfjs(place, contents, signal);
}

/** Each by its own content: two models on the same features share all shards but the last. */
const nameOfContent: ShardName = (shard, number, count) => {
  const digest = process.getBuiltinModule("node:crypto").createHash("sha256").update(shard).digest("hex");
  return `group1-shard${number}of${count}-${digest.slice(0, 16)}.bin`;
};

/** The configuration of a functional model: each layer with the layers it reads. */
function functional(
  model: Network,
  translated: ReadonlyMap<string, TranslatedNode>,
): Readonly<Record<string, unknown>> {
  const unused = uniqueNames(translated.keys());
  const nodes = withoutAside(model);
  const layers: unknown[] = [
    layerEntry(
      { className: "InputLayer", config: { batch_input_shape: [null, ...model.inputShape], sparse: false } },
      INPUT,
      [],
    ),
  ];
  for (const { name, inputs } of nodes) {
    checkLayerName(name);
    const rows = translated.get(name)?.layers ?? [];
    // TensorFlow.js frees what one layer reads twice too early: the second time it reads a copy.
    let read = inputs.map((input, index) => {
      if (inputs.indexOf(input) === index) return input;
      const copy = unused(`${name}_copy`);
      layers.push(layerEntry({ className: "Activation", config: { activation: "linear" } }, copy, [input]));
      return copy;
    });
    for (const [index, layer] of rows.entries()) {
      const suffix = layer.className === "ZeroPadding2D" ? "pad" : "pool";
      const layerName = index === rows.length - 1 ? name : unused(`${name}_${suffix}`);
      layers.push(layerEntry(layer, layerName, read));
      read = [layerName];
    }
  }
  const isRead = readsOf(nodes);
  const ends = [INPUT, ...nodes.map(({ name }) => name)].filter((name) => !isRead.has(name));
  return {
    class_name: "Functional",
    config: {
      name: model.name,
      trainable: true,
      layers,
      input_layers: [[INPUT, 0, 0]],
      output_layers: [...new Set([...ownResults(model), ...ends])].map((name) => [name, 0, 0]),
    },
  };
}

/** Results under names of the network's own. */
function ownResults({ outputs }: Network): readonly string[] {
  return Object.entries<string>(outputs).flatMap(([name, node]) => (USUAL.has(name) ? [] : [node]));
}

/** Without features that are but flattened beside the one `output`: as an end they would be a second result. */
function withoutAside(model: Network): Network["layers"] {
  const { layers } = model;
  const { embedding, output } = model.outputs;
  if (ownResults(model).includes(embedding ?? "")) return layers;
  const others = layers.filter(({ name, type }) => !(type === "flatten" && name === embedding && name !== output));
  const isLess = output !== undefined && others.length < layers.length;
  const [before, after] = [readsOf(layers), readsOf(others)];
  // Only if nobody reads it, and somebody else what it reads.
  const isAside = isLess && !before.has(embedding ?? "") && after.size === before.size;
  return isAside ? others : layers;
}

function readsOf(nodes: Network["layers"]): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ inputs }) => inputs));
}

function layerEntry({ className, config }: WrittenLayer, name: string, inputs: readonly string[]): unknown {
  return {
    class_name: className,
    config: { name, dtype: "float32", ...(className === "InputLayer" ? {} : { trainable: true }), ...config },
    name,
    inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
  };
}

/** Taps that are spread can be far more than the network has: a dilation is but a number. */
function checkWrittenBytes(model: Network, translated: ReadonlyMap<string, TranslatedNode>): void {
  let bytes = 0;
  for (const { node, shape } of model.parameterInfo.values()) {
    bytes += 4 * elementCount(spreadShape(shape, translated.get(node)?.dilation));
  }
  checkBytes(`encodeTfjs: ${model.name}`, bytes, "Use a smaller dilation, or save it with saveModel.");
}

function spreadShape(shape: Shape, dilation: readonly [number, number] | undefined): Shape {
  const [height = 0, width = 0, ...rest] = shape;
  if (dilation === undefined || shape.length !== 4) return shape;
  return [(height - 1) * dilation[0] + 1, (width - 1) * dilation[1] + 1, ...rest];
}

/** `[kh, kw, …]` to `[(kh − 1) · dv + 1, (kw − 1) · dh + 1, …]`, with zeros between the taps. */
function spreadTaps(
  name: string,
  [height = 0, width = 0, ...rest]: readonly number[],
  data: Float32Array,
  [vertical, horizontal]: readonly [number, number],
) {
  const depth = elementCount(rest);
  const wide = (width - 1) * horizontal + 1;
  const shape = [(height - 1) * vertical + 1, wide, ...rest];
  const spread = new Float32Array(elementCount(shape));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * depth;
      spread.set(data.subarray(from, from + depth), (y * vertical * wide + x * horizontal) * depth);
    }
  }
  return { name, shape, data: spread };
}

/** All weights in a row, cut into shards; one that is empty where there are no weights at all. */
function cut(weights: readonly Float32Array[]): readonly Uint8Array<ArrayBuffer>[] {
  const total = weights.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const bytes = allocated("encodeTfjs", total, "Save it with saveModel, as F16.", () => new Uint8Array(total));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of weights) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const count = Math.max(1, Math.ceil(total / SHARD_BYTES));
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * SHARD_BYTES, (index + 1) * SHARD_BYTES));
}
