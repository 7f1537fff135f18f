/** Data sets and stores of somebody's own that do not keep to what they are to do: typed errors, and a signal ends the wait. */

import { describe, expect, it } from "vitest";
import { batches } from "../../../src/train/data/index.ts";
import { fineTune } from "../../../src/train/fine-tune/index.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import type { FitOptions } from "../../../src/train/fit/fit-options.ts";
import { constant } from "../../../src/train/schedules.ts";
import { memoryStore } from "./memory-store.ts";
import { tinyData, tinyModel } from "./tiny.ts";

const data = tinyData(24);
const OPTIONS = { epochs: 2, batch: 12, schedule: constant({ rate: 0.01 }) } as const satisfies FitOptions;
const never = () => new Promise<never>(() => undefined);

describe("a data set", () => {
  it.each([
    ["null", null],
    ["undefined", undefined],
    ["a text", "cat.png"],
    ["no image", { label: 0, name: "a" }],
    ["an image that is none", { image: 5, label: 0, name: "a" }],
    ["an image of null", { image: null, label: 0, name: "a" }],
  ])("whose examples are %s is refused with the example's name", async (_what, example) => {
    for (const given of [example, Promise.resolve(example)]) {
      const run = fit(tinyModel(), { ...data, at: () => given as never }, OPTIONS);
      await expect(run.done).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: expect.stringMatching(/example \d+/),
      });
    }
  });

  it.each(["nameAt", "labelAt", "at", "split"])("without %s is refused", async (part) => {
    const fake = { ...data, [part]: undefined } as never;
    await expect(fit(tinyModel(), fake, OPTIONS).done).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(() => fit(tinyModel(), data, { ...OPTIONS, validation: fake })).toThrow("data set");
    expect(() => batches(fake, { input: tinyModel() as never, batch: 2 })).toThrow("data set");
  });
});

describe("a store", () => {
  it("whose lock gives what is no function is refused", async () => {
    const checkpoint = { ...memoryStore(), lock: async () => 5 as never };
    await expect(fit(tinyModel(), data, { ...OPTIONS, checkpoint }).done).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("lock"),
    });
  });

  it("whose remove gives no promise, or throws, is no matter", async () => {
    for (const remove of [() => undefined, () => Promise.reject(new Error("no")), () => raise()]) {
      const checkpoint = { ...memoryStore(), remove: remove as never };
      const { history } = await fit(tinyModel(), data, { ...OPTIONS, epochs: 4, checkpoint }).done;
      expect(history.length).toBe(4);
    }
  });

  it.each([5, "text", null, {}])("whose read gives %j is refused", async (given) => {
    const checkpoint = { ...memoryStore(), read: async () => given as never };
    for (const [resume, learn] of [
      [false, fit],
      [true, fit],
      [false, fineTune],
    ] as const) {
      await expect(learn(tinyModel(), data, { ...OPTIONS, checkpoint, resume }).done).rejects.toMatchObject({
        code: "OPTION_INVALID",
        message: expect.stringContaining("read"),
      });
    }
  });

  it("whose read fails is told as one that cannot be read, and is not asked for more than an index can be", async () => {
    for (const learn of [fit, fineTune]) {
      let asked: number | undefined = 0;
      const read = (_name: string, atMost?: number) => {
        asked = atMost;
        return raise();
      };
      const run = learn(tinyModel(), data, { ...OPTIONS, checkpoint: { ...memoryStore(), read } });
      await expect(run.done).rejects.toMatchObject({ code: "FILE_UNREADABLE", cause: { message: "no" } });
      expect(asked).toBe(2 ** 28);
    }
  });

  it.each(["read", "lock"])(
    "whose %s never settles is given up when the signal says so",
    async (part) => {
      for (const resume of [false, true]) {
        for (const learn of [fit, fineTune]) {
          const checkpoint = { ...memoryStore(), [part]: never };
          const controller = new AbortController();
          const run = learn(tinyModel(), data, { ...OPTIONS, checkpoint, resume, signal: controller.signal });
          setTimeout(() => controller.abort(new Error("enough")), 50);
          await expect(run.done).rejects.toThrow("enough");
        }
      }
    },
    5000,
  );

  it("whose lock comes after the run was given up is set free again", async () => {
    let isFree = false;
    let give: (unlock: () => Promise<void>) => void = () => undefined;
    const lock = () => new Promise<() => Promise<void>>((resolve) => (give = resolve));
    const controller = new AbortController();
    const checkpoint = { ...memoryStore(), lock };
    const run = fit(tinyModel(), data, { ...OPTIONS, checkpoint, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await expect(run.done).rejects.toThrow("enough");
    give(async () => {
      isFree = true;
    });
    await new Promise((resolve) => setTimeout(resolve));
    expect(isFree).toBe(true);
  });
});

describe("more classes than a table of them is good for", () => {
  it("are trained on and validated, without the table", async () => {
    const classes = 3000;
    const many = tinyData(classes, { classes });
    const { history, confusion } = await fit(tinyModel({ classes }), many, {
      ...OPTIONS,
      epochs: 1,
      batch: 500,
      validation: many.take(50),
      threads: 1,
    }).done;
    expect(history[0]?.validation?.examples).toBe(50);
    expect(confusion).toBeUndefined();
  }, 60_000);
});

function raise(): never {
  throw new Error("no");
}
