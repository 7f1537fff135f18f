/** What is nobody else's business: passwords in addresses, headers and tokens, also behind redirects. */

import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describe as describeModel, loadModel, mobileNetV1 } from "../../src/index.ts";
import { listCache, type ModelSource, openSource } from "../../src/sources/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import {
  file,
  type MisbehavingServer,
  redirect,
  someBytes,
  startServer,
  status,
} from "../fixtures/misbehaving-server.ts";
import { opener, temporaryFolder } from "../fixtures/source-tools.ts";

const bytes = someBytes(1000);

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

/** The address with a user and password that the tests look for everywhere. */
const signed = (url: string) => url.replace("//", "//m%C3%A9:s3cr%40t@");
const BASIC = `Basic ${Buffer.from("mé:s3cr@t").toString("base64")}`;
const SECRETS = new RegExp(`s3cr|m%C3%A9|${BASIC.slice(6, 12)}`);

/** All that an error says, to people and to programs. */
async function toldBy(promise: Promise<unknown>): Promise<{ readonly code: unknown; readonly all: string }> {
  const error = await promise.then(
    () => new Error("nothing was thrown"),
    (cause: unknown) => cause,
  );
  let all = "";
  for (let each = error; each instanceof Error; each = each.cause) {
    all += `${each.message} ${each.stack} ${JSON.stringify(each)} `;
  }
  return { code: (error as { code?: unknown }).code, all };
}

describe("a user and password in an address", () => {
  it("are sent as curl does, to that origin alone", async () => {
    server.on("/m.bin", redirect(elsewhere.on("/moved", file(bytes))));
    expect((await opener().open(signed(`${server.url}/m.bin`))).bytes).toEqual(bytes);
    expect(server.asked[0]?.headers.authorization).toBe(BASIC);
    expect(elsewhere.asked[0]?.headers.authorization).toBeUndefined();
    await opener().open(new URL(signed(server.on("/n.bin", file(bytes)))));
    expect(server.asked[1]?.headers.authorization).toBe(BASIC);
  });

  it("are those of the address, the hub, a mirror and the files beside, each; headers given are stronger", async () => {
    server.on("/model.json", file(bytes));
    server.on("/shard.bin", file(bytes));
    const opened = await opener().open(signed(`${server.url}/model.json`), {
      mirrors: [`${elsewhere.url}/model.json`],
    });
    await opened.sibling("shard.bin");
    server.on("/o/n/resolve/main/m.onnx", status(404));
    elsewhere.on("/o/n/resolve/main/m.onnx", file(bytes));
    const options = { hubUrl: server.url, mirrors: [signed(elsewhere.url)] };
    await opener().open("hf:o/n/m.onnx", options);
    await opener().open(signed(`${server.url}/model.json`), { headers: { Authorization: "Bearer mine" } });
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([BASIC, BASIC, undefined, "Bearer mine"]);
    expect(elsewhere.asked.map(({ headers }) => headers.authorization)).toEqual([BASIC]);
  });

  it("stand in no error, progress, name, description, saved file or cache", async () => {
    await using folder = await temporaryFolder();
    const model = encodeModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 }));
    const url = signed(server.on("/m.safetensors?size=1&token=t0ken", file(model)));
    const seen: unknown[] = [];
    const loaded = await loadModel(url, { cache: folder.path, onProgress: (progress) => seen.push(progress) });
    await loadModel(url, { cache: folder.path, onProgress: (progress) => seen.push(progress) });
    const saved = Buffer.from(encodeModel(loaded)).toString("latin1");
    const told = JSON.stringify([seen, describeModel(loaded), loaded.info, await listCache({ cache: folder.path })]);
    for (const text of [told, saved]) {
      expect(text).toContain(`${server.url}/m.safetensors?size=1&token=`);
      expect(text).not.toMatch(SECRETS);
      expect(text).not.toMatch("t0ken");
    }
    for (const name of await readdir(folder.path)) {
      expect(await readFile(join(folder.path, name), "latin1")).not.toMatch(SECRETS);
    }
    server.on("/none?token=t0ken", status(404));
    server.on("/broken", (_request, response) => response.destroy());
    const failing: [string, object][] = [
      ["/none?token=t0ken", { mirrors: [signed(`${elsewhere.url}/none?token=t0ken`)] }],
      ["/none?token=t0ken", { offline: true }],
      ["/broken", { retries: 0 }],
      ["/m.safetensors", { sha256: "0".repeat(64) }],
      ["/m.safetensors", { maxBytes: 5 }],
      [":99999/", {}],
      ["/x", { mirrors: [signed("http://[")] }],
      ["/x", { hubUrl: signed("ftp://x") }],
    ];
    for (const [path, options] of failing) {
      const { code, all } = await toldBy(openSource(signed(server.url + path), { cache: folder.path, ...options }));
      expect([path, code]).toEqual([path, expect.stringMatching(/^[A-Z_]+$/)]);
      expect(all).not.toMatch(SECRETS);
      expect(all).not.toMatch("t0ken");
    }
  });
});

describe("the cache", () => {
  it("is for its owner alone: an address with a signature stands in it", async () => {
    await using folder = await temporaryFolder();
    const cache = join(folder.path, "a", "cache");
    const modes = async () => {
      const names = await readdir(cache);
      const found = await Promise.all(names.map(async (name) => (await stat(join(cache, name))).mode & 0o777));
      return [(await stat(cache)).mode & 0o777, names.length, ...new Set(found)];
    };
    const url = server.on("/m.bin?token=t0ken", file(bytes, { stallAfter: 600 }), file(bytes));
    const control = new AbortController();
    const onProgress = () => control.abort();
    await expect(openSource(url, { cache, signal: control.signal, onProgress })).rejects.toThrow();
    expect(await modes()).toEqual([0o700, 1, 0o600]);
    // Such as a former version made.
    for (const name of await readdir(cache)) await chmod(join(cache, name), 0o644);
    await expect(
      openSource(url, {
        cache,
        onProgress: () => {
          throw new Error("enough");
        },
      }),
    ).rejects.toThrow("enough");
    expect(await modes()).toEqual([0o700, 1, 0o600]);
    await openSource(url, { cache });
    expect(await modes()).toEqual([0o700, 2, 0o600]);
  });
});

describe("headers and tokens", () => {
  const options = { headers: { "X-Api-Key": "k3y", Accept: "application/x-model" }, token: "t0ken" };

  it("stay with the origin they were given for: another port is another one, for good", async () => {
    server.on("/o/n/resolve/main/m.onnx", redirect("/here"));
    server.on("/here", redirect(`${elsewhere.url}/there`));
    elsewhere.on("/there", redirect(`${server.url}/back`));
    server.on("/back", file(bytes));
    expect((await opener().open("hf:o/n/m.onnx", { ...options, hubUrl: server.url })).bytes).toEqual(bytes);
    const sent = [...server.asked, ...elsewhere.asked].map(({ path, headers }) => {
      return [path, headers["x-api-key"], headers.authorization, headers.accept];
    });
    expect(sent).toEqual([
      ["/o/n/resolve/main/m.onnx", "k3y", "Bearer t0ken", "application/x-model"],
      ["/here", "k3y", "Bearer t0ken", "application/x-model"],
      ["/back", undefined, undefined, "application/x-model"],
      ["/there", undefined, undefined, "application/x-model"],
    ]);
  });

  it.each(["an address", "a hub", "Keras' server"])("go to mirrors of the same origin alone, for %s", async (kind) => {
    const name = { "a hub": "hf:o/n/m.h5", "Keras' server": "keras:mobilenet_1_0_224_tf" }[kind];
    const path =
      { "a hub": "/o/n/resolve/main/m.h5", "Keras' server": "/mobilenet/mobilenet_1_0_224_tf.h5" }[kind] ?? "";
    const mirrors = [`${server.url}/mirror`, elsewhere.url].map((url) => (name === undefined ? `${url}/m.h5` : url));
    elsewhere.on(name === undefined ? "/m.h5" : path, file(bytes));
    const opened = await opener().open(name ?? `${server.url}/m.h5`, {
      ...options,
      ...{ mirrors, hubUrl: server.url, kerasUrl: server.url },
    });
    elsewhere.on("/config.json", file(bytes));
    if (name === undefined) await opened.sibling("config.json");
    const sent = (from: MisbehavingServer) =>
      from.asked.map(({ headers }) => [headers["x-api-key"], headers.authorization, headers.accept]);
    const token = kind === "a hub" ? "Bearer t0ken" : undefined;
    const here = [
      ["k3y", token, "application/x-model"],
      ["k3y", undefined, "application/x-model"],
    ];
    const there = [[undefined, undefined, "application/x-model"]];
    const times = name === undefined ? 2 : 1;
    expect([sent(server), sent(elsewhere)]).toEqual([
      Array.from({ length: times }, () => here).flat(),
      Array.from({ length: times }, () => there).flat(),
    ]);
  });

  it("a range is asked for behind a redirect as well", async () => {
    const large = someBytes(100_000);
    server.on("/m.bin", redirect(`${elsewhere.url}/there`));
    elsewhere.on("/there", file(large, { stallAfter: 40_000 }), file(large));
    const onProgress = ({ received }: { received: number }) => received === 40_000 && elsewhere.cut();
    expect((await opener().open(`${server.url}/m.bin`, { onProgress })).bytes).toEqual(large);
    expect(elsewhere.asked[1]?.headers.range).toBe("bytes=40000-");
  });

  it.each([
    ["file:///etc/passwd", /it redirects to a file: address/],
    ["data:,junk", /it redirects to a data: address/],
    ["blob:nodedata:1", /it redirects to a blob: address/],
    ["ftp://me:s3cret@x/", /it redirects to a ftp: address/],
    ["http://[", /it redirects to what is no address/],
  ])("a redirect to %s is not followed, nor asked for again", async (to, message) => {
    const url = server.on("/m.bin", redirect(to));
    const { code, all } = await toldBy(opener().open(url));
    expect([code, all]).toEqual(["FILE_UNREADABLE", expect.stringMatching(message)]);
    expect(all).not.toMatch("s3cret");
    expect(server.asked).toHaveLength(1);
  });

  it("a password in the address that a redirect leads to is neither used nor shown", async () => {
    elsewhere.on("/there", status(404));
    const url = server.on("/m.bin", redirect(signed(`${elsewhere.url}/there`)));
    const { code, all } = await toldBy(opener().open(url));
    expect(code).toBe("FILE_NOT_FOUND");
    expect(all).not.toMatch(SECRETS);
    expect(elsewhere.asked[0]?.headers.authorization).toBeUndefined();
  });

  it("are not let go by a page, which cannot see where a redirect leads", async () => {
    const { follow } = await import("../../src/core/follow.ts");
    const asked: RequestInit[] = [];
    const opaque = { type: "opaqueredirect", status: 0, headers: new Headers(), body: null };
    const { fetch } = globalThis;
    const { getBuiltinModule } = process;
    globalThis.fetch = async (_url, init) => {
      asked.push(init ?? {});
      return opaque as unknown as Response;
    };
    process.getBuiltinModule = (() => undefined) as never;
    try {
      const { signal } = new AbortController();
      const answer = await follow("https://a.example/m", { given: { "x-api-key": "k3y" }, signal });
      expect(answer).toMatch(/it redirects, .*\(x-api-key\).*pass the address it leads to/);
      for (const given of [{}, { authorization: "Bearer x" }, { accept: "x/y" }]) {
        await follow("https://a.example/m", { given, signal });
      }
      expect(asked.map((init) => init.redirect)).toEqual(["manual", "follow", "follow", "follow"]);
    } finally {
      globalThis.fetch = fetch;
      process.getBuiltinModule = getBuiltinModule;
    }
  });

  it.each([
    [{ headers: { authorization: "s3cret\r\nx-evil: 1" } }, "a line break"],
    [{ headers: { "x-key": "s3cret\n" } }, "a line break"],
    [{ headers: { "x-key": "s3cret\u0000" } }, "a letter that cannot be sent"],
    [{ headers: { "x-key": "s3cret🎈" } }, "a letter that cannot be sent"],
    [{ headers: { "x-key": 5, "x-other": "s3cret" } }, "number"],
    [{ headers: { "s3cret\n": "s3cret" } }, "names of headers"],
    [{ headers: { "": "s3cret" } }, "names of headers"],
    [{ headers: { é: "s3cret" } }, "names of headers"],
    [{ headers: { Connection: "s3cret" } }, "the name of a header"],
    [{ headers: { "Transfer-Encoding": "s3cret" } }, "the name of a header"],
    [{ headers: { "content-length": "5" } }, "the name of a header"],
    [{ headers: new Map([["x", "s3cret"]]) }, "an object of strings"],
    [{ headers: [["x", "s3cret"]] }, "an object of strings"],
    [{ headers: "s3cret" }, "an object of strings"],
    [{ token: "s3cret\r\nx-evil: 1" }, "a line break"],
    [{ token: "s3cret\u2028" }, "a letter that cannot be sent"],
    [{ token: { s3cret: 1 } }, "a string"],
  ])("that cannot be sent are refused, and not repeated: %j", async (wrong, message) => {
    const { code, all } = await toldBy(opener().open("hf:o/n", { hubUrl: server.url, ...(wrong as object) }));
    expect([code, all]).toEqual(["OPTION_INVALID", expect.stringContaining(message)]);
    expect(all).not.toMatch("s3cret");
    expect(server.asked).toEqual([]);
  });

  it("may be a Headers object, and each name counts once", async () => {
    server.on("/m.bin", file(bytes));
    await opener().open(`${server.url}/m.bin`, { headers: new Headers({ "X-Api-Key": "k3y" }) as never });
    await opener()
      .open("hf:o/n/m.bin", { token: "t0ken", headers: { Authorization: "mine" }, hubUrl: server.url })
      .catch(() => {});
    expect(server.asked.map(({ headers }) => [headers["x-api-key"], headers.authorization])).toEqual([
      ["k3y", undefined],
      [undefined, "Bearer t0ken"],
    ]);
  });
});

describe("what is no address", () => {
  it.each<ModelSource>([
    "http://",
    "https://[",
    "http://a b/m",
    "http://127.0.0.1:99999/m",
    "http://127.0.0.1:x/m",
    "https://%00/m",
    "file://elsewhere/m.bin",
    "file:///a%2Fb.bin",
    "file://[",
    new URL("file://elsewhere/m.bin"),
    new URL("file:///a%2Fb.bin"),
    new URL("javascript:1"),
    "ftp://x/y",
    "hf:o/n@\ud800/m",
  ])("%j is refused", async (source) => {
    expect((await toldBy(opener().open(source))).code).toBe("OPTION_INVALID");
  });

  it.each(["data:junk", "data:;base64,***", "blob:x", "blob:nodedata:1"])(
    "%j cannot be read, and is asked for once",
    async (source) => {
      const { open, pauses } = opener();
      expect((await toldBy(open(source))).code).toBe("FILE_UNREADABLE");
      expect(pauses).toEqual([]);
    },
  );

  it("is not repeated at length: of data: the kind is shown", async () => {
    const { all } = await toldBy(opener().open(`data:junk;${"x".repeat(100_000)}`));
    expect(all.length).toBeLessThan(10_000);
    const cut = await toldBy(opener().open(`http://${"x".repeat(100_000)}:99999/`));
    expect(cut.all.length).toBeLessThan(10_000);
  });

  it("a name beside the model of half a letter is refused", async () => {
    const opened = await opener().open(server.on("/model.json", file(bytes)));
    await expect(opened.sibling("\ud800.bin")).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });
});
