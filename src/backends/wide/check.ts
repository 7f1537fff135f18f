/**
 * Kernels of wide registers, tried before they are used: an engine that joined two operations wrongly would give wrong
 * answers, and one that joined none of a kernel's would take three times as long as without.
 *
 * The numbers are small and whole, so that every sum is exact in whatever order: what comes out is compared with plain
 * loops to the bit. That roundings are the same too is a matter of tests.
 */

import { exportOf } from "../../kernels/wasm/bind.ts";
import type { Lowered } from "../../kernels/wasm/lowered.ts";
import { packAll, stagingBytes } from "../../kernels/wasm/pack.ts";
import type { PairProbe } from "../../kernels/wasm/pairs.ts";
import type { KernelCall } from "../../plan/plan.ts";
import { pause, unavailable } from "./switch.ts";

type CallOf<Kernel extends KernelCall["kernel"]> = Extract<KernelCall, { readonly kernel: Kernel }>;
type Tried = CallOf<"conv2d" | "depthwiseConv2d" | "pointwiseConv2d">;

/** Every height of both tiles, a lone pixel, fewer channels than a tile; windows inside and over each edge. */
const callsOf = (): readonly Tried[] => [
  pointwise(13, 5, 32),
  pointwise(12, 6, 16),
  pointwise(3, 3, 40),
  pointwise(1, 9, 84),
  pointwise(23, 5, 24),
  pointwise(17, 3, 8),
  pointwise(10, 4, 13),
  pointwise(9, 7, 5),
  ...[24, 40].map((outChannels) => convolution(3, 2, outChannels)),
  ...[3, 5].flatMap((size) => [1, 2].map((stride) => depthwise(size, stride, 20, 1))),
  depthwise(2, 1, 13, 1),
  depthwise(3, 1, 9, 2),
  pointwise(...TIMED),
];

/** Pixels and channels of the call that is timed: a tile at its best. */
const TIMED = [48, 64, 64] as const;

function pointwise(pixels: number, inChannels: number, outChannels: number): CallOf<"pointwiseConv2d"> {
  return { kernel: "pointwiseConv2d", pixels, inChannels, outChannels, activation: "relu6" };
}

function convolution(size: number, stride: number, outChannels: number): CallOf<"conv2d"> {
  return { kernel: "conv2d", window: square(size, stride), inChannels: 3, outChannels, activation: "relu6" };
}

function depthwise(size: number, stride: number, channels: number, multiplier: number): CallOf<"depthwiseConv2d"> {
  return { kernel: "depthwiseConv2d", window: square(size, stride), channels, multiplier, activation: "relu6" };
}

/** A window over a square image, with half its size of padding on every side. */
function square(size: number, stride: number): CallOf<"conv2d">["window"] {
  const pad = size >> 1;
  const side = Math.floor((SIDE + 2 * pad - size) / stride) + 1;
  const [kernel, input, output] = [size, SIDE, side].map((each) => [each, each] as const) as Sides;
  return {
    kernel,
    stride: [stride, stride],
    dilation: [1, 1],
    input,
    output,
    padding: [
      [pad, pad],
      [pad, pad],
    ],
  };
}

const SIDE = 12;
type Sides = [readonly [number, number], readonly [number, number], readonly [number, number]];

/** How long each call is repeated, so that the engine compiles its code to the last tier, in ms. */
const WARMED_MS = 2;
/** How long the timed one is waited for, in ms. It takes some 20, unless the machine is very busy. */
const PATIENCE_MS = 2000;
/** Calls that are timed together: one takes some 4 µs. */
const REPEATS = 32;
/** What it must reach, of the most that 128 bits can: joined it comes to 1.7, else to 0.6. */
const LEAST_RATE = 1.2;

/** A call with memory of its own. */
interface Trial {
  readonly call: Tried;
  /** Two a multiplication; 0 for a call that is not timed. */
  readonly operations: number;
  run(): void;
  isRight(): boolean;
}

/**
 * Tries the kernels of a module.
 *
 * @param lower what becomes of a call
 * @throws {DepthwiseError} `BACKEND_UNAVAILABLE` if they compute wrongly, or are not joined
 */
export async function checkWide(
  name: string,
  module: WebAssembly.Module,
  shared: boolean,
  lower: (call: KernelCall) => Lowered,
  { singleRate }: PairProbe,
): Promise<void> {
  const calls = callsOf().map((call) => ({ call, lowered: lower(call) }));
  const own = calls.filter(({ lowered }) => lowered.module === name);
  const trials = await Promise.all(own.map(({ call, lowered }) => prepare(call, lowered, module, shared)));
  for (const { run } of trials) {
    const end = performance.now() + WARMED_MS;
    while (performance.now() < end) run();
    await pause(0);
  }
  const timed = trials.find(({ operations }) => operations > 0);
  if (timed !== undefined && !(await reaches(timed, LEAST_RATE * singleRate))) {
    throw unavailable(`this engine joins no vectors in the kernels of the module "${name}"`);
  }
  for (const { call, run, isRight } of trials) {
    run();
    if (!isRight()) throw unavailable(`this engine computes ${call.kernel} wrongly where it joins vectors`, ADVICE);
  }
}

const ADVICE = 'Pass simd: "auto", and please report it with the output of depthwise doctor.';

/** Whether a trial comes to so many operations a millisecond. */
async function reaches({ operations, run }: Trial, rate: number): Promise<boolean> {
  const start = performance.now();
  do {
    for (let i = 0; i < 50; i++) {
      const before = performance.now();
      for (let repeat = 0; repeat < REPEATS; repeat++) run();
      if ((REPEATS * operations) / (performance.now() - before) > rate) return true;
    }
    await pause(5);
  } while (performance.now() - start < PATIENCE_MS);
  return false;
}

/** Lays a call out in a memory of its own: numbers, words, and the kernel with its bias. */
async function prepare(call: Tried, lowered: Lowered, module: WebAssembly.Module, shared: boolean): Promise<Trial> {
  const { x, kernel, bias, output } = numbersOf(call);
  let bytes = 0;
  const take = (size: number): number => {
    const at = bytes;
    bytes += Math.ceil(size / 128) * 128;
    return at;
  };
  const [block, zeros, input] = [take(lowered.blockBytes), take(lowered.zeroBytes), take(x.byteLength)];
  const [weights, result] = [take(4 * lowered.weights.floats), take(output.byteLength)];
  const [scratch, staging] = [take(lowered.scratchBytes), take(stagingBytes(lowered.weights))];
  const pages = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const floats = new Float32Array(memory.buffer);
  const exports = { [lowered.module]: (await WebAssembly.instantiate(module, { env: { memory } })).exports };
  const packer = {
    memory: floats,
    staging,
    get pack() {
      return exportOf(exports, "product", "pack");
    },
  };
  floats.set(x, input / 4);
  packAll(lowered.weights, packer, weights, { kernel, bias });
  lowered.write(new DataView(memory.buffer), block, { inputs: [input], output: result, weights, zeros });
  const run = exportOf(exports, lowered.module, lowered.entry);
  const computed = floats.subarray(result / 4, result / 4 + output.length);
  return {
    call,
    operations: call.kernel === "pointwiseConv2d" && call.pixels === TIMED[0] ? 2 * TIMED[0] * kernel.length : 0,
    run: () => run(block, 0, lowered.units, 1, scratch),
    isRight: () => output.every((number, i) => number === computed[i]),
  };
}

const PAGE = 65_536;

/** Small whole numbers for a call, and what comes out. */
function numbersOf(call: Tried) {
  const isDepthwise = call.kernel === "depthwiseConv2d";
  const window = call.kernel === "pointwiseConv2d" ? line(call.pixels) : call.window;
  const inChannels = isDepthwise ? call.channels : call.inChannels;
  const channels = isDepthwise ? call.channels * call.multiplier : call.outChannels;
  const [[kh, kw], [height, width], [outHeight, outWidth]] = [window.kernel, window.input, window.output];
  // Input channels that an output channel sums over.
  const depth = isDepthwise ? 1 : inChannels;
  const x = whole(height * width * inChannels, 7);
  const kernel = whole(kh * kw * depth * channels, 5);
  const bias = whole(channels, 3);
  const output = Float32Array.from({ length: outHeight * outWidth * channels }, (_, index) => {
    const channel = index % channels;
    const pixel = (index - channel) / channels;
    const top = Math.floor(pixel / outWidth) * window.stride[0] - window.padding[0][0];
    const left = (pixel % outWidth) * window.stride[1] - window.padding[1][0];
    let sum = bias[channel] as number;
    for (let tap = 0; tap < kh * kw; tap++) {
      const row = top + Math.floor(tap / kw);
      const column = left + (tap % kw);
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      for (let c = 0; c < depth; c++) {
        const from = isDepthwise ? Math.floor(channel / call.multiplier) : c;
        const weight = kernel[(tap * depth + c) * channels + channel] as number;
        sum += (x[(row * width + column) * inChannels + from] as number) * weight;
      }
    }
    return Math.min(Math.max(sum, 0), 6);
  });
  return { x, kernel, bias, output };
}

/** Pixels in a row, each a window of its own. */
const line = (pixels: number): CallOf<"conv2d">["window"] => ({
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  input: [1, pixels],
  output: [1, pixels],
  padding: [
    [0, 0],
    [0, 0],
  ],
});

/** From −most to most, in no order that a lane or a row could be mistaken in. */
function whole(count: number, most: number): Float32Array {
  let state = count;
  return Float32Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return ((state >> 16) % (2 * most + 1)) - most;
  });
}
