/** `fit`: events, results, and what is refused. */

import { describe, expect, it } from "vitest";
import { completePreprocessing } from "../../../src/core/preprocessing.ts";
import { tensor } from "../../../src/core/tensor.ts";
import { batchNorm, dense, globalAveragePool, pointwise, sequential } from "../../../src/layers/index.ts";
import { type Network, withInfo } from "../../../src/layers/network.ts";
import { compile } from "../../../src/session/compile.ts";
import { createTrainer } from "../../../src/train/create-trainer.ts";
import { dataset } from "../../../src/train/data/from-iterable.ts";
import { arrays, batches } from "../../../src/train/data/index.ts";
import type { FitEvent } from "../../../src/train/fit/events.ts";
import { fit } from "../../../src/train/fit/fit.ts";
import type { FitOptions } from "../../../src/train/fit/fit-options.ts";
import { sgd } from "../../../src/train/optimizers.ts";
import { constant, cosine, oneCycle } from "../../../src/train/schedules.ts";
import { memoryStore } from "./memory-store.ts";
import { SIDE, tinyData, tinyModel } from "./tiny.ts";

async function all(run: AsyncIterable<FitEvent>): Promise<FitEvent[]> {
  const events: FitEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

const OPTIONS = { epochs: 3, batch: 16, schedule: constant({ rate: 0.05 }) } as const;

describe("a run", () => {
  it("does just what a loop of steps over the same batches does, the short last one too", async () => {
    const model = tinyModel();
    const data = tinyData(40);
    const { model: trained, history } = await fit(model, data, OPTIONS).done;
    using trainer = await createTrainer(model, { batch: 16, schedule: constant({ rate: 0.05 }), seed: 1 });
    const input = completePreprocessing(model.inputShape, model.info.preprocessing);
    for (let epoch = 0; epoch < 3; epoch++) {
      let [loss, correct] = [0, 0];
      for await (const { x, labels, count } of batches(data, { input, batch: 16, epoch, seed: 1 })) {
        const done = await trainer.step(x, labels!);
        loss += done.loss * count;
        correct += done.correct;
      }
      expect(history[epoch]).toMatchObject({ epoch: epoch + 1, loss: loss / 40, accuracy: correct / 40, examples: 40 });
    }
    expect(trained.parameters).toEqual(await trainer.parameters());
    expect(trainer.updates).toBe(9);
  });

  it("leaves the network as it was, and names the classes of one that has no labels", async () => {
    const model = tinyModel();
    const before = structuredClone(model.parameters);
    const data = arrays(
      tensor(new Uint8Array(12 * SIDE * SIDE * 3), [12, SIDE, SIDE, 3]),
      [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2],
      {
        classes: ["cat", "dog", "cup"],
      },
    );
    const { model: trained } = await fit(model, data, { epochs: 1 }).done;
    expect(model.parameters).toEqual(before);
    expect(trained.info.labels).toEqual(["cat", "dog", "cup"]);
    const labelled = withInfo(model, { labels: ["Katze", "Hund", "Tasse"] });
    const { model: kept } = await fit(labelled, tinyData(12), { epochs: 1 }).done;
    expect(kept.info.labels).toEqual(["Katze", "Hund", "Tasse"]);
  });

  it("learns: what it validates is what the trained network says", async () => {
    const validation = tinyData(20, { seed: 7 });
    const { model, history, confusion, best } = await fit(tinyModel(), tinyData(60), {
      epochs: 8,
      batch: 16,
      schedule: oneCycle({ peak: 0.1 }),
      validation,
    }).done;
    const last = history.at(-1)!;
    expect(last.validation!.accuracy).toBeGreaterThan(0.9);
    expect(last.learningRate).toBeLessThan(1e-5);
    using session = await compile(model, { batch: 20 });
    const input = completePreprocessing(model.inputShape, model.info.preprocessing);
    const counted = [0, 0, 0].map(() => [0, 0, 0]);
    for await (const { x, labels } of batches(validation, { input, batch: 20, shuffle: false })) {
      const { output } = await session.run(tensor(x, [20, SIDE, SIDE, 3]));
      for (const [n, label] of labels!.entries()) {
        const row = [...output!.data.subarray(3 * n, 3 * n + 3)];
        counted[label]![row.indexOf(Math.max(...row))]!++;
      }
    }
    expect(confusion).toEqual(counted);
    expect(counted[0]![0]! + counted[1]![1]! + counted[2]![2]!).toBe(Math.round(last.validation!.accuracy * 20));
    expect(last.validation).toMatchObject({ examples: 20, top5: 1 });
    const losses = history.map((record) => record.validation!.loss);
    expect(best).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(history.map((record) => record.isBest)).toEqual(
      losses.map((loss, i) => loss < Math.min(Infinity, ...losses.slice(0, i))),
    );
  });

  it("splits a share of each class off, which it does not train on", async () => {
    const { history, confusion } = await fit(tinyModel(), tinyData(60), { ...OPTIONS, validation: 0.2 }).done;
    expect(history[0]).toMatchObject({ examples: 48, validation: { examples: 12 } });
    expect(confusion!.map((row) => row.reduce((sum, count) => sum + count))).toEqual([4, 4, 4]);
  });

  it("gives schedules the steps of the run, and depends on neither prefetch nor concurrency", async () => {
    const one = await fit(tinyModel(), tinyData(40), { ...OPTIONS, schedule: cosine({ rate: 0.1 }), prefetch: 0 }).done;
    const other = await fit(tinyModel(), tinyData(40), {
      ...OPTIONS,
      schedule: cosine({ rate: 0.1, steps: 9 }),
      prefetch: 5,
      concurrency: 1,
    }).done;
    expect(one.model.parameters).toEqual(other.model.parameters);
    const another = await fit(tinyModel(), tinyData(40), { ...OPTIONS, schedule: cosine({ rate: 0.1 }), seed: 2 }).done;
    expect(one.model.parameters).not.toEqual(another.model.parameters);
  });

  it("gives the averages, with statistics of their own", async () => {
    const validation = tinyData(12, { seed: 5 });
    const options = { ...OPTIONS, averageDecay: 0.8, validation };
    const { model, history } = await fit(tinyModel(), tinyData(40), options).done;
    const plain = await fit(tinyModel(), tinyData(40), { ...options, average: false }).done;
    expect(model.parameters).not.toEqual(plain.model.parameters);
    expect(history.map(({ loss }) => loss)).toEqual(plain.history.map(({ loss }) => loss));
    using trainer = await createTrainer(model, { batch: 12 });
    const input = completePreprocessing(model.inputShape, model.info.preprocessing);
    for await (const { x, labels } of batches(validation, { input, batch: 12, shuffle: false })) {
      expect((await trainer.evaluate(x, labels!)).loss).toBe(history.at(-1)!.validation!.loss);
    }
  });

  it("stops early, and gives back the best", async () => {
    const validation = tinyData(12, { seed: 5 });
    const schedule = constant({ rate: 0.3 });
    const options = { epochs: 40, batch: 16, schedule, validation, patience: 2 };
    const run = fit(tinyModel(), tinyData(40), options);
    const events = await all(run);
    const { history, best, stopped, model, confusion } = await run.done;
    expect(stopped).toBe("early");
    expect(events.at(-1)).toEqual({ type: "stopped", reason: "early" });
    expect(history.length).toBe(best! + 2);
    const shorter = await fit(tinyModel(), tinyData(40), { ...options, epochs: best!, patience: 40 }).done;
    expect(model.parameters).toEqual(shorter.model.parameters);
    expect(confusion).toEqual(shorter.confusion);
  });

  it("does not hear of what its caller does to the options after the call", async () => {
    const given = () => ({
      augment: { flip: "random", cutout: { size: 2 } },
      optimizer: sgd({ momentum: 0.9, weightDecay: 0.01, decayOnly: ["head/kernel"] }),
      schedule: oneCycle({ peak: 0.1 }),
      batchNorm: { momentum: 0.5 },
      train: ["head/kernel", "head/bias", "conv/kernel", "conv_bn/gamma"],
    });
    const run = async (change: (options: ReturnType<typeof given>) => void) => {
      const options = given();
      const { done } = fit(tinyModel(), tinyData(40), { epochs: 2, batch: 16, ...options } as FitOptions);
      change(options);
      return (await done).model.parameters;
    };
    const changed = await run(({ augment, optimizer, schedule, batchNorm, train }) => {
      Object.assign(augment, { flip: "alternating" });
      Object.assign(augment.cutout, { size: 7 });
      Object.assign(optimizer, { momentum: 0, weightDecay: 0 });
      Object.assign(schedule, { peak: 0.9 });
      Object.assign(batchNorm, { momentum: 0.1 });
      train.length = 1;
    });
    expect(changed).toEqual(await run(() => {}));
  });

  it("reads as far ahead as batches does, where it is not told otherwise", async () => {
    let [inside, most] = [0, 0];
    const slow = tinyData(160).map(async ({ image }) => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      return image;
    });
    await fit(tinyModel(), slow, { epochs: 1, batch: 4 }).done;
    expect(most).toBe(64);
  });

  it("reads an iterable", async () => {
    const given = tinyData(12);
    const examples = Array.from({ length: 12 }, (_, n) => given.at(n)).map((each) => each as never);
    const { history } = await fit(tinyModel(), examples, { epochs: 1, batch: 4 }).done;
    expect(history[0]!.examples).toBe(12);
  });
});

describe("a corrupt picture in the middle of an epoch", () => {
  const withBroken = async () => {
    const given = tinyData(10);
    const images = await Promise.all(Array.from({ length: 10 }, async (_, n) => (await given.at(n)).image));
    return dataset(
      images.map((image, n) => ({
        image: n === 4 || n === 7 ? new TextEncoder().encode(`no picture ${n}`) : image,
        label: n % 3,
        name: `picture ${n}`,
      })),
    );
  };

  it("is left out and reported, each time", async () => {
    const run = fit(tinyModel(), await withBroken(), { epochs: 2, batch: 4 });
    const events = await all(run);
    const skipped = events.filter((event) => event.type === "skipped");
    expect(skipped.map(({ index, name, of }) => `${name} ${index} ${of}`).sort()).toEqual([
      ...["picture 4 4 training", "picture 4 4 training", "picture 7 7 training", "picture 7 7 training"],
    ]);
    expect(skipped[0]!.error.code).toBe("IMAGE_UNREADABLE");
    expect((await run.done).history).toMatchObject([
      { examples: 8, skipped: 2 },
      { examples: 8, skipped: 2 },
    ]);
  });

  it("takes the other of its batch with it, where batch norm needs two: all are counted", async () => {
    const model = sequential({ inputShape: [SIDE, SIDE, 3] }, [
      globalAveragePool(),
      dense({ name: "hidden", filters: 4, bias: false }),
      batchNorm({ name: "norm" }),
      dense({ name: "head", filters: 3 }),
    ]);
    const run = fit(model, await withBroken(), { epochs: 2, batch: 2 });
    const events = await all(run);
    const told = events.filter((event) => event.type === "skipped").length;
    const { history } = await run.done;
    expect(history.map(({ examples, skipped }) => examples + skipped)).toEqual([10, 10]);
    expect(history.map(({ examples }) => examples % 2)).toEqual([0, 0]);
    expect(told).toBe(4);
    expect(history[0]!.skipped + history[1]!.skipped).toBeGreaterThan(told);
  });

  it("is thrown where that is asked for", async () => {
    const run = fit(tinyModel(), await withBroken(), { epochs: 2, batch: 4, onUnreadable: "throw" });
    await expect(run.done).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
  });

  it("is fatal if there is no other", async () => {
    const none = await dataset([0, 1, 2].map((label) => ({ image: Uint8Array.of(1, 2, 3), label })));
    const run = fit(tinyModel(), none, { epochs: 2, batch: 2 });
    await expect(run.done).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
  });
});

describe("an abort", () => {
  it("ends the run after the step under way: `stopped`, the end of the loop, and done rejects with the reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const checkpoint = memoryStore();
    const run = fit(tinyModel(), tinyData(40), { ...OPTIONS, epochs: 1000, signal: controller.signal, checkpoint });
    const events: FitEvent[] = [];
    for await (const event of run) {
      events.push(event);
      if (event.type === "epoch" && event.epoch === 2) controller.abort(reason);
    }
    expect(events.at(-1)).toEqual({ type: "stopped", reason: "signal" });
    expect(events.at(-2)).toMatchObject({ type: "checkpoint", where: "memory" });
    await expect(run.done).rejects.toBe(reason);
    expect(events.filter(({ type }) => type === "epoch").length).toBeLessThan(5);
  });

  it("before it begins does nothing", async () => {
    const aborted = fit(tinyModel(), tinyData(40), { signal: AbortSignal.abort(new Error("no")) });
    expect(await all(aborted)).toEqual([{ type: "stopped", reason: "signal" }]);
    await expect(aborted.done).rejects.toThrow("no");
    const controller = new AbortController();
    const run = fit(tinyModel(), tinyData(40), { signal: controller.signal });
    controller.abort(new Error("not now"));
    await expect(run.done).rejects.toThrow("not now");
  });

  it("hears of a timer however small its steps are", async () => {
    const controller = new AbortController();
    const run = fit(tinyModel(), tinyData(40), { ...OPTIONS, epochs: 1000, threads: 1, signal: controller.signal });
    const seen = async () => {
      for await (const event of run) {
        if (event.type === "epoch" && event.epoch === 1) setTimeout(() => controller.abort(new Error("enough")), 5);
      }
    };
    await seen();
    await expect(run.done).rejects.toThrow("enough");
  });

  it("reaches a run that waits for data", async () => {
    const controller = new AbortController();
    const never = tinyData(40).map(() => new Promise(() => {}));
    const run = fit(tinyModel(), never, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("too long")), 20);
    await expect(run.done).rejects.toThrow("too long");
  });

  it("is what leaving the loop is, unless done was asked for", async () => {
    const checkpoint = memoryStore();
    const run = fit(tinyModel(), tinyData(40), { ...OPTIONS, epochs: 1000, checkpoint });
    for await (const event of run) if (event.type === "epoch") break;
    await expect(run.done).rejects.toMatchObject({ name: "AbortError" });
    expect(checkpoint.files.has("checkpoint.json")).toBe(true);
    const other = fit(tinyModel(), tinyData(40), OPTIONS);
    const { done } = other;
    for await (const event of other) if (event.type === "epoch") break;
    expect((await done).history.length).toBe(3);
  });
});

describe("events", () => {
  it("come to a loop that begins late, progress as its newest", async () => {
    const run = fit(tinyModel(), tinyData(40), OPTIONS);
    const iterator = run[Symbol.asyncIterator]();
    const started = await iterator.next();
    const first = await iterator.next();
    await run.done;
    const rest: FitEvent[] = [];
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) rest.push(next.value);
    expect(started.value).toMatchObject({ type: "started", backend: expect.any(String), threads: 1 });
    expect(first.value).toMatchObject({ type: "progress", epoch: 1, step: 1, steps: 3 });
    expect(rest.map(({ type }) => type)).toEqual(["progress", "epoch", "progress", "epoch", "progress", "epoch"]);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("say where an epoch's time went", async () => {
    const slow = tinyData(32).map(async ({ image }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return image;
    });
    const events = await all(fit(tinyModel(), slow, { epochs: 1, batch: 16, prefetch: 0, concurrency: 1 }));
    const epoch = events.find((event) => event.type === "epoch")!;
    expect(epoch.waitedForData).toBeGreaterThan(0.5);
    expect(epoch.waitedForData).toBeLessThanOrEqual(1);
    expect(epoch.seconds).toBeGreaterThanOrEqual(0.15);
    expect(epoch.imagesPerSecond).toBeGreaterThan(0);
  });

  it("end with the error of the run, for each who listens", async () => {
    const run = fit(tinyModel(), tinyData(40, { classes: 2 }), OPTIONS);
    await expect(all(run)).rejects.toMatchObject({ code: "CLASSES_MISMATCH" });
    await expect(run.done).rejects.toMatchObject({ code: "CLASSES_MISMATCH" });
  });
});

describe("bad input is refused", () => {
  const pictures = (labels: number[], classes: number | string[] = 3) =>
    arrays(tensor(new Uint8Array(labels.length * SIDE * SIDE * 3), [labels.length, SIDE, SIDE, 3]), labels, {
      classes,
    });

  it.each([
    ["data with fewer classes", pictures([0, 1, 0, 1], 2), {}, "CLASSES_MISMATCH"],
    ["an empty class", pictures([0, 1, 0, 1]), { batch: 2 }, "CLASSES_MISMATCH"],
    ["one class", pictures([0, 0, 0, 0], 1), { batch: 2 }, "CLASSES_MISMATCH"],
    ["more batch than data", pictures([0, 1, 2]), { batch: 4 }, "OPTION_INVALID"],
    [
      "validation of other classes",
      pictures([0, 1, 2]),
      { batch: 2, validation: pictures([0, 1], 2) },
      "CLASSES_MISMATCH",
    ],
    ["a share that leaves no validation", pictures([0, 1, 2]), { batch: 2, validation: 0.2 }, "OPTION_INVALID"],
  ])("%s", async (_name, data, options, code) => {
    await expect(fit(tinyModel(), data, options).done).rejects.toMatchObject({ code });
  });

  it("one class, of a network of one class", async () => {
    const run = fit(tinyModel({ classes: 1 }), pictures([0, 0, 0, 0], 1), { batch: 2 });
    await expect(run.done).rejects.toThrow(/at least two classes, found one/);
  });

  it("classes in another order than the network's labels", async () => {
    const model = withInfo(tinyModel(), { labels: ["a", "b", "c"] });
    const run = fit(model, pictures([0, 1, 2], ["a", "c", "b"]), { batch: 2 });
    await expect(run.done).rejects.toThrow(
      'fit: data: class 1: expected "b", as tiny has it, found "c". Pass the classes in the order of the network\'s labels.',
    );
  });

  it("other classes than the network's labels, some or all of them", async () => {
    const model = withInfo(tinyModel(), { labels: ["red", "green", "blue"] });
    for (const classes of [
      ["green", "blue", "black"],
      ["red", "green", "black"],
      ["cat", "dog", "cup"],
      ["1", "2", "3"],
    ]) {
      const run = fit(model, pictures([0, 1, 2], classes), { epochs: 1, batch: 3 });
      await expect(run.done).rejects.toMatchObject({
        code: "CLASSES_MISMATCH",
        message: expect.stringMatching(/^fit: data: class \d: expected ".*", as tiny has it, found .* fineTune/),
      });
    }
  });

  it("validation whose names are not those of the labels, or of the data, in their order", async () => {
    const data = pictures([0, 1, 2], ["red", "green", "blue"]);
    const validating = (model: Network, classes?: string[]) =>
      fit(model, data, { epochs: 1, batch: 3, validation: pictures([0, 1, 2], classes) }).done;
    const labelled = withInfo(tinyModel(), { labels: ["red", "green", "blue"] });
    for (const model of [tinyModel(), labelled]) {
      for (const classes of [
        ["blue", "red", "green"],
        ["red", "green", "black"],
      ]) {
        await expect(validating(model, classes)).rejects.toMatchObject({
          code: "CLASSES_MISMATCH",
          message: expect.stringContaining("fit: validation: class "),
        });
      }
      await expect(validating(model, ["red", "green", "blue"])).resolves.toBeDefined();
      await expect(validating(model)).resolves.toBeDefined();
    }
  });

  it.each([
    ["epochs", { epochs: 0 }],
    ["validation", { validation: 1 }],
    ["patience", { patience: 0.5 }],
    ["averageDecay", { average: true }],
    ["checkpoint", { resume: true }],
    ["checkpoint", { checkpoint: {} as never }],
    ["checkpointSeconds", { checkpointSeconds: Number.NaN }],
    ["prefetch", { prefetch: -1 }],
    ["onUnreadable", { onUnreadable: "ignore" as never }],
    ["seed", { seed: -1 }],
    ["momentum", { optimizer: { ...sgd({}), momentum: 2 } }],
  ])("at the call: %s", (option, options) => {
    expect(() => fit(tinyModel(), tinyData(40), options)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringContaining(option) }),
    );
  });

  it("an unknown option, with the nearest one", () => {
    expect(() => fit(tinyModel(), tinyData(40), { epoch: 3 } as never)).toThrow(/unknown option "epoch".*epochs/);
  });
});

describe("a network of other inputs than pictures", () => {
  const count = 12;
  const labels = Array.from({ length: count }, (_, n) => n % 2);
  const network = (channels: number) =>
    sequential({ inputShape: [4, 4, channels] }, [
      pointwise({ filters: 4 }),
      batchNorm(),
      globalAveragePool(),
      dense({ filters: 2 }),
    ]);
  const valuesOf = (channels: number) =>
    Float32Array.from(
      { length: count * 16 * channels },
      (_, i) => (Math.floor(i / (16 * channels)) % 2) + (i % 7) / 10,
    );

  it.each([2, 6])("of %d channels is trained on float32 values", async (channels) => {
    const values = valuesOf(channels);
    const data = arrays(tensor(values, [count, 4, 4, channels]), labels);
    const options = {
      ...OPTIONS,
      epochs: 20,
      batch: 4,
      validation: 0.5,
      averageDecay: 0.5,
      augment: { flip: "random" },
    } as const;
    const { history } = await fit(network(channels), data, options).done;
    expect(history.at(-1)?.validation?.accuracy).toBe(1);
    const examples = labels.map((label, n) => ({
      image: { width: 4, height: 4, channels, data: values.slice(16 * channels * n, 16 * channels * (n + 1)) },
      label,
    }));
    const again = await fit(network(channels), examples, options).done;
    expect(again.history.at(-1)?.loss).toBe(history.at(-1)?.loss);
  });

  it("refuses bytes, which are pictures", async () => {
    const data = arrays(tensor(new Uint8Array(count * 16 * 2), [count, 4, 4, 2]), labels);
    await expect(fit(network(2), data, { ...OPTIONS, batch: 4 }).done).rejects.toMatchObject({
      code: "SHAPE_MISMATCH",
      message: expect.stringContaining("grey or RGB"),
    });
  });
});
