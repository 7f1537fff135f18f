/** Moving statistics of batch norm: their share of the batch is 1 − momentum as float64 has it. */

import { describe, expect, it } from "vitest";
import { batchNorm, dense, flatten, sequential } from "../../src/layers/index.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { TRAINING_BACKENDS } from "./training-backends.ts";

/** A batch norm of the input itself. */
const model = () =>
  sequential({ inputShape: [1, 1, 5] }, [batchNorm({ name: "norm" }), flatten(), dense({ filters: 2 })]);

/** Two examples of mean 1 and of variance 4. */
const x = Float32Array.from({ length: 10 }, (_, i) => (i < 5 ? -1 : 3));

describe.each(TRAINING_BACKENDS.map(({ name, options }) => [name, options] as const))("on %s", (_name, on) => {
  it.each([0, 0.9, 0.99, 0.999])("move by 1 − momentum, exactly as it is rounded: %f", async (momentum) => {
    const network = model();
    network.parameters.get("norm/moving_variance")!.data.fill(0);
    using trainer = await createTrainer(network, { batch: 2, batchNorm: { momentum }, ...on });
    await trainer.step(x, [0, 1]);
    const parameters = await trainer.parameters();
    for (const [name, value] of [
      ["norm/moving_mean", 1 - momentum],
      ["norm/moving_variance", 4 * (1 - momentum)],
    ] as const) {
      expect([...parameters.get(name)!.data], name).toEqual(Array(5).fill(Math.fround(value)));
    }
  });

  it("without momentum are the batch's, whatever they were", async () => {
    const network = model();
    network.parameters.get("norm/moving_mean")!.data.fill(Number.POSITIVE_INFINITY);
    network.parameters.get("norm/moving_variance")!.data.fill(Number.NaN);
    using trainer = await createTrainer(network, { batch: 2, batchNorm: { momentum: 0 }, ...on });
    await trainer.step(x, [0, 1]);
    const parameters = await trainer.parameters();
    expect([...parameters.get("norm/moving_mean")!.data]).toEqual([1, 1, 1, 1, 1]);
    expect([...parameters.get("norm/moving_variance")!.data]).toEqual([4, 4, 4, 4, 4]);
  });
});
