/** Configurations of small Keras models, in the words of Keras 2 and of Keras 3, and weights that fit them. */

import { type Weight, weight } from "./hdf5-files.ts";

export interface Layer {
  readonly className: string;
  readonly name: string;
  readonly config?: Record<string, unknown>;
  /** Names of layers; the layer before, if left out. */
  readonly reads?: readonly string[];
  readonly weights?: readonly Weight[];
}

export const INPUT: Layer = {
  className: "InputLayer",
  name: "input_1",
  config: { batch_input_shape: [null, 8, 8, 3] },
};

export function conv(name: string, filters: number, inputs: number, config: Record<string, unknown> = {}): Layer {
  const kernel = weight(`${name}/kernel:0`, [3, 3, inputs, filters], filters);
  const bias = weight(`${name}/bias:0`, [filters], 100);
  const settings = {
    filters,
    kernel_size: [3, 3],
    strides: [2, 2],
    padding: "same",
    use_bias: true,
    activation: "linear",
    ...config,
  };
  return { className: "Conv2D", name, config: settings, weights: settings.use_bias ? [kernel, bias] : [kernel] };
}

export function depthwise(name: string, channels: number, config: Record<string, unknown> = {}): Layer {
  const kernel = weight(`${name}/depthwise_kernel:0`, [3, 3, channels, 1], 7);
  const settings = {
    kernel_size: [3, 3],
    strides: [1, 1],
    padding: "same",
    use_bias: false,
    activation: "linear",
    ...config,
  };
  return { className: "DepthwiseConv2D", name, config: settings, weights: [kernel] };
}

export function batchNorm(name: string, channels: number, config: Record<string, unknown> = {}): Layer {
  const settings = { axis: [3], epsilon: 0.001, scale: true, center: true, ...config };
  const variables = [
    ...(settings.scale ? ["gamma"] : []),
    ...(settings.center ? ["beta"] : []),
    "moving_mean",
    "moving_variance",
  ];
  return {
    className: "BatchNormalization",
    name,
    config: settings,
    weights: variables.map((v, i) => weight(`${name}/${v}:0`, [channels], 20 * i)),
  };
}

export function dense(name: string, inputs: number, units: number, config: Record<string, unknown> = {}): Layer {
  const weights = [weight(`${name}/kernel:0`, [inputs, units], 3), weight(`${name}/bias:0`, [units], 50)];
  return { className: "Dense", name, config: { units, use_bias: true, activation: "softmax", ...config }, weights };
}

export function layer(
  className: string,
  name: string,
  config: Record<string, unknown> = {},
  reads?: readonly string[],
): Layer {
  return { className, name, config, ...(reads === undefined ? {} : { reads }) };
}

/** A MobileNet of two convolutions; names by number, as Keras gives them. */
export const SMALL: readonly Layer[] = [
  INPUT,
  conv("conv2d", 4, 3),
  batchNorm("batch_normalization", 4),
  layer("Activation", "activation", { activation: "relu" }),
  depthwise("depthwise_conv2d", 4),
  batchNorm("batch_normalization_1", 4),
  layer("ReLU", "re_lu", { max_value: 6 }),
  layer("GlobalAveragePooling2D", "global_average_pooling2d"),
  dense("dense", 4, 2),
];

/** The whole model as Keras 2 writes it down. */
export function functional(
  layers: readonly Layer[],
  name = "model",
  outputs: readonly string[] = [layers.at(-1)?.name ?? ""],
): Record<string, unknown> {
  const entries = layers.map(({ className, name: own, config = {}, reads }, i) => ({
    class_name: className,
    config: { name: own, ...config },
    name: own,
    inbound_nodes:
      className === "InputLayer" ? [] : [(reads ?? [layers[i - 1]?.name]).map((source) => [source, 0, 0, {}])],
  }));
  const inputs = layers.filter(({ className }) => className === "InputLayer").map((input) => [input.name, 0, 0]);
  return {
    class_name: "Functional",
    config: { name, layers: entries, input_layers: inputs, output_layers: outputs.map((output) => [output, 0, 0]) },
  };
}

/** The same in the words of Keras 3. */
export function functional3(layers: readonly Layer[], name = "functional"): Record<string, unknown> {
  const tensor = (source: string | undefined) => ({
    class_name: "__keras_tensor__",
    config: { shape: [null, 8, 8, 3], dtype: "float32", keras_history: [source, 0, 0] },
  });
  const entries = layers.map(({ className, name: own, config = {}, reads }, i) => {
    const { batch_input_shape: shape, ...rest } = config;
    const sources = reads ?? [layers[i - 1]?.name];
    const args = sources.length === 1 ? [tensor(sources[0])] : [sources.map(tensor)];
    const dtype = { module: "keras", class_name: "DTypePolicy", config: { name: "float32" }, registered_name: null };
    return {
      module: "keras.layers",
      class_name: className,
      config: { name: own, trainable: true, dtype, ...rest, ...(shape === undefined ? {} : { batch_shape: shape }) },
      registered_name: null,
      name: own,
      inbound_nodes: className === "InputLayer" ? [] : [{ args, kwargs: { training: false, mask: null } }],
    };
  });
  const config = {
    name,
    trainable: true,
    layers: entries,
    input_layers: [[layers[0]?.name, 0, 0]],
    output_layers: [layers.at(-1)?.name, 0, 0],
  };
  return { module: "keras.src.models.functional", class_name: "Functional", config, registered_name: "Functional" };
}

export function sequential(layers: readonly Layer[], name = "sequential"): Record<string, unknown> {
  return {
    class_name: "Sequential",
    config: {
      name,
      layers: layers.map(({ className, name: own, config = {} }) => ({
        class_name: className,
        config: { name: own, ...config },
      })),
    },
  };
}

export function weightsOf(layers: readonly Layer[]): ReadonlyMap<string, readonly Weight[]> {
  return new Map(layers.map(({ name, weights = [] }) => [name, weights]));
}
