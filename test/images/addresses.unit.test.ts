/** @slow: it takes 2 seconds. */

/** Images at an address: servers that stall, lie or lead elsewhere, and what is no address. */

import { getEventListeners } from "node:events";
import type { ServerResponse } from "node:http";
import sharp from "sharp";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ByteSource, type DecodeOptions, decodeImage } from "../../src/images/index.ts";
import { createClassifier, mobileNetV1 } from "../../src/index.ts";
import {
  type Act,
  file,
  type MisbehavingServer,
  redirect,
  startServer,
  status,
} from "../fixtures/misbehaving-server.ts";

let png: Uint8Array;
beforeAll(async () => {
  const create = { width: 30, height: 20, channels: 3, background: "#3a7" } as const;
  png = new Uint8Array(await sharp({ create }).png().toBuffer());
});

let server: MisbehavingServer;
let elsewhere: MisbehavingServer;
beforeEach(async () => {
  server = await startServer();
  elsewhere = await startServer();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

async function toldBy(promise: Promise<unknown>) {
  const error = await promise.then(
    () => new Error("nothing was thrown"),
    (cause: unknown) => cause as Error,
  );
  let all = "";
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    all += `${each.message} ${each.stack} ${JSON.stringify(each)} `;
  }
  return { code: (error as { code?: unknown }).code, message: error.message, all };
}

const fetched = (act: Act, options: DecodeOptions = {}) => decodeImage(server.on("/cat.png", act), options);

describe("a server of images", () => {
  it("is believed when it is right: packed, in chunks with trailers, behind redirects", async () => {
    const trailing: Act = (_request, response) => {
      response.writeHead(200, { trailer: "x-sum" }).write(png.subarray(0, 40));
      response.addTrailers({ "x-sum": "1" });
      response.end(png.subarray(40));
    };
    for (const act of [file(png), file(png, { gzip: true }), file(png, { chunked: true }), trailing]) {
      expect(await fetched(act)).toMatchObject({ width: 30, height: 20 });
    }
    elsewhere.on("/there", redirect("/cat.png"));
    elsewhere.on("/cat.png", file(png));
    expect(await fetched(redirect(`${elsewhere.url}/there`))).toMatchObject({ width: 30 });
  });

  // What hung for ever is given up after a fifth of a second; a slow machine only takes longer to notice.
  const impatient = { stallTimeout: 200 };

  it("that sends nothing, its head alone, or a part, is left", async () => {
    const silent: Act = () => {};
    const head: Act = (_request, response) => void response.writeHead(200, { "content-length": 5000 }).flushHeaders();
    const given = await toldBy(fetched(silent, impatient));
    expect([given.code, given.message]).toEqual([
      "FILE_UNREADABLE",
      expect.stringContaining(`${server.url}/cat.png: no answer for 0.2 s.`),
    ]);
    for (const act of [head, file(png, { stallAfter: 40 })]) {
      const { code, message } = await toldBy(fetched(act, impatient));
      // Which of them, a machine that is busy may decide.
      expect([code, message]).toEqual([
        "FILE_UNREADABLE",
        expect.stringMatching(/(no answer|nothing came) for 0\.2 s/),
      ]);
    }
  });

  it("that drips is left", async () => {
    let drips: ReturnType<typeof setInterval> | undefined;
    const dripping: Act = (_request, response: ServerResponse) => {
      response.writeHead(200);
      drips = setInterval(() => response.write("x"), 20);
    };
    try {
      const { code, message } = await toldBy(fetched(dripping, { stallTimeout: 400 }));
      expect([code, message]).toEqual([
        "FILE_UNREADABLE",
        expect.stringMatching(/(only \d+ bytes|nothing|no answer).* 0\.4 s/),
      ]);
    } finally {
      clearInterval(drips);
    }
  });

  it.each([{ stallTimeout: 0 }, { stallTimeout: "1" }, { minBytesPerSecond: -1 }, { minBytesPerSecond: null }])(
    "%j is refused",
    async (options) => {
      expect((await toldBy(decodeImage(png, options as DecodeOptions))).code).toBe("OPTION_INVALID");
    },
  );

  it("that lies about the length is refused, whichever way", async () => {
    const lying = (length: number | string): Act => {
      return (_request, response) => {
        response.socket?.end(
          Buffer.concat([
            Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`),
            png,
          ]),
        );
      };
    };
    expect((await toldBy(fetched(lying(png.length + 9)))).code).toMatch(/FILE_UNREADABLE|FILE_TRUNCATED/);
    expect((await toldBy(fetched(lying(10)))).code).toMatch(/FILE_UNREADABLE|FILE_TRUNCATED|IMAGE_UNREADABLE/);
    expect((await toldBy(fetched(lying(2e12)))).code).toBe("FILE_TOO_LARGE");
    for (const length of ["-1", "many", "1, 2"]) {
      expect((await toldBy(fetched(lying(length)))).code).toMatch(/FILE_UNREADABLE|FILE_TRUNCATED/);
    }
  });

  it("that redirects in a circle, or to what is no web address, is left", async () => {
    server.on("/a", redirect("/b"));
    const circle = await toldBy(decodeImage(server.on("/b", redirect("/a"))));
    expect([circle.code, circle.message]).toEqual([
      "FILE_UNREADABLE",
      expect.stringContaining("redirects in a circle"),
    ]);
    expect(server.asked).toHaveLength(21);
    for (const to of ["file:///etc/passwd", "data:image/png;base64,AAAA", "blob:nodedata:1"]) {
      const { code, message } = await toldBy(fetched(redirect(to)));
      expect([code, message]).toEqual([
        "FILE_UNREADABLE",
        expect.stringMatching(/it redirects to a (file|data|blob): /),
      ]);
    }
  });

  it("gets a user and password as from curl, another one does not, and no error has them", async () => {
    const signed = server.on("/cat.png", file(png)).replace("//", "//me:s3cret@");
    expect(await decodeImage(signed)).toMatchObject({ width: 30 });
    expect(server.asked[0]?.headers.authorization).toBe(`Basic ${btoa("me:s3cret")}`);
    elsewhere.on("/there", file(png));
    server.on("/cat.png", redirect(`${elsewhere.url}/there`));
    expect(await decodeImage(new URL(signed))).toMatchObject({ width: 30 });
    expect(elsewhere.asked[0]?.headers.authorization).toBeUndefined();
    for (const act of [status(404), file(new TextEncoder().encode("text")), file(new Uint8Array(0))]) {
      server.on("/cat.png", act);
      const { code, all } = await toldBy(decodeImage(signed));
      expect(code).toMatch(/^(FILE|IMAGE)_/);
      expect(all).not.toContain("s3cret");
      expect(all).not.toContain(btoa("me:s3cret"));
    }
    const unreachable = await toldBy(decodeImage("http://me:s3cret@127.0.0.1:1/"));
    expect([unreachable.code, unreachable.all]).toEqual(["FILE_UNREADABLE", expect.not.stringContaining("s3cret")]);
    const broken = await toldBy(decodeImage("http://me:s3cret@["));
    expect([broken.code, broken.all]).toEqual(["OPTION_INVALID", expect.not.stringContaining("s3cret")]);
  });
});

const NO_ADDRESSES: readonly (string | URL)[] = [
  "http://",
  "http://[",
  "http://127.0.0.1:99999/cat.png",
  "http://a b/",
  "file://host/x",
  "file:///a%2Fb.jpg",
  "file://[",
  "ftp://x/y.png",
  "",
  new URL("file://host/x"),
  new URL("file:///a%2Fb.jpg"),
  new URL("ftp://x/y.png"),
  new URL("javascript:1"),
];

describe("what is no address", () => {
  it.each(NO_ADDRESSES)("%s is refused", async (source) => {
    expect(await toldBy(decodeImage(source))).toMatchObject({ code: "OPTION_INVALID" });
  });

  it.each([undefined, null, 7, {}, Symbol("x"), () => png])("%o is refused", async (source) => {
    expect(await toldBy(decodeImage(source as ByteSource))).toMatchObject({ code: "OPTION_INVALID" });
  });

  it.each(["data:junk", "data:;base64,***", "blob:x", "blob:nodedata:1"])("%s cannot be read", async (source) => {
    for (const given of [source, new URL(source)]) {
      expect(await toldBy(decodeImage(given))).toMatchObject({ code: "FILE_UNREADABLE" });
    }
  });

  it("is not repeated at length", async () => {
    const { all } = await toldBy(decodeImage(`data:image/png,${"x".repeat(100_000)}`));
    expect(all.length).toBeLessThan(10_000);
  });

  it("costs a batch nothing but its place", async () => {
    const classifier = await createClassifier(
      mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels: ["a", "b"] }),
      { threads: 1 },
    );
    try {
      const outcomes: unknown[] = [];
      const images = [...NO_ADDRESSES, png];
      for await (const { predictions, error } of classifier.classifyAll(images, { onError: "yield" })) {
        outcomes.push(error?.code ?? predictions?.length);
      }
      expect(outcomes).toEqual([...NO_ADDRESSES.map(() => "OPTION_INVALID"), 2]);
    } finally {
      classifier.close();
    }
  });
});

describe("a classifier", () => {
  it("has the same options, and leaves a server that is slower than they say", async () => {
    const labels = ["a", "b"];
    const classifier = await createClassifier(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels }), {
      threads: 1,
    });
    try {
      const url = server.on("/cat.png", () => {});
      const message = expect.stringContaining("no answer for 0.1 s");
      const slow = { stallTimeout: 100 };
      await expect(classifier.classify(url, slow)).rejects.toMatchObject({ message });
      await expect(classifier.classifyAll([url], slow).next()).rejects.toMatchObject({ message });
      for (const wrong of [{ stallTimeout: 0 }, { minBytesPerSecond: -1 }, { signal: {} as AbortSignal }]) {
        await expect(classifier.classify(url, wrong)).rejects.toMatchObject({ code: "OPTION_INVALID" });
        expect(() => classifier.classifyAll([url], wrong)).toThrow(/classifyAll: (stallT|minBytes|signal)/);
      }
    } finally {
      classifier.close();
    }
  });
});

describe("a data: or blob: address", () => {
  it("is an image like any other", async () => {
    const data = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
    const blob = URL.createObjectURL(new Blob([png as Uint8Array<ArrayBuffer>]));
    for (const source of [data, new URL(data), blob]) expect(await decodeImage(source)).toMatchObject({ width: 30 });
    URL.revokeObjectURL(blob);
  });
});

describe("aborting", () => {
  const reason = new Error("enough");

  it("is heard at once: before the answer, in the middle, while a Blob or a file is read", async () => {
    class Hanging extends Blob {
      override arrayBuffer = () => new Promise<ArrayBuffer>(() => {});
    }
    const sources: readonly (() => ByteSource)[] = [
      () => server.on("/silent", () => {}),
      () => server.on("/part", file(png, { stallAfter: 40 })),
      () => new Hanging([png as Uint8Array<ArrayBuffer>]),
    ];
    for (const source of sources) {
      const control = new AbortController();
      const decoding = decodeImage(source(), { signal: control.signal });
      setTimeout(() => control.abort(reason), 50);
      await expect(decoding).rejects.toBe(reason);
    }
  });

  it("of thirty at once takes one listener of the signal, and leaves none", async () => {
    const { signal } = new AbortController();
    const warnings: string[] = [];
    const warn = ({ name }: Error) => warnings.push(name);
    process.on("warning", warn);
    const url = server.on("/cat.png", file(png));
    const all = Array.from({ length: 30 }, (_, i) => decodeImage(i % 2 === 0 ? png : url, { signal }));
    expect(getEventListeners(signal, "abort").length).toBeLessThan(3);
    await Promise.all(all);
    await new Promise((done) => setImmediate(done));
    process.off("warning", warn);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each([{}, "stop", 5, { aborted: false }, new EventTarget()])("with %o is refused", async (signal) => {
    expect(await toldBy(decodeImage(png, { signal: signal as AbortSignal }))).toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("signal"),
    });
  });
});
