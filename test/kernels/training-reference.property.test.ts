/**
 * The runners of training against the functions on tensors, over random geometry. Arrays are longer than the batch, with
 * NaN behind it: who reads there shows it, and nothing may be written there.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FloatTensor, type Tensor, tensor } from "../../src/core/tensor.ts";
import * as eager from "../../src/eager/index.ts";
import { REFERENCE_TRAINING, type TrainingRunner } from "../../src/kernels/reference/gradients/index.ts";
import { convolution } from "../../src/operations/convolution.ts";
import { depthwiseConvolution } from "../../src/operations/depthwise-convolution.ts";
import { add, multiply } from "../../src/operations/elementwise.ts";
import type { ActivationCall, ElementwiseCall } from "../../src/operations/kernel-call.ts";
import { pointwiseConvolution } from "../../src/operations/pointwise-convolution.ts";
import { averagePool, maxPool } from "../../src/operations/pool.ts";
import type { LoadClamp, Norm, WeightedCall } from "../../src/operations/training-call.ts";
import * as train from "../../src/train/gradients/index.ts";
import { recipe } from "../golden/vectors.ts";

/** Examples that arrays have room for beyond the batch. */
const BEYOND = 2;

const small = fc.integer({ min: 1, max: 3 });
const seeds = fc.integer({ min: 1, max: 1e6 });
const clamps = fc.constantFrom<LoadClamp>("linear", "relu", "relu6");
const modes = fc.constantFrom("batch", "frozen");
const geometries = fc.record({
  kind: fc.constantFrom("conv2d", "depthwiseConv2d", "pointwiseConv2d"),
  batch: small,
  size: fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 })),
  channels: fc.integer({ min: 1, max: 5 }),
  filters: fc.integer({ min: 1, max: 5 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: small,
  dilation: fc.integer({ min: 1, max: 2 }),
});
type Geometry = typeof geometries extends fc.Arbitrary<infer G> ? G : never;

const FORWARD = {
  conv2d: eager.conv2d,
  depthwiseConv2d: eager.depthwiseConv2d,
  pointwiseConv2d: eager.pointwiseConv2d,
} as const;
const BACKWARD = {
  conv2d: train.conv2dGradient,
  depthwiseConv2d: train.depthwiseConv2dGradient,
  pointwiseConv2d: train.pointwiseConv2dGradient,
} as const;
const ACTIVATE = { relu: eager.relu, relu6: eager.relu6 } as const;
const ACTIVATION_GRADIENTS = {
  relu: train.reluGradient,
  relu6: train.relu6Gradient,
  hardSwish: train.hardSwishGradient,
  hardSigmoid: train.hardSigmoidGradient,
} as const;
const POOLED = { averagePool: train.averagePoolGradient, maxPool: train.maxPoolGradient } as const;

/** The values of a batch, with room behind it. */
function withRoom({ data, shape }: FloatTensor): Float32Array {
  const room = new Float32Array(data.length + (BEYOND * data.length) / (shape[0] ?? 1)).fill(Number.NaN);
  room.set(data);
  return room;
}

const blank = (shape: readonly number[]): Float32Array => withRoom(fill(shape, Number.NaN));
const fill = (shape: readonly number[], value: number): FloatTensor =>
  tensor(new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(value), shape);
const run = (
  runner: TrainingRunner,
  batch: number,
  operands: Record<string, Float32Array | undefined>,
  adds = false,
  scale = 1,
) => runner(batch, operands, { adds, scale });

/** Close where numbers were rounded to float32 on the way; what lies behind the batch is as it was. */
function expectClose(actual: Float32Array, expected: Tensor, what: string, isAtBatch = true, gain = 1): void {
  // Sums of numbers of about 1 that cancel are exact to the rounding of those.
  let largest = 1;
  for (const value of expected.data) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < expected.data.length; i++) {
    const difference = Math.abs(actual[i]! - expected.data[i]!);
    expect(difference, `${what}[${i}]: ${actual[i]}, not ${expected.data[i]}`).toBeLessThanOrEqual(
      1e-5 * largest * gain,
    );
  }
  if (isAtBatch)
    expect(actual.subarray(expected.data.length).every(Number.isNaN), `${what} behind the batch`).toBe(true);
}

function layerOf({ kind, batch, size, channels, filters, kernel, stride, dilation }: Geometry) {
  const shape = [batch, ...size, channels];
  const window = { kernel, stride, dilation };
  if (kind === "conv2d") {
    const attributes = convolution.check(kind, { ...window, filters });
    const out = convolution.outputShape(kind, attributes, [shape]);
    const call = convolution.call(kind, attributes, [shape], out) as WeightedCall;
    return { shape, out, call, w: [kernel, kernel, channels, filters], options: { stride, dilation } };
  }
  if (kind === "depthwiseConv2d") {
    const attributes = depthwiseConvolution.check(kind, { ...window, multiplier: 2 });
    const out = depthwiseConvolution.outputShape(kind, attributes, [shape]);
    const call = depthwiseConvolution.call(kind, attributes, [shape], out) as WeightedCall;
    return { shape, out, call, w: [kernel, kernel, channels, 2], options: { stride, dilation } };
  }
  const attributes = pointwiseConvolution.check(kind, { filters });
  const out = pointwiseConvolution.outputShape(kind, attributes, [shape]);
  const call = pointwiseConvolution.call(kind, attributes, [shape], out) as WeightedCall;
  return { shape, out, call, w: [1, 1, channels, filters], options: {} };
}

interface Normed {
  readonly gamma: FloatTensor;
  readonly beta: FloatTensor;
  readonly mean: FloatTensor;
  readonly variance: FloatTensor;
}

const normed = (channels: number, seed: number): Normed => ({
  gamma: recipe([channels], seed, 0.5, 1.5),
  beta: recipe([channels], seed + 1, -0.5, 2),
  mean: recipe([channels], seed + 2, -0.5, 0.5),
  variance: recipe([channels], seed + 3, 0.5, 1.5),
});

const modeOf = (norm: Norm) => ({ mode: norm.mode === "batch" ? ("train" as const) : ("frozen" as const), ...MOVES });
const MOVES = { momentum: 0.8, epsilon: 1e-3 } as const;

const clamped = (clamp: LoadClamp, x: FloatTensor) => (clamp === "linear" ? x : ACTIVATE[clamp](x));
const clampGradient = (clamp: LoadClamp, dy: FloatTensor, x: FloatTensor) =>
  clamp === "linear" ? dy : ACTIVATION_GRADIENTS[clamp](dy, x).dx;
/** No value so near to a bound that rounding decides on which side it lies. */
const isClear = ({ data }: FloatTensor) =>
  [...data].every((value) => Math.abs(value) > 1e-4 && Math.abs(value - 6) > 1e-4);

/** Measures a norm, as the runners are handed it. */
function measured(norm: Norm, batch: number, x: FloatTensor, { gamma, beta, mean, variance }: Normed) {
  const [movingMean, movingVariance] = [Float32Array.from(mean.data), Float32Array.from(variance.data)];
  const xNorm = new Float32Array(4 * norm.channels).fill(Number.NaN);
  run(REFERENCE_TRAINING.norm({ kernel: "norm", norm }), batch, {
    ...{ x: withRoom(x), gamma: gamma.data, beta: beta.data, movingMean, movingVariance, xNorm },
  });
  return { xNorm, movingMean, movingVariance };
}

describe("a layer between two batch norms", () => {
  const norms = fc.record({ mode: modes, clamp: clamps, variance: fc.constantFrom("biased", "unbiased") });

  it("is the chain of functions, forward and backward", () => {
    const property = fc.property(geometries, norms, norms, fc.boolean(), seeds, (g, before, after, hasBias, seed) => {
      const { shape, out, call, w, options } = layerOf(g);
      const [inChannels, outChannels] = [shape[3]!, out[3]!];
      const normOf = ([, height, width, channels]: readonly number[], { mode, variance }: typeof before): Norm => ({
        ...({ mode, variance, pixels: height! * width!, channels: channels!, ...MOVES } as Norm),
      });
      const [xCall, yCall] = [normOf(shape, before), normOf(out, after)];
      fc.pre(g.batch * xCall.pixels > 3 && g.batch * yCall.pixels > 3);
      const x = recipe(shape, seed, -2, 2);
      const kernel = recipe(w, seed + 1, -1, 1);
      const bias = hasBias ? recipe([outChannels], seed + 2, -1, 1) : undefined;
      const [xParameters, yParameters] = [normed(inChannels, seed + 3), normed(outChannels, seed + 7)];
      const layerOptions = { ...options, ...(bias === undefined ? {} : { bias }) };

      // Forward, by functions.
      const xStep = train.batchNorm(x, xParameters, modeOf(xCall));
      const a = clamped(before.clamp, xStep.y);
      const z = FORWARD[g.kind](a, kernel, layerOptions as never);
      const zStep = train.batchNorm(z, yParameters, modeOf(yCall));
      fc.pre(isClear(xStep.y) && isClear(zStep.y));
      // A channel that hardly varies about a large mean is all rounding.
      fc.pre(zStep.batchVariance?.data.every((variance) => variance > 0.05) ?? true);

      // Forward, by runners.
      const { xNorm, movingMean, movingVariance } = measured(xCall, g.batch, x, xParameters);
      expectClose(movingMean, xStep.movingMean, "movingMean", false);
      expectClose(
        movingVariance,
        before.variance === "biased" ? xStep.movingVarianceBiased : xStep.movingVarianceUnbiased,
        ...["movingVariance", false],
      );
      const y = blank(out);
      const yNorm = new Float32Array(4 * outChannels).fill(Number.NaN);
      const load = { norm: true, clamp: before.clamp };
      run(REFERENCE_TRAINING.forward({ kernel: "forward", of: call, load, norm: yCall }), g.batch, {
        ...{ x: withRoom(x), xNorm, kernel: kernel.data, bias: bias?.data, y, yNorm },
        ...{ gamma: yParameters.gamma.data, beta: yParameters.beta.data },
        movingMean: Float32Array.from(yParameters.mean.data),
        movingVariance: Float32Array.from(yParameters.variance.data),
      });
      expectClose(y, z, "y");
      expect(yNorm).toEqual(measured(yCall, g.batch, tensor(y.slice(0, z.data.length), z.shape), yParameters).xNorm);
      const read = blank(out);
      const upstream = { norm: true, clamp: after.clamp };
      const size = { pixels: yCall.pixels, channels: outChannels };
      run(REFERENCE_TRAINING.normalise({ kernel: "normalise", load: upstream, ...size }), g.batch, {
        x: y,
        xNorm: yNorm,
        y: read,
      });
      expectClose(read, clamped(after.clamp, zStep.y), "what is read of y");

      // A gradient grows by the scale of each norm that it passes, and with it the rounding of their float32 rows.
      const scaleOf = (norm: Float32Array, channels: number) =>
        Math.max(1, ...norm.subarray(0, channels).map(Math.abs));
      const gain = scaleOf(xNorm, inChannels) * scaleOf(yNorm, outChannels);

      // Backward, by functions.
      const dy = recipe(out, seed + 11, -1, 1);
      const dzStep = train.batchNormGradient(clampGradient(after.clamp, dy, zStep.y), z, yParameters, modeOf(yCall));
      const gradients = BACKWARD[g.kind](dzStep.dx, a, kernel, layerOptions as never);
      const da = clampGradient(before.clamp, gradients.dx, xStep.y);
      const dxStep = train.batchNormGradient(da, x, xParameters, modeOf(xCall));

      // Backward, by runners.
      const [yNormGradient, xNormGradient] = [new Float32Array(3 * outChannels), new Float32Array(3 * inChannels)];
      const dBehind = { dgamma: new Float32Array(outChannels), dbeta: new Float32Array(outChannels) };
      run(REFERENCE_TRAINING.normGradient({ kernel: "normGradient", norm: yCall, clamp: after.clamp }), g.batch, {
        ...{ dy: withRoom(dy), x: y, xNorm: yNorm, xNormGradient: yNormGradient, ...dBehind },
      });
      expectClose(dBehind.dgamma, dzStep.dgamma!, "dgamma behind", false, gain);
      expectClose(dBehind.dbeta, dzStep.dbeta!, "dbeta behind", false, gain);
      const dx = blank(shape);
      const written = {
        dkernel: new Float32Array(kernel.data.length).fill(Number.NaN),
        ...(hasBias ? { dbias: new Float32Array(outChannels).fill(Number.NaN) } : {}),
        dgamma: new Float32Array(inChannels).fill(Number.NaN),
        dbeta: new Float32Array(inChannels).fill(Number.NaN),
      };
      const backward = REFERENCE_TRAINING.backward({
        kernel: "backward",
        of: call,
        upstream,
        load,
        normGradient: xCall,
      });
      const operands = {
        ...{ dy: withRoom(dy), y, yNorm, yNormGradient, x: withRoom(x), xNorm, kernel: kernel.data },
        ...{ dx, xNormGradient, ...written },
      };
      run(backward, g.batch, operands);
      const expected = { dkernel: gradients.dw, dgamma: dxStep.dgamma!, dbeta: dxStep.dbeta!, dbias: gradients.db };
      expectClose(dx, gradients.dx, "dx", true, gain);
      for (const [name, values] of Object.entries(written)) {
        expectClose(values, expected[name as keyof typeof expected]!, name, false, gain);
      }
      const whole = blank(shape);
      const xSize = { pixels: xCall.pixels, channels: inChannels };
      run(REFERENCE_TRAINING.normaliseGradient({ kernel: "normaliseGradient", load, ...xSize }), g.batch, {
        ...{ dy: dx, x: withRoom(x), xNorm, xNormGradient, dx: whole },
      });
      expectClose(whole, dxStep.dx, "dx before the norm", true, gain);
      // In place, and added once more.
      run(REFERENCE_TRAINING.normaliseGradient({ kernel: "normaliseGradient", load, ...xSize }), g.batch, {
        ...{ dy: dx, x: withRoom(x), xNorm, xNormGradient, dx },
      });
      expect(dx).toEqual(whole);
      const once = Object.fromEntries(Object.entries(written).map(([name, values]) => [name, values.slice()]));
      const normOnce = xNormGradient.slice();
      run(backward, g.batch, operands, true);
      for (const [name, values] of Object.entries(written)) {
        const twice = tensor(
          once[name]!.map((value) => 2 * value),
          [values.length],
        );
        expectClose(values, twice, `${name}, added`, false, gain);
      }
      expect(xNormGradient).toEqual(normOnce);
    });
    fc.assert(property, { numRuns: 150 });
  });

  it("of a value that is read as it is, or clamped alone, has no norm to ask", () => {
    const property = fc.property(geometries, clamps, clamps, seeds, (g, before, after, seed) => {
      const { shape, out, call, w, options } = layerOf(g);
      const x = recipe(shape, seed, -4, 8);
      fc.pre(isClear(x));
      const kernel = recipe(w, seed + 1, -1, 1);
      const a = clamped(before, x);
      const z = FORWARD[g.kind](a, kernel, options as never);
      fc.pre(isClear(z));
      const y = blank(out);
      const load = before === "linear" ? {} : { load: { norm: false, clamp: before } };
      const upstream = after === "linear" ? {} : { upstream: { norm: false, clamp: after } };
      run(REFERENCE_TRAINING.forward({ kernel: "forward", of: call, ...load }), g.batch, {
        ...{ x: withRoom(x), kernel: kernel.data, y },
      });
      expectClose(y, z, "y");
      const dy = recipe(out, seed + 2, -1, 1);
      const expected = BACKWARD[g.kind](clampGradient(after, dy, z), a, kernel, options as never);
      const dkernel = new Float32Array(kernel.data.length).fill(Number.NaN);
      const dx = blank(shape);
      const backward = REFERENCE_TRAINING.backward({ kernel: "backward", of: call, ...load, ...upstream });
      const operands = { dy: withRoom(dy), y, x: withRoom(x), kernel: kernel.data };
      run(backward, g.batch, { ...operands, dx, dkernel });
      expectClose(dx, expected.dx, "dx");
      expectClose(dkernel, expected.dw, "dkernel", false);
      // What nobody asks for is not computed: neither of a first layer nor of a frozen one.
      const again = dkernel.slice().fill(Number.NaN);
      run(backward, g.batch, { ...operands, dkernel: again });
      expect(again).toEqual(dkernel);
      const dxAgain = blank(shape);
      run(backward, g.batch, { ...operands, dx: dxAgain });
      expect(dxAgain).toEqual(dx);
    });
    fc.assert(property, { numRuns: 80 });
  });
});

describe("the other runners", () => {
  const shapes = fc.tuple(small, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), small);

  it("activationGradient", () => {
    const kinds = fc.constantFrom("linear", "relu", "relu6", "hardSwish", "hardSigmoid", "leakyRelu");
    const property = fc.property(shapes, kinds, seeds, (shape, activation, seed) => {
      const [x, dy] = [recipe(shape, seed, -8, 8), recipe(shape, seed + 1, -1, 1)];
      const elements = x.data.length / shape[0];
      const slope = Math.fround(0.3);
      const of = {
        kernel: "activation",
        elements,
        activation,
        ...(activation === "leakyRelu" ? { slope } : {}),
      } as ActivationCall;
      const dx = blank(shape);
      run(REFERENCE_TRAINING.activationGradient({ kernel: "activationGradient", of }), shape[0], {
        ...{ x: withRoom(x), dy: withRoom(dy), dx },
      });
      const expected =
        activation === "linear"
          ? dy
          : activation === "leakyRelu"
            ? train.leakyReluGradient(dy, x, 0.3).dx
            : ACTIVATION_GRADIENTS[activation](dy, x).dx;
      expectClose(dx, expected, activation);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("softmaxGradient", () => {
    const property = fc.property(shapes, seeds, (shape, seed) => {
      const [x, dy] = [recipe(shape, seed, -4, 4), recipe(shape, seed + 1, -1, 1)];
      const [batch, , , channels] = shape;
      const dx = blank(shape);
      const call = { kernel: "softmaxGradient", rows: shape[1] * shape[2], channels } as const;
      run(REFERENCE_TRAINING.softmaxGradient(call), batch, { dy: withRoom(dy), y: withRoom(eager.softmax(x)), dx });
      expectClose(dx, train.softmaxGradient(dy, x).dx, "dx");
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("poolGradient, over windows", () => {
    const property = fc.property(geometries, fc.constantFrom("averagePool", "maxPool"), seeds, (g, kind, seed) => {
      const shape = [g.batch, ...g.size, g.channels];
      const x = recipe(shape, seed, -1, 1);
      const operation = kind === "maxPool" ? maxPool : averagePool;
      const attributes = operation.check(kind, g);
      const out = operation.outputShape(kind, attributes, [shape]);
      const of = operation.call(kind, attributes, [shape], out) as never;
      const dy = recipe(out, seed + 1, -1, 1);
      const dx = blank(shape);
      run(REFERENCE_TRAINING.poolGradient({ kernel: "poolGradient", of }), g.batch, {
        ...{ dy: withRoom(dy), x: withRoom(x), dx },
      });
      const { kernel, stride, dilation } = g;
      expectClose(dx, POOLED[kind](dy, x, { kernel, stride, dilation }).dx, kind);
    });
    fc.assert(property, { numRuns: 80 });
  });

  it("poolGradient, over whole images", () => {
    const property = fc.property(shapes, seeds, (shape, seed) => {
      const [batch, height, width, channels] = shape;
      const x = recipe(shape, seed, -1, 1);
      const dy = recipe([batch, channels], seed + 1, -1, 1);
      const size = { pixels: height * width, channels };
      for (const kernel of ["globalAveragePool", "globalMaxPool"] as const) {
        const dx = blank(shape);
        run(REFERENCE_TRAINING.poolGradient({ kernel: "poolGradient", of: { kernel, ...size } }), batch, {
          ...{ dy: withRoom(dy), x: withRoom(x), dx },
        });
        const whole = tensor(dy.data, [batch, 1, 1, channels]);
        const expected =
          kernel === "globalAveragePool"
            ? train.globalAveragePoolGradient(dy, x)
            : train.maxPoolGradient(whole, x, { kernel: [height, width], padding: "valid" });
        expectClose(dx, expected.dx, kernel);
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("elementwiseGradient, to either input", () => {
    const broadcast = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean());
    const property = fc.property(shapes, broadcast, fc.boolean(), seeds, (shape, ones, isSum, seed) => {
      const bShape = shape.map((side, axis) => (ones[axis] ? 1 : side));
      const [a, b, dy] = [recipe(shape, seed, -1, 1), recipe(bShape, seed + 1, -1, 1), recipe(shape, seed + 2, -1, 1)];
      const of = (isSum ? add : multiply).call("test", {}, [shape, bShape], shape) as ElementwiseCall;
      const expected = (isSum ? train.addGradient : train.multiplyGradient)(dy, a, b);
      const isShared = of.exampleStride === 0;
      const da = blank(shape);
      const db = isShared ? new Float32Array(b.data.length).fill(Number.NaN) : blank(bShape);
      const operands = { dy: withRoom(dy), a: withRoom(a), b: isShared ? b.data : withRoom(b) };
      const kernel = "elementwiseGradient";
      run(REFERENCE_TRAINING.elementwiseGradient({ kernel, of, to: "a" }), shape[0], { ...operands, da });
      run(REFERENCE_TRAINING.elementwiseGradient({ kernel, of, to: "b" }), shape[0], { ...operands, db });
      expectClose(da, expected.da, "da");
      expectClose(db, expected.db, "db", !isShared);
    });
    fc.assert(property, { numRuns: 80 });
  });

  it("sum, also in place", () => {
    const [a, b] = [recipe([3, 5], 1, -1, 1), recipe([3, 5], 2, -1, 1)];
    const y = withRoom(a);
    run(REFERENCE_TRAINING.sum({ kernel: "sum", elements: 5 }), 3, { a: y, b: withRoom(b), y });
    expectClose(y, eager.add(a, b), "y");
  });

  it("softmaxCrossEntropy, scaled for a part of a batch", () => {
    const property = fc.property(small, fc.integer({ min: 1, max: 9 }), seeds, (batch, classes, seed) => {
      const logits = recipe([batch, classes], seed, -5, 5);
      const labels = Int32Array.from({ length: batch }, (_, n) => (n * 5 + seed) % classes);
      const targets = fill([batch, classes], 0);
      for (const [n, label] of labels.entries()) targets.data[n * classes + label] = 1;
      const [perExample, dlogits] = [blank([batch, 1]), blank([batch, classes])];
      run(
        REFERENCE_TRAINING.softmaxCrossEntropy({ kernel: "softmaxCrossEntropy", classes }),
        ...([
          batch,
          { logits: withRoom(logits), targets: withRoom(targets), perExample, dlogits },
          false,
          0.25,
        ] as const),
      );
      const expected = train.softmaxCrossEntropy(logits, tensor(labels, [batch]));
      expectClose(perExample, expected.perExample, "perExample");
      expectClose(
        dlogits.map((value) => 4 * value),
        expected.dlogits,
        "dlogits",
      );
    });
    fc.assert(property, { numRuns: 60 });
  });
});
