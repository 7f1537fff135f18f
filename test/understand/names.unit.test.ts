/** Each family's complete list of names onto ours, one to one; and layouts by index arithmetic. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { transpose, type WeightLayout } from "../../src/formats/transpose.ts";
import { expectedLayers } from "../../src/understand/architectures/mobilenet-v1/expected.ts";
import type { NameMap } from "../../src/understand/architectures/mobilenet-v1/name-map.ts";
import { huggingFace } from "../../src/understand/architectures/mobilenet-v1/names/hugging-face.ts";
import { keras } from "../../src/understand/architectures/mobilenet-v1/names/keras.ts";
import { pytorch } from "../../src/understand/architectures/mobilenet-v1/names/pytorch.ts";
import { retinaface } from "../../src/understand/architectures/mobilenet-v1/names/retinaface.ts";
import { OTHER_NAME_MAPS } from "../../src/understand/architectures/mobilenet-v1/names/table.ts";
import { tfSlim } from "../../src/understand/architectures/mobilenet-v1/names/tf-slim.ts";
import { timm } from "../../src/understand/architectures/mobilenet-v1/names/timm.ts";

type Row = readonly [theirs: string, ours: string, layout: WeightLayout];

const NAME_MAPS = [keras, ...OTHER_NAME_MAPS];
const search = { known: {}, layersOf: expectedLayers };
/** What a name is to us in a file of these names. */
const rename = (map: NameMap, name: string, names: ReadonlySet<string> = new Set()) => map.renamer(names, search)(name);

const BLOCKS = Array.from({ length: 13 }, (_, i) => i + 1);
const NORM = ["gamma", "beta", "moving_mean", "moving_variance"];
const TORCH_NORM = ["weight", "bias", "running_mean", "running_var"];

const ours = [
  "conv1/kernel",
  ...NORM.map((name) => `conv1_bn/${name}`),
  ...BLOCKS.flatMap((i) => [
    `conv_dw_${i}/depthwise_kernel`,
    ...NORM.map((name) => `conv_dw_${i}_bn/${name}`),
    `conv_pw_${i}/kernel`,
    ...NORM.map((name) => `conv_pw_${i}_bn/${name}`),
  ]),
  "conv_preds/kernel",
  "conv_preds/bias",
];

/** Where a PyTorch family keeps the layers. */
interface Places {
  readonly stem: readonly [convolution: string, norm: string];
  readonly block: (i: number) => readonly [depthwise: string, norm: string, pointwise: string, norm: string];
  readonly classifier: string;
}

function torchRows({ stem, block, classifier }: Places): Row[] {
  const norm = (theirs: string, layer: string): Row[] =>
    TORCH_NORM.map((name, at): Row => [`${theirs}.${name}`, `${layer}_bn/${NORM[at]}`, "as-is"]);
  return [
    [`${stem[0]}.weight`, "conv1/kernel", "oihw"],
    ...norm(stem[1], "conv1"),
    ...BLOCKS.flatMap((i): Row[] => {
      const [depthwise, depthwiseNorm, pointwise, pointwiseNorm] = block(i);
      return [
        [`${depthwise}.weight`, `conv_dw_${i}/depthwise_kernel`, "depthwise-oihw"],
        ...norm(depthwiseNorm, `conv_dw_${i}`),
        [`${pointwise}.weight`, `conv_pw_${i}/kernel`, "oihw"],
        ...norm(pointwiseNorm, `conv_pw_${i}`),
      ];
    }),
    [`${classifier}.weight`, "conv_preds/kernel", "linear"],
    [`${classifier}.bias`, "conv_preds/bias", "as-is"],
  ];
}

const hf = (prefix: string) =>
  torchRows({
    stem: [`${prefix}conv_stem.convolution`, `${prefix}conv_stem.normalization`],
    block: (i) => {
      const [dw, pw] = [`${prefix}layer.${2 * (i - 1)}`, `${prefix}layer.${2 * (i - 1) + 1}`];
      return [`${dw}.convolution`, `${dw}.normalization`, `${pw}.convolution`, `${pw}.normalization`];
    },
    classifier: "classifier",
  });

const STAGES = ["0.0", "1.0", "1.1", "2.0", "2.1", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "4.0", "4.1"];
const timmRows = torchRows({
  stem: ["conv_stem", "bn1"],
  block: (i) => {
    const at = `blocks.${STAGES[i - 1]}`;
    return [`${at}.conv_dw`, `${at}.bn1`, `${at}.conv_pw`, `${at}.bn2`];
  },
  classifier: "classifier",
});

const marvis = (prefix: string) =>
  torchRows({
    stem: [`${prefix}model.0.0`, `${prefix}model.0.1`],
    block: (i) => [`${prefix}model.${i}.0`, `${prefix}model.${i}.1`, `${prefix}model.${i}.3`, `${prefix}model.${i}.4`],
    classifier: `${prefix}fc`,
  });

const retinafaceRows = (prefix: string) =>
  torchRows({
    stem: [`${prefix}stage1.0.0`, `${prefix}stage1.0.1`],
    block: (i) => {
      const at = `${prefix}stage${i < 6 ? `1.${i}` : i < 12 ? `2.${i - 6}` : `3.${i - 12}`}`;
      return [`${at}.0`, `${at}.1`, `${at}.3`, `${at}.4`];
    },
    classifier: `${prefix}fc`,
  });

/** TF-slim's variables in our order, each with what is put behind its name. */
function slimRows(prefix: string, behind: string): Row[] {
  const at = (layer: string, kernel: string) => [
    `${layer}/${kernel}`,
    ...NORM.map((name) => `${layer}/BatchNorm/${name}`),
  ];
  const logits = "Logits/Conv2d_1c_1x1";
  const theirs = [
    ...at("Conv2d_0", "weights"),
    ...BLOCKS.flatMap((i) => [
      ...at(`Conv2d_${i}_depthwise`, "depthwise_weights"),
      ...at(`Conv2d_${i}_pointwise`, "weights"),
    ]),
    `${logits}/weights`,
    `${logits}/biases`,
  ];
  return theirs.map((name, i): Row => [`${prefix}MobilenetV1/${name}${behind}`, ours[i] ?? "", "as-is"]);
}

const kerasRows = (rename: (name: string) => string) => ours.map((name): Row => [rename(name), name, "as-is"]);
const doubled = (name: string) => `${name.split("/")[0]}/${name}:0`;

const FAMILIES: readonly (readonly [what: string, map: NameMap, rows: readonly Row[]])[] = [
  ["Keras 2", keras, kerasRows((name) => name)],
  ["Keras 2 with :0", keras, kerasRows((name) => `${name}:0`)],
  ["Keras HDF5 with the group twice", keras, kerasRows(doubled)],
  ["Keras 3", keras, kerasRows((name) => name.replace("depthwise_kernel", "kernel"))],
  ["Hugging Face", huggingFace, hf("mobilenet_v1.")],
  ["Hugging Face, bare", huggingFace, hf("")],
  ["timm", timm, timmRows],
  ["PyTorch", pytorch, marvis("")],
  ["PyTorch, DataParallel", pytorch, marvis("module.")],
  ["Retinaface", retinaface, retinafaceRows("")],
  ["Retinaface, DataParallel", retinaface, retinafaceRows("module.")],
  ["TF-slim", tfSlim, slimRows("", "")],
  ["TF-slim, of a detector, with :0", tfSlim, slimRows("FeatureExtractor/", ":0")],
  ["TF-slim, moving averages alone", tfSlim, slimRows("", "/ExponentialMovingAverage")],
];

describe.each(FAMILIES)("the names of %s", (_, map, rows) => {
  it("go one to one onto all 137 names of ours, each with its layout", () => {
    expect(ours).toHaveLength(137);
    const renamer = map.renamer(new Set(rows.map(([theirs]) => theirs)), search);
    expect(rows.map(([theirs]) => [theirs, renamer(theirs)])).toEqual(
      rows.map(([theirs, name, layout]) => [theirs, { name, layout }]),
    );
    expect(new Set(rows.map(([, name]) => name))).toEqual(new Set(ours));
  });

  it("are claimed by this family and no other", () => {
    const names = new Set(rows.map(([theirs]) => theirs));
    expect(NAME_MAPS.filter((other) => other.matches(names))).toEqual([map]);
  });

  it("leave unknown names alone", () => {
    for (const name of ["", "weight", "conv_head.weight", "features.0.0.weight", "model.0", "conv1"]) {
      expect(rename(map, name), name).toBeUndefined();
    }
  });
});

describe("what only training needs", () => {
  it.each([
    [huggingFace, "mobilenet_v1.layer.3.normalization.num_batches_tracked"],
    [timm, "blocks.3.2.bn2.num_batches_tracked"],
    [timm, "bn1.num_batches_tracked"],
    [pytorch, "module.model.7.4.num_batches_tracked"],
    [keras, "optimizer_weights/training/Adam/iterations:0"],
    [keras, "training/RMSprop/conv1/kernel/rms:0"],
    [keras, "Adam/learning_rate:0"],
  ] as const)("is ignored: %#", (map, name) => {
    expect(rename(map, name)).toBe("ignored");
  });
});

describe("a family is known", () => {
  const matches = (map: NameMap, ...names: string[]) => map.matches(new Set(["other", ...names]));

  it("in Keras by its first two layers, of separable blocks or of full convolutions", () => {
    expect(matches(keras, "conv1/kernel:0", "conv_dw_1/depthwise_kernel:0")).toBe(true);
    expect(matches(keras, "model_weights/conv1/conv1/kernel:0", "conv_dw_1/kernel")).toBe(true);
    const [, second] = expectedLayers({ standardConvolution: true });
    expect(matches(keras, "conv1/kernel", `${second?.name}/kernel`)).toBe(true);
    for (const names of [
      ["conv1/kernel"],
      ["conv_dw_1/kernel"],
      ["conv1", "conv_dw_1"],
      ["xconv1/kernel", "conv_dw_1/k"],
    ])
      expect(matches(keras, ...names), `${names}`).toBe(false);
  });

  it("of PyTorch by kernels at places that no other has, all of them", () => {
    const both: [NameMap, string, string][] = [
      [pytorch, "model.0.0.weight", "model.1.3.weight"],
      [retinaface, "stage1.0.0.weight", "stage1.1.3.weight"],
    ];
    for (const [map, first, second] of both) {
      expect(matches(map, first, second)).toBe(true);
      expect(matches(map, `module.${first}`, `module.${second}`)).toBe(true);
      for (const names of [[first], [second], [first, `module.${second}`], [`module.${first}`, second]])
        expect(matches(map, ...names), `${names}`).toBe(false);
    }
    const [stem, block] = ["conv_stem.weight", "blocks.0.0.conv_dw.weight"];
    expect(matches(timm, stem, block)).toBe(true);
    for (const names of [[stem], [block], [stem, block, "blocks.1.0.conv_pwl.weight"]])
      expect(matches(timm, ...names), `${names}`).toBe(false);
    for (const prefix of ["", "mobilenet_v1."])
      expect(matches(huggingFace, `${prefix}conv_stem.convolution.weight`)).toBe(true);
    expect(matches(huggingFace, "mobilenet_v1.conv_stem.convolution", "x.conv_stem.convolution.weight")).toBe(false);
  });
});

describe("a name of Keras", () => {
  it("may repeat its layer, stand in model_weights and end in :0", () => {
    const target = { name: "conv1_bn/gamma", layout: "as-is" };
    for (const layer of [
      "conv1_bn",
      "conv1_bn/conv1_bn",
      "model_weights/conv1_bn",
      "model_weights/conv1_bn/conv1_bn",
    ]) {
      for (const end of ["", ":0"]) expect(rename(keras, `${layer}/gamma${end}`)).toEqual(target);
    }
    for (const other of [
      ...["x/conv1_bn/gamma", "conv1/conv1_bn/gamma", "conv1_bn/gamma:1", "conv1_bn/gamma:0x", "conv1_bn/conv1_bn"],
      ...["x/model_weights/conv1_bn/gamma", "model_weights/x/conv1_bn/gamma", "conv1_bn//gamma", "/conv1_bn/gamma"],
    ])
      expect(rename(keras, other), other).toBeUndefined();
    expect(rename(keras, "conv_dw_2/kernel")).toEqual({ name: "conv_dw_2/depthwise_kernel", layout: "as-is" });
    expect(rename(keras, "conv_pw_2/depthwise_kernel")).toBeUndefined();
  });

  it("of training is ignored, one like it is not", () => {
    const optimizers = ["SGD", "Adam", "Adamax", "Nadam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Ftrl"];
    const others = ["optimizer", "training", "global_step", "iteration", "iterations", "save_counter", "learning_rate"];
    for (const word of [...optimizers, ...optimizers.map((name) => `legacy_${name.toLowerCase()}`), ...others]) {
      for (const name of [word, `${word}:0`, `${word}/conv1/kernel`, `${word}_12/x`])
        expect(rename(keras, name), name).toBe("ignored");
      for (const name of [`x${word}`, `${word}x`, `${word}_x/y`, `conv1/${word}`])
        expect(rename(keras, name), name).toBeUndefined();
    }
  });
});

describe("a Keras classifier that is a dense layer", () => {
  it("goes to conv_preds", () => {
    expect(rename(keras, "predictions/kernel:0")).toEqual({ name: "conv_preds/kernel", layout: "dense" });
    expect(rename(keras, "predictions/bias")).toEqual({ name: "conv_preds/bias", layout: "as-is" });
  });
});

describe("names that count stages", () => {
  const strides = [1, 1, 2, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2];
  const blocks = strides.map((stride) => ({ stride, filters: 64 }));
  /** What a kernel of each block is called, of a network with these strides whose names follow them. */
  const called = (map: NameMap, names: readonly string[]) => {
    const renamer = map.renamer(new Set(names), { known: { blocks }, layersOf: expectedLayers });
    return names.map((name) => {
      const found = renamer(name);
      return typeof found === "object" ? found.name : found;
    });
  };
  const kernels = BLOCKS.map((i) => `conv_dw_${i}/depthwise_kernel`);

  it("begin one where the image becomes smaller, in timm from the second block on", () => {
    const stages = ["0.0", "0.1", "1.0", "2.0", "2.1", "2.2", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "4.0"];
    expect(
      called(
        timm,
        stages.map((stage) => `blocks.${stage}.conv_dw.weight`),
      ),
    ).toEqual(kernels);
  });

  it("begin one in Retinaface once it is an eighth of the picture", () => {
    const stages = ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "3.0"];
    // The stem halves it, blocks 3 and 4 again: to an eighth, in which stage 1 ends with what leaves it so.
    expect(
      called(
        retinaface,
        stages.map((stage) => `stage${stage}.0.weight`),
      ),
    ).toEqual(kernels);
  });
});

describe("defaults", () => {
  it("are each family's own", () => {
    const own = { preprocessing: {}, why: expect.any(String) };
    const imagenet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
    const mobile = { padding: "same", epsilon: 1e-3, activation: "relu6" } as const;
    const torch = { padding: "symmetric", epsilon: 1e-5 } as const;
    expect(NAME_MAPS.map(({ family, defaults }) => [family, defaults])).toEqual([
      [keras.family, { ...own, ...mobile, channelRounding: "truncate" }],
      [huggingFace.family, { ...own, ...mobile, channelRounding: "floor" }],
      [timm.family, { ...own, ...torch, activation: "relu6", channelRounding: "divisible8" }],
      [pytorch.family, { ...own, ...torch, activation: "relu", channelRounding: "truncate", preprocessing: imagenet }],
      [
        retinaface.family,
        {
          ...{ ...own, ...torch, activation: "leakyRelu", negativeSlope: 0.1 },
          ...{ channelRounding: "truncate", preprocessing: imagenet },
        },
      ],
      [tfSlim.family, { ...own, ...mobile, channelRounding: "floor" }],
    ]);
  });

  it("differ as the families' training did", () => {
    const of = ({ defaults }: NameMap) => [defaults.padding, defaults.epsilon, defaults.activation];
    expect([keras, huggingFace, timm, pytorch].map(of)).toEqual([
      ["same", 0.001, "relu6"],
      ["same", 0.001, "relu6"],
      ["symmetric", 1e-5, "relu6"],
      ["symmetric", 1e-5, "relu"],
    ]);
  });
});

describe("transpose", () => {
  const counting = (count: number) => Float32Array.from({ length: count }, (_, i) => i);
  /** The value at an index, counted out. */
  const at = (data: Float32Array, shape: readonly number[], index: readonly number[]) =>
    data[index.reduce((offset, place, axis) => offset * (shape[axis] ?? 1) + place, 0)];
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);

  it("puts [out, in, kh, kw] as [kh, kw, in, out]", () => {
    const [out, inputs, kh, kw] = [5, 3, 2, 7];
    const source = counting(out * inputs * kh * kw);
    const result = transpose("k", source, [out, inputs, kh, kw], "oihw");
    expect(result.shape).toEqual([kh, kw, inputs, out]);
    for (const o of range(out))
      for (const i of range(inputs))
        for (const y of range(kh))
          for (const x of range(kw)) {
            expect(at(result.data, result.shape, [y, x, i, o])).toBe(at(source, [out, inputs, kh, kw], [o, i, y, x]));
          }
  });

  it("puts [channels, 1, kh, kw] as [kh, kw, channels, 1]", () => {
    const [channels, kh, kw] = [5, 2, 3];
    const source = counting(channels * kh * kw);
    const result = transpose("k", source, [channels, 1, kh, kw], "depthwise-oihw");
    expect(result.shape).toEqual([kh, kw, channels, 1]);
    for (const c of range(channels))
      for (const y of range(kh))
        for (const x of range(kw)) {
          expect(at(result.data, result.shape, [y, x, c, 0])).toBe(at(source, [channels, 1, kh, kw], [c, 0, y, x]));
        }
  });

  it("puts [out, in] as [1, 1, in, out]", () => {
    const [out, inputs] = [5, 3];
    const source = counting(out * inputs);
    const result = transpose("k", source, [out, inputs], "linear");
    expect(result.shape).toEqual([1, 1, inputs, out]);
    for (const o of range(out))
      for (const i of range(inputs)) {
        expect(at(result.data, result.shape, [0, 0, i, o])).toBe(at(source, [out, inputs], [o, i]));
      }
  });

  it("moves nothing where the order is ours already", () => {
    const data = counting(6);
    expect(transpose("k", data, [2, 3], "dense")).toEqual({ data, shape: [1, 1, 2, 3] });
    expect(transpose("k", data, [6], "as-is")).toEqual({ data, shape: [6] });
  });

  it.each(["oihw", "depthwise-oihw", "linear", "dense"] as const)(
    "refuses a rank that %s does not have, by name",
    (layout) => {
      let error: unknown;
      try {
        transpose("conv_pw_1/kernel", counting(6), [1, 2, 3], layout);
      } catch (caught) {
        error = caught;
      }
      expect(isDepthwiseError(error) && [error.code, error.message]).toEqual([
        "SHAPE_MISMATCH",
        expect.stringMatching(/^tensor "conv_pw_1\/kernel": expected rank [24], found \[1, 2, 3\]\./),
      ]);
    },
  );
});

describe("the names of a TF-slim checkpoint", () => {
  const weights = "MobilenetV1/Conv2d_0/weights";

  it("mean the moving average where there is one", () => {
    const names = new Set([
      weights,
      `${weights}/ExponentialMovingAverage`,
      "MobilenetV1/Conv2d_0/BatchNorm/moving_mean",
    ]);
    const target = { name: "conv1/kernel", layout: "as-is" };
    expect(rename(tfSlim, weights, names)).toBe("ignored");
    expect(rename(tfSlim, `${weights}/ExponentialMovingAverage`, names)).toEqual(target);
    expect(rename(tfSlim, weights, new Set([weights]))).toEqual(target);
    expect(rename(tfSlim, "MobilenetV1/Conv2d_0/BatchNorm/moving_mean", names)).toMatchObject({
      name: "conv1_bn/moving_mean",
    });
  });

  it("are claimed by the first kernel, under each of its names", () => {
    for (const prefix of ["", "FeatureExtractor/"]) {
      for (const end of ["", ":0", "/ExponentialMovingAverage", "/ExponentialMovingAverage:0"]) {
        expect(tfSlim.matches(new Set(["x", `${prefix}${weights}${end}`])), prefix + end).toBe(true);
      }
    }
    for (const other of ["x", `a/${weights}`, `${weights}/Momentum`, `${weights}:1`, "MobilenetV1/Conv2d_1/weights"]) {
      expect(tfSlim.matches(new Set([other])), other).toBe(false);
    }
  });

  it("with :0 mean the moving average as well, and are looked for at their ends alone", () => {
    const average = `${weights}/ExponentialMovingAverage`;
    const target = { name: "conv1/kernel", layout: "as-is" };
    for (const names of [[average], [`${average}:0`]].map((each) => new Set([weights, `${weights}:0`, ...each]))) {
      expect([weights, `${weights}:0`].map((name) => rename(tfSlim, name, names))).toEqual(["ignored", "ignored"]);
    }
    expect(rename(tfSlim, `${average}:0`, new Set([`${average}:0`]))).toEqual(target);
    expect(rename(tfSlim, `FeatureExtractor/${weights}:0`)).toEqual(target);
    expect(rename(tfSlim, "MobilenetV1/FeatureExtractor/Conv2d_0/weights")).toBeUndefined();
    expect(rename(tfSlim, "MobilenetV1/Conv2d_0:0/weights")).toBeUndefined();
    for (const other of [`x/FeatureExtractor/${weights}`, `${weights}:00`, `${weights}:0:0`, `${average}/x`]) {
      expect(rename(tfSlim, other), other).toBeUndefined();
    }
  });

  it("of a whole detector are not claimed", () => {
    const body = `FeatureExtractor/${weights}`;
    expect(tfSlim.matches(new Set([body]))).toBe(true);
    expect(tfSlim.matches(new Set([body, "BoxPredictor_0/ClassPredictor/weights"]))).toBe(false);
  });

  it("of the optimizer are ignored", () => {
    const slots = ["RMSProp", "Momentum", "Adam", "Adagrad", "Adadelta", "Ftrl", "local_step", "biased"];
    for (const slot of [...slots, "RMSProp_1", "Adam_1", "Adadelta_1", "Ftrl_12"]) {
      expect(rename(tfSlim, `${weights}/${slot}`), slot).toBe("ignored");
      expect(rename(tfSlim, slot), slot).toBe("ignored");
    }
    for (const name of ["global_step", "beta1_power", "beta2_power", "learning_rate", "global_step:0"]) {
      expect(rename(tfSlim, name), name).toBe("ignored");
    }
    for (const name of ["xAdam", "Adam_x", "Adam/x", "a/global_step", "global_steps", "beta3_power", "Momentum_1"]) {
      expect(rename(tfSlim, name), name).toBeUndefined();
    }
  });

  it("of other layers and values are not known", () => {
    for (const name of [
      "MobilenetV1/Conv2d_14_depthwise/depthwise_weights",
      "MobilenetV1/Conv2d_1_depthwise/weights",
      "MobilenetV1/Conv2d_1_pointwise/depthwise_weights",
      "MobilenetV1/Logits/Conv2d_1c_1x1/BatchNorm/gamma",
      "MobilenetV1/Conv2d_0/BatchNorm/delta",
      "MobilenetV1/Conv2d_0/constructor",
    ]) {
      expect(rename(tfSlim, name), name).toBeUndefined();
    }
  });

  it("with biases in place of batch norms are those of a folded network", () => {
    expect(rename(tfSlim, "MobilenetV1/Conv2d_3_pointwise/biases")).toEqual({
      name: "conv_pw_3/bias",
      layout: "as-is",
    });
  });
});

it("every family says where its defaults come from", () => {
  for (const { family, defaults } of NAME_MAPS) expect(defaults.why, family).toMatch(/^as .{10}/);
  expect(retinaface.defaults).toMatchObject({ activation: "leakyRelu", negativeSlope: 0.1, padding: "symmetric" });
});
