/**
 * Keras' `SeparableConv2D` out of each file that can hold it, beside TensorFlow.js' own layer: a depthwise convolution
 * with the window, then a pointwise one with the bias and the activation.
 */

import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { graphFromKeras } from "../../src/formats/keras/topology.ts";
import { compile } from "../../src/session/compile.ts";
import { recogniseGraph } from "../../src/understand/graph/recognise.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { functional3, INPUT, type Layer } from "../fixtures/keras-models.ts";
import { largestDifference } from "../golden/vectors.ts";
import { type Weight, writeHdf5, writeNamedWeights, writeNumberedWeights } from "../writers/hdf5.ts";

type Settings = Parameters<typeof layers.layers.separableConv2d>[0];

const SHAPE: readonly [number, number, number] = [9, 8, 3];
const FILTERS = 5;

interface Separable {
  readonly config: Settings;
  readonly weights: readonly Weight[];
}

function separable(more: Partial<Settings>): Separable {
  const config: Settings = { name: "sep", filters: FILTERS, kernelSize: [3, 3], padding: "same", ...more };
  const { depthMultiplier: m = 1, useBias = true } = config;
  const sides: readonly (readonly [string, readonly number[]])[] = [
    ["depthwise_kernel", [3, 3, SHAPE[2], m]],
    ["pointwise_kernel", [1, 1, SHAPE[2] * m, FILTERS]],
    ...(useBias ? [["bias", [FILTERS]] as const] : []),
  ];
  return {
    config,
    weights: sides.map(([name, shape], i) => ({
      name: `sep/${name}:0`,
      shape,
      values: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, k) => Math.fround(Math.sin(7 * k + 3 * i + 1))),
    })),
  };
}

const input = Float32Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, i) => Math.cos(i * i));

async function expected({ config, weights }: Separable): Promise<Float32Array> {
  await tf.setBackend("cpu");
  const model = layers.sequential({ layers: [layers.layers.separableConv2d({ ...config, inputShape: [...SHAPE] })] });
  model.setWeights(weights.map(({ shape, values }) => tf.tensor([...values], [...shape])));
  const result = model.predict(tf.tensor(input, [1, ...SHAPE])) as tf.Tensor;
  return result.dataSync() as Float32Array;
}

/** In Keras' words. */
function asLayer({ config, weights }: Separable): Layer {
  const { kernelSize, depthMultiplier = 1, dilationRate = 1, useBias = true, strides = 1, ...rest } = config;
  const settings = {
    ...rest,
    kernel_size: kernelSize,
    depth_multiplier: depthMultiplier,
    dilation_rate: dilationRate,
    use_bias: useBias,
    strides,
  };
  return { className: "SeparableConv2D", name: "sep", config: settings, weights };
}

const modelOf = (of: Separable) =>
  functional3([{ ...INPUT, config: { batch_input_shape: [null, ...SHAPE] } }, asLayer(of)]);

const FILES: Readonly<Record<string, (of: Separable) => Promise<Blob | File[]>>> = {
  "Keras .h5": async (of) => {
    const bytes = await writeHdf5((root) => {
      root.create_attribute("model_config", JSON.stringify(modelOf(of)));
      writeNamedWeights(root.create_group("model_weights"), new Map([["sep", of.weights]]));
    });
    return new File([Uint8Array.from(bytes)], "sep.h5");
  },
  ".keras": async (of) => {
    const weights = await writeHdf5((root) => writeNumberedWeights(root, new Map([["separable_conv2d", of.weights]])));
    const archive = zipSync({
      "config.json": strToU8(JSON.stringify(modelOf(of))),
      "metadata.json": strToU8(JSON.stringify({ keras_version: "3.0.0" })),
      "model.weights.h5": weights,
    });
    return new File([Uint8Array.from(archive)], "sep.keras");
  },
  "TensorFlow.js layers": async ({ weights, ...of }) => {
    const json = {
      format: "layers-model",
      modelTopology: { class_name: "Functional", config: (modelOf({ weights, ...of }) as { config: unknown }).config },
      weightsManifest: [
        {
          paths: ["w.bin"],
          weights: weights.map(({ name, shape }) => ({ name: name.replace(":0", ""), shape, dtype: "float32" })),
        },
      ],
    };
    const numbers = Float32Array.from(weights.flatMap(({ values }) => [...values]));
    return [new File([JSON.stringify(json)], "model.json"), new File([numbers], "w.bin")];
  },
};

const VARIANTS: Readonly<Record<string, Partial<Settings>>> = {
  "as it comes": {},
  "depth multiplier 2, relu": { depthMultiplier: 2, activation: "relu" },
  "stride 2, valid": { strides: [2, 2], padding: "valid" },
  "stride 2, same, no bias": { strides: [2, 2], useBias: false },
  "dilation 2": { dilationRate: [2, 2], depthMultiplier: 3, activation: "softmax" },
};

describe.each(Object.entries(FILES))("SeparableConv2D in %s", (_, write) => {
  it.each(Object.entries(VARIANTS))("%s", async (_name, more) => {
    const of = separable(more);
    const files = await write(of);
    const model = await loadModel(files);
    expect(model.layers.map(({ type }) => type).slice(0, 2)).toEqual(["depthwiseConv2d", "pointwiseConv2d"]);
    const session = await compile(model);
    const { output } = (await session.run(input)) as { readonly output?: { readonly data: Float32Array } };
    session.close();
    expect(largestDifference(output?.data ?? new Float32Array(), await expected(of))).toBeLessThan(1e-5);
  });
});

it("several results of a layers model are called after their layers, whatever these become", async () => {
  const image = layers.input({ shape: [4] });
  const dense = (settings: Parameters<typeof layers.layers.dense>[0]) =>
    layers.layers.dense(settings).apply(image) as layers.SymbolicTensor;
  const outputs = [dense({ units: 3, activation: "softmax", name: "a" }), dense({ units: 2, name: "b" })];
  let saved: tf.io.ModelArtifacts | undefined;
  await layers.model({ inputs: image, outputs }).save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const json = {
    format: "layers-model",
    modelTopology: saved?.modelTopology,
    weightsManifest: [{ paths: ["w.bin"], weights: saved?.weightSpecs }],
  };
  const model = await loadModel([
    new File([JSON.stringify(json)], "model.json"),
    new File([saved?.weightData as ArrayBuffer], "w.bin"),
  ]);
  expect(Object.keys(model.outputs)).toEqual(["a", "b"]);
});

it("of channels first is refused as other convolutions are", async () => {
  const of = separable({ dataFormat: "channelsFirst" });
  const layer = asLayer(of);
  const config = functional3([INPUT, { ...layer, config: { ...layer.config, data_format: "channels_first" } }]);
  const bytes = await writeHdf5((root) => {
    root.create_attribute("model_config", JSON.stringify(config));
    writeNamedWeights(root.create_group("model_weights"), new Map([["sep", of.weights]]));
  });
  await expect(loadModel(new File([Uint8Array.from(bytes)], "sep.h5"))).rejects.toMatchObject({
    code: "ARCHITECTURE_UNKNOWN",
    message: expect.stringMatching(/data_format of layer "sep" \(SeparableConv2D\): expected channels_last/),
  });
});

it("whose second kernel has a window is refused", async () => {
  const of = separable({});
  const weights = of.weights.map((one) =>
    one.name.includes("pointwise")
      ? { ...one, shape: [3, 3, 3, FILTERS], values: Array.from({ length: 27 * FILTERS }, () => 1) }
      : one,
  );
  await expect(loadModel(await FILES["TensorFlow.js layers"]!({ ...of, weights }))).rejects.toMatchObject({
    code: "FILE_CORRUPT",
    message: expect.stringMatching(/layer "sep": pointwise_kernel: expected a window of 1 × 1, found 3 × 3/),
  });
});

it("as the first layer is counted by channels and multiplier, where a network is called by what it is", async () => {
  const of = separable({ depthMultiplier: 2 });
  const weights = of.weights.map(({ name, shape, values }) => ({
    name: name.replace(/^sep\/|:0$/g, ""),
    shape,
    read: () => Float32Array.from(values),
  }));
  const { graph } = graphFromKeras(modelOf(of), () => weights, { name: "sep" });
  expect(recogniseGraph(graph)).toBe("a separable network whose first layer is a depthwise convolution (6 filters)");
});

it("whose two kernels do not fit each other is refused", async () => {
  const of = separable({});
  const weights = of.weights.map((one) =>
    one.name.includes("pointwise") ? { ...one, shape: [1, 1, 1, FILTERS * 3] } : one,
  );
  const files = await FILES["TensorFlow.js layers"]!({ ...of, weights });
  await expect(loadModel(files)).rejects.toMatchObject({
    name: "DepthwiseError",
    message: expect.stringMatching(/sep/),
  });
});
