/**
 * The plain backend's kernels against the reference loops: the same bits for every number, also where weights are
 * infinite, sums begin with −0 or inputs are NaN.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layWindow, type WindowAttributes } from "../../src/core/window.ts";
import { plainKernel } from "../../src/kernels/js/index.ts";
import { type Operands, type Runner, referenceKernel } from "../../src/kernels/reference/index.ts";
import { FUSED_ACTIVATIONS } from "../../src/operations/activation-names.ts";
import type { ConvolutionCall, DepthwiseCall, KernelCall, PointwiseCall } from "../../src/operations/kernel-call.ts";
import { fits, WINDOWS } from "../cases/windows.ts";
import { recipe } from "../golden/vectors.ts";

type Call = ConvolutionCall | DepthwiseCall | PointwiseCall;

/** Elements of one example's input and output, of the kernel and the bias. */
function sizesOf(call: Call): { readonly x: number; readonly y: number; readonly w: number; readonly bias: number } {
  if (call.kernel === "pointwiseConv2d") {
    const { pixels, inChannels, outChannels } = call;
    return { x: pixels * inChannels, y: pixels * outChannels, w: inChannels * outChannels, bias: outChannels };
  }
  const { input, output, kernel } = call.window;
  const [inputs, outputs, taps] = [input, output, kernel].map(([a, b]) => a * b) as [number, number, number];
  if (call.kernel === "conv2d") {
    const { inChannels, outChannels } = call;
    const w = taps * inChannels * outChannels;
    return { x: inputs * inChannels, y: outputs * outChannels, w, bias: outChannels };
  }
  const channels = call.channels * call.multiplier;
  return { x: inputs * call.channels, y: outputs * channels, w: taps * channels, bias: channels };
}

/** Numbers that are not like the others. */
const ODD = [0, -0, Number.NaN, -Number.NaN, Infinity, -Infinity, 1e-45, -1e-45, 3e38, 6, -6];

/** What is put among the ordinary numbers, and where: one of `ODD`, by the share of its array that lies before it. */
interface Oddity {
  readonly operand: "x" | "w" | "bias";
  readonly value: number;
  readonly share: number;
}

interface Numbers {
  readonly batch: number;
  readonly hasBias: boolean;
  readonly seed: number;
  readonly oddities: readonly Oddity[];
}

/** A few numbers away from 0, so that sums are negative, in between and above 6 alike. */
function operandsOf(call: Call, { batch, hasBias, seed, oddities }: Numbers): Operands {
  const sizes = sizesOf(call);
  const arrays = {
    x: recipe([batch * sizes.x], seed, -3, 3).data,
    w: recipe([sizes.w], seed + 1, -2, 2).data,
    bias: recipe([sizes.bias], seed + 2, -4, 8).data,
  };
  for (const { operand, value, share } of oddities) arrays[operand][Math.floor(share * arrays[operand].length)] = value;
  const { x, w, bias } = arrays;
  // Longer than its examples, as in a session whose batch is larger: what lies behind must stay.
  const output = new Float32Array(batch * sizes.y + 99).fill(7);
  return { inputs: [x], parameters: [w, hasBias ? bias : undefined], output };
}

function expectSameBits(call: Call, numbers: Numbers): void {
  const plain = operandsOf(call, numbers);
  const reference = operandsOf(call, numbers);
  plainKernel(call)(numbers.batch, plain);
  referenceKernel(call)(numbers.batch, reference);
  const different = plain.output.findIndex((value, i) => !Object.is(value, reference.output[i]));
  if (different >= 0) {
    const values = `${plain.output[different]} in place of ${reference.output[different]}`;
    expect.fail(`${values} at ${different} of ${JSON.stringify({ call, numbers })}`);
  }
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const activation = fc.constantFrom(...FUSED_ACTIVATIONS);
const numbers = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  hasBias: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
  oddities: fc.array(
    fc.record({
      operand: fc.constantFrom("x" as const, "w" as const, "bias" as const),
      value: fc.constantFrom(...ODD),
      share: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    { maxLength: 5 },
  ),
});
const window = fc
  .record({
    size: pair(1, 12),
    kernel: fc.oneof(fc.constant<[number, number]>([3, 3]), pair(1, 5)),
    stride: pair(1, 3),
    dilation: pair(1, 3),
    padding: fc.oneof(fc.constantFrom("same" as const, "valid" as const), fc.tuple(pair(0, 3), pair(0, 3))),
  })
  .filter((attributes) => fits({ ...attributes, batch: 1, channels: 1, multiplier: 1 }));
const lay = ({ size, ...attributes }: WindowAttributes & { readonly size: readonly [number, number] }) =>
  layWindow("test", attributes, size);

const plainNumbers: Numbers = { batch: 1, hasBias: true, seed: 5, oddities: [] };
const pointwise = (pixels: number, inChannels: number, outChannels: number): PointwiseCall => ({
  kernel: "pointwiseConv2d",
  pixels,
  inChannels,
  outChannels,
  activation: "relu6",
});

describe("pointwise convolution", () => {
  it("has the reference's bits for any size", () => {
    const size = fc.record({
      kernel: fc.constant("pointwiseConv2d" as const),
      pixels: fc.integer({ min: 1, max: 23 }),
      inChannels: fc.integer({ min: 1, max: 19 }),
      outChannels: fc.integer({ min: 1, max: 19 }),
      activation,
    });
    fc.assert(
      fc.property(size, numbers, (call, data) => expectSameBits(call, data)),
      { numRuns: 400 },
    );
  });

  it.each([255, 256, 257, 511, 512, 513])(
    "has them for %i output channels, around whole blocks of columns",
    (channels) => {
      for (const depth of [1, 2, 7, 300]) expectSameBits(pointwise(11, depth, channels), plainNumbers);
    },
  );

  it.each([4094, 4095, 4096, 4097])("has them for %i input channels, around the longest row", (depth) => {
    for (const channels of [3, 15, 16, 17, 33]) expectSameBits(pointwise(6, depth, channels), plainNumbers);
  });
});

describe("standard convolution", () => {
  it("has the reference's bits for any window", () => {
    const channels = pair(1, 9);
    fc.assert(
      fc.property(window, channels, activation, numbers, (attributes, [inChannels, outChannels], name, data) => {
        const sizes = { inChannels, outChannels, activation: name };
        expectSameBits({ kernel: "conv2d", window: lay(attributes), ...sizes }, data);
      }),
      { numRuns: 400 },
    );
  });

  it("has them where zeros outside the image meet infinite weights, and sums that begin with −0", () => {
    const call: ConvolutionCall = {
      kernel: "conv2d",
      window: layWindow("test", { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: "same" }, [4, 4]),
      inChannels: 1,
      outChannels: 2,
      activation: "linear",
    };
    for (const value of [Infinity, -Infinity, Number.NaN]) {
      expectSameBits(call, { ...plainNumbers, oddities: [{ operand: "w", value, share: 0 }] });
    }
    const operands = operandsOf(call, plainNumbers);
    const [x] = operands.inputs;
    const [w, bias] = operands.parameters;
    x!.fill(0);
    w!.fill(-1);
    bias!.fill(-0);
    plainKernel(call)(1, operands);
    expect([...operands.output.subarray(0, 4 * 4 * 2)].every((value) => Object.is(value, -0))).toBe(true);
  });
});

describe("depthwise convolution", () => {
  it("has the reference's bits for any window and multiplier", () => {
    const channels = fc.integer({ min: 1, max: 11 });
    const multiplier = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 3 }));
    fc.assert(
      fc.property(window, channels, multiplier, activation, numbers, (attributes, count, m, name, data) => {
        const sizes = { channels: count, multiplier: m, activation: name };
        expectSameBits({ kernel: "depthwiseConv2d", window: lay(attributes), ...sizes }, data);
      }),
      { numRuns: 400 },
    );
  });

  it.each([255, 256, 257, 513])("has them for %i channels, around whole blocks", (channels) => {
    const window = layWindow("test", { kernel: [3, 3], stride: [2, 1], dilation: [1, 1], padding: "same" }, [5, 4]);
    const call = { kernel: "depthwiseConv2d", window, channels, multiplier: 1, activation: "relu" } as const;
    expectSameBits(call, { ...plainNumbers, batch: 2 });
  });
});

it("every listed window has the reference's bits", () => {
  for (const { batch, size, channels, filters, multiplier, ...attributes } of WINDOWS) {
    const window = layWindow("test", attributes, size);
    const data = { ...plainNumbers, batch };
    expectSameBits({ kernel: "conv2d", window, inChannels: channels, outChannels: filters, activation: "relu6" }, data);
    expectSameBits({ kernel: "depthwiseConv2d", window, channels, multiplier, activation: "relu6" }, data);
  }
});

it("kernels that take turns keep nothing of each other, in the scratch that they share", () => {
  const fill = (call: PointwiseCall, x: number, w: number, bias: number): Operands => {
    const operands = operandsOf(call, plainNumbers);
    operands.inputs[0]!.fill(x);
    operands.parameters[0]!.fill(w);
    operands.parameters[1]!.fill(bias);
    return operands;
  };
  const before = pointwise(9, 64, 40);
  const odd = { ...pointwise(13, 7, 40), activation: "linear" } as const;
  for (const [x, w] of [
    [Number.NaN, 1],
    [Infinity, 1],
    [1, Infinity],
    [1, 1],
  ] as const) {
    plainKernel(before)(1, fill(before, x, w, 1));
    expectSameBits(odd, plainNumbers);
    const zeros = fill(odd, 0, -1, -0);
    plainKernel(before)(1, fill(before, x, w, 1));
    plainKernel(odd)(1, zeros);
    expect([...zeros.output.subarray(0, 13 * 40)].every((value) => Object.is(value, -0))).toBe(true);
  }
});

it("other kernels are the reference's", () => {
  const call: KernelCall = { kernel: "softmax", rows: 2, channels: 3 };
  const run = (kernel: Runner) => {
    const output = new Float32Array(6);
    kernel(1, { inputs: [Float32Array.of(1, 2, 3, 4, 5, 7)], parameters: [], output });
    return output;
  };
  expect(run(plainKernel(call))).toEqual(run(referenceKernel(call)));
});
