/** What is read on the bounds of a clamp, and of NaN. */

import { expect, it } from "vitest";
import { REFERENCE_TRAINING } from "../../src/kernels/reference/gradients/index.ts";
import { run } from "./with-room.ts";

const X = Float32Array.of(-2, -1, -0.5, 2, 2.5, Number.NaN);
/** 2x + 2: −2, 0, 1, 6, 7. */
const NORM = Float32Array.of(2, 2, Number.NaN, Number.NaN);
const DY = new Float32Array(6).fill(1);

const sized = { pixels: 6, channels: 1 } as const;

it.each([
  ["linear", [-2, 0, 1, 6, 7, Number.NaN], [1, 1, 1, 1, 1, 1]],
  ["relu", [0, 0, 1, 6, 7, Number.NaN], [0, 0, 1, 1, 1, 0]],
  ["relu6", [0, 0, 1, 6, 6, Number.NaN], [0, 0, 1, 0, 0, 0]],
] as const)("%s keeps NaN, and lets no gradient through on a bound", (clamp, values, slopes) => {
  const load = { norm: true, clamp };
  const y = new Float32Array(6);
  run(REFERENCE_TRAINING.normalise({ kernel: "normalise", load, ...sized }), 1, { x: X, xNorm: NORM, y });
  expect([...y]).toEqual([...values]);
  const dx = new Float32Array(6);
  const operands = { dy: DY, x: X, xNorm: NORM, dx };
  run(REFERENCE_TRAINING.normaliseGradient({ kernel: "normaliseGradient", load, ...sized }), 1, operands);
  expect([...dx]).toEqual([...slopes]);
});

it("a bound is met where the value that was read met it, rounded to float32", () => {
  // 0.1 · 60 in float32 is 6, in float64 it is not.
  const [x, norm] = [Float32Array.of(60), Float32Array.of(0.1, 0, 0, 1)];
  const load = { norm: true, clamp: "relu6" } as const;
  const dx = new Float32Array(1);
  const operands = { dy: Float32Array.of(1), x, xNorm: norm, dx };
  const call = { kernel: "normaliseGradient", load, pixels: 1, channels: 1 } as const;
  run(REFERENCE_TRAINING.normaliseGradient(call), 1, operands);
  expect([60 * norm[0]! === 6, Math.fround(60 * norm[0]!), dx[0]]).toEqual([false, 6, 0]);
});
