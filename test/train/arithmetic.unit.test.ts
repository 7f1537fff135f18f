/** The bits of training, by the number that checkpoints give its arithmetic. */

import { expect, it } from "vitest";
import { ARITHMETIC } from "../../src/backends/training/arithmetic.ts";
import { tensor } from "../../src/core/tensor.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  globalAveragePool,
  pointwise,
  sequential,
} from "../../src/layers/index.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { hashOf } from "../../src/train/fit/hash.ts";
import { constant } from "../../src/train/schedules.ts";
import { bytes } from "./data/pictures.ts";

const [BATCH, SIDE] = [28, 48];

/** Large pictures with few channels, small ones with many: sums are cut in each way that there is. */
function cutting() {
  const block = (name: string, filters: number, stride: number) => [
    depthwise({ name: `${name}_dw`, kernel: 3, stride, padding: "same", bias: false }),
    batchNorm({ name: `${name}_dw_bn` }),
    activation("relu6"),
    pointwise({ name: `${name}_pw`, filters, bias: false }),
    batchNorm({ name: `${name}_pw_bn` }),
    activation("relu6"),
  ];
  return sequential({ inputShape: [SIDE, SIDE, 3] }, [
    conv2d({ name: "conv", filters: 8, kernel: 3, stride: 2, padding: "same", bias: false }),
    batchNorm({ name: "conv_bn" }),
    activation("relu6"),
    ...block("a", 24, 1),
    ...block("b", 160, 2),
    ...block("c", 320, 2),
    globalAveragePool(),
    dense({ name: "head", filters: 5 }),
  ]);
}

it("are those that they were: else raise ARITHMETIC, and write the new hash here", async () => {
  const options = { batch: BATCH, backend: "wasm", simd: "plain", schedule: constant({ rate: 0.05 }) } as const;
  using trainer = await createTrainer(cutting(), options);
  const pixels = Float32Array.from(bytes(BATCH * SIDE * SIDE * 3), (byte) => byte / 255 - 0.5);
  const labels = Array.from({ length: BATCH }, (_, n) => n % 5);
  for (let step = 0; step < 2; step++) await trainer.step(tensor(pixels, [BATCH, SIDE, SIDE, 3]), labels);
  const parameters = [...(await trainer.parameters())];
  const hashes = parameters.map(([name, { data }]) => `${name} ${hashOf(new Uint8Array(data.slice().buffer))}`);
  expect([ARITHMETIC, hashOf(new TextEncoder().encode(hashes.join()))]).toEqual([1, "6f45e258670ccf17"]);
});
