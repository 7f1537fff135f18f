/** Small MobileNets with random parameters as rows that the tests' writers put into any format, and what they answer. */

import { mulberry32 } from "../../src/core/random.ts";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { layWindow, type Padding } from "../../src/core/window.ts";
import { type Network, withParameters } from "../../src/layers/network.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";

export interface Norm {
  readonly gamma: FloatTensor;
  readonly beta: FloatTensor;
  readonly moving_mean: FloatTensor;
  readonly moving_variance: FloatTensor;
}

/** A layer with weights, and what follows it up to its activation. */
export interface Row {
  /** Our name: for the families whose names follow from it, and for messages. */
  readonly ours: string;
  readonly kind: "conv" | "depthwise" | "pointwise" | "classifier";
  readonly stride: number;
  readonly dilation: number;
  readonly padding: Padding;
  /** The same padding in pixels. */
  readonly pads: readonly [readonly [number, number], readonly [number, number]];
  readonly inputs: number;
  readonly outputs: number;
  /** HWIO, or `[kh, kw, in, multiplier]`. */
  readonly kernel: FloatTensor;
  readonly bias: FloatTensor | undefined;
  readonly norm: Norm | undefined;
  /** Unlike that of the other layers; no network of ours has one. */
  readonly activation?: Activation;
}

export type Activation = "relu" | "relu6" | "leakyRelu" | "linear";

export interface Sample {
  readonly title: string;
  readonly options: MobileNetV1Options;
  readonly model: Network;
  readonly rows: readonly Row[];
  readonly epsilon: number;
  readonly activation: Activation;
  readonly slope: number;
  /** `[height, width]` of the last feature map. */
  readonly map: readonly [number, number];
}

/** A network with all parameters random: some channels nearly dead, so that epsilon matters, some gammas negative. */
export function sample(title: string, options: MobileNetV1Options, seed: number): Sample {
  const model = mobileNetV1<MobileNetV1Options>({ ...options, seed });
  const random = mulberry32(seed);
  const parameters = new Map<string, FloatTensor>();
  for (const [name, { role, shape }] of model.parameterInfo) {
    const values = (model.parameters.get(name) as FloatTensor).data.map((value, i) => {
      const isDead = i % 13 === 5;
      if (role === "kernel") return value;
      if (role === "variance") return isDead ? 1e-4 * random() : 0.2 + random();
      if (role === "gamma") return (isDead ? 0.05 : 1) * (0.5 + random()) * (random() < 0.1 ? -1 : 1);
      return 0.6 * (random() - 0.4);
    });
    parameters.set(name, tensor(values, shape));
  }
  return withRows(title, options, withParameters(model, parameters));
}

/** The same network with other numbers, by our names. */
export function changed(from: Sample, change: (data: Float32Array, name: string) => Float32Array): Sample {
  const parameters = [...from.model.parameters].map(
    ([name, { data, shape }]) => [name, tensor(change(data, name), shape)] as const,
  );
  return withRows(from.title, from.options, withParameters(from.model, new Map(parameters)));
}

const foldedSamples = new WeakMap<Sample, Sample>();

/** The same network with batch norm folded, in float64, as a converter does it. */
export function folded(from: Sample): Sample {
  const known = from.options.batchNorm === false ? from : foldedSamples.get(from);
  if (known !== undefined) return known;
  const made = fold(from);
  foldedSamples.set(from, made);
  return made;
}

function fold(from: Sample): Sample {
  const options = { ...from.options, batchNorm: false, convolutionBias: true };
  const parameters = new Map<string, FloatTensor>();
  for (const { ours, kind, kernel, bias, norm, outputs } of from.rows) {
    const name = `${ours}/${kind === "depthwise" ? "depthwise_kernel" : "kernel"}`;
    const { gamma, beta, moving_mean: mean, moving_variance: variance } = norm ?? {};
    const scale = (c: number) =>
      gamma === undefined ? 1 : gamma.data[c]! / Math.sqrt(variance!.data[c]! + from.epsilon);
    const shifted = Float32Array.from({ length: outputs }, (_, c) => {
      const sum = bias?.data[c] ?? 0;
      return norm === undefined ? sum : beta!.data[c]! + (sum - mean!.data[c]!) * scale(c);
    });
    const values = kernel.data.map((value, i) => value * scale(i % outputs));
    parameters.set(name, tensor(values, kernel.shape));
    parameters.set(`${ours}/bias`, tensor(shifted, [outputs]));
  }
  return withRows(from.title, options, withParameters(mobileNetV1<MobileNetV1Options>(options), parameters));
}

function withRows(title: string, options: MobileNetV1Options, model: Network): Sample {
  const rows = model.layers.flatMap((node): Row[] => {
    if (!["conv2d", "depthwiseConv2d", "pointwiseConv2d"].includes(node.type)) return [];
    const [height = 1, width = 1, inputs = 0] = model.shapes.get(node.inputs[0]!)!;
    const window = "kernel" in node.attributes ? (node.attributes as Parameters<typeof layWindow>[1]) : undefined;
    const laid = window && layWindow(node.name, window, [height, width]);
    const value = (name: string) => model.parameters.get(name);
    const norm = (name: string) => value(`${node.name}_bn/${name}`)!;
    const isDepthwise = node.type === "depthwiseConv2d";
    const kinds = { conv2d: "conv", depthwiseConv2d: "depthwise", pointwiseConv2d: "pointwise" } as const;
    return [
      {
        ours: node.name,
        kind: node.name === "conv_preds" ? "classifier" : kinds[node.type as keyof typeof kinds],
        stride: laid?.stride[0] ?? 1,
        dilation: laid?.dilation[0] ?? 1,
        padding: window?.padding ?? "same",
        pads: laid?.padding ?? [
          [0, 0],
          [0, 0],
        ],
        inputs,
        outputs: model.shapes.get(node.name)!.at(-1)!,
        kernel: value(`${node.name}/${isDepthwise ? "depthwise_kernel" : "kernel"}`)!,
        bias: value(`${node.name}/bias`),
        norm: model.parameters.has(`${node.name}_bn/gamma`)
          ? {
              gamma: norm("gamma"),
              beta: norm("beta"),
              moving_mean: norm("moving_mean"),
              moving_variance: norm("moving_variance"),
            }
          : undefined,
      },
    ];
  });
  const complete = model.info.options as Required<MobileNetV1Options>;
  const last = rows.findLast(({ kind }) => kind !== "classifier")!;
  const [height = 1, width = 1] = model.shapes.get(last.ours)!;
  return {
    title,
    options,
    model,
    rows,
    epsilon: complete.epsilon,
    activation: complete.activation as Activation,
    slope: complete.negativeSlope ?? 0.1,
    map: [height, width],
  };
}

/** What a bare state dict cannot say, as the options of a call. */
export function unsaid({ model, options }: Sample): MobileNetV1Options {
  const { padding, stemPadding, activation, negativeSlope, epsilon, pooling, outputStride } = model.info
    .options as Required<MobileNetV1Options>;
  const [height = 0, width = 0] = model.inputShape;
  return {
    inputSize: [height, width],
    padding,
    stemPadding,
    activation,
    outputStride,
    ...(activation === "leakyRelu" ? { negativeSlope } : {}),
    ...(options.batchNorm === false ? {} : { epsilon }),
    ...(options.stem === undefined ? {} : { stem: options.stem }),
    ...(options.blocks === undefined ? {} : { blocks: options.blocks }),
    ...(options.includeTop === false ? { pooling } : {}),
  };
}

/** A picture of random numbers, the same for one shape. */
function picture(shape: readonly number[]): FloatTensor {
  const random = mulberry32(77);
  const sides = [1, ...shape];
  const count = sides.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: count }, () => 2 * random() - 1),
    sides,
  );
}

/** The last numbers before a softmax: logits, or the features of a network without a classifier. */
export async function answer(model: Network, backend: "reference" | "wasm", fold = true): Promise<Float32Array> {
  const session = await compile(model, { backend, fold });
  try {
    const result = (await session.run(picture(model.inputShape))) as Readonly<Record<string, FloatTensor | undefined>>;
    const found = result["logits"] ?? result["embedding"] ?? result["features"];
    if (found === undefined) throw new Error(`outputs ${Object.keys(result).join(", ")}`);
    return found.data.slice();
  } finally {
    session.close();
  }
}

/** The bytes of numbers, little-endian. */
export function bytesOf(data: Float32Array | Uint16Array | Uint8Array | Int8Array | Int32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}
