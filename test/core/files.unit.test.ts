/** Bytes from where a user has them: arrays, files of a disk, a server of one's own; and what each refuses. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filePath, locate, locatePath, shownAddress } from "../../src/core/address.ts";
import {
  checkSize,
  lengthOf,
  type ReadBytesOptions,
  readBytes,
  readFile,
  sourceName,
  statsOf,
} from "../../src/core/bytes.ts";
import { follow, headersFor } from "../../src/core/follow.ts";

const CONTENT = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
const folder = mkdtempSync(join(tmpdir(), "depthwise-files-"));
const path = join(folder, "five thousand.bin");
const read = (source: unknown, options: Partial<ReadBytesOptions> = {}) =>
  readBytes(source as string, { maxBytes: 1e6, ...options });

/** What the server does at a path; the other server is another origin. */
type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const answers = new Map<string, Answer>();
const asked: string[] = [];
const serve: Answer = (request, response) => {
  const { authorization = "", "x-secret": secret = "", "accept-language": language = "" } = request.headers;
  // `fetch` says `*` where nothing is said.
  asked.push(`${request.url} ${authorization} ${String(secret)} ${language.replace("*", "")}`.trimEnd());
  const answer = answers.get(request.url ?? "");
  if (answer === undefined) response.writeHead(404).end();
  else answer(request, response);
};
const servers = [createServer(serve), createServer(serve)];
const origins: string[] = [];

beforeAll(async () => {
  writeFileSync(path, CONTENT);
  for (const server of servers) {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    origins.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** An address of the first server, whose path answers so. */
function at(name: string, answer: Answer, origin = 0): string {
  answers.set(`/${name}`, answer);
  return `${origins[origin]}/${name}`;
}
const redirect =
  (to: string, status = 302): Answer =>
  (_, response) =>
    response.writeHead(status, { location: to }).end();
const whole: Answer = (_, response) => response.end(CONTENT);

describe("bytes", () => {
  it("are those that were passed, not a copy", async () => {
    expect((await read(CONTENT)).buffer).toBe(CONTENT.buffer);
    expect(await read(CONTENT.buffer)).toEqual(CONTENT);
    expect(await read(new Uint16Array(CONTENT.buffer, 2, 3))).toEqual(CONTENT.subarray(2, 8));
    expect(await read(new Blob([CONTENT]))).toEqual(CONTENT);
  });

  it("of a file are read by its path or its address", async () => {
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      expect(await read(source)).toEqual(CONTENT);
    }
    expect(await readFile(path, { maxBytes: 1e6 })).toEqual(CONTENT);
    const empty = join(folder, "empty");
    writeFileSync(empty, "");
    expect(await read(empty)).toHaveLength(0);
  });

  it("are at most as many as may be", async () => {
    for (const source of [CONTENT, new File([CONTENT], "cat.png"), path, at("large", whole)]) {
      expect(await read(source, { maxBytes: 5000 })).toHaveLength(5000);
      await expect(read(source, { maxBytes: 4999 })).rejects.toMatchObject({
        code: "FILE_TOO_LARGE",
        message: expect.stringMatching(/: expected at most 4,999 bytes, found 5,000\. Pass a larger maxBytes/),
        fields: { bytes: 5000, maxBytes: 4999 },
      });
    }
    expect(() => checkSize("x", 5, 5)).not.toThrow();
  });

  it.each([5, null, undefined, {}, [1, 2]])("are no %j", async (source) => {
    const message = expect.stringMatching(/^source: expected a path, a URL, a Blob or bytes, found /);
    await expect(read(source)).rejects.toMatchObject({ code: "OPTION_INVALID", message });
  });

  it("are not read for a signal that is aborted", async () => {
    const reason = new Error("enough");
    for (const source of [CONTENT, path, at("never", () => {})]) {
      await expect(read(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    }
    await expect(readFile(path, { maxBytes: 9e9, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("have a name for messages", () => {
    const named = [
      path,
      pathToFileURL(path),
      "https://me:pw@h/a?token=x",
      new URL("https://me:pw@h/a"),
      new File([], "cat.png"),
      new Blob([]),
      CONTENT,
    ];
    expect(named.map((source) => sourceName(source))).toEqual([
      path,
      path,
      "https://h/a?token=…",
      "https://h/a",
      "cat.png",
      "Blob",
      "bytes",
    ]);
  });
});

describe("a file of the disk", () => {
  it.each<[string, () => string, code: string, said: RegExp]>([
    [
      "that is not there",
      () => join(folder, "none.bin"),
      "FILE_NOT_FOUND",
      /none\.bin: there is no such file\. Check the path\.$/,
    ],
    ["within a file", () => join(path, "none.bin"), "FILE_NOT_FOUND", /there is no such file/],
    [
      "that is a folder",
      () => folder,
      "FILE_UNREADABLE",
      /: expected a file, found a directory\. Pass the path of a file\.$/,
    ],
    ["that is a device", () => "/dev/null", "FILE_UNREADABLE", /: expected a file, found something else/],
    [
      "with a name that cannot be",
      () => join(folder, "n".repeat(5000)),
      "FILE_UNREADABLE",
      /the file cannot be read \(ENAMETOOLONG\)/,
    ],
  ])("%s is refused", async (_, place, code, said) => {
    await expect(read(place())).rejects.toMatchObject({ code, message: expect.stringMatching(said) });
  });

  it("is looked at by its first bytes before the rest is read", async () => {
    const heads: Uint8Array[] = [];
    const checkStart = (start: Uint8Array) => void heads.push(start);
    expect(await read(path, { checkStart })).toEqual(CONTENT);
    expect(heads).toEqual([CONTENT.subarray(0, 4096)]);
    const small = join(folder, "small");
    writeFileSync(small, "abc");
    await read(small, { checkStart });
    expect(heads[1]).toEqual(Uint8Array.of(97, 98, 99));
    const refusal = new Error("no picture");
    const refuse = () => {
      throw refusal;
    };
    await expect(read(path, { checkStart: refuse })).rejects.toMatchObject({ code: "FILE_UNREADABLE", cause: refusal });
  });

  it("that is read in several pieces is whole", async () => {
    const large = join(folder, "large.bin");
    const bytes = new Uint8Array(8 * 2 ** 20 + 5).map((_, i) => i % 253);
    writeFileSync(large, bytes);
    const found = await read(large, { maxBytes: 1e8 });
    expect(Buffer.compare(found, bytes)).toBe(0);
  });

  it("has what the system says of it, if there is one", async () => {
    expect((await statsOf(path))?.size).toBe(5000);
    expect((await statsOf(folder))?.isDirectory()).toBe(true);
    expect(await statsOf(join(folder, "none"))).toBeUndefined();
  });
});

describe("a file of a server", () => {
  it("is its body, of a length that was announced or not, packed or not", async () => {
    expect(await read(at("whole", whole))).toEqual(CONTENT);
    const chunked: Answer = (_, response) => {
      response.write(CONTENT.subarray(0, 7));
      setTimeout(() => response.end(CONTENT.subarray(7)), 5);
    };
    expect(await read(at("chunked", chunked))).toEqual(CONTENT);
    expect(await read(at("nothing", (_, response) => response.end()))).toHaveLength(0);
    expect(await read("data:application/octet-stream;base64,AQID")).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each<[string, Answer, code: string, said: RegExp, pace?: Partial<ReadBytesOptions>]>([
    [
      "answers with an error",
      (_, response) => response.writeHead(503).end(),
      "FILE_UNREADABLE",
      /\/case: the server answered 503 Service Unavailable\. Check the address/,
    ],
    [
      "ends before its end",
      (_, response) => {
        response.writeHead(200, { "content-length": 9 });
        response.write("abc");
        setTimeout(() => response.destroy(), 20);
      },
      "FILE_UNREADABLE",
      /\/case: the connection ended after 3 bytes/,
    ],
    [
      "closes the connection",
      (request) => void request.socket.destroy(),
      "FILE_UNREADABLE",
      /\/case: the server cannot be reached/,
    ],
    ["does not answer", () => {}, "FILE_UNREADABLE", /\/case: no answer for 0\.3 s\. /, { stallTimeout: 300 }],
    [
      "stops in between",
      (_, response) => void response.write("abc"),
      "FILE_UNREADABLE",
      /\/case: only 3 bytes came in 0\.3 s, at minBytesPerSecond: 100 after 3 bytes/,
      { stallTimeout: 300 },
    ],
    [
      "announces too much",
      (_, response) => {
        response.writeHead(200, { "content-length": 1e9 });
        response.flushHeaders();
      },
      "FILE_TOO_LARGE",
      /found 1,000,000,000\./,
      { stallTimeout: 5000 },
    ],
    ["redirects to another protocol", redirect("ftp://h/x"), "FILE_UNREADABLE", /it redirects to a ftp: address/],
    ["redirects to nothing", redirect("http://["), "FILE_UNREADABLE", /it redirects to what is no address/],
    ["redirects to itself", redirect("/case"), "FILE_UNREADABLE", /it redirects in a circle, or more than 20 times/],
  ])("that %s is refused", async (_, answer, code, said, pace = {}) => {
    const address = at("case", answer);
    await expect(read(address, pace)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(said),
    });
  });

  it("gets the user and password of its address, which stand in no message", async () => {
    const address = at("private", whole).replace("http://", "http://me:pw@");
    expect(await read(address)).toEqual(CONTENT);
    expect(asked.at(-1)).toBe(`/private Basic ${btoa("me:pw")}`);
    at("private", (_, response) => response.writeHead(401).end());
    const error: unknown = await read(address).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "FILE_UNREADABLE", fields: { url: `${origins[0]}/private` } });
    expect(JSON.stringify([String(error), error])).not.toContain("pw");
  });

  it("is refused for a pace that is none", async () => {
    const fields = expect.objectContaining({ owner: "source", option: "stallTimeout" });
    await expect(read(at("whole", whole), { stallTimeout: 0 })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      fields,
    });
  });
});

describe("a redirect", () => {
  const { signal } = new AbortController();
  const given = { authorization: "a", "x-secret": "s", "accept-language": "de" };

  it.each([301, 302, 303, 307, 308])("of status %d is followed, with all headers within its origin", async (status) => {
    at("to", whole);
    const answer = await follow(at("from", redirect("/to", status)), { given, signal });
    expect(answer).toMatchObject({ status: 200 });
    expect(asked.slice(-2)).toEqual(["/from a s de", "/to a s de"]);
  });

  it("to another origin leaves the secrets behind, and does not find them again", async () => {
    at("home", whole);
    const away = at("away", redirect(`${origins[0]}/home`), 1);
    await follow(at("from", redirect(away)), { given, own: { accept: "x/y" }, signal });
    expect(asked.slice(-3)).toEqual(["/from a s de", "/away   de", "/home   de"]);
  });

  it("of twenty is followed, of one more not", async () => {
    for (let i = 0; i < 21; i++) at(`r${i}`, redirect(`/r${i + 1}`));
    at("r21", whole);
    expect(await follow(`${origins[0]}/r1`, { given: {}, signal })).toMatchObject({ status: 200 });
    expect(await follow(`${origins[0]}/r0`, { given: {}, signal })).toMatch(/more than 20 times/);
  });

  it("takes no password along that stands in it, and is none without an address or by another status", async () => {
    at("to", whole);
    const to = `${origins[0]?.replace("//", "//u:p@")}/to`;
    expect(await follow(at("from", redirect(to)), { given: {}, signal })).toMatchObject({ status: 200 });
    expect(asked.at(-1)).toBe("/to");
    const bare = at("bare", (_, response) => response.writeHead(302).end());
    expect(await follow(bare, { given: {}, signal })).toMatchObject({ status: 302 });
    expect(await follow(at("other", redirect("/to", 300)), { given: {}, signal })).toMatchObject({ status: 300 });
  });

  it("within an origin keeps headers by scheme, host and port", () => {
    const to = (other: string) =>
      headersFor({ authorization: "a", accept: "b", "user-agent": "c" }, "http://h:1/x", other);
    expect(to("http://h:1/y?z")).toEqual({ authorization: "a", accept: "b", "user-agent": "c" });
    for (const other of ["http://h:2/x", "https://h:1/x", "http://i:1/x"]) {
      expect(to(other)).toEqual({ accept: "b", "user-agent": "c" });
    }
  });
});

describe("the length of an answer", () => {
  const head = (headers: Record<string, string>, type = "basic") => lengthOf({ type, headers: new Headers(headers) });

  it("is what it announces, unless it is packed, hidden from a page, or no number", () => {
    expect(head({ "content-length": "12" })).toBe(12);
    expect(head({ "content-length": "12", "content-encoding": "identity" })).toBe(12);
    for (const headers of [
      {},
      { "content-length": "12", "content-encoding": "gzip" },
      { "content-length": "-1" },
      { "content-length": "1e3" },
      { "content-length": "12x" },
    ]) {
      expect(head(headers as Record<string, string>)).toBeUndefined();
    }
    expect(head({ "content-length": "12" }, "cors")).toBeUndefined();
  });
});

describe("where a source points", () => {
  const place = (source: string | URL, hasDisk = true) => {
    const found = locate(source, "a path", hasDisk);
    return typeof found === "string" ? found : `-> ${found.href}`;
  };

  it.each<[string | URL, string]>([
    ["model.bin", "model.bin"],
    ["a/b:c.bin", "a/b:c.bin"],
    ["C:\\a\\b.bin", "C:\\a\\b.bin"],
    ["c:/a", "c:/a"],
    ["https://h/a", "-> https://h/a"],
    ["HTTP://h/a", "-> http://h/a"],
    ["data:,x", "-> data:,x"],
    ["blob:null/x", "-> blob:null/x"],
    ["file:///a/b%20c", "/a/b c"],
    ["FILE:///a", "/a"],
    [new URL("file:///a"), "/a"],
    [new URL("https://h/a"), "-> https://h/a"],
    ["httpx", "httpx"],
    ["x/https://h", "x/https://h"],
  ])("%s", (source, expected) => {
    expect(place(source)).toBe(expected);
  });

  it.each<[string | URL, boolean]>([
    ["", true],
    ["ftp://h/a", true],
    ["s3+x://h/a", true],
    [new URL("ftp://h/a"), true],
    ["https://", true],
    // Without a disk and without a page there is nothing that a path could be relative to.
    ["model.bin", false],
  ])("%j (on a disk: %s) is refused", (source, hasDisk) => {
    const message = expect.stringMatching(/^source: expected a path, found /);
    expect(() => place(source, hasDisk)).toThrow(expect.objectContaining({ code: "OPTION_INVALID", message }));
  });

  it.each(["file://[", "file://elsewhere/a", "file:///a%2Fb"])("%s is no file of this machine", (source) => {
    const message = expect.stringMatching(/^out: .* is no address of a file on this machine\. Pass a path/);
    expect(() => locate(source, "a path", true, "out")).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message }),
    );
  });

  it("is a path, to write to", () => {
    expect([locatePath("a/b", "out"), locatePath("file:///a", "out"), filePath(new URL("file:///a"))]).toEqual([
      "a/b",
      "/a",
      "/a",
    ]);
    const refused = (found: string) => expect.objectContaining({ code: "OPTION_INVALID", fields: { found } });
    expect(() => locatePath("https://me:pw@h/a", "out")).toThrow(refused('"https://h/a"'));
    expect(() => locatePath("", "out")).toThrow(refused("an empty string"));
  });

  it("is cut in a message", () => {
    expect(shownAddress("  data:text/plain,secret")).toBe("data:text/plain…");
    expect(shownAddress("my data:,x")).toBe("my data:,x");
    expect(shownAddress("a http:b?token=x")).toBe("a http:b?token=x");
    expect(shownAddress(`https://h/${"x".repeat(1000)}`)).toBe(`https://h/${"x".repeat(390)}…`);
    expect(shownAddress(`https://h/${"x".repeat(390)}`)).toBe(`https://h/${"x".repeat(390)}`);
    expect(shownAddress("https://h/a?q=12345678901234567890")).toBe("https://h/a?q=12345678901234567890");
    expect(shownAddress("https://h/a?q=123456789012345678901")).toBe("https://h/a?q=…");
    expect(shownAddress(`https://h/a?${"n".repeat(38)}=1`)).toBe(`https://h/a?${"n".repeat(38)}=1`);
    expect(shownAddress(`https://h/a?${"n".repeat(39)}=1`)).toBe(`https://h/a?${"n".repeat(19)}…`);
    for (const name of [
      "key",
      "Token",
      "sig",
      "secret",
      "password",
      "pwd",
      "auth",
      "cred",
      "policy",
      "session",
      "code",
    ]) {
      expect(shownAddress(`https://h/a?x=1&my${name}=2&y=3`)).toBe(`https://h/a?x=1&my${name}=…&y=3`);
    }
  });
});
