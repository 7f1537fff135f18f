/**
 * Keras Applications, and TensorFlow.js layers models, which keep its names. Ours are the plain Keras 2 ones.
 *
 *     conv1/kernel            also  conv1/kernel:0, conv1/conv1/kernel:0, model_weights/conv1/conv1/kernel:0 (HDF5)
 *     conv_dw_1/depthwise_kernel    Keras 3: conv_dw_1/kernel
 *     conv_preds/kernel             as a dense layer: predictions/kernel [in, classes]
 */

import type { Renaming } from "../../../renamed.ts";
import { type ExpectedLayer, expectedLayers, type KnownLayers } from "../expected.ts";
import type { NameMap } from "../name-map.ts";

// A group and the weight inside it repeat the layer's name in HDF5: the second must be the first again.
const NAME = /^(?:model_weights\/)?([^/]+)\/(?:\1\/)?(\w+)(?::0)?$/;
const TRAINING =
  /^(?:optimizer_weights|optimizer|training|global_step|iterations?|learning_rate|save_counter|(?:legacy_)?(?:SGD|Adam|Adamax|Nadam|AdamW|RMSprop|Adagrad|Adadelta|Ftrl))(?:_\d+)?(?:[/:]|$)/i;

export const keras: NameMap = {
  family: "Keras Applications mobilenet",
  matches: (names) => layersOf(names, {}) !== undefined,
  renamer(names, { known }) {
    const all = new Map<string, Renaming>();
    for (const { name: layer, kind, parameters } of layersOf(names, known) ?? expectedLayers(known)) {
      for (const [role, name] of parameters) {
        all.set(name, { name, layout: "as-is" });
        if (kind === "depthwise" && role === "kernel") all.set(`${layer}/${role}`, { name, layout: "as-is" });
        if (kind === "classifier")
          all.set(`predictions/${role}`, { name, layout: role === "kernel" ? "dense" : "as-is" });
      }
    }
    return (name) => {
      if (TRAINING.test(name)) return "ignored";
      const [, layer, value] = NAME.exec(name) ?? [];
      return all.get(`${layer}/${value}`);
    };
  },
  // The weights were trained with TensorFlow's SAME, and no later change of Keras' padding changed them.
  defaults: {
    padding: "same",
    epsilon: 1e-3,
    activation: "relu6",
    channelRounding: "truncate",
    preprocessing: {},
    why: "as Keras Applications builds MobileNet",
  },
};

/** Those of the network, or of the paper's twin of full convolutions, if its first two are there. */
function layersOf(names: ReadonlySet<string>, known: KnownLayers): readonly ExpectedLayer[] | undefined {
  const there = new Set([...names].map((name) => NAME.exec(name)?.[1]));
  for (const standardConvolution of [false, true]) {
    const layers = expectedLayers({ ...known, standardConvolution });
    if (layers.slice(0, 2).every(({ name }) => there.has(name))) return layers;
  }
  return undefined;
}
