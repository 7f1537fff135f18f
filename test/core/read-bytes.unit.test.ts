/** Reading without a disk, a network or a clock: each is played by hand, so that what is asked of it can be counted. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { nodeFiles, readBytes, readFile, sourceName, statsOf } from "../../src/core/bytes.ts";
import { follow } from "../../src/core/follow.ts";
import { MOST_EMPTY } from "../../src/core/parts.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const ADDRESS = "https://h/a.bin";
const read = (options = {}) => readBytes(ADDRESS, { maxBytes: 100, ...options });
const refused = (code: string, said: RegExp, more = {}) =>
  expect.objectContaining({ code, message: expect.stringMatching(said), ...more });

/** What `fetch` was asked, in order; each answer is made when its turn comes. */
type Asked = { readonly url: string } & RequestInit;
function fetches(...answers: (Response | Error | ((asked: Asked) => Response | Promise<Response>))[]): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (url: string, options: RequestInit) => {
    const one = { url, ...options };
    asked.push(one);
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined || answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer(one) : answer;
  });
  return asked;
}

/** A body of these parts; an error as the last ends it so, and "open" leaves it without an end. */
function body(...parts: readonly (Uint8Array | string | Error)[]) {
  let at = 0;
  const cancelled: unknown[] = [];
  const stream = new ReadableStream({
    pull(controller) {
      const part = parts[at++];
      if (part === undefined) controller.close();
      else if (part instanceof Error) controller.error(part);
      else if (typeof part !== "string") controller.enqueue(part);
      else return new Promise<void>(() => {});
      return undefined;
    },
    cancel: (reason) => void cancelled.push(reason),
  });
  return Object.assign(stream, { cancelled });
}

const never = ({ signal }: Asked) =>
  new Promise<Response>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
const bytes = (length: number) => new Uint8Array(length).fill(7);
const pretended = (response: Response, says: object) =>
  Object.defineProperties(response, Object.getOwnPropertyDescriptors(says));

describe("an answer", () => {
  it("is read to its end, and its request is ended after it", async () => {
    const asked = fetches(new Response(body(bytes(3), bytes(0), bytes(4))));
    expect(await read()).toEqual(bytes(7));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ url: ADDRESS, redirect: "manual", cache: "default" });
    expect(asked[0]?.headers).toStrictEqual({});
    expect(asked[0]?.signal?.aborted).toBe(true);
  });

  it("without a body is no bytes", async () => {
    fetches(new Response(null, { status: 204 }));
    expect(await read()).toEqual(new Uint8Array());
  });

  it("that says an error is refused in its words, and not read", async () => {
    const asked = fetches(new Response(body(bytes(3)), { status: 599, headers: { "content-length": "999" } }));
    await expect(read()).rejects.toEqual(
      refused("FILE_UNREADABLE", /^https:\/\/h\/a\.bin: the server answered 599\. Check the address/, {
        fields: { url: ADDRESS },
      }),
    );
    expect(asked[0]?.signal?.aborted).toBe(true);
  });

  it("that never comes is a server that cannot be reached, with the cause", async () => {
    const cause = new TypeError("fetch failed");
    fetches(cause);
    await expect(read()).rejects.toEqual(refused("FILE_UNREADABLE", /: the server cannot be reached\./, { cause }));
  });

  it("that breaks off says after how many bytes", async () => {
    const cause = new TypeError("terminated");
    fetches(new Response(body(bytes(3), bytes(2), cause)));
    await expect(read()).rejects.toEqual(
      refused("FILE_UNREADABLE", /: the connection ended after 5 bytes\./, { cause }),
    );
  });

  it("of more or fewer bytes than it announced is refused", async () => {
    for (const announced of ["4", "6"]) {
      fetches(new Response(body(bytes(5)), { headers: { "content-length": announced } }));
      const said = new RegExp(`^https://h/a\\.bin: expected ${announced} bytes, found 5\\. Fetch it again\\.$`);
      await expect(read()).rejects.toEqual(refused("FILE_TRUNCATED", said));
    }
    fetches(new Response(body(bytes(5)), { headers: { "content-length": "5" } }));
    expect(await read()).toHaveLength(5);
  });

  it("of more than may be is refused by what it announces, or with the part that is too much", async () => {
    const unread = body(bytes(5));
    fetches(new Response(unread, { headers: { "content-length": "101" } }));
    await expect(read()).rejects.toEqual(refused("FILE_TOO_LARGE", /^https:\/\/h\/a\.bin: .*found 101\./));
    fetches(new Response(body(bytes(60), bytes(60), bytes(60), "open")));
    await expect(read()).rejects.toEqual(refused("FILE_TOO_LARGE", /^https:\/\/h\/a\.bin: .*found 120\./));
    fetches(new Response(body(bytes(50), bytes(50))));
    expect(await read()).toHaveLength(100);
  });

  it("of parts without a byte is refused after a hundred thousand", async () => {
    const nothing = new Uint8Array();
    let given = 0;
    const next = async () => {
      given++;
      return { done: false, value: nothing };
    };
    const getReader = () => ({ read: next });
    fetches(pretended(new Response(null), { body: { getReader } }));
    await expect(read()).rejects.toEqual(
      refused("FILE_UNREADABLE", /: it sent 100001 parts without a byte\. Check the address/),
    );
    expect(given).toBe(MOST_EMPTY + 1);
  });

  it("is left with the caller's reason once they abort", async () => {
    const reason = new Error("enough");
    const control = new AbortController();
    const asked = fetches(new Response(body(bytes(3), "open")));
    const reading = read({ signal: control.signal });
    setTimeout(() => control.abort(reason), 5);
    await expect(reading).rejects.toBe(reason);
    await new Promise((done) => setTimeout(done, 0));
    expect(asked[0]?.signal).toMatchObject({ aborted: true, reason });
    fetches(never);
    await expect(read({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("a server that keeps one waiting", () => {
  const waits = async (answer: Parameters<typeof fetches>[0], said: RegExp, options = {}) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const asked = fetches(answer);
    const reading = read(options).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(asked[0]?.signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(await reading).toEqual(refused("FILE_UNREADABLE", said));
    expect([asked[0]?.signal?.aborted, vi.getTimerCount()]).toEqual([true, 0]);
  };

  it("for an answer is left after 30 s", async () => {
    await waits(never, /: no answer for 30 s\. /);
  });

  it("for the first byte is left after 30 s", async () => {
    await waits(new Response(body("open")), /: nothing came for 30 s after 0 bytes\. /);
  });

  it.each<[number, RegExp]>([
    [59, /: only 59 bytes came in 30 s, at minBytesPerSecond: 2 after 59 bytes\. /],
    [60, /: nothing came for 30 s after 60 bytes\. /],
  ])("after %d bytes, where 60 are enough, is left 30 s later", async (count, said) => {
    await waits(new Response(body(bytes(count), "open")), said, { minBytesPerSecond: 2 });
  });

  it("leaves no timer behind where it answered", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    fetches(new Response(body(bytes(3))));
    await read();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a redirect", () => {
  const signal = new AbortController().signal;
  const to = (location: string, status = 302) => new Response(null, { status, headers: { location } });

  it("has its own body let go, whatever comes of that", async () => {
    const left = body(bytes(3), "open");
    const broken = Object.assign(body(), { cancel: () => Promise.reject(new Error("cannot")) });
    for (const each of [left, broken]) {
      const first = pretended(to("/b"), { body: each });
      const asked = fetches(first, new Response("b"));
      expect(await follow(ADDRESS, { given: {}, signal })).toMatchObject({ status: 200 });
      expect(asked.map(({ url }) => url)).toEqual([ADDRESS, "https://h/b"]);
    }
    await new Promise((done) => setTimeout(done, 0));
    expect(left.cancelled).toHaveLength(1);
  });

  it("is asked for with its own headers stronger, as it is cached, and under its signal", async () => {
    const asked = fetches(to("/b"), new Response("b"));
    await follow(ADDRESS, { given: { accept: "a", "x-key": "k" }, own: { accept: "b" }, signal, cache: "no-store" });
    for (const each of asked) {
      expect(each).toMatchObject({ headers: { accept: "b", "x-key": "k" }, cache: "no-store", redirect: "manual" });
      expect(each.signal).toBe(signal);
    }
    expect(asked).toHaveLength(2);
  });

  it.each(["web+https://h/b", "httpsx://h/b", "data:,b", "file:///b"])("to %s is not followed", async (location) => {
    const asked = fetches(to(location));
    const said = `it redirects to a ${new URL(location).protocol} address`;
    expect(await follow(ADDRESS, { given: {}, signal })).toBe(said);
    await expect(read()).rejects.toEqual(
      refused("FILE_UNREADABLE", new RegExp(`a\\.bin: ${said.replace("+", "\\+")}\\. `)),
    );
    expect(asked).toHaveLength(2);
  });

  it("in a circle is asked for 21 times", async () => {
    const asked = fetches(() => to(ADDRESS));
    expect(await follow(ADDRESS, { given: {}, signal })).toBe("it redirects in a circle, or more than 20 times");
    expect(asked).toHaveLength(21);
  });

  describe("in a page", () => {
    const opaque = (status = 0) => pretended(to("/b"), { type: "opaqueredirect", status });
    const inPage = (process: unknown) => vi.stubGlobal("process", process);

    it.each([undefined, {}, { getBuiltinModule: () => undefined }])(
      "of process %j is the browser's",
      async (process) => {
        const given = { authorization: "a", "accept-language": "de" };
        const asked = fetches(to("/b"));
        inPage(process);
        const answer = await follow(ADDRESS, { given, signal });
        vi.unstubAllGlobals();
        expect(answer).toMatchObject({ status: 302 });
        expect(asked.map(({ redirect, headers }) => [redirect, headers])).toEqual([["follow", given]]);
      },
    );

    it("with headers of one's own is not followed, and they are named", async () => {
      const given = { "x-a": "1", authorization: "a", accept: "c", "x-b": "2" };
      const asked = fetches(opaque());
      inPage(undefined);
      const answer = await follow(ADDRESS, { given, signal });
      vi.unstubAllGlobals();
      expect(answer).toMatch(/must not get the headers given \(x-a, x-b\): pass the address it leads to$/);
      expect(asked.map(({ redirect }) => redirect)).toEqual(["manual"]);
    });

    it("that shows where it leads is followed, whatever it calls itself", async () => {
      const asked = fetches(opaque(302), new Response("b"));
      expect(await follow(ADDRESS, { given: { "x-a": "1" }, signal })).toMatchObject({ status: 200 });
      expect(asked).toHaveLength(2);
    });

    it("has no files", async () => {
      inPage(undefined);
      const found = [nodeFiles(), await statsOf("a"), await readFile("a.bin", { maxBytes: 9 }).catch(String)];
      inPage({});
      const bare = nodeFiles();
      vi.unstubAllGlobals();
      expect([...found, bare]).toEqual([
        undefined,
        undefined,
        expect.stringMatching(/a\.bin: files cannot be read here\. Pass a Blob or bytes\.$/),
        undefined,
      ]);
    });
  });
});

describe("a source", () => {
  it.each([
    [5, "Number"],
    [null, "Null"],
    [undefined, "Undefined"],
    [[], "Array"],
    [new Map(), "Map"],
  ])("is no %s: found %s", async (source, found) => {
    const said = new RegExp(`^source: expected a path, a URL, a Blob or bytes, found ${found}\\.`);
    await expect(readBytes(source as never, { maxBytes: 9 })).rejects.toEqual(refused("OPTION_INVALID", said));
  });

  it("is called a Blob where its name is none", () => {
    const named = (name: unknown) => ({ [Symbol.toStringTag]: "File", size: 1, name }) as never;
    expect([named("cat.png"), named(5), named(undefined)].map(sourceName)).toEqual(["cat.png", "Blob", "Blob"]);
  });

  it("in a page is an address that is relative to it, or a file beside it", async () => {
    const asked = fetches(() => new Response(body(bytes(3))));
    const from = async (href: string) => {
      vi.stubGlobal("location", { href });
      const { process } = globalThis;
      vi.stubGlobal("process", undefined);
      const found: unknown = await readBytes("b.bin", { maxBytes: 9 }).catch((error: unknown) => error);
      vi.stubGlobal("process", process);
      return found;
    };
    expect(await from("https://h/a/page.html")).toEqual(bytes(3));
    expect(asked.map(({ url }) => url)).toEqual(["https://h/a/b.bin"]);
    expect(await from("file:///a/page.html")).toEqual(
      refused("FILE_UNREADABLE", /^\/a\/b\.bin: files cannot be read here\./),
    );
    expect(asked).toHaveLength(1);
  });
});

describe("a disk", () => {
  type Files = NonNullable<ReturnType<typeof nodeFiles>>;
  /** Of one file; `most` is what one call reads, and as Bun does it calls back with `undefined` for no error. */
  function disk(
    content: Uint8Array,
    { most = 2 ** 30, size = content.length, fails = {} as Record<string, Error> } = {},
  ) {
    const log: string[] = [];
    const said = (call: string) => {
      log.push(call);
      return fails[call.split(" ")[0] ?? ""] as never;
    };
    const files: Files = {
      stat: (_, done) => done(said("stat"), { size, isFile: () => true, isDirectory: () => false }),
      open: (_, flags, done) => done(said(`open ${flags}`), 5),
      read(file, buffer, offset, length, position, done) {
        const part = content.subarray(position, position + Math.min(length, most));
        buffer.set(part, offset);
        done(said(`read ${file} ${offset} ${length} ${position}`), part.length);
      },
      close: (file, done) => done(said(`close ${file}`)),
    };
    vi.spyOn(process, "getBuiltinModule").mockImplementation(((name: string) =>
      name === "node:fs" ? files : undefined) as never);
    return log;
  }
  const content = Uint8Array.from({ length: 10 }, (_, i) => i);
  const options = { maxBytes: 1e8 };

  it("that reads a few bytes at a time is asked for the rest, from where it stopped", async () => {
    const log = disk(content, { most: 4 });
    expect(await readFile("a", options)).toEqual(content);
    expect(log).toEqual(["stat", "open r", "read 5 0 10 0", "read 5 4 6 4", "read 5 8 2 8", "close 5"]);
  });

  it("is read in pieces of eight MiB", async () => {
    const log = disk(new Uint8Array(2 ** 23 + 1));
    expect(await readFile("a", options)).toHaveLength(2 ** 23 + 1);
    expect(log).toEqual(["stat", "open r", "read 5 0 8388608 0", "read 5 8388608 1 8388608", "close 5"]);
  });

  it("whose file shrank meanwhile gives what there is", async () => {
    const log = disk(content, { size: 15 });
    expect(await readFile("a", options)).toEqual(content);
    expect(log).toEqual(["stat", "open r", "read 5 0 15 0", "read 5 10 5 10", "close 5"]);
  });

  it("shows as much of the start as it read", async () => {
    const log = disk(content, { most: 3 });
    const starts: Uint8Array[] = [];
    await readFile("a", { ...options, checkStart: (start) => void starts.push(start) });
    expect(starts).toEqual([content.subarray(0, 3)]);
    expect(log.slice(2, 4)).toEqual(["read 5 0 10 0", "read 5 0 10 0"]);
  });

  it.each<[string, string[]]>([
    ["stat", ["stat"]],
    ["open", ["stat", "open r"]],
    ["read", ["stat", "open r", "read 5 0 10 0", "close 5"]],
    ["close", ["stat", "open r", "read 5 0 10 0", "close 5"]],
  ])("that fails at %s is closed if it was opened, and named", async (call, calls) => {
    for (const [code, error] of [
      ["EIO", Object.assign(new Error("no"), { code: "EIO" })],
      ["unknown", new Error("no")],
    ] as const) {
      const log = disk(content, { fails: { [call]: error } });
      await expect(readFile("a", options)).rejects.toEqual(
        refused("FILE_UNREADABLE", new RegExp(`^a: the file cannot be read \\(${code}\\)\\. Check that`), {
          fields: { path: "a" },
          cause: error,
        }),
      );
      expect(log).toEqual(calls);
    }
  });

  it.each(["ENOENT", "ENOTDIR"])("that says %s has no such file", async (code) => {
    const error = Object.assign(new Error("no"), { code });
    disk(content, { fails: { stat: error } });
    await expect(readFile("a", options)).rejects.toEqual(
      refused("FILE_NOT_FOUND", /^a: there is no such file\. Check the path\.$/, {
        fields: { path: "a" },
        cause: error,
      }),
    );
  });

  it("is asked nothing more once the caller aborted", async () => {
    const control = new AbortController();
    const reason = new Error("enough");
    const log = disk(content, { most: 4 });
    const reading = readFile("a", { ...options, signal: control.signal, checkStart: () => control.abort(reason) });
    await expect(reading).rejects.toBe(reason);
    await new Promise((done) => setTimeout(done, 0));
    expect(log).toEqual(["stat", "open r", "read 5 0 10 0", "close 5"]);
  });
});
