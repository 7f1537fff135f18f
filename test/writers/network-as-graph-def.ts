/** Any network of ours as a frozen graph, each layer as TensorFlow would write it. */

import type { Network } from "../../src/layers/network.ts";
import type { LayerNode } from "../../src/layers/node.ts";
import { attr, placeholder, tfConst, tfInts, tfNode } from "./graph-def.ts";
import { encode, type Field } from "./protobuf.ts";

/** @param isSpelled whether batch norm is written out as arithmetic */
export function networkAsGraphDef(model: Network, isSpelled = false): Uint8Array {
  const nodes: Field[] = [placeholder(-1, ...model.inputShape)];
  const node = (name: string, op: string, inputs: readonly string[], attributes: Parameters<typeof tfNode>[3] = {}) => {
    nodes.push(tfNode(name, op, inputs, attributes));
    return name;
  };
  const floats = (name: string, shape: readonly number[], data: ArrayLike<number>) => {
    nodes.push(tfConst(name, shape, Array.from(data)));
    return name;
  };
  const ints = (name: string, ...values: number[]) => {
    nodes.push(tfInts(name, [values.length], values));
    return name;
  };
  for (const layer of model.layers) {
    const { name, inputs } = layer;
    const [x = ""] = inputs;
    const shape = model.shapes.get(name) ?? [];
    const parameter = (part: string) => model.parameters.get(`${name}/${part}`);
    const constant = (part: string, own = part) => {
      const { data, shape: sides } = parameter(part)!;
      return floats(`${name}/${own}`, sides, data);
    };
    const vector = (part: string, absent: number) =>
      floats(`${name}/${part}`, [shape.at(-1)!], parameter(part)?.data ?? Array(shape.at(-1)!).fill(absent));
    const biased = (make: (own: string) => void) => {
      if (parameter("bias") === undefined) make(name);
      else {
        make(`${name}/sums`);
        node(name, "BiasAdd", [`${name}/sums`, constant("bias")]);
      }
    };
    switch (layer.type) {
      case "conv2d":
        biased((own) => node(own, "Conv2D", [padded(layer), constant("kernel")], windowOf(layer)));
        break;
      case "depthwiseConv2d":
        biased((own) =>
          node(own, "DepthwiseConv2dNative", [padded(layer), constant("depthwise_kernel")], windowOf(layer)),
        );
        break;
      case "pointwiseConv2d":
        biased((own) =>
          node(own, "Conv2D", [x, constant("kernel")], { strides: attr.ints(1, 1, 1, 1), padding: attr.s("VALID") }),
        );
        break;
      case "dense":
        biased((own) => node(own, "MatMul", [x, constant("kernel")]));
        break;
      case "batchNorm": {
        const [gamma, beta] = [vector("gamma", 1), vector("beta", 0)];
        const [mean, variance] = [vector("moving_mean", 0), vector("moving_variance", 1)];
        const { epsilon } = layer.attributes;
        if (isSpelled || shape.length === 1) {
          node(`${name}/sum`, "AddV2", [variance, floats(`${name}/epsilon`, [], [epsilon])]);
          node(`${name}/root`, "Rsqrt", [`${name}/sum`]);
          node(`${name}/scale`, "Mul", [`${name}/root`, gamma]);
          node(`${name}/mean_scaled`, "Mul", [mean, `${name}/scale`]);
          node(`${name}/shift`, "Sub", [beta, `${name}/mean_scaled`]);
          node(`${name}/scaled`, "Mul", [x, `${name}/scale`]);
          node(name, "AddV2", [`${name}/scaled`, `${name}/shift`]);
        } else {
          const attributes = { epsilon: attr.f(epsilon), is_training: attr.b(false) };
          node(name, "FusedBatchNormV3", [x, gamma, beta, mean, variance], attributes);
        }
        break;
      }
      case "activation":
        activation(layer, x);
        break;
      case "softmax":
        node(name, "Softmax", [x]);
        break;
      case "globalAveragePool":
      case "globalMaxPool": {
        const op = layer.type === "globalMaxPool" ? "Max" : "Mean";
        node(name, op, [x, ints(`${name}/axes`, 1, 2)], { keep_dims: attr.b(layer.attributes.keepDims) });
        break;
      }
      case "averagePool":
      case "maxPool":
        node(name, layer.type === "maxPool" ? "MaxPool" : "AvgPool", [x], {
          ksize: attr.ints(1, ...layer.attributes.kernel, 1),
          ...windowOf(layer),
        });
        break;
      case "add":
      case "multiply":
        node(name, layer.type === "add" ? "AddV2" : "Mul", inputs);
        break;
      case "flatten":
      case "reshape":
        node(name, "Reshape", [x, ints(`${name}/sides`, -1, ...shape)]);
        break;
      case "dropout":
        node(name, "Identity", [x]);
        break;
    }
  }

  /** Pixels that "same" and "valid" do not say are a node of their own. */
  function padded({ name, inputs: [x = ""], attributes: { padding } }: Windowed): string {
    if (typeof padding === "string") return x;
    const pads = [0, 0, ...padding.flat(), 0, 0];
    nodes.push(tfInts(`${name}/pads`, [4, 2], pads));
    return node(`${name}/padded`, "Pad", [x, `${name}/pads`]);
  }

  function activation({ name, attributes }: Extract<LayerNode, { type: "activation" }>, x: string): void {
    const gate = (end: string) => {
      node(`${name}/shifted`, "AddV2", [x, floats(`${name}/three`, [], [3])]);
      node(`${name}/bounded`, "Relu6", [`${name}/shifted`]);
      return node(end, "Mul", [`${name}/bounded`, floats(`${name}/sixth`, [], [1 / 6])]);
    };
    if (attributes.function === "hardSigmoid") gate(name);
    else if (attributes.function === "hardSwish") node(name, "Mul", [gate(`${name}/gate`), x]);
    else if (attributes.function === "leakyRelu") node(name, "LeakyRelu", [x], { alpha: attr.f(attributes.slope) });
    else node(name, { relu: "Relu", relu6: "Relu6", linear: "Identity" }[attributes.function], [x]);
  }
  return encode(nodes);
}

type Windowed = Extract<LayerNode, { type: "conv2d" | "depthwiseConv2d" | "averagePool" | "maxPool" }>;

function windowOf({ attributes: { stride, dilation, padding } }: Windowed) {
  return {
    strides: attr.ints(1, ...stride, 1),
    dilations: attr.ints(1, ...dilation, 1),
    padding: attr.s(padding === "same" ? "SAME" : "VALID"),
  };
}
