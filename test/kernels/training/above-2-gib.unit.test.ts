/** Addresses above 2 GiB have a sign: what a kernel does in scratch is the same below it, above it and across it. */

import { expect, it } from "vitest";
import { rowsChunked } from "../../../src/backends/training/chunking.ts";
import { layWindow } from "../../../src/core/window.ts";
import { moduleBuilder } from "../../../src/kernels/wasm/assembler/index.ts";
import { TILES } from "../../../src/kernels/wasm/index.ts";
import { depthwiseSumBytes, depthwiseTraining } from "../../../src/kernels/wasm/training/depthwise-training.ts";
import { DEPTHWISE_WEIGHT_GRADIENT } from "../../../src/kernels/wasm/training/depthwise-weight-gradient.ts";
import { windowWords } from "../../../src/kernels/wasm/window.ts";

const channels = 16;
const side = 8;
const [x, dz, partials, zeros, block] = [1 << 16, 2 << 16, 3 << 16, 4 << 16, 5 << 16];

it("the weight gradient of a depthwise layer sums in scratch wherever that lies", () => {
  const builder = moduleBuilder({ shared: false });
  depthwiseTraining(builder, 3, { relaxed: false, shared: false }, TILES.plain);
  // Memory that nobody touches takes none.
  const memory = new WebAssembly.Memory({ initial: 33_000, maximum: 33_000 });
  const module = new WebAssembly.Module(builder.bytes());
  const { depthwiseWeightGradient } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const floats = new Float32Array(memory.buffer);
  const attributes = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: "same" } as const;
  const window = layWindow("test", attributes, [side, side]);
  const { out } = rowsChunked(window, 1, side);
  for (let i = 0; i < side * side * channels; i++) {
    floats[x / 4 + i] = ((i * 7) % 13) / 13;
    floats[dz / 4 + i] = ((i * 5) % 11) / 11;
  }
  const words = {
    ...{ ...windowWords(window, channels, channels), ...out.words, x, dz, partials, zeros, w: 0, bias: 0, y: 0 },
    ...{ multiplier: 1, images: out.images, xOffset: 0, xBefore: 0, zOffset: 0, zBefore: 0, per: 1, sums: 0 },
  };
  const { write } = DEPTHWISE_WEIGHT_GRADIENT.of(() => words, "linear");
  write(new DataView(memory.buffer), block, { inputs: [], output: 0, weights: 0, zeros: 0 });
  const [below, above, across] = [2 ** 30, 2 ** 31 + 4096, 2 ** 31 - 256].map((scratch) => {
    // What another kernel has left there.
    floats.fill(1000, scratch / 4, (scratch + depthwiseSumBytes({ window, channels, multiplier: 1 }, 4)) / 4);
    (depthwiseWeightGradient as (...words: number[]) => void)(block, 0, 1, 1, scratch);
    return [...floats.subarray(partials / 4, partials / 4 + 9 * channels)];
  });
  expect(below?.[0]).toBeGreaterThan(0);
  expect(above).toEqual(below);
  expect(across).toEqual(below);
});
