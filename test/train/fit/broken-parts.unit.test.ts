/** Data sets and stores of somebody's own that do not keep to what they are to do: typed errors, and a signal ends the wait. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { completePreprocessing } from "../../../src/core/preprocessing.ts";
import { tensor } from "../../../src/core/tensor.ts";
import { arrays, batches } from "../../../src/train/data/index.ts";
import { fineTune } from "../../../src/train/fine-tune/index.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import type { FitOptions } from "../../../src/train/fit/fit-options.ts";
import { recalibrateBatchNorm } from "../../../src/train/fit/recalibrate.ts";
import { constant } from "../../../src/train/schedules.ts";
import { memoryStore } from "./memory-store.ts";
import { SIDE, tinyData, tinyModel } from "./tiny.ts";

const data = tinyData(24);
const OPTIONS = { epochs: 2, batch: 12, schedule: constant({ rate: 0.01 }) } as const satisfies FitOptions;
const INPUT = completePreprocessing([SIDE, SIDE, 3]);
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

  it.each([
    ["size", Number.POSITIVE_INFINITY],
    ["size", Number.NaN],
    ["size", 1e12],
    ["size", 2e8],
    ["size", -3],
    ["size", 20.5],
    ["classes", ["0", null, "2"]],
    ["labelType", "numbers"],
  ])("whose %s is %j is refused", async (part, value) => {
    const fake = { ...data, [part]: value };
    const refused = { code: "OPTION_INVALID", message: expect.stringContaining(`data set: ${part}`) };
    for (const validation of [undefined, 0.5]) {
      await expect(fit(tinyModel(), fake, { ...OPTIONS, validation }).done).rejects.toMatchObject(refused);
      await expect(fineTune(tinyModel(), fake, { ...OPTIONS, validation }).done).rejects.toMatchObject(refused);
    }
    await expect(fit(tinyModel(), data, { ...OPTIONS, validation: fake }).done).rejects.toMatchObject(refused);
    await expect(recalibrateBatchNorm(tinyModel(), fake, {})).rejects.toMatchObject(refused);
    expect(() => batches(fake, { input: INPUT, batch: 2 })).toThrow(`data set: ${part}`);
  });

  it.each(["1", undefined, null, -1, 0.5, Number.NaN, 3, [1, 0, 0], Float32Array.of(1, 0), Float64Array.of(1, 0, 0)])(
    "whose labels are %j is refused",
    async (label) => {
      const refused = { code: "OPTION_INVALID", message: expect.stringContaining("data set: labelAt(0)") };
      for (const labelType of ["indices", "shares"] as const) {
        const fake = { ...data, labelType, labelAt: () => label as never };
        await expect(fit(tinyModel(), fake, OPTIONS).done).rejects.toMatchObject(refused);
        await expect(fit(tinyModel(), data, { ...OPTIONS, validation: fake }).done).rejects.toMatchObject(refused);
        const all = async () => {
          for await (const { release } of batches(fake, { input: INPUT, batch: 12, shuffle: false })) release();
        };
        await expect(all()).rejects.toMatchObject(refused);
      }
    },
  );

  it.each([5, null, [null, null], [data], Promise.resolve([data, data])])(
    "whose split gives %j is refused",
    async (parts) => {
      const fake = { ...data, split: () => parts as never };
      for (const learn of [fit, fineTune]) {
        const { done } = learn(tinyModel(), fake, { ...OPTIONS, validation: 0.5 });
        await expect(done).rejects.toMatchObject({ code: "OPTION_INVALID", message: expect.stringContaining("split") });
      }
    },
  );

  it("whose take gives none is refused where a part of it is measured", async () => {
    const fake = { ...data, take: () => 5 as never };
    await expect(recalibrateBatchNorm(tinyModel(), fake, { examples: 5 })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("take"),
    });
  });

  it.each(["float32", "uint8"])("of %s arrays whose memory goes is refused from then on", async (dtype) => {
    const Numbers = dtype === "uint8" ? Uint8Array : Float32Array;
    const values = SIDE * SIDE * 3 * 12;
    for (const isTransferred of [true, false]) {
      const buffer = resizable(values * Numbers.BYTES_PER_ELEMENT);
      const given = arrays(
        tensor(new Numbers(buffer), [12, SIDE, SIDE, 3]),
        Array.from({ length: 12 }, (_, n) => n % 3),
      );
      const options = { ...OPTIONS, epochs: 3, batch: 4, threads: 1, prefetch: 0 } as const;
      const run = fit(tinyModel(), given, options);
      const seen = async () => {
        for await (const { type } of run) {
          if (type !== "epoch" || buffer.byteLength === 0) continue;
          if (isTransferred) structuredClone(buffer, { transfer: [buffer] });
          else buffer.resize(0);
        }
      };
      await expect(seen()).rejects.toMatchObject({
        code: "SHAPE_MISMATCH",
        message: expect.stringContaining("transferred or resized"),
      });
    }
  });

  it("whose examples have fewer numbers than their size says is refused, or they are skipped", async () => {
    for (const [Numbers, code] of [
      [Float32Array, "SHAPE_MISMATCH"],
      [Uint8Array, "IMAGE_UNREADABLE"],
    ] as const) {
      const image = { width: SIDE, height: SIDE, channels: 3, data: new Numbers(5) };
      const fake = { ...data, at: () => ({ image, label: 0, name: "a" }) };
      await expect(fit(tinyModel(), fake, OPTIONS).done).rejects.toMatchObject({ code });
    }
  });

  it.each(["nameAt", "labelAt", "at", "split", "take"])("without %s is refused", async (part) => {
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

  describe("is given up a minute after the signal", () => {
    beforeEach(() => {
      const wait = globalThis.setTimeout;
      vi.spyOn(globalThis, "setTimeout").mockImplementation(((work: () => void, ms = 0) =>
        wait(work, ms === 60_000 ? 50 : ms)) as never);
    });
    afterEach(() => {
      vi.restoreAllMocks();
    });
    const cases = [
      ["write", never, "FILE_UNREADABLE"],
      ["remove", never, undefined],
      ["lock", async () => never, undefined],
    ] as const;

    it.each(cases)("where its %s never settles", async (part, hangs, code) => {
      for (const learn of [fit, fineTune]) {
        const checkpoint = { ...memoryStore(), [part]: hangs };
        const controller = new AbortController();
        const options = { ...OPTIONS, epochs: 1000, checkpoint, checkpointSeconds: 0, signal: controller.signal };
        const run = learn(tinyModel(), data, options);
        setTimeout(() => controller.abort(new Error("enough")), 300);
        await expect(run.done).rejects.toMatchObject(code === undefined ? { message: "enough" } : { code });
      }
    });

    it("as is one whose loop is left", async () => {
      const checkpoint = { ...memoryStore(), write: never };
      for await (const { type } of fit(tinyModel(), data, { ...OPTIONS, checkpoint, checkpointSeconds: 0 })) {
        if (type === "started") break;
      }
    });

    it("and its lock is held until the write has ended after all", async () => {
      let isFree = false;
      let end: () => void = () => undefined;
      const lock = async () => async () => {
        isFree = true;
      };
      const checkpoint = { ...memoryStore(), lock, write: () => new Promise<void>((resolve) => (end = resolve)) };
      const signal = AbortSignal.timeout(200);
      const run = fit(tinyModel(), data, { ...OPTIONS, epochs: 1000, checkpoint, checkpointSeconds: 0, signal });
      await expect(run.done).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
      expect(isFree).toBe(false);
      end();
      await new Promise((resolve) => setTimeout(resolve));
      expect(isFree).toBe(true);
    });

    it("but a checkpoint that it writes slowly is whole", async () => {
      const store = memoryStore();
      const slow = (name: string, bytes: Uint8Array) =>
        new Promise<void>((resolve) => setTimeout(resolve, 30)).then(() => store.write(name, bytes));
      const checkpoint = { ...store, write: slow };
      const controller = new AbortController();
      const options = { ...OPTIONS, checkpoint, checkpointSeconds: 0 };
      const run = fit(tinyModel(), data, { ...options, epochs: 1000, signal: controller.signal });
      let kept: string | undefined;
      const seen = async () => {
        for await (const { type } of run) {
          if (type === "checkpoint") kept = new TextDecoder().decode(store.files.get("checkpoint.json"));
          if (type === "progress") controller.abort(new Error("enough"));
        }
      };
      await seen();
      await expect(run.done).rejects.toThrow("enough");
      expect(kept).toBe(new TextDecoder().decode(store.files.get("checkpoint.json")));
      const events: string[] = [];
      for await (const { type } of fit(tinyModel(), data, { ...OPTIONS, checkpoint: store, resume: true })) {
        events.push(type);
      }
      expect(events.slice(0, 2)).toEqual(["started", "resumed"]);
    });
  });

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
  });
});

/** TypeScript's library of ours does not know them. */
function resizable(bytes: number) {
  type Resizable = ArrayBuffer & { resize(to: number): void };
  return Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }]) as Resizable;
}

function raise(): never {
  throw new Error("no");
}
