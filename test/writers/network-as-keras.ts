/** Any network of ours as a Keras model, for the writers of its files. */

import type { Network } from "../../src/layers/network.ts";
import type { LayerNode } from "../../src/layers/node.ts";
import type { Layer } from "../fixtures/keras-models.ts";

/** Layers in the words of Keras 2; those of its own (hard-swish) as its MobileNet V3 writes them. */
export function networkAsKeras(model: Network): readonly Layer[] {
  const shape = [null, ...model.inputShape];
  const layers: Layer[] = [{ className: "InputLayer", name: "input", config: { batch_input_shape: shape } }];
  const add = (className: string, name: string, config: Record<string, unknown>, reads: readonly string[]) => {
    layers.push({ className, name, config: config, reads });
    return name;
  };
  for (const layer of model.layers) {
    const { name, inputs } = layer;
    const weights = [...model.parameterInfo.values()]
      .filter(({ node }) => node === name)
      .map(({ name: parameter, shape: sides }) => {
        const laid = layer.type === "pointwiseConv2d" ? sides : sides;
        return { name: `${parameter}:0`, shape: laid, values: Array.from(model.parameters.get(parameter)!.data) };
      });
    const weighted = (className: string, config: Record<string, unknown>, reads: readonly string[] = inputs) =>
      layers.push({ className, name, config, reads, weights });
    switch (layer.type) {
      case "conv2d": {
        const { filters, bias, kernel } = layer.attributes;
        weighted("Conv2D", { filters, kernel_size: kernel, use_bias: bias, ...window(layer) }, [padded(layer)]);
        break;
      }
      case "pointwiseConv2d": {
        const { filters, bias } = layer.attributes;
        weighted("Conv2D", { filters, kernel_size: [1, 1], use_bias: bias, padding: "same" });
        break;
      }
      case "depthwiseConv2d": {
        const { bias, kernel, multiplier } = layer.attributes;
        const config = { kernel_size: kernel, use_bias: bias, depth_multiplier: multiplier, ...window(layer) };
        weighted("DepthwiseConv2D", config, [padded(layer)]);
        break;
      }
      case "dense":
        weighted("Dense", { units: layer.attributes.filters, use_bias: layer.attributes.bias });
        break;
      case "batchNorm":
        weighted("BatchNormalization", { axis: -1, ...layer.attributes });
        break;
      case "activation":
        activation(layer);
        break;
      case "softmax":
        add("Softmax", name, { axis: -1 }, inputs);
        break;
      case "globalAveragePool":
        add("GlobalAveragePooling2D", name, { keepdims: layer.attributes.keepDims }, inputs);
        break;
      case "globalMaxPool":
        add("GlobalMaxPooling2D", name, { keepdims: layer.attributes.keepDims }, inputs);
        break;
      case "averagePool":
        add("AveragePooling2D", name, { pool_size: layer.attributes.kernel, ...window(layer) }, inputs);
        break;
      case "maxPool":
        add("MaxPooling2D", name, { pool_size: layer.attributes.kernel, ...window(layer) }, inputs);
        break;
      case "add":
        add("Add", name, {}, inputs);
        break;
      case "multiply":
        add("Multiply", name, {}, inputs);
        break;
      case "flatten":
        add("Flatten", name, {}, inputs);
        break;
      case "reshape":
        add("Reshape", name, { target_shape: layer.attributes.shape }, inputs);
        break;
      case "dropout":
        add("Dropout", name, { rate: layer.attributes.rate }, inputs);
        break;
    }
  }

  function padded({ name, inputs: [x = ""], attributes: { padding } }: Windowed): string {
    return typeof padding === "string" ? x : add("ZeroPadding2D", `${name}_pad`, { padding }, [x]);
  }

  function activation({ name, inputs: [x = ""], attributes }: Extract<LayerNode, { type: "activation" }>): void {
    const gate = (end: string) => {
      add("Rescaling", `${name}_shifted`, { scale: 1, offset: 3 }, [x]);
      add("ReLU", `${name}_bounded`, { max_value: 6 }, [`${name}_shifted`]);
      return add("Rescaling", end, { scale: 1 / 6, offset: 0 }, [`${name}_bounded`]);
    };
    if (attributes.function === "hardSigmoid") gate(name);
    else if (attributes.function === "hardSwish") add("Multiply", name, {}, [x, gate(`${name}_gate`)]);
    else if (attributes.function === "leakyRelu") add("LeakyReLU", name, { alpha: attributes.slope }, [x]);
    else if (attributes.function === "relu6") add("ReLU", name, { max_value: 6 }, [x]);
    else add("Activation", name, { activation: attributes.function }, [x]);
  }
  return layers;
}

type Windowed = Extract<LayerNode, { type: "conv2d" | "depthwiseConv2d" | "averagePool" | "maxPool" }>;

function window({ attributes: { stride, dilation, padding } }: Windowed) {
  return { strides: stride, dilation_rate: dilation, padding: padding === "same" ? "same" : "valid" };
}
