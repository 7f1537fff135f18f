import { describe, expect, it } from "vitest";
import { completePreprocessing } from "../../../src/core/preprocessing.ts";
import { tensor } from "../../../src/core/tensor.ts";
import type { Network } from "../../../src/layers/index.ts";
import { network } from "../../../src/layers/index.ts";
import { mobileNetV1 } from "../../../src/models/index.ts";
import { createTrainer } from "../../../src/train/create-trainer.ts";
import { batches } from "../../../src/train/data/index.ts";
import { depthRates } from "../../../src/train/fine-tune/depth-rates.ts";
import { fineTune } from "../../../src/train/fine-tune/index.ts";
import { headCheckpoint } from "../../../src/train/fine-tune/phase-store.ts";
import type { FitEvent } from "../../../src/train/fit/events.ts";
import { fit as runOf } from "../../../src/train/fit/fit.ts";
import { adamw, arrays, constant, oneCycle, sgd } from "../../../src/train/index.ts";
import { replaceHead } from "../../../src/weights/index.ts";
import { base, COLOURS, colours } from "./colours.ts";

const bitsOf = (model: Network) =>
  new Map([...model.parameters].map(([name, { data }]) => [name, [...new Int32Array(data.slice().buffer)]]));

async function eventsOf(run: AsyncIterable<FitEvent>): Promise<FitEvent[]> {
  const events: FitEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

const epochsIn = (events: readonly FitEvent[]) => events.filter((event) => event.type === "epoch");

describe("fineTune", () => {
  it("teaches a network other classes, and leaves the one it was given as it was", async () => {
    const model = base();
    const before = bitsOf(model);
    const {
      model: tuned,
      history,
      confusion,
    } = await fineTune(model, colours(16), {
      epochs: 12,
      batch: 16,
      schedule: oneCycle({ peak: 0.05 }),
      validation: colours(10, 9000),
    }).done;
    expect(bitsOf(model)).toEqual(before);
    expect(tuned.info.labels).toEqual(COLOURS);
    expect(tuned.shapes.get(tuned.outputs["logits"] ?? "")).toEqual([3]);
    expect(history.at(-1)?.validation?.accuracy).toBeGreaterThan(0.95);
    expect(confusion?.flat().reduce((sum, count) => sum + count, 0)).toBe(30);
  });

  it("is told as one run: epochs, rates and the best so far count on", async () => {
    const options = { epochs: 3, frozenEpochs: 2, batch: 12, validation: 0.25, schedule: constant({ rate: 0.01 }) };
    const run = fineTune(base(), colours(16), options);
    const { done } = run;
    const events = await eventsOf(run);
    const { history, best } = await done;
    const epochs = epochsIn(events);
    expect(epochs.map(({ epoch, epochs: all }) => [epoch, all])).toEqual([1, 2, 3, 4, 5].map((epoch) => [epoch, 5]));
    expect(epochs.map(({ learningRate }) => learningRate)).toEqual([0.02, 0.02, 0.01, 0.01, 0.01]);
    expect(history.map(({ time, ...record }) => ({ type: "epoch", epochs: 5, ...record, ...time }))).toEqual(epochs);
    const losses = history.map(({ validation }) => validation?.loss ?? Number.NaN);
    expect(history.map(({ isBest }) => isBest)).toEqual(
      losses.map((loss, at) => losses.slice(0, at).every((earlier) => loss < earlier)),
    );
    expect(best).toBe(losses.indexOf(Math.min(...losses)) + 1);
    // Each phase has a trainer of its own.
    const told = events.filter(({ type }) => type === "started" || type === "epoch").map(({ type }) => type);
    expect(told).toEqual(["started", "epoch", "epoch", "started", "epoch", "epoch", "epoch"]);
    const progress = events.filter((event) => event.type === "progress");
    expect(progress.map(({ epochs: all }) => all)).toEqual(progress.map(() => 5));
    expect(Math.max(...progress.map(({ epoch }) => epoch))).toBe(5);
  });

  it("does not hear of what its caller does to the options after the call", async () => {
    const run = async (change: (augment: object, optimizer: object, schedule: object, batchNorm: object) => void) => {
      const [augment, optimizer, schedule] = [{ cutout: { size: 4 } }, adamw(), constant({ rate: 0.01 })];
      const batchNorm = { momentum: 0.5, mode: "auto" } as const;
      const options = { epochs: 1, batch: 8, augment, optimizer, schedule, batchNorm };
      const { done } = fineTune(base(), colours(8), options);
      change(augment, optimizer, schedule, batchNorm);
      return bitsOf((await done).model);
    };
    const changed = await run((augment, optimizer, schedule, batchNorm) => {
      Object.assign(augment, { cutout: undefined });
      Object.assign(optimizer, { beta1: 0.1 });
      Object.assign(schedule, { rate: 0.5 });
      Object.assign(batchNorm, { momentum: 0.1, mode: "frozen" });
    });
    expect(changed).toEqual(await run(() => {}));
  });

  it("is a fit of the head, then one of all, to the bit", async () => {
    const data = colours(11);
    const schedule = constant({ rate: 0.004 });
    const { model } = await fineTune(base(), data, { epochs: 2, batch: 8, schedule, seed: 7 }).done;
    const headed = replaceHead(base(), { labels: COLOURS, seed: 7 });
    const shared = { batch: 8, optimizer: adamw() };
    const first = await runOf(headed, data, {
      ...shared,
      epochs: 1,
      seed: 7,
      schedule: constant({ rate: 0.008 }),
      train: ["top/kernel", "top/bias"],
    }).done;
    const factors: Readonly<Record<string, number>> = { conv: 0.01, dw: 10 ** (-4 / 3), pw: 10 ** (-2 / 3), top: 1 };
    const second = await runOf(first.model, data, {
      ...shared,
      epochs: 2,
      seed: 7 + 1_000_003,
      schedule,
      batchNorm: { mode: "frozen" },
      rateFactor: ({ node }) => factors[node.replace("_bn", "")]!,
    }).done;
    for (const [name, { data: found }] of model.parameters) {
      const expected = second.model.parameters.get(name)!.data;
      expect([...found], name).toEqual([...expected].map((value) => expect.closeTo(value, 6)));
    }
  });

  it("changes nothing but the head while that learns alone, moving statistics included", async () => {
    const model = base();
    const rateFactor = () => 0;
    const { model: tuned } = await fineTune(model, colours(16), { epochs: 1, batch: 8, rateFactor }).done;
    const changed = [...bitsOf(tuned)].filter(([name, bits]) => {
      const before = bitsOf(replaceHead(model, { labels: COLOURS })).get(name);
      return JSON.stringify(bits) !== JSON.stringify(before);
    });
    expect(changed.map(([name]) => name)).toEqual(["top/kernel", "top/bias"]);
  });

  it("measures batch norm anew from 32 images a step on, or as it is told", async () => {
    const movesWith = async (options: object, count = 16) => {
      const { model } = await fineTune(base(), colours(count), { epochs: 1, rateFactor: () => 0, ...options }).done;
      return bitsOf(model)
        .get("conv_bn/moving_mean")!
        .some((bits) => bits !== 0);
    };
    expect(await movesWith({ batch: 32 })).toBe(true);
    expect(await movesWith({ batch: 31 })).toBe(false);
    expect(await movesWith({ batch: 32, accumulate: 2 })).toBe(false);
    expect(await movesWith({ batch: 16, batchNorm: { mode: "auto" } })).toBe(true);
    expect(await movesWith({ batch: 32, batchNorm: { mode: "frozen" } })).toBe(false);
    // An eighth of what there is, where nobody says how many.
    expect(await movesWith({})).toBe(false);
    expect(await movesWith({}, 128)).toBe(true);
    const { model } = await fineTune(base(), colours(10), { epochs: 1, rateFactor: () => 0 }).done;
    expect(
      bitsOf(model)
        .get("conv_bn/moving_mean")!
        .every((bits) => bits === 0),
    ).toBe(true);
  });

  it("goes without a frozen epoch where none is asked for", async () => {
    const { history } = await fineTune(base(), colours(8), { epochs: 2, frozenEpochs: 0, batch: 8 }).done;
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it("gives the head's epoch where none after it was better, and patience asks for the best", async () => {
    const options = { epochs: 9, batch: 8, validation: colours(6, 500), patience: 2, rateFactor: () => 0 };
    const { best, history, stopped, confusion } = await fineTune(base(), colours(8), options).done;
    expect([best, stopped, history.length]).toEqual([1, "early", 4]);
    expect(history.map(({ isBest }) => isBest)).toEqual([true, false, false, false]);
    expect(confusion).toHaveLength(3);
  });

  it("gives, of several of the head's epochs, the one that it calls the best", async () => {
    const validation = colours(6, 500);
    // Far too high a rate: the last epoch is not the best.
    const given = { epochs: 1, frozenEpochs: 4, batch: 8, validation, patience: 4, schedule: constant({ rate: 0.5 }) };
    const { best, history, model, confusion } = await fineTune(base(), colours(8), { ...given, rateFactor: () => 0 })
      .done;
    expect(best).toBeLessThan(4);
    const { loss, accuracy } = history[(best ?? 0) - 1]?.validation ?? {};
    using trainer = await createTrainer(model, { batch: validation.size });
    const input = completePreprocessing(model.inputShape, model.info.preprocessing);
    for await (const { x, labels } of batches(validation, { input, batch: validation.size, shuffle: false })) {
      const said = await trainer.evaluate(x, labels!);
      expect(said.loss).toBeCloseTo(loss!, 6);
      expect(said.correct / validation.size).toBe(accuracy);
    }
    expect(confusion!.reduce((sum, row, label) => sum + row[label]!, 0) / validation.size).toBe(accuracy);
  });

  it("takes the highest seed there is", async () => {
    const seeded = (seed: number) => fineTune(base(), colours(8), { epochs: 1, batch: 8, seed }).done;
    const { history } = await seeded(Number.MAX_SAFE_INTEGER);
    expect(history).toHaveLength(2);
  });

  it("gives a MobileNet without a top one, and works on what an iterable yields", async () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, includeTop: false });
    const examples = COLOURS.flatMap((label, at) => [
      { image: { width: 2, height: 2, data: new Uint8Array(12).fill(60 * at) }, label: at, name: label },
      { image: { width: 2, height: 2, data: new Uint8Array(12).fill(60 * at + 20) }, label: at, name: label },
    ]);
    const { model: tuned } = await fineTune(model, examples, { epochs: 1 }).done;
    expect(tuned.shapes.get(tuned.outputs["logits"] ?? "")).toEqual([3]);
  });
});

describe("a fine-tuning that is stopped", () => {
  it.each([1, 3])("in epoch %i says so, and rejects with the reason", async (epoch) => {
    const aborting = new AbortController();
    const run = fineTune(base(), colours(16), { epochs: 4, batch: 8, signal: aborting.signal });
    const { done } = run;
    done.catch(() => undefined);
    const events: FitEvent[] = [];
    for await (const event of run) {
      events.push(event);
      if (event.type === "progress" && event.epoch === epoch) aborting.abort("enough");
    }
    await expect(done).rejects.toBe("enough");
    expect(events.at(-1)).toEqual({ type: "stopped", reason: "signal" });
    expect(epochsIn(events).length).toBeLessThanOrEqual(epoch);
  });

  it("before it begins rejects at once", async () => {
    const run = fineTune(base(), colours(8), { signal: AbortSignal.abort("no") });
    const { done } = run;
    await expect(done).rejects.toBe("no");
  });

  it("ends with a loop that is left", async () => {
    const run = fineTune(base(), colours(16), { epochs: 50, batch: 8 });
    for await (const event of run) if (event.type === "epoch" && event.epoch === 2) break;
    await expect(run.done).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("bad input", () => {
  it("is refused at the call", () => {
    const data = colours(8);
    const wrong = { code: "OPTION_INVALID" };
    const refusal = (options: object) => {
      try {
        fineTune(base(), data, options as never);
        return undefined;
      } catch (error) {
        return error;
      }
    };
    for (const options of [
      ...[{ firstRate: 0 }, { firstRate: 2 }, { frozenEpochs: -1 }, { frozenEpochs: 0.5 }, { epochs: 0 }],
      ...[{ frozenEpoch: 1 }, { validation: 2 }, { optimizer: { type: "lion" } }, { resume: true }, { seed: -1 }],
    ]) {
      expect(refusal(options), JSON.stringify(options)).toMatchObject(wrong);
    }
    const headless = network({
      inputShape: [4, 4, 3],
      layers: [{ type: "globalAveragePool", name: "pool" }],
      outputs: { embedding: "pool" },
    });
    expect(() => fineTune(headless, data)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
    expect(() => fineTune({} as never, data)).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
  });

  it("of data rejects the run, and nothing was trained", async () => {
    const one = Array.from({ length: 4 }, () => ({
      image: { width: 2, height: 2, data: new Uint8Array(12) },
      label: 0,
    }));
    await expect(fineTune(base(), one, { batch: 2 }).done).rejects.toMatchObject({ code: "CLASSES_MISMATCH" });
    for (const classes of [
      ["blue", "red", "green"],
      ["red", "green", "black"],
    ]) {
      const validation = arrays(tensor(new Uint8Array(3 * 12 * 12 * 3), [3, 12, 12, 3]), [0, 1, 2], { classes });
      await expect(fineTune(base(), colours(4), { batch: 4, validation }).done).rejects.toMatchObject({
        code: "CLASSES_MISMATCH",
        message: expect.stringMatching(/^fit: validation: class \d: expected "/),
      });
    }
    await expect(fineTune(base(), 7 as never).done).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const run = fineTune(base(), colours(2), { batch: 100 }).done;
    await expect(run).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});

describe("rates by depth", () => {
  it("lie in even steps on a logarithmic scale, a batch norm with what it normalises", () => {
    const model = replaceHead(base(), { classes: 2 });
    const rate = depthRates(model, "top", 0.001);
    const found = [...model.parameterInfo.values()].map((info) => [info.name, rate(info)] as const);
    const expected = { conv: 0.001, dw: 0.01, pw: 0.1, top: 1 } as Readonly<Record<string, number>>;
    for (const [name, factor] of found) expect(factor, name).toBeCloseTo(expected[name.replace(/(_bn)?\/.*/, "")]!, 10);
    const [first] = model.parameterInfo.values();
    expect(depthRates(model, "top", 1)(first!)).toBe(1);
  });

  it("give a MobileNet's stem a hundredth, and its classifier all", () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 5 });
    const rate = depthRates(model, "conv_preds", 0.01);
    const of = (name: string) => rate(model.parameterInfo.get(name)!);
    expect(of("conv1/kernel")).toBeCloseTo(0.01, 12);
    expect(of("conv1_bn/gamma")).toBe(of("conv1/kernel"));
    expect(of("conv_preds/bias")).toBe(1);
    const all = [...model.parameterInfo.values()].map(rate);
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(new Set(all).size).toBe(28);
  });
});

it("a store of checkpoints has names of its own for the head", async () => {
  const files = new Map<string, Uint8Array>();
  const store = {
    read: async (name: string) => files.get(name),
    write: async (name: string, bytes: Uint8Array) => void files.set(name, bytes),
    remove: async (name: string) => void files.delete(name),
    list: async () => [...files.keys()],
  };
  const head = headCheckpoint(store) as typeof store;
  await store.write("checkpoint.json", Uint8Array.of(1));
  await head.write("checkpoint.json", Uint8Array.of(2));
  expect([...files.keys()]).toEqual(["checkpoint.json", "head-checkpoint.json"]);
  expect(await head.read("checkpoint.json")).toEqual(Uint8Array.of(2));
  expect(await head.list()).toEqual(["checkpoint.json"]);
  await head.remove("checkpoint.json");
  expect(await store.read("checkpoint.json")).toEqual(Uint8Array.of(1));
  expect(headCheckpoint("runs/a/")).toBe("runs/a/head");
  expect(String(headCheckpoint(new URL("file:///runs/a")))).toBe("file:///runs/a/head");
});

it("takes sgd at its usual rate", async () => {
  const { history } = await fineTune(base(), colours(8), {
    epochs: 1,
    batch: 8,
    optimizer: sgd({ momentum: 0.9 }),
  }).done;
  expect(history[0]?.learningRate).toBe(0.02);
});
