/** Streams, iterables and Blobs that misbehave: a typed error, and an abort is always heard. */

import { describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";

const cause = new Error("broken");
const fail = () => {
  throw cause;
};
const iterable = (open: unknown) => ({ [Symbol.asyncIterator]: open }) as AsyncIterable<Uint8Array>;
const iterator = (next: unknown) => iterable(() => ({ next }));
const unreadable = { code: "FILE_UNREADABLE", cause };
const invalid = { code: "OPTION_INVALID" };

function transferred(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

class OddBlob extends Blob {
  readonly #open: () => unknown;
  constructor(open: () => unknown) {
    super(["bytes"]);
    this.#open = open;
  }
  override stream(): ReturnType<Blob["stream"]> {
    return this.#open() as ReturnType<Blob["stream"]>;
  }
}

describe("a source that misbehaves gives a typed error:", () => {
  it.each([
    ["its iterator cannot be had", iterable(fail), unreadable],
    ["its iterator is null", iterable(() => null), invalid],
    ["its iterator is 5", iterable(() => 5), invalid],
    ["its iterator has no next", iterable(() => ({})), invalid],
    ["what gives the iterator is 5", iterable(5), invalid],
    ["what gives the iterator is undefined", iterable(undefined), invalid],
    ["next gives undefined", iterator(async () => undefined), invalid],
    ["next gives undefined, not a promise", iterator(() => undefined), invalid],
    ["next throws at once", iterator(fail), unreadable],
    ["next rejects", iterator(() => Promise.reject(cause)), unreadable],
    [
      "the value cannot be read",
      iterator(async () => ({
        done: false,
        get value() {
          return fail();
        },
      })),
      unreadable,
    ],
    ["a part was transferred", iterator(async () => ({ done: false, value: transferred() })), invalid],
    ["a part is none", iterator(async () => ({ done: false, value: Object.create(Uint8Array.prototype) })), invalid],
    [
      "its destroy throws",
      Object.assign(
        iterator(async () => ({ value: 5 })),
        { destroy: fail },
      ),
      invalid,
    ],
    ["the Blob's stream throws", new OddBlob(fail), unreadable],
    ["the Blob's stream is null", new OddBlob(() => null), { code: "FILE_UNREADABLE" }],
    ["the Blob's stream is no stream", new OddBlob(() => ({})), { code: "FILE_UNREADABLE" }],
    ["the Blob's stream fails", new OddBlob(() => iterator(fail)), unreadable],
  ])("%s", async (_, source, error) => {
    await expect(openSource(source)).rejects.toMatchObject(error);
  });

  it("an answer of fetch is named, and what to pass in its place", async () => {
    const opening = loadModel(new Response("bytes") as never);
    await expect(opening).rejects.toMatchObject({
      ...invalid,
      message: expect.stringMatching(
        /^source: expected a path.*found a Response\. Pass its body, or await response\.blob\(\)\.$/,
      ),
    });
    await expect(loadModel(5 as never)).rejects.toMatchObject({
      message: expect.stringMatching(/^source: expected a path/),
    });
  });
});

describe("an iterable that never lets go of the event loop", () => {
  // Far more than a second of it: whoever does not hear the abort gets there.
  const endless = (value: Uint8Array, most: number) => {
    let count = 0;
    return iterator(async () => (++count > most ? fail() : { done: false, value }));
  };

  it("hears an abort between single bytes, and between parts of none that come now and then", async () => {
    const reason = new Error("enough");
    const some = async function* () {
      for (let i = 0; i < 20_000_000; i++) yield new Uint8Array(i % 1000 === 0 ? 1 : 0);
      fail();
    };
    for (const source of [endless(new Uint8Array(1), 20_000_000), some()]) {
      const control = new AbortController();
      setTimeout(() => control.abort(reason), 200);
      await expect(openSource(source, { signal: control.signal })).rejects.toBe(reason);
    }
  }, 60_000);

  it("may send some parts without bytes, but not for ever", async () => {
    async function* few() {
      for (let i = 0; i < 1000; i++) yield new Uint8Array(0);
      yield Uint8Array.of(7);
    }
    expect((await openSource(few())).bytes).toEqual(Uint8Array.of(7));
    await expect(openSource(endless(new Uint8Array(0), 5_000_000))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("without a byte"),
    });
  }, 60_000);
});
