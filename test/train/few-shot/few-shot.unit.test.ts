import { describe, expect, it } from "vitest";
import { createClassifier } from "../../../src/classify/index.ts";
import { isDepthwiseError } from "../../../src/core/errors.ts";
import { withParameters } from "../../../src/layers/index.ts";
import { mobileNetV1 } from "../../../src/models/index.ts";
import { type FewShot, type FewShotOptions, fewShot } from "../../../src/train/few-shot/index.ts";
import {
  embeddingModel,
  encodeModel,
  loadModel,
  readSafetensors,
  replaceHead,
  toFloat32,
  writeSafetensors,
} from "../../../src/weights/index.ts";
import { type Colour, features, picture, pictures } from "./shapes.ts";

const COLOURS = ["red", "green", "blue"] as const;
const METHODS = ["linear", "nearest"] as const;

async function taught(options: FewShotOptions = {}, count = 6): Promise<FewShot> {
  const shots = await fewShot(features(), options);
  for (const colour of COLOURS) await shots.add(colour, pictures(colour, count));
  return shots;
}

async function accuracyOf(shots: FewShot, colours: readonly Colour[] = COLOURS): Promise<number> {
  let correct = 0;
  for (const colour of colours) {
    const all = await shots.classify(pictures(colour, 10, 5000), { topK: 1 });
    correct += all.filter(([best]) => best?.label === colour).length;
  }
  return correct / (10 * colours.length);
}

/** A file that says it is a PNG and is not. */
const broken = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0);

describe.each(METHODS)("few-shot, %s", (method) => {
  it("tells classes apart that it saw a few examples of", async () => {
    const shots = await taught({ method });
    const told = await shots.train();
    expect(told).toMatchObject({ method, classes: 3, examples: 18 });
    expect(await accuracyOf(shots)).toBe(1);
    const predictions = await shots.classify(picture("green", 1));
    expect(predictions.map(({ index, label }) => [index, label])).toContainEqual([1, "green"]);
    expect(predictions[0]?.label).toBe("green");
    expect(predictions.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(await shots.classify(picture("green", 1), { topK: 2 })).toEqual(predictions.slice(0, 2));
    shots.close();
  });

  it("needs no call of train, and answers the same with one", async () => {
    const [first, second] = [await taught({ method }), await taught({ method })];
    await first.train();
    const image = picture("red", 77);
    expect(await second.classify(image)).toEqual(await first.classify(image));
  });

  it("takes what it goes on from at the call: the bytes are the caller's again", async () => {
    const bytes = await (await taught({ method })).save();
    const beginning = fewShot(features(), { from: bytes });
    bytes.fill(0);
    expect((await beginning).classes.map(({ label }) => label)).toEqual(COLOURS);
  });

  it("counts what comes and goes at once", async () => {
    const shots = await taught({ method });
    expect((await shots.classify(picture("grey", 4), { topK: 1 }))[0]?.label).not.toBe("grey");
    await shots.add("grey", pictures("grey", 6));
    expect(await accuracyOf(shots, [...COLOURS, "grey"])).toBe(1);
    expect(await shots.remove("red")).toBe(6);
    expect(shots.classes).toEqual(["green", "blue", "grey"].map((label) => ({ label, examples: 6 })));
    expect(await accuracyOf(shots, ["green", "blue", "grey"])).toBe(1);
    expect((await shots.classify(picture("blue", 4), { topK: 1 }))[0]).toMatchObject({ index: 1, label: "blue" });
  });

  it("goes on from what it saved, to the bit", async () => {
    const shots = await taught({ method });
    const image = picture("blue", 9);
    const before = await shots.classify(image);
    const bytes = await shots.save();
    const given = bytes.slice();
    const making = fewShot(features(), { from: given });
    // The bytes are the caller's again.
    given.fill(0);
    const again = await making;
    expect(again.method).toBe(method);
    expect(again.classes).toEqual(shots.classes);
    expect(await again.classify(image)).toEqual(before);
    expect(await again.save()).toEqual(bytes);
    await Promise.all([shots, again].map((each) => each.add("red", pictures("red", 3, 900))));
    await Promise.all([shots, again].map((each) => each.add("grey", pictures("grey", 3))));
    expect(await again.save()).toEqual(await shots.save());
    expect(await again.classify(image)).toEqual(await shots.classify(image));
  });

  it("refuses to answer where there is nothing to tell apart", async () => {
    const shots = await fewShot(features(), { method });
    const refusal = { code: "CLASSES_MISMATCH" };
    await expect(shots.train()).rejects.toMatchObject({ ...refusal, message: expect.stringContaining("found none") });
    await shots.add("red", pictures("red", 2));
    await expect(shots.train()).rejects.toThrow(/found one, "red"/);
    await expect(shots.classify(picture("red", 1))).rejects.toMatchObject(refusal);
    await shots.add("blue", pictures("blue", 2));
    expect((await shots.classify(picture("red", 1)))[0]?.label).toBe("red");
  });

  it("answers the same for any batch", async () => {
    const images = [...pictures("red", 3, 40), ...pictures("blue", 4, 40)];
    const [one, many] = [await taught({ method, batch: 1 }), await taught({ method, batch: 5 })];
    expect(await many.classify(images)).toEqual(await one.classify(images));
  });
});

describe("images", () => {
  it("come one by one, in lists, from iterables and from async iterables", async () => {
    const [a, b, c, d] = await Promise.all([1, 2, 3, 4].map(() => fewShot(features())));
    const all = pictures("red", 5);
    for (const image of all) await a!.add("red", image);
    expect(await b!.add("red", all)).toEqual({ label: "red", added: 5, skipped: [] });
    await c!.add("red", new Set(all));
    await d!.add(
      "red",
      (async function* () {
        const buffer = picture("red", 0);
        for (const image of all) {
          // One buffer, filled again and again.
          buffer.data.set(image.data);
          yield buffer;
        }
      })(),
    );
    const saved = await a!.save();
    for (const each of [b, c, d]) expect(await each!.save()).toEqual(saved);
  });

  it("are the caller's again when the call returns", async () => {
    const [kept, changed] = [await fewShot(features()), await fewShot(features())];
    const given = pictures("green", 4);
    await kept.add("green", pictures("green", 4));
    const adding = changed.add("green", given);
    for (const { data } of given) data.fill(0);
    given.length = 0;
    await adding;
    expect(await changed.save()).toEqual(await kept.save());
  });

  it("are embedded as a classifier embeds them, and kept at length 1", async () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, labels: ["a", "b", "c"] });
    const shots = await fewShot(model);
    const image = picture("blue", 3, 40);
    await shots.add("blue", image);
    const { data } = await (await createClassifier(model)).embed(image);
    const length = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
    const kept = toFloat32(readSafetensors(await shots.save()).tensors.get("examples/0")!);
    expect([...kept]).toEqual([...data].map((value) => expect.closeTo(value / length, 6)));
  });

  it("are all refused, or the others added, where one cannot be read", async () => {
    const shots = await taught();
    const before = await shots.save();
    const images = [picture("red", 1), broken, picture("red", 2), new Uint8Array()];
    await expect(shots.add("red", images)).rejects.toSatisfy(
      (error) =>
        isDepthwiseError(error) && error.fields["index"] === 1 && error.message.includes('add: "red": image 1'),
    );
    expect(await shots.save()).toEqual(before);
    await expect(shots.add("new", images)).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
    expect(shots.classes.map(({ label }) => label)).toEqual([...COLOURS]);
    const { added, skipped } = await shots.add("red", images, { onUnreadable: "skip" });
    expect([added, skipped.map(({ index, error }) => [index, error.code])]).toEqual([
      2,
      [
        [1, "IMAGE_UNREADABLE"],
        [3, "FILE_EMPTY"],
      ],
    ]);
    expect(await shots.add("none", [broken], { onUnreadable: "skip" })).toMatchObject({ added: 0 });
    expect(shots.classes.map(({ label }) => label)).toEqual([...COLOURS]);
    await expect(shots.classify([picture("red", 1), broken])).rejects.toMatchObject({ code: "IMAGE_UNREADABLE" });
  });

  it("that are none are refused whatever becomes of unreadable ones", async () => {
    const shots = await fewShot(features());
    const skip = { onUnreadable: "skip" } as const;
    for (const images of [[], undefined, null, [7], [{ width: 2, height: 2, data: [1] }], [picture("red", 1), null]]) {
      await expect(shots.add("red", images as never, skip)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    }
    expect(shots.classes).toEqual([]);
  });

  it("whose embedding is no number are refused", async () => {
    const model = features();
    const conv = model.parameters.get("conv/kernel")!;
    const parameters = new Map([...model.parameters, ["conv/kernel", { ...conv, data: conv.data.map(() => NaN) }]]);
    const shots = await fewShot(withParameters(model, parameters));
    await expect(shots.add("red", pictures("red", 2))).rejects.toMatchObject({ code: "VALUES_NOT_FINITE" });
    expect(shots.classes).toEqual([]);
  });
});

describe("an abort", () => {
  it("leaves nothing half added, and closes the source", async () => {
    const shots = await taught();
    const before = await shots.save();
    const aborting = new AbortController();
    let isClosed = false;
    const source = (async function* () {
      try {
        for (let i = 0; ; i++) {
          if (i === 20) aborting.abort("enough");
          yield picture("red", i);
        }
      } finally {
        isClosed = true;
      }
    })();
    await expect(shots.add("red", source, { signal: aborting.signal })).rejects.toBe("enough");
    expect(await shots.save()).toEqual(before);
    await new Promise((resolve) => setTimeout(resolve));
    expect(isClosed).toBe(true);
    const signal = AbortSignal.abort("no");
    await expect(shots.add("red", pictures("red", 1), { signal })).rejects.toBe("no");
    await expect(shots.classify(picture("red", 1), { signal })).rejects.toBe("no");
    await expect(shots.train({ signal })).rejects.toBe("no");
  });

  it("waits for an iterable that awaits the same object until the signal ends it, and goes on", async () => {
    const shots = await fewShot(features());
    const source = async function* () {
      await shots.add("blue", pictures("blue", 1));
      yield picture("red", 1);
    };
    const signal = AbortSignal.timeout(50);
    await expect(shots.add("red", source(), { signal })).rejects.toMatchObject({ name: "TimeoutError" });
    await shots.add("red", pictures("red", 2));
    expect(shots.classes).toEqual([
      { label: "blue", examples: 1 },
      { label: "red", examples: 2 },
    ]);
    shots.close();
  });

  it("is heard at once by who waits behind a source that hangs", async () => {
    const shots = await taught();
    const [hanging, waiting] = [new AbortController(), new AbortController()];
    const source = (async function* () {
      await new Promise(() => undefined);
      yield picture("red", 1);
    })();
    const adding = shots.add("red", source, { signal: hanging.signal });
    const asked = shots.classify(picture("red", 1), { signal: waiting.signal });
    waiting.abort("not now");
    await expect(asked).rejects.toBe("not now");
    hanging.abort("never mind");
    await expect(adding).rejects.toBe("never mind");
    expect((await shots.classify(picture("red", 1)))[0]?.label).toBe("red");
  });
});

describe("calls", () => {
  it("are answered in their order, awaited or not", async () => {
    const shots = await fewShot(features());
    const slow = (async function* () {
      for (const image of pictures("red", 3)) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        yield image;
      }
    })();
    const all = [shots.add("red", slow), shots.add("blue", pictures("blue", 3)), shots.classify(picture("blue", 8))];
    const [, , predictions] = await Promise.all(all);
    expect(predictions).toMatchObject([{ index: 1, label: "blue" }, { index: 0 }]);
    expect(shots.classes.map(({ label }) => label)).toEqual(["red", "blue"]);
  });

  it("let go of what is not read any more, a server's answers too", async () => {
    const shots = await fewShot(features());
    let cancelled = 0;
    const answer = () =>
      new Response(
        new ReadableStream({
          cancel: () => {
            cancelled++;
          },
        }),
      );
    await expect(shots.add("red", [broken, ...Array.from({ length: 9 }, answer)])).rejects.toMatchObject({
      code: "IMAGE_UNREADABLE",
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(cancelled).toBe(9);
    expect(shots.classes).toEqual([]);
  });

  it("tell how far they are", async () => {
    const shots = await fewShot(features());
    const progress: unknown[] = [];
    await shots.add("red", pictures("red", 2), { onProgress: (told) => progress.push(told) });
    expect(progress).toEqual([
      { done: 1, total: 2 },
      { done: 2, total: 2 },
    ]);
  });

  it("are refused after close, which may be called twice", async () => {
    const shots = await taught();
    shots.close();
    shots.close();
    const closed = { code: "SESSION_CLOSED", message: expect.stringContaining("Call fewShot again") };
    await expect(shots.add("red", picture("red", 1))).rejects.toMatchObject(closed);
    await expect(shots.classify(picture("red", 1))).rejects.toMatchObject(closed);
    await expect(shots.train()).rejects.toMatchObject(closed);
    await expect(shots.save()).rejects.toMatchObject(closed);
    expect(shots.bytes).toBe(0);
  });

  it("refuse what makes no sense, and name it", async () => {
    const shots = await taught();
    await expect(shots.remove("gren")).rejects.toMatchObject({
      code: "NAME_UNKNOWN",
      message: expect.stringContaining('Did you mean "green"?'),
    });
    const wrong = { code: "OPTION_INVALID" };
    await expect(shots.add("", picture("red", 1))).rejects.toMatchObject(wrong);
    await expect(shots.add("red", picture("red", 1), { onUnreadable: "no" as never })).rejects.toMatchObject(wrong);
    await expect(shots.add("red", picture("red", 1), { topK: 1 } as never)).rejects.toMatchObject(wrong);
    await expect(shots.classify(picture("red", 1), { topK: 0 })).rejects.toMatchObject(wrong);
    await expect(shots.train({ epochs: 3 } as never)).rejects.toMatchObject(wrong);
    for (const options of [
      { method: "svm" },
      { neighbours: 0 },
      { penalty: 0 },
      { from: "file" },
      { methd: "linear" },
    ]) {
      await expect(fewShot(features(), options as never)).rejects.toMatchObject(wrong);
    }
    await expect(fewShot({} as never)).rejects.toMatchObject({ code: "NETWORK_INVALID" });
  });
});

describe("what was saved", () => {
  it("is refused for a network with other parameters, another preprocessing, or other features", async () => {
    const from = await (await taught()).save();
    const mismatch = { code: "PARAMETERS_MISMATCH" };
    await expect(fewShot(features(4), { from })).rejects.toMatchObject(mismatch);
    await expect(fewShot(features(3, 16), { from })).rejects.toMatchObject(mismatch);
    await expect(fewShot(features(), { from, preprocessing: { range: [0, 1] } })).rejects.toMatchObject(mismatch);
  });

  it("is taken by the same network, whatever it was read from, with its classifier or another", async () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, labels: ["a", "b", "c"] });
    const shots = await fewShot(model);
    await shots.add("red", picture("red", 1));
    const from = await shots.save();
    const loaded = await loadModel(encodeModel(model));
    for (const same of [loaded, replaceHead(loaded, { classes: 7 }), embeddingModel(model)]) {
      expect((await fewShot(same, { from })).classes).toEqual([{ label: "red", examples: 1 }]);
    }
  });

  it("is refused when it is another file, or a part of one", async () => {
    const from = await (await taught()).save();
    await expect(fewShot(features(), { from: from.subarray(0, 400) })).rejects.toMatchObject({
      code: "FILE_TRUNCATED",
    });
    const zip = Uint8Array.of(0x50, 0x4b, 3, 4, ...new Array(60).fill(0));
    await expect(fewShot(features(), { from: zip })).rejects.toMatchObject({ code: "FORMAT_UNKNOWN" });
    await expect(fewShot(features(), { from: encodeModel(features()) })).rejects.toMatchObject({
      code: "FORMAT_UNKNOWN",
    });
  });

  it.each(["examples/0", "classes", "probe/kernel", "probe/bias"])(
    "is refused with an axis too many in %s",
    async (name) => {
      const shots = await taught();
      await shots.train();
      const { tensors, metadata } = readSafetensors(await shots.save());
      const changed = [...tensors].map(([each, stored]) => {
        const data = toFloat32(stored);
        if (each !== name) return { name: each, shape: stored.shape, data };
        return { name, shape: [...stored.shape, 2], data: Float32Array.from({ length: 2 * data.length }, () => 0) };
      });
      await expect(fewShot(features(), { from: writeSafetensors(changed, metadata) })).rejects.toMatchObject({
        code: "FILE_CORRUPT",
        message: expect.stringContaining(`tensor "${name}"`),
      });
    },
  );

  it("is a typed error or sound, whichever byte is damaged", async () => {
    const shots = await taught({}, 1);
    await shots.train();
    const from = await shots.save();
    const model = features();
    for (let at = 0; at < from.length; at += at < 900 ? 1 : 13) {
      const damaged = from.slice();
      damaged[at]! ^= 0xff;
      const again = await fewShot(model, { from: damaged }).catch((error: unknown) => error);
      if (isDepthwiseError(again)) continue;
      const predictions = await (again as FewShot).classify(picture("red", 1));
      expect(predictions.every(({ probability }) => probability >= 0 && probability <= 1)).toBe(true);
      (again as FewShot).close();
    }
  });
});
