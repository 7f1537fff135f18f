/**
 * From a kernel call to an emitted kernel: which module, which entry, which words, how its weights are packed. One
 * row a family; the compiler names the families that are missing.
 */

import type { Window } from "../../core/window.ts";
import type { FusedActivation } from "../../operations/activation-names.ts";
import type {
  ActivationCall,
  ByKernel,
  ElementwiseCall,
  GlobalPoolCall,
  KernelCall,
  PoolCall,
} from "../../operations/kernel-call.ts";
import { CONVOLUTION } from "./convolution.ts";
import { DEPTHWISE, DEPTHWISE_REACH } from "./depthwise.ts";
import { ACTIVATION, type ActivationEntry, BINARY, SCALE_SHIFT } from "./elementwise.ts";
import type { ModuleName } from "./modules.ts";
import { factorPacking, groupPacking, NO_WEIGHTS, type Packing, panelPacking } from "./pack.ts";
import { POINTWISE } from "./pointwise.ts";
import { POOL } from "./pool.ts";
import { SOFTMAX } from "./softmax.ts";
import type { Tile } from "./tiles.ts";

/** Byte addresses of what a step reads and writes. */
export interface Addresses {
  readonly inputs: readonly number[];
  readonly output: number;
  readonly weights: number;
  readonly zeros: number;
}

/** Activations that are no clamp, and may follow a kernel. */
type AfterEntry = Exclude<ActivationEntry, "clamp" | "leakyRelu">;

/** How a step is cut for the threads. */
export interface Cut {
  /** Pixels (or rows) in a unit of the range; a kernel says what it counts. */
  readonly unit?: number;
  /** The range counts panels of weights: pointwise steps of few pixels. */
  readonly byPanel?: boolean;
  /** Input or output lies in the thread's own memory, a band at a time. */
  readonly bandedInput?: boolean;
  readonly bandedOutput?: boolean;
}

export interface Lowered {
  readonly module: ModuleName;
  readonly entry: string;
  /** Units of the range in one example: output rows, pixels, or rows of numbers. */
  readonly units: number;
  /** Elements of the output in a unit. */
  readonly unitElements: number;
  /** Panels of weights, for kernels that can be cut by them. */
  readonly panels?: number;
  readonly weights: Packing;
  readonly zeroBytes: number;
  readonly scratchBytes: number;
  /** An activation that is no clamp, and runs on the output after it. */
  readonly activation?: AfterEntry;
  readonly blockBytes: number;
  write(memory: DataView, block: number, at: Addresses, cut?: Cut): void;
}

const LINEAR = { low: -Infinity, high: Infinity } as const;

/** Bounds of the clamp of each activation, and the function that follows where it is more than a clamp. */
const ACTIVATIONS: {
  readonly [A in FusedActivation]: { readonly low: number; readonly high: number; readonly after?: AfterEntry };
} = {
  linear: LINEAR,
  relu: { low: 0, high: Infinity },
  relu6: { low: 0, high: 6 },
  hardSigmoid: { low: -Infinity, high: Infinity, after: "hardSigmoid" },
  hardSwish: { low: -Infinity, high: Infinity, after: "hardSwish" },
};

function fused(name: FusedActivation) {
  const { low, high, after } = ACTIVATIONS[name];
  return { bounds: { low, high }, after: after === undefined ? {} : { activation: after } };
}

const NOTHING = { weights: NO_WEIGHTS, zeroBytes: 0, scratchBytes: 0 } as const;

/** Inputs of a chunk, in floats, that stay in the second cache beside the weights that pass them. */
const CHUNK_FLOATS = 98_304;
/** Pixels of a chunk whose tiles go through scratch. */
const NARROW_CHUNK = 256;

/** The emitted kernel of a call. */
export function lower(call: KernelCall, tile: Tile): Lowered {
  // Each row takes its own kind of call; the index loses that.
  return (KERNELS[call.kernel] as (call: KernelCall, tile: Tile) => Lowered)(call, tile);
}

type Lowering = {
  readonly [K in keyof ByKernel<Lowered>]: (call: Parameters<ByKernel<Lowered>[K]>[0], tile: Tile) => Lowered;
};

const KERNELS: Lowering = {
  pointwiseConv2d: ({ pixels, inChannels, outChannels, activation }, { columns }) => {
    const { bounds, after } = fused(activation);
    const panels = Math.ceil(outChannels / columns);
    const isNarrow = outChannels < columns;
    const chunk = isNarrow ? NARROW_CHUNK : Math.max(48, Math.floor(CHUNK_FLOATS / inChannels));
    return {
      module: "product",
      entry: "pointwise",
      units: pixels,
      unitElements: outChannels,
      panels,
      weights: panelPacking(inChannels, outChannels, columns),
      zeroBytes: 0,
      // A tile narrower than a panel goes to scratch first.
      scratchBytes: isNarrow ? 4 * chunk * columns : 0,
      ...after,
      blockBytes: POINTWISE.bytes,
      write: (memory, block, at, cut = {}) =>
        POINTWISE.write(memory, block, {
          ...bounds,
          x: at.inputs[0] ?? 0,
          w: at.weights,
          bias: at.weights + 4 * panels * columns * inChannels,
          y: at.output,
          inChannels,
          outChannels,
          panels,
          pixels,
          unit: cut.unit ?? 1,
          byPanel: cut.byPanel === true ? 1 : 0,
          banded: cut.bandedInput === true ? 1 : 0,
          chunk,
        }),
    };
  },

  conv2d: ({ window, inChannels, outChannels, activation }, { columns }) => {
    const { bounds, after } = fused(activation);
    const taps = window.kernel[0] * window.kernel[1];
    const panels = Math.ceil(outChannels / columns);
    return {
      module: "product",
      entry: "convolution",
      units: window.output[0],
      unitElements: window.output[1] * outChannels,
      weights: panelPacking(taps * inChannels, outChannels, columns),
      zeroBytes: 0,
      scratchBytes: outChannels < columns ? 4 * window.output[1] * columns : 0,
      ...after,
      blockBytes: CONVOLUTION.bytes,
      write: (memory, block, at) =>
        CONVOLUTION.write(memory, block, {
          ...bounds,
          ...windowWords(window, inChannels, outChannels, at),
          bias: at.weights + 4 * panels * columns * taps * inChannels,
          panels,
        }),
    };
  },

  depthwiseConv2d: ({ window, channels, multiplier, activation }) => {
    const { bounds, after } = fused(activation);
    const taps = window.kernel[0] * window.kernel[1];
    const tiled = multiplier === 1 && channels >= 4 ? tiledWindow(window) : undefined;
    return {
      module: tiled ?? "depthwise",
      entry: "depthwise",
      units: window.output[0],
      unitElements: window.output[1] * channels * multiplier,
      weights: groupPacking(taps, channels * multiplier),
      zeroBytes: tiled === undefined ? 0 : 4 * DEPTHWISE_REACH * channels,
      scratchBytes: 0,
      ...after,
      blockBytes: DEPTHWISE.bytes,
      write: (memory, block, at, cut = {}) =>
        DEPTHWISE.write(memory, block, {
          ...bounds,
          ...windowWords(window, channels, channels * multiplier, at),
          bias: 0,
          multiplier,
          zeros: at.zeros,
          banded: cut.bandedOutput === true ? 1 : 0,
        }),
    };
  },

  scaleShift: ({ pixels, channels, activation }) => {
    const { bounds, after } = fused(activation);
    return {
      ...NOTHING,
      module: "elementwise",
      entry: "scaleShift",
      units: pixels,
      unitElements: channels,
      weights: factorPacking(channels),
      ...after,
      blockBytes: SCALE_SHIFT.bytes,
      write: (memory, block, { inputs: [x = 0], output, weights }) =>
        SCALE_SHIFT.write(memory, block, {
          ...bounds,
          x,
          w: weights,
          bias: weights + 4 * channels,
          y: output,
          channels,
        }),
    };
  },

  activation: lowerActivation,
  softmax: ({ rows, channels }) => ({
    ...NOTHING,
    module: "softmax",
    entry: "softmax",
    units: rows,
    unitElements: channels,
    blockBytes: SOFTMAX.bytes,
    write: (memory, block, { inputs: [x = 0], output }) =>
      SOFTMAX.write(memory, block, { ...LINEAR, x, y: output, channels }),
  }),
  globalAveragePool: globalPool,
  globalMaxPool: globalPool,
  averagePool: pool,
  maxPool: pool,
  add: elementwise,
  multiply: elementwise,
};

/** An activation on its own: threads may cut it anywhere. */
function lowerActivation(call: ActivationCall): Lowered {
  if (call.activation === "leakyRelu") {
    return activationKernel("leakyRelu", { low: call.slope, high: 0 }, call.elements, 1);
  }
  const { after, ...bounds } = ACTIVATIONS[call.activation];
  return after === undefined
    ? activationKernel("clamp", bounds, call.elements, 1)
    : { ...lowerAfter(after, 1), units: call.elements };
}

/** An activation on the output of a kernel, whose units have so many elements. */
export function lowerAfter(entry: AfterEntry, unit: number): Lowered {
  return activationKernel(entry, { low: 0, high: 6 }, 1, unit);
}

function activationKernel(
  entry: ActivationEntry,
  bounds: { readonly low: number; readonly high: number },
  units: number,
  unit: number,
): Lowered {
  return {
    ...NOTHING,
    module: "elementwise",
    entry,
    units,
    unitElements: unit,
    blockBytes: ACTIVATION.bytes,
    write: (memory, block, { inputs: [x = 0], output }) =>
      ACTIVATION.write(memory, block, { ...bounds, x, y: output, unit }),
  };
}

function globalPool({ kernel, pixels, channels }: GlobalPoolCall): Lowered {
  return pool({
    kernel: kernel === "globalMaxPool" ? "maxPool" : "averagePool",
    channels,
    window: {
      kernel: [1, pixels],
      stride: [1, 1],
      dilation: [1, 1],
      input: [1, pixels],
      output: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
    },
  });
}

function pool({ kernel, window, channels }: PoolCall): Lowered {
  return {
    ...NOTHING,
    module: "pool",
    entry: kernel,
    units: window.output[0],
    unitElements: window.output[1] * channels,
    blockBytes: POOL.bytes,
    write: (memory, block, at) =>
      POOL.write(memory, block, { ...LINEAR, ...windowWords(window, channels, channels, at), bias: 0 }),
  };
}

function elementwise({ kernel, shape, strides, exampleStride, activation }: ElementwiseCall): Lowered {
  const [outer, middle, inner] = shape;
  const [outerStride, middleStride, innerStride] = strides;
  const { bounds, after } = fused(activation);
  return {
    ...NOTHING,
    module: "elementwise",
    entry: kernel,
    units: outer * middle,
    unitElements: inner,
    ...after,
    blockBytes: BINARY.bytes,
    write: (memory, block, { inputs: [a = 0, b = 0], output }) =>
      BINARY.write(memory, block, {
        ...bounds,
        a,
        b,
        y: output,
        outer,
        middle,
        inner,
        outerStride,
        middleStride,
        innerStride,
        exampleStride,
      }),
  };
}

/** The module with tiles for a window, if there is one. */
function tiledWindow({ kernel, stride, dilation }: Window): ModuleName | undefined {
  const [k, s] = [kernel[0], stride[0]];
  const isSquare = kernel[1] === k && stride[1] === s && dilation[0] === 1 && dilation[1] === 1;
  if (!isSquare || (k !== 3 && k !== 5) || (s !== 1 && s !== 2)) return undefined;
  return `depthwise-${k}`;
}

function windowWords(window: Window, channels: number, outChannels: number, at: Addresses) {
  const [[top], [left]] = window.padding;
  const [height, width] = window.input;
  const [outHeight, outWidth] = window.output;
  const [strideY, strideX] = window.stride;
  const [dilationY, dilationX] = window.dilation;
  const [kernelHeight, kernelWidth] = window.kernel;
  const innerFrom = Math.min(outWidth, Math.ceil(left / strideX));
  const last = width - 1 - (kernelWidth - 1) * dilationX + left;
  const innerTo = Math.max(innerFrom, Math.min(outWidth, last < 0 ? 0 : Math.floor(last / strideX) + 1));
  return {
    x: at.inputs[0] ?? 0,
    w: at.weights,
    y: at.output,
    channels,
    outChannels,
    height,
    width,
    outHeight,
    outWidth,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    dilationY,
    dilationX,
    top,
    left,
    innerFrom,
    innerTo,
  };
}
