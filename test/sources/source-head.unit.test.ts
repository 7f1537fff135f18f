/** @slow: it takes more than a second. */

/** What begins like nothing that is read is not read on: files, Blobs, streams, downloads. */

import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { type MisbehavingServer, startServer } from "../fixtures/misbehaving-server.ts";
import { temporaryFolder } from "../fixtures/source-tools.ts";

const unknown = { code: "FORMAT_UNKNOWN", message: expect.stringContaining("a file of no known kind") };
const PIECE = 64 * 1024;

let server: MisbehavingServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  server = await startServer();
  folder = await temporaryFolder();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe("endless zeros", () => {
  it("in a stream of the web or of Node end after the first pieces, which cancels it", async () => {
    let pulled = 0;
    let isCancelled = false;
    const web = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(PIECE));
      },
      cancel() {
        isCancelled = true;
      },
    });
    await expect(loadModel(web)).rejects.toMatchObject(unknown);
    expect([isCancelled, pulled <= 3]).toEqual([true, true]);

    const node = new Readable({ read: () => void node.push(new Uint8Array(PIECE)) });
    await expect(loadModel(node)).rejects.toMatchObject(unknown);
    expect(node.destroyed).toBe(true);
  });

  it("that come byte by byte end where the head is there", async () => {
    let pulled = 0;
    async function* bytes() {
      for (;;) {
        pulled++;
        yield new Uint8Array(1);
      }
    }
    await expect(loadModel(bytes())).rejects.toMatchObject(unknown);
    expect(pulled).toBe(512);
  });

  it("from a server are given up, and neither kept nor asked for again", async () => {
    let sent = 0;
    const closed = new Promise<void>((done) => {
      server.on("/zeros", (_request, response) => {
        const more = () => {
          while (!response.destroyed && response.write(new Uint8Array(PIECE))) sent++;
        };
        response.on("drain", more);
        response.on("close", done);
        more();
      });
    });
    const url = `${server.url}/zeros`;
    await expect(loadModel(url, { cache: folder.path })).rejects.toMatchObject(unknown);
    await closed;
    expect(server.asked.length).toBe(1);
    // What the sockets hold at once; two gigabytes were taken before.
    expect(sent * PIECE).toBeLessThan(64 * 2 ** 20);
  });
});

describe("a stream in parts of any size", () => {
  it("has the bytes of all of them, in order", async () => {
    const whole = new Uint8Array(500_000).map((_, i) => (i * 7919) >>> 3);
    async function* parts() {
      let at = 0;
      for (let i = 0; at < whole.length; i++) {
        const length = [1, 1, 1, 2, 3, 70_000, 1, 4096, 0, 65_536, 5][i % 11] ?? 1;
        yield whole.subarray(at, at + length);
        at += length;
      }
    }
    expect((await openSource(parts())).bytes).toEqual(whole);
  });
});

describe("a long file of zeros", () => {
  it("on a disk and in a Blob is not read whole", async () => {
    const path = join(folder.path, "zeros.bin");
    await writeFile(path, "");
    await truncate(path, 2 ** 31 - 1);
    const received: number[] = [];
    const onProgress = (progress: { readonly received: number }) => received.push(progress.received);
    await expect(loadModel(path, { onProgress })).rejects.toMatchObject(unknown);
    expect(received).toEqual([]);
    await expect(loadModel(new Blob([new Uint8Array(2 ** 24)]), { onProgress })).rejects.toMatchObject(unknown);
    expect(received).toEqual([]);
  });

  it("that is given by size or digest is still the wrong file first, so that a mirror is asked", async () => {
    const act = (content: string | Uint8Array) =>
      server.on(`/${content.length}`, (_, response) => response.end(content));
    const page = act(`<!doctype html>${" ".repeat(1000)}`);
    const zeros = act(new Uint8Array(2000));
    const options = { size: 2000, cache: false, retries: 0 };
    await expect(loadModel(page, options)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    await expect(loadModel(page, { ...options, mirrors: [zeros] })).rejects.toMatchObject(unknown);
  });

  it("shorter than a head is told apart as a whole, an empty one stays FILE_EMPTY", async () => {
    await expect(loadModel(new Uint8Array(100))).rejects.toMatchObject(unknown);
    await expect(loadModel(new Blob([new Uint8Array(100)]))).rejects.toMatchObject(unknown);
    const path = join(folder.path, "empty.bin");
    await writeFile(path, "");
    await expect(loadModel(path)).rejects.toMatchObject({ code: "FILE_EMPTY" });
    await expect(loadModel(new Blob([]))).rejects.toMatchObject({ code: "FILE_EMPTY" });
  });
});
