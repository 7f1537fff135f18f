/** The first step of the golden network, written out as calls of training on the reference runners. */

import { beforeAll, expect, it } from "vitest";
import { REFERENCE_TRAINING, type TrainingRunner } from "../../src/kernels/reference/gradients/index.ts";
import { REFERENCE } from "../../src/kernels/reference/index.ts";
import { convolution } from "../../src/operations/convolution.ts";
import { depthwiseConvolution } from "../../src/operations/depthwise-convolution.ts";
import type { GlobalPoolCall, PointwiseCall } from "../../src/operations/kernel-call.ts";
import type { BackwardCall, ForwardCall, Load, Norm, WeightedCall } from "../../src/operations/training-call.ts";
import { largestDifference, readIntegers, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";
import { describeShared } from "../shared.ts";

interface Run {
  readonly data: { readonly images: TensorReference; readonly labels: TensorReference };
  readonly initial: Record<string, TensorReference>;
  readonly initialMoving: Record<string, TensorReference>;
  readonly firstStep: {
    readonly loss: number;
    readonly logits: TensorReference;
    readonly gradients: Record<string, TensorReference>;
    readonly tolerance: { readonly loss: number; readonly logits: number; readonly gradients: Record<string, number> };
  };
}

const RELU6: Load = { norm: true, clamp: "relu6" };
const BATCH = 8;

const normOf = (pixels: number, channels: number): Norm => ({
  mode: "batch",
  pixels,
  channels,
  epsilon: 1e-3,
  momentum: 0.9,
  variance: "biased",
});

const onPixels = (pixels: number, inChannels: number, outChannels: number): PointwiseCall => ({
  kernel: "pointwiseConv2d",
  pixels,
  inChannels,
  outChannels,
  activation: "linear",
});

/** Of a 9 × 9 × 3 image: 8 filters of stride 2, 3 × 3 depthwise, 16 pointwise, mean, 5 classes. */
const convAttributes = convolution.check("conv", { kernel: 3, filters: 8, stride: 2 });
const CONV = convolution.call("conv", convAttributes, [[1, 9, 9, 3]], [1, 5, 5, 8]) as WeightedCall;
const dwAttributes = depthwiseConvolution.check("dw", { kernel: 3 });
const DW = depthwiseConvolution.call("dw", dwAttributes, [[1, 5, 5, 8]], [1, 5, 5, 8]) as WeightedCall;
const PW = onPixels(25, 8, 16);
const DENSE = onPixels(1, 16, 5);
const POOL: GlobalPoolCall = { kernel: "globalAveragePool", pixels: 25, channels: 16 };

describeShared("a first step on the reference runners", () => {
  let golden: Run;
  let images: Float32Array;
  let labels: readonly number[];
  beforeAll(() => {
    golden = readJson<Run>("golden/train/index.json");
    images = readTensor("golden/train", golden.data.images).data;
    labels = readIntegers("golden/train", golden.data.labels);
  });
  const values: Record<string, Float32Array> = {};

  const takeStep = (adds: boolean, scale: number) => {
    const { initial, initialMoving, firstStep } = golden;
    const batch = labels.length;
    for (const [name, reference] of Object.entries({ ...initial, ...initialMoving })) {
      values[name] = readTensor("golden/train", reference).data;
    }
    const sizes = {
      conv: 25 * 8,
      dw: 25 * 8,
      pw: 25 * 16,
      activated: 25 * 16,
      pooled: 16,
      logits: 5,
      targets: 5,
      perExample: 1,
    };
    for (const [name, size] of Object.entries(sizes)) {
      values[name] = new Float32Array(size * batch).fill(Number.NaN);
      values[`d${name}`] = new Float32Array(size * batch).fill(Number.NaN);
    }
    for (const [name, channels] of Object.entries({ conv: 8, dw: 8, pw: 16 })) {
      values[`${name}_bn`] = new Float32Array(4 * channels).fill(Number.NaN);
      values[`${name}_bn/gradient`] = new Float32Array(3 * channels).fill(Number.NaN);
    }
    for (const [name, reference] of Object.entries(firstStep.gradients)) {
      if (!adds) values[`d:${name}`] = readTensor("golden/train", reference).data.fill(Number.NaN);
    }
    values["images"] = images;
    values["targets"]!.fill(0);
    labels.forEach((label, n) => {
      values["targets"]![n * 5 + label] = 1;
    });

    const run = (runner: TrainingRunner, roles: Record<string, string>) => {
      const operands = Object.fromEntries(Object.entries(roles).map(([role, name]) => [role, values[name]]));
      expect(Object.values(operands)).not.toContain(undefined);
      runner(batch, operands, { adds, scale });
    };
    const bn = (name: string) => ({
      gamma: `${name}_bn/gamma`,
      beta: `${name}_bn/beta`,
      movingMean: `${name}_bn/moving_mean`,
      movingVariance: `${name}_bn/moving_variance`,
      yNorm: `${name}_bn`,
    });
    const forward = (call: Omit<ForwardCall, "kernel">, roles: Record<string, string>) =>
      run(REFERENCE_TRAINING.forward({ kernel: "forward", ...call }), roles);
    const backward = (call: Omit<BackwardCall, "kernel">, roles: Record<string, string>) =>
      run(REFERENCE_TRAINING.backward({ kernel: "backward", ...call }), roles);
    const dbn = (name: string) => ({
      xNormGradient: `${name}_bn/gradient`,
      dgamma: `d:${name}_bn/gamma`,
      dbeta: `d:${name}_bn/beta`,
    });
    const upstream = (name: string) => ({ y: name, yNorm: `${name}_bn`, yNormGradient: `${name}_bn/gradient` });

    forward({ of: CONV, norm: normOf(25, 8) }, { x: "images", kernel: "conv/kernel", y: "conv", ...bn("conv") });
    forward(
      { of: DW, load: RELU6, norm: normOf(25, 8) },
      { x: "conv", xNorm: "conv_bn", kernel: "dw/depthwise_kernel", y: "dw", ...bn("dw") },
    );
    forward(
      { of: PW, load: RELU6, norm: normOf(25, 16) },
      { x: "dw", xNorm: "dw_bn", kernel: "pw/kernel", y: "pw", ...bn("pw") },
    );
    run(REFERENCE_TRAINING.normalise({ kernel: "normalise", load: RELU6, pixels: 25, channels: 16 }), {
      x: "pw",
      xNorm: "pw_bn",
      y: "activated",
    });
    REFERENCE.globalAveragePool(POOL)(batch, {
      inputs: [values["activated"]!],
      parameters: [],
      output: values["pooled"]!,
    });
    forward({ of: DENSE }, { x: "pooled", kernel: "dense/kernel", bias: "dense/bias", y: "logits" });
    run(REFERENCE_TRAINING.softmaxCrossEntropy({ kernel: "softmaxCrossEntropy", classes: 5 }), {
      logits: "logits",
      targets: "targets",
      perExample: "perExample",
      dlogits: "dlogits",
    });

    backward(
      { of: DENSE },
      {
        dy: "dlogits",
        x: "pooled",
        kernel: "dense/kernel",
        dx: "dpooled",
        dkernel: "d:dense/kernel",
        dbias: "d:dense/bias",
      },
    );
    run(REFERENCE_TRAINING.poolGradient({ kernel: "poolGradient", of: POOL }), { dy: "dpooled", dx: "dactivated" });
    run(REFERENCE_TRAINING.normGradient({ kernel: "normGradient", norm: normOf(25, 16), clamp: "relu6" }), {
      dy: "dactivated",
      x: "pw",
      xNorm: "pw_bn",
      ...dbn("pw"),
    });
    backward(
      { of: PW, upstream: RELU6, load: RELU6, normGradient: normOf(25, 8) },
      {
        ...{ dy: "dactivated", ...upstream("pw"), x: "dw", xNorm: "dw_bn", kernel: "pw/kernel" },
        ...{ dx: "ddw", dkernel: "d:pw/kernel", ...dbn("dw") },
      },
    );
    backward(
      { of: DW, upstream: RELU6, load: RELU6, normGradient: normOf(25, 8) },
      {
        ...{ dy: "ddw", ...upstream("dw"), x: "conv", xNorm: "conv_bn", kernel: "dw/depthwise_kernel" },
        ...{ dx: "dconv", dkernel: "d:dw/depthwise_kernel", ...dbn("conv") },
      },
    );
    backward(
      { of: CONV, upstream: RELU6 },
      { dy: "dconv", ...upstream("conv"), x: "images", kernel: "conv/kernel", dkernel: "d:conv/kernel" },
    );
  };

  it("gives the golden loss, logits and gradients", () => {
    const { firstStep } = golden;
    const { tolerance } = firstStep;
    takeStep(false, 1);
    const loss = values["perExample"]!.reduce((sum, value) => sum + value, 0) / BATCH;
    expect(Math.abs(loss - firstStep.loss)).toBeLessThanOrEqual(tolerance.loss);
    const logits = readTensor("golden/train", firstStep.logits).data;
    expect(largestDifference(values["logits"]!, logits)).toBeLessThanOrEqual(tolerance.logits);
    expect(Object.keys(firstStep.gradients)).toHaveLength(11);
    for (const [name, reference] of Object.entries(firstStep.gradients)) {
      const expected = readTensor("golden/train", reference).data;
      const difference = largestDifference(values[`d:${name}`]!, expected);
      expect(difference, name).toBeLessThanOrEqual(tolerance.gradients[name]!);
    }
  });

  it("adds the parts of an accumulated batch to what is there", () => {
    const { firstStep } = golden;
    const { tolerance } = firstStep;
    takeStep(false, 1);
    const whole = Object.fromEntries(Object.keys(firstStep.gradients).map((name) => [name, values[`d:${name}`]!]));
    // The same pictures twice: the mean of two equal parts is the gradient of one.
    takeStep(false, 0.5);
    takeStep(true, 0.5);
    for (const [name, expected] of Object.entries(whole)) {
      expect(largestDifference(values[`d:${name}`]!, expected), name).toBeLessThanOrEqual(tolerance.gradients[name]!);
    }
  });
});
