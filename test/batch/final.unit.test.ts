import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type BatchOptions, isFinal, runShard } from "../../src/batch/index.ts";
import { DepthwiseError } from "../../src/core/errors.ts";
import { labels, model, writePictures } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-final-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const asked = { model, labels, shards: 2, shard: 0, simd: "plain" } as const;

async function errorOf(options: Pick<BatchOptions, "source" | "out"> & Partial<BatchOptions>): Promise<unknown> {
  return runShard({ ...asked, ...options }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("what ends a shard", () => {
  it("is final where another try would end so again", async () => {
    const source = join(folder, "photos");
    await writePictures(source, 4);
    const out = join(folder, "final");
    const nowhere = await errorOf({ source: join(folder, "nowhere"), out });
    expect(nowhere).toMatchObject({ code: "FILE_NOT_FOUND" });
    expect(isFinal(nowhere)).toBe(true);
    expect(isFinal(await errorOf({ source, out, topK: 0 }))).toBe(true);
    await runShard({ ...asked, source, out });
    const other = await errorOf({ source, out, topK: 1 });
    expect(other).toMatchObject({ code: "RUN_MISMATCH" });
    expect(isFinal(other)).toBe(true);
  });

  it("is final where the weights are larger than is read", () => {
    expect(isFinal(new DepthwiseError("FILE_TOO_LARGE", { what: "weights" }))).toBe(true);
  });

  it("is final for many pictures that are none, and not for many that cannot be reached", async () => {
    const source = join(folder, "list.txt");
    const broken = join(folder, "broken.png");
    writeFileSync(broken, "none");
    writeFileSync(source, `${broken}\n`.repeat(4));
    const none = await errorOf({ source, out: join(folder, "none"), maxErrors: 0 });
    expect(none).toMatchObject({ code: "TOO_MANY_ERRORS" });
    expect(isFinal(none)).toBe(true);
    // A folder in the place of a picture: a read that fails, as on a disk that is gone.
    const away = join(folder, "away.png");
    mkdirSync(away);
    writeFileSync(source, `${away}\n`.repeat(4));
    const far = await errorOf({ source, out: join(folder, "far"), maxErrors: 0 });
    expect(far).toMatchObject({ code: "TOO_MANY_ERRORS", fields: { errors: { FILE_UNREADABLE: 1 } } });
    expect(isFinal(far)).toBe(false);
  });

  it("is not final where it is a signal, a disk, or no error of the library", async () => {
    const source = join(folder, "photos");
    const ended = AbortSignal.abort(new Error("terminated"));
    expect(isFinal(await errorOf({ source, out: join(folder, "ended"), signal: ended }))).toBe(false);
    const file = join(folder, "file");
    writeFileSync(file, "");
    const unwritable = await errorOf({ source, out: file });
    expect(unwritable).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(isFinal(unwritable)).toBe(false);
    for (const other of [undefined, "42", new TypeError("x"), { code: "FILE_NOT_FOUND" }]) {
      expect(isFinal(other)).toBe(false);
    }
  });
});
