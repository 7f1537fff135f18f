/** The models on disk: each network's weights in every contender's own format, made once, under `.cache`. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { layers } from "./mobilenet-v1.mjs";
import { writeOnnx } from "./onnx.mjs";
import { random } from "./random.mjs";
import { writeSafetensors } from "./safetensors.mjs";
import { writeTflite } from "./tflite.mjs";
import { foldWeights, kerasWeights } from "./weights.mjs";

/** A change of weights or writers takes a new number, so that no old file is measured. */
const VERSION = 1;
export const CACHE = new URL(`../.cache/models-${VERSION}/`, import.meta.url);

const NETWORKS = JSON.parse(readFileSync(new URL("../shapes/mobilenet-v1.json", import.meta.url), "utf8"));

export const MODEL_NAMES = NETWORKS.map(({ name }) => name);

/** What a contender needs to know: `{ name, alpha, resolution, classes, files }`; the files exist when it returns. */
export function prepareModel(name) {
  const network = NETWORKS.find((candidate) => candidate.name === name);
  if (network === undefined) throw new Error(`No model "${name}": choose from ${MODEL_NAMES.join(", ")}.`);
  const file = (ending) => fileURLToPath(new URL(`mobilenet-v1-${name}${ending}`, CACHE));
  const files = {
    image: file("-image.f32"),
    keras: file("-keras.safetensors"),
    folded: file("-folded.safetensors"),
    onnx: file(".onnx"),
    tflite: file(".tflite"),
  };
  const model = { ...network, files };
  if (!Object.values(files).every((path) => existsSync(path))) writeModel(model);
  return model;
}

function writeModel(model) {
  mkdirSync(CACHE, { recursive: true });
  const { alpha, resolution, classes, files } = model;
  const list = layers(model);
  const keras = kerasWeights(model);
  const folded = foldWeights(model, keras);
  const metadata = {
    architecture: "mobilenet_v1",
    alpha: String(alpha),
    resolution: String(resolution),
    classes: String(classes),
    padding: "same",
  };
  writeWhole(files.image, new Uint8Array(randomImage(resolution).buffer));
  writeWhole(files.keras, writeSafetensors(keras, metadata));
  writeWhole(files.folded, writeSafetensors(folded, metadata));
  writeWhole(files.onnx, writeOnnx(model, list, folded));
  writeWhole(files.tflite, writeTflite(model, list, folded));
}

/** `[resolution, resolution, 3]` in [−1, 1), as a preprocessed photo is. */
function randomImage(resolution) {
  const { uniform } = random(7);
  return Float32Array.from({ length: resolution * resolution * 3 }, () => uniform() * 2 - 1);
}

/** A file appears whole or not at all: an interrupted run must not leave half a model for the next. */
export function writeWhole(path, bytes) {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}
