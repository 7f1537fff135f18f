/** A Response in hand: its body is taken at the call, read no further than allowed, and never left open. */

import sharp from "sharp";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ClassifyOptions, createClassifier, type ImageSource } from "../../src/classify/index.ts";
import { type DecodeOptions, decodeImage } from "../../src/images/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { file, type MisbehavingServer, startServer } from "../fixtures/misbehaving-server.ts";

let png: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const create = { width: 30, height: 20, channels: 3, background: "#3a7" } as const;
  png = new Uint8Array(await sharp({ create }).png().toBuffer());
});

let server: MisbehavingServer;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server[Symbol.asyncDispose]());

/** A body that counts what was pulled of it. */
function body(part: unknown, parts = Number.POSITIVE_INFINITY) {
  const seen = { pulled: 0, cancelled: false };
  const stream = new ReadableStream(
    {
      pull(control) {
        if (seen.pulled++ < parts) control.enqueue(part);
        else control.close();
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, stream };
}

it("gives the event loop its turn in a body of parts without a byte, and has enough of them", async () => {
  const timer = new Promise((done) => setTimeout(done, 1, "heard"));
  const { stream } = body(new Uint8Array(0));
  const signal = AbortSignal.timeout(60_000);
  await expect(decodeImage(new Response(stream), { signal })).rejects.toThrow(/it sent 100001 parts without a byte/);
  expect(await timer).toBe("heard");
});

it("reads a picture that comes byte by byte, and ends one that never ends at maxBytes", async () => {
  let at = 0;
  const single = new ReadableStream({
    pull(control) {
      if (at < png.length) control.enqueue(png.slice(at, ++at));
      else control.close();
    },
  });
  expect((await decodeImage(new Response(single))).width).toBe(30);
  const { stream } = body(Uint8Array.of(7));
  await expect(decodeImage(new Response(stream), { maxBytes: 300_000 })).rejects.toMatchObject({
    code: "FILE_TOO_LARGE",
  });
});

it("waits for a body that comes in one piece, of an answer that a package made", async () => {
  const answer = {
    ...{ ok: true, status: 200, url: "", type: "default", bodyUsed: false, headers: new Headers() },
    // Such as node-fetch's, whose streams are Node's.
    body: { pipe: () => undefined },
    arrayBuffer: () => new Promise((done) => setTimeout(done, 100, png.slice().buffer)),
    [Symbol.toStringTag]: "Response",
  };
  const { width, height } = await decodeImage(answer as never, { stallTimeout: 20 });
  expect([width, height]).toEqual([30, 20]);
});

const refused = (source: Response, options: DecodeOptions = {}) =>
  decodeImage(source, options).then(
    () => {
      throw new Error("it was not refused");
    },
    (error: unknown) => error as { code?: string; message: string },
  );

describe("a Response", () => {
  it("whose body goes on for ever is left as soon as more than maxBytes came, and cancelled", async () => {
    const { seen, stream } = body(new Uint8Array(1000));
    const error = await refused(new Response(stream), { maxBytes: 10_000 });
    expect(error).toMatchObject({ code: "FILE_TOO_LARGE", message: expect.stringMatching(/^Response: /) });
    expect(seen).toEqual({ pulled: 11, cancelled: true });
  });

  it("that announces more than maxBytes is refused before a byte of it is read", async () => {
    const { seen, stream } = body(png, 1);
    const headers = { "content-length": "2000000" };
    const error = await refused(new Response(stream, { headers }), { maxBytes: 1_000_000 });
    expect(error.message).toContain("expected at most 1,000,000 bytes, found 2,000,000");
    expect(seen).toEqual({ pulled: 0, cancelled: true });
  });

  it("of a server is read packed and unpacked, and is named by its address without what is secret in it", async () => {
    for (const facts of [{}, { gzip: true }, { chunked: true }]) {
      const answer = await fetch(server.on("/cat.png", file(png, facts)));
      expect(await decodeImage(answer)).toMatchObject({ width: 30, height: 20 });
    }
    const answer = await fetch(server.on("/text?size=9&token=abc", file(Buffer.from("no image at all"))));
    const { code, message } = await refused(answer);
    expect(code).toBe("IMAGE_UNREADABLE");
    expect(message).toContain(`Response of ${server.url}/text?size=9&token=…: `);
  });

  it("that is read already, locked, refused, empty, or of no bytes says so", async () => {
    const used = new Response(png);
    await used.arrayBuffer();
    const locked = new Response(png);
    locked.body?.getReader();
    const cases: [Response, string, RegExp][] = [
      [used, "FILE_UNREADABLE", /^Response: its body was read already\. Pass response\.clone\(\)/],
      [locked, "FILE_UNREADABLE", /^Response: its body is locked: somebody else reads it\. Pass response\.clone\(\)/],
      [
        new Response(png, { status: 404 }),
        "FILE_UNREADABLE",
        /^Response: the server answered 404\. Check response\.ok/,
      ],
      [Response.error(), "FILE_UNREADABLE", /^Response: the request failed/],
      [new Response(null), "FILE_EMPTY", /^Response: the file holds no bytes/],
      [new Response(body("text").stream), "FILE_UNREADABLE", /^Response: its body is not of bytes/],
    ];
    for (const [answer, code, message] of cases) {
      expect(await refused(answer)).toMatchObject({ code, message: expect.stringMatching(message) });
    }
  });

  it("that breaks off or stalls says after how many bytes", async () => {
    const broken = await fetch(server.on("/cut", file(png, { cutAfter: 40 })));
    expect((await refused(broken)).message).toMatch(/its body breaks off after \d+ bytes\. Fetch it again\./);
    const stalled = await fetch(server.on("/stall", file(png, { stallAfter: 40 })));
    const { code, message } = await refused(stalled, { stallTimeout: 100 });
    expect(code).toBe("FILE_UNREADABLE");
    expect(message).toMatch(/nothing came for 0\.1 s after 40 bytes/);
  });

  it("hears an abort in the middle, and its body is cancelled; of an option that is wrong too", async () => {
    const reason = new Error("enough");
    const control = new AbortController();
    let cancelled = 0;
    const silent = () => new Response(new ReadableStream({ cancel: () => void cancelled++ }));
    const decoding = decodeImage(silent(), { signal: control.signal });
    setTimeout(() => control.abort(reason), 20);
    await expect(decoding).rejects.toBe(reason);
    await expect(decodeImage(silent(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect((await refused(silent(), { maxBytes: -1 })).code).toBe("OPTION_INVALID");
    expect(cancelled).toBe(3);
  });

  it("without a body that can be streamed, as some packages make them, is read whole", async () => {
    const { ok, status, type, url, headers, bodyUsed } = new Response();
    const foreign = { ok, status, type, url, headers, bodyUsed, arrayBuffer: async () => png.buffer };
    Object.defineProperty(foreign, Symbol.toStringTag, { value: "Response" });
    expect(await decodeImage(foreign as object as Response)).toMatchObject({ width: 30, height: 20 });
  });
});

describe("a classifier", () => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 4, labels: ["a", "b", "c", "d"] });
  const sources: Readonly<Record<string, () => ImageSource>> = {
    Response: () => new Response(png),
    Blob: () => new Blob([png]),
    File: () => new File([png], "cat.png"),
  };

  it.each(Object.keys(sources))("takes a %s in classify, embed and classifyAll", async (name) => {
    const make = sources[name]!;
    using classifier = await createClassifier(model);
    const expected = await classifier.classify(png);
    expect(await classifier.classify(make())).toEqual(expected);
    expect(await classifier.classify([make(), png, make()])).toEqual([expected, expected, expected]);
    expect(await classifier.embed(make())).toEqual(await classifier.embed(png));
    const all = [];
    for await (const { predictions } of classifier.classifyAll([make(), make()])) all.push(predictions);
    expect(all).toEqual([expected, expected]);
  });

  it("takes the bodies of a list at the call, and cancels those that an error leaves unread", async () => {
    using classifier = await createClassifier(model);
    const [first, second] = [new Response(png), new Response(png)];
    const classifying = classifier.classify([png, first, second]);
    expect([first.body?.locked, second.body?.locked]).toEqual([true, true]);
    await classifying;
    const control = new AbortController();
    const ways: readonly [() => ImageSource, ClassifyOptions][] = [
      [() => new Uint8Array(20), {}],
      [() => new Response(new ReadableStream()), { signal: control.signal }],
    ];
    setTimeout(() => control.abort(), 50);
    for (const [bad, options] of ways) {
      const { seen, stream } = body(png, 1);
      await expect(classifier.classify([bad(), png, new Response(stream)], options)).rejects.toThrow();
      expect(seen).toEqual({ pulled: 0, cancelled: true });
    }
    // What is refused at the call takes nothing after it, and leaves nothing open before it.
    const { seen, stream } = body(png, 1);
    const after = new Response(png);
    const failing = classifier.classify([new Response(stream), new Response(png, { status: 500 }), after]);
    await expect(failing).rejects.toThrow("answered 500");
    expect(seen.cancelled).toBe(true);
    expect(after.body?.locked).toBe(false);
  });
});
