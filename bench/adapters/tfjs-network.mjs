/** The network on TensorFlow.js, op by op with its fused convolutions, which is the fastest way it offers. */

import { readFileSync } from "node:fs";
import { layers } from "../models/mobilenet-v1.mjs";
import { readSafetensors } from "../models/safetensors.mjs";
import { parametersOf } from "../models/weights.mjs";

/** A function from an image to its logits, on the backend that `tf` has chosen. */
export function buildNetwork(tf, model) {
  const list = loadLayers(tf, model);
  return async ({ data, shape }) => {
    const logits = tf.tidy(() => {
      const last = list.reduce((x, layer) => applyLayer(tf, x, layer), tf.tensor4d(data, shape));
      return tf.reshape(last, [1, model.classes]);
    });
    const values = await logits.data();
    logits.dispose();
    return values;
  };
}

/** A function of its own, so that nothing that lives on holds the file's bytes: they would count as the library's. */
function loadLayers(tf, model) {
  const folded = readSafetensors(readFileSync(model.files.folded));
  return layers(model).map((layer) => ({ ...layer, ...tensorsOf(tf, folded, layer) }));
}

function tensorsOf(tf, folded, layer) {
  if (layer.type === "pool") return {};
  const { kernel, bias } = parametersOf(folded, layer);
  return { filter: tf.tensor(kernel.data, kernel.shape), bias: tf.tensor(bias.data, bias.shape) };
}

function applyLayer(tf, x, { type, filter, bias, stride }) {
  if (type === "pool") return tf.mean(x, [1, 2], true);
  const activation = type === "classifier" ? "linear" : "relu6";
  const options = { x, filter, bias, strides: stride, pad: "same", activation };
  return type === "depthwise" ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options);
}
