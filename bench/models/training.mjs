/**
 * What is trained, on disk: the first parameters under Keras' names, a batch of images and its labels, made once, under
 * `.cache`. Windows of 3 × 3 are padded by one on each side, which every library can; TensorFlow's own padding would cost
 * PyTorch a copy at each stride.
 */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CACHE, writeWhole } from "./files.mjs";
import { layers, multAdds } from "./mobilenet-v1.mjs";
import { random } from "./random.mjs";
import { writeSafetensors } from "./safetensors.mjs";
import { kerasWeights } from "./weights.mjs";

/** SGD with momentum, as every contender takes its steps; epsilon and momentum are those of batch norm. */
export const TRAINING = { rate: 0.01, momentum: 0.9, epsilon: 1e-3 };

const SHAPES = JSON.parse(readFileSync(new URL("../shapes/training.json", import.meta.url), "utf8"));

export const TRAINING_NAMES = SHAPES.map(({ name }) => name);

/** What a contender needs to know: the shape and its `files`, which exist when it returns. */
export function prepareTraining(name) {
  const shape = SHAPES.find((candidate) => candidate.name === name);
  if (shape === undefined) throw new Error(`No shape "${name}": choose from ${TRAINING_NAMES.join(", ")}.`);
  const file = (ending) => fileURLToPath(new URL(`training-${name}${ending}`, CACHE));
  const files = { image: file("-images.f32"), labels: file("-labels.i32"), keras: file("-keras.safetensors") };
  const model = { ...shape, files };
  if (!Object.values(files).every((path) => existsSync(path))) writeTraining(model);
  return model;
}

/** Floating-point operations of a step as they are usually counted: three times those of a run of the batch. */
export const stepFlops = (model) => 3 * 2 * multAdds(model) * model.batch;

/** Bytes of every convolution's output once, for the whole batch, and of the parameters that change. */
export function trainingBytes(model) {
  const weighted = layers(model).filter(({ type }) => type !== "pool");
  const outputs = weighted.reduce((sum, { outSize, outChannels }) => sum + outSize ** 2 * outChannels, 0);
  const parameters = weighted.reduce((sum, layer) => sum + parameterCount(layer), 0);
  return { outputs: 4 * outputs * model.batch, parameters: 4 * parameters };
}

/** A kernel, and gamma and beta; of the classifier a bias. */
function parameterCount({ type, kernel, inChannels, outChannels }) {
  const each = kernel * kernel * (type === "depthwise" ? 1 : inChannels);
  return outChannels * (each + (type === "classifier" ? 1 : 2));
}

/**
 * Most of what batch norm gives lies between the bounds of relu6. Around 0, where as much is cut as not, gradients grow so
 * much on their way through 27 layers that two layouts of one library differ by 0.04 in the loss after two updates.
 */
function firstParameters(model) {
  const tensors = kerasWeights(model);
  for (const [name, { data }] of tensors) {
    if (name.endsWith("_bn/beta"))
      data.forEach((value, channel) => {
        data[channel] = value + 1;
      });
  }
  return tensors;
}

function writeTraining(model) {
  mkdirSync(CACHE, { recursive: true });
  const { resolution, batch, classes, files } = model;
  const { uniform } = random(7);
  const images = Float32Array.from({ length: batch * resolution ** 2 * 3 }, () => uniform() * 2 - 1);
  const labels = Int32Array.from({ length: batch }, () => Math.floor(uniform() * classes));
  writeWhole(files.image, new Uint8Array(images.buffer));
  writeWhole(files.labels, new Uint8Array(labels.buffer));
  writeWhole(files.keras, writeSafetensors(firstParameters(model), { architecture: "mobilenet_v1" }));
}
