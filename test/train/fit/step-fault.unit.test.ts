/** What a run says of numbers that are not finite: what its caller can do, who has no trainer. */

import { describe, expect, it } from "vitest";
import { tensor } from "../../../src/core/tensor.ts";
import { withParameters } from "../../../src/layers/network.ts";
import { arrays } from "../../../src/train/data/index.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import { constant, step } from "../../../src/train/schedules.ts";
import { memoryStore } from "./memory-store.ts";
import { SIDE, tinyData, tinyModel } from "./tiny.ts";

const failure = async (run: { readonly done: Promise<unknown> }): Promise<Error> => {
  const error = await run.done.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "VALUES_NOT_FINITE" });
  expect((error as Error).message).not.toContain("restore");
  return error as Error;
};

describe("a run whose numbers cease to be finite", () => {
  it("advises a lower rate", async () => {
    // Relaxed SIMD may take a NaN for a number of relu6.
    const schedule = constant({ rate: 1e30 });
    const options = { epochs: 3, batch: 16, simd: "plain", schedule } as const;
    const { message, cause } = await failure(fit(tinyModel(), tinyData(40), options));
    expect(message).toMatch(
      /^fit: tiny: update \d+: .*: expected finite numbers, found .*\. Train anew with a lower learning rate \(1e\+30 now\), or pass clipNorm\.$/,
    );
    expect(cause).toMatchObject({ code: "VALUES_NOT_FINITE" });
  });

  it("says what is kept, and nothing of what is not", async () => {
    const NOTHING = "or pass clipNorm.";
    const STATE = `${NOTHING} The last checkpoint is untouched.`;
    const MODEL = `${NOTHING} The last checkpoint is untouched; its model.safetensors can be begun from.`;
    // An epoch has three steps; from this one on rates are beyond all reason.
    const said = async (from: number, checkpointSeconds: number) => {
      const schedule = step({ rate: 1e-3, every: from, factor: 1e33 });
      const options = { epochs: 3, batch: 16, simd: "plain", checkpoint: memoryStore(), checkpointSeconds } as const;
      return (await failure(fit(tinyModel(), tinyData(40), { ...options, schedule }))).message;
    };
    const most = 1e6;
    expect(await said(1, most)).toMatch(new RegExp(`${NOTHING}$`));
    expect(await said(1, 0)).toMatch(new RegExp(`${STATE}$`));
    expect(await said(4, most)).toMatch(new RegExp(`${MODEL}$`));
    expect(await said(4, 0)).toMatch(new RegExp(`${MODEL}$`));
  });

  it("says it of validation too, and names the epoch that there was", async () => {
    const x = new Float32Array(6 * SIDE * SIDE * 3);
    const validation = () => arrays(tensor(x, [6, SIDE, SIDE, 3]), [0, 1, 2, 0, 1, 2]);
    const options = { epochs: 2, batch: 16, simd: "plain" } as const;
    const checkpoint = memoryStore();
    await fit(tinyModel(), tinyData(40), { ...options, validation: validation(), checkpoint }).done;
    x[5] = Number.NaN;
    const first = { ...options, validation: validation() };
    const fresh = await failure(fit(tinyModel(), tinyData(40), first));
    expect(fresh.message).toMatch(/^fit: tiny: validation of epoch 1: loss: .* or pass clipNorm\.$/);
    const empty = await failure(fit(tinyModel(), tinyData(40), { ...first, checkpoint: memoryStore() }));
    expect(empty.message).toBe(fresh.message);
    const ended = await failure(fit(tinyModel(), tinyData(40), { ...first, checkpoint, resume: true }));
    expect(ended.message).toMatch(
      /^fit: tiny: validation of epoch 2: loss: .* The last checkpoint is untouched; its model\.safetensors can be/,
    );
  });

  it("says where it is the data, or the network that was passed", async () => {
    const x = new Float32Array(6 * SIDE * SIDE * 3);
    x[5] = Number.NaN;
    const data = arrays(tensor(x, [6, SIDE, SIDE, 3]), [0, 1, 2, 0, 1, 2]);
    const { message } = await failure(fit(tinyModel(), data, { epochs: 1, batch: 6, simd: "plain" }));
    expect(message).toMatch(/^fit: tiny: update 0: the input of the network: .* Look at the data/);
    const model = tinyModel();
    const parameters = new Map(model.parameters);
    const gamma = parameters.get("pw_bn/gamma")!;
    parameters.set("pw_bn/gamma", { ...gamma, data: gamma.data.map(() => Number.NaN) });
    const broken = await failure(
      fit(withParameters(model, parameters), tinyData(40), { epochs: 1, batch: 16, simd: "plain" }),
    );
    expect(broken.message).toMatch(
      /^fit: tiny: update 0: .* The network held such numbers before the run: load it anew\.$/,
    );
  });
});
