/** @slow: it takes more than a second. */

/** Several processes and one cache: two at once, and one that is killed. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyOf } from "../../src/sources/disk-files.ts";
import { clearCache, openSource } from "../../src/sources/index.ts";
import { file, same, sha256, someBytes, startServer, tagOf } from "../fixtures/misbehaving-server.ts";
import { temporaryFolder } from "../fixtures/source-tools.ts";

const bytes = someBytes(3_000_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cache: string;
let caches = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
  await build({
    entryPoints: [resolve(import.meta.dirname, "../../src/sources/index.ts")],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    outdir: join(folder.path, "code"),
    outExtension: { ".js": ".mjs" },
  });
  await writeFile(join(folder.path, "child.mjs"), CHILD);
});
beforeEach(() => {
  cache = join(folder.path, `cache${caches++}`);
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Says each amount received, then the digest. */
const CHILD = `
import { createHash } from "node:crypto";
import { openSource } from "./code/index.mjs";
const [url, cache] = process.argv.slice(2);
const onProgress = ({ received }) => console.log("received " + received);
const { bytes } = await openSource(url, { cache, onProgress });
console.log("sha256 " + createHash("sha256").update(bytes).digest("hex"));
`;

function start(url: string): ChildProcess {
  return spawn(process.execPath, [join(folder.path, "child.mjs"), url, cache], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Waits until the child has said something. */
async function said(child: ChildProcess, text: string): Promise<void> {
  let all = "";
  for await (const part of child.stdout ?? []) {
    all += part;
    if (all.includes(text)) return;
  }
  throw new Error(`the child ended without saying ${JSON.stringify(text)}; it said ${all.slice(-200)}`);
}

describe("processes that share a cache", () => {
  it("two that download the same file at once both have it, and nobody sees half of it", async () => {
    await using server = await startServer();
    const waiting: ServerResponse[] = [];
    const headers = { etag: tagOf(bytes), "content-length": String(bytes.length) };
    // Both begin, and end only when both have begun.
    const url = server.on("/m.bin", (_request, response) => {
      response.writeHead(200, headers).write(bytes.subarray(0, 1_500_000));
      waiting.push(response);
      if (waiting.length === 2) for (const each of waiting) each.end(bytes.subarray(1_500_000));
    });
    const children = [start(url), start(url)];
    const done = Promise.all(children.map((child) => said(child, `sha256 ${sha256(bytes)}`)));
    let isOver = false;
    let looks = 0;
    const looking = (async () => {
      while (!isOver) {
        looks += 1;
        const found = await openSource(url, { cache, offline: true }).catch((error) => error);
        if (found.code === undefined) same(found.bytes, bytes);
        else expect(found).toMatchObject({ code: "FILE_NOT_FOUND" });
      }
    })();
    await done;
    isOver = true;
    await looking;
    expect(looks).toBeGreaterThan(0);
    expect(server.asked).toHaveLength(2);
    await Promise.all(children.map((child) => child.exitCode ?? once(child, "exit")));
    expect((await readdir(cache)).sort()).toEqual([`${keyOf(url)}.bin`, `${keyOf(url)}.json`]);
    same((await openSource(url, { cache, offline: true })).bytes, bytes);
  });

  it("what a killed one had, the next one goes on from", async () => {
    await using server = await startServer();
    const url = server.on("/m.bin", file(bytes, { stallAfter: 2_000_000 }), file(bytes));
    const child = start(url);
    await said(child, "received 2000000\n");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
    const left = await readdir(cache);
    expect(left).toEqual([expect.stringMatching(/\.part$/)]);
    await expect(openSource(url, { cache, offline: true })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });

    const amounts: number[] = [];
    const { bytes: found } = await openSource(url, { cache, onProgress: ({ received }) => amounts.push(received) });
    same(found, bytes);
    expect(server.asked.map(({ headers }) => [headers.range, headers["if-range"]])).toEqual([
      [undefined, undefined],
      ["bytes=2000000-", tagOf(bytes)],
    ]);
    expect(Math.min(...amounts)).toBeGreaterThan(2_000_000);
    expect((await readdir(cache)).sort()).toEqual([`${keyOf(url)}.bin`, `${keyOf(url)}.json`]);
  });

  it("what a killed one had is swept away", async () => {
    await using server = await startServer();
    const url = server.on("/m.bin", file(bytes, { stallAfter: 2_000_000 }));
    const child = start(url);
    await said(child, "received 2000000\n");
    expect((await clearCache({ cache })).bytes).toBe(0);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await clearCache({ cache })).bytes).toBeGreaterThan(2_000_000);
    expect(await readdir(cache)).toEqual([]);
  });
});
