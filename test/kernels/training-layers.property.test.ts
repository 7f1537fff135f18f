/** The runners of layers and batch norms against the functions on tensors, over random geometry. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import * as eager from "../../src/eager/index.ts";
import { REFERENCE_TRAINING } from "../../src/kernels/reference/gradients/index.ts";
import { convolution } from "../../src/operations/convolution.ts";
import { depthwiseConvolution } from "../../src/operations/depthwise-convolution.ts";
import { pointwiseConvolution } from "../../src/operations/pointwise-convolution.ts";
import type { LoadClamp, Norm, WeightedCall } from "../../src/operations/training-call.ts";
import * as train from "../../src/train/gradients/index.ts";
import { recipe } from "../golden/vectors.ts";
import { blank, expectClose, run, withRoom } from "./with-room.ts";

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
} as const;

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
