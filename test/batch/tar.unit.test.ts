import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BatchOptions, type BatchRun, openBatch } from "../../src/batch/index.ts";
import { openPictures } from "../../src/batch/input.ts";
import { storedItem } from "../../src/batch/item.ts";
import { listTar } from "../../src/batch/list-tar.ts";
import { lookAt } from "../../src/batch/look-at.ts";
import { OpenArchives } from "../../src/batch/open-archives.ts";
import { labels, model, rowsIn, writePictures } from "./fixture.ts";
import { base256, END, longName, paxRecords, tarHeader, tarOf } from "./tars.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-tar-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const photos = join(folder, "photos");
const archive = join(folder, "photos.tar");
let names: readonly string[];
let packed: Buffer;
beforeAll(async () => {
  const paths = [...(await writePictures(photos, 6)), ...(await writePictures(join(photos, "deep"), 5))];
  names = paths.map((path) => relative(photos, path));
  packed = tarOf(...names.map((name) => ({ name, content: readFileSync(join(photos, name)) })));
  writeFileSync(archive, packed);
});

let files = 0;
const written = (bytes: Uint8Array | string, name = `file-${++files}`): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const asked = (more: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ source: archive, model, labels, out: join(folder, `out-${++files}`), shards: 3, simd: "plain" },
  ...more,
});

async function runAll(options: BatchOptions, before: (batch: BatchRun) => void = () => undefined): Promise<void> {
  const batch = await openBatch(options);
  try {
    before(batch);
    for (const shard of await batch.missing()) await batch.runShard(shard);
  } finally {
    batch.close();
  }
}

/** Of its listing: another where it was listed again. */
const inodeOf = ({ out }: BatchOptions): number => statSync(join(out, "input.jsonl")).ino;

async function listed(path: string): Promise<readonly Record<string, unknown>[]> {
  const listing = join(folder, `listing-${++files}.jsonl`);
  await listTar(path, listing);
  return readFileSync(listing, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("the listing of a tar", () => {
  it("has the pictures as they lie, and nothing that is hidden or no picture", async () => {
    const kept = ["b.png", "a.JPEG", "./c.webp", "../d.gif", "e/f.tiff", "b.png"];
    const left = [".a.png", "._b.png", "e/.f.png", ".e/f.png", "notes.txt", "png", "a.png.txt", "e/._f.png", "e.png/"];
    const pieces = [...left, ...kept, ...left].map((name) => ({ name, content: name.endsWith("/") ? "" : "x" }));
    const rows = await listed(written(tarOf(...pieces)));
    expect(rows.map(({ path }) => path)).toEqual(kept);
    expect(rows[0]).toEqual({ path: "b.png", offset: 512 * (2 * left.length - 1) + 512, size: 1 });
  });

  it("is made of headers alone, also of an archive of a hundred gigabytes", async () => {
    const path = join(folder, "large.tar");
    const file = await open(path, "w");
    const [first, second] = [base256(60e9), paxRecords({ size: 50e9 })];
    const at = 512 + 512 * Math.ceil(60e9 / 512);
    const end = at + second.length + 512 + 512 * Math.ceil(50e9 / 512);
    await file.write(tarHeader({ name: "a.png", size: first, format: "gnu" }, 0), 0, 512, 0);
    const next = Buffer.concat([second, tarHeader({ name: "b.png", size: 0 }, 0)]);
    await file.write(next, 0, next.length, at);
    const last = tarOf({ name: "c.png", content: "c" });
    await file.write(last, 0, last.length, end);
    await file.close();
    expect(await listed(path)).toEqual([
      { path: "a.png", offset: 512, size: 60e9 },
      { path: "b.png", offset: at + next.length, size: 50e9 },
      { path: "c.png", offset: end + 512, size: 1 },
    ]);
    const options = asked({ source: path, shards: 1, maxErrors: 3 });
    await runAll(options);
    expect(rowsIn(options.out)).toMatchObject([
      { id: "a.png", error: { code: "FILE_TOO_LARGE", message: expect.stringContaining("large.tar: a.png") } },
      { id: "b.png", error: { code: "FILE_TOO_LARGE" } },
      { id: "c.png", error: { code: "IMAGE_UNREADABLE" } },
    ]);
    rmSync(path);
  });

  it("that cannot be made leaves nothing", async () => {
    for (const bytes of [packed.subarray(0, 5000), tarOf({ name: "a.txt" }), END]) {
      const options = asked({ source: written(bytes) });
      await expect(openBatch(options)).rejects.toMatchObject({
        code: expect.stringMatching(/^FILE_(TRUNCATED|EMPTY)$/),
      });
      expect(readdirSync(options.out)).toEqual([]);
    }
    const options = asked({ signal: AbortSignal.abort(new Error("enough")) });
    await expect(openBatch(options)).rejects.toThrow("enough");
    expect(readdirSync(options.out)).toEqual([]);
  });
});

describe("a source is told by its bytes", () => {
  it("whatever it is called", async () => {
    const options = asked({ source: written(packed, "list.txt"), shards: 1 });
    const batch = await openBatch(options);
    expect(batch.run.input).toMatchObject({ kind: "tar", count: 11 });
    batch.close();
    const list = await openBatch(asked({ source: written("photos/0000.png\n", "list.tar"), shards: 1 }));
    expect(list.run.input).toMatchObject({ kind: "list", count: 1 });
    list.close();
    const old = tarOf({ name: "a.png", format: "v7", type: "\0" });
    const before = await openBatch(asked({ source: written(old), shards: 1 }));
    expect(before.run.input.kind).toBe("tar");
    before.close();
  });

  const head = (...bytes: readonly number[]) => Buffer.concat([Buffer.from(bytes), Buffer.alloc(600, 7)]);
  it.each<[string, () => Uint8Array, RegExp]>([
    ["gzip", () => gzipSync(packed), /found gzip\..*Unpack it: gunzip --keep .*refused/],
    ["zstd", () => head(0x28, 0xb5, 0x2f, 0xfd), /found zstd\..*unzstd/],
    ["bzip2", () => Buffer.from("BZh91AY&SY…"), /found bzip2\..*bunzip2 --keep/],
    ["xz", () => head(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /found xz\..*unxz --keep/],
    ["lz4", () => head(0x04, 0x22, 0x4d, 0x18), /found lz4\..*unlz4/],
    ["zip", () => Buffer.from("PK\x03\x04…"), /found zip\..*unzip -d pictures/],
    ["a picture", () => readFileSync(join(photos, names[0] as string)), /neither text nor the header/],
    ["a list in UTF-16", () => Buffer.from("\ufeffphotos/0000.png\n", "utf16le"), /in UTF-8, or a tar/],
    ["a header that is cut", () => packed.subarray(0, 400), /neither text nor the header/],
  ])("%s is refused", async (_name, bytes, words) => {
    const options = asked({ source: written(bytes(), `refused-${++files}`) });
    await expect(openBatch(options)).rejects.toMatchObject({
      code: "FORMAT_UNKNOWN",
      message: expect.stringMatching(words),
    });
    expect(readdirSync(options.out)).toEqual([]);
  });

  it("an archive whose first header is damaged is no list, whichever byte it is", async () => {
    const path = join(folder, "damaged.tar");
    const kindOf = () =>
      lookAt(path)
        .then(({ kind }) => kind)
        .catch(({ code }) => code);
    for (let at = 0; at < 512; at++) {
      const bytes = Buffer.from(packed);
      bytes[at] = (bytes[at] as number) ^ 0x41;
      writeFileSync(path, bytes);
      const wanted = at >= 257 && at < 263 ? "FORMAT_UNKNOWN" : "tar";
      const found = await kindOf();
      if (found !== wanted) expect([at, found]).toEqual([at, wanted]);
    }
    await expect(openBatch(asked({ source: path }))).rejects.toMatchObject({
      code: "FILE_CORRUPT",
      message: expect.stringMatching(
        /damaged\.tar: a tar that is damaged at byte 0: no header of an entry stands there/,
      ),
    });
  });
});

describe("a run of a tar", () => {
  it("says of its pictures what is said of them in a folder, by their paths in the archive", async () => {
    const [ofTar, ofFolder] = [asked({ task: "both" }), asked({ task: "both", source: photos })];
    await runAll(ofTar);
    await runAll(ofFolder);
    expect(rowsIn(ofTar.out).map(({ id }) => id)).toEqual(names);
    expect(rowsIn(ofTar.out)).toEqual(rowsIn(ofFolder.out));
  });

  it("gives the same bytes in any order and concurrency, and reads its listing again", async () => {
    const first = asked();
    await runAll(first);
    const other = asked({ concurrency: 1, batch: 2, threads: 1 });
    await runAll(other);
    const before = inodeOf(other);
    for (const shard of [2, 0, 1]) {
      const batch = await openBatch(other);
      expect((await batch.runShard(shard)).isNew).toBe(false);
      batch.close();
    }
    expect(inodeOf(other)).toBe(before);
    expect(rowsIn(other.out)).toEqual(rowsIn(first.out));
  });

  it("has errors as rows: sparse files, damaged pictures, empty ones", async () => {
    const good = { name: "good.png", content: readFileSync(join(photos, names[0] as string)) };
    const bytes = tarOf(
      good,
      { name: "sparse.png", type: "S", format: "gnu", content: "xyz" },
      { name: "empty.png" },
      { name: "cut.png", content: good.content.subarray(0, 60) },
      longName("long/".repeat(40).concat("good.png")),
      good,
    );
    const options = asked({ source: written(bytes, "errors.tar"), shards: 1, maxErrors: 3 });
    await runAll(options);
    const rows = rowsIn(options.out);
    expect(rows).toMatchObject([
      { id: "good.png", predictions: expect.any(Array) },
      { id: "sparse.png", error: { code: "IMAGE_UNREADABLE", message: expect.stringMatching(/without --sparse/) } },
      { id: "empty.png", error: { code: "FILE_EMPTY", message: expect.stringContaining("errors.tar: empty.png") } },
      { id: "cut.png", error: { code: "IMAGE_UNREADABLE", message: expect.stringContaining("errors.tar: cut.png") } },
      { id: `${"long/".repeat(40)}good.png`, predictions: rows[0]?.["predictions"] },
    ]);
  });

  it("refuses another archive, also one of the same size and time", async () => {
    const time = new Date(0);
    const [one, two] = ["x.png", "y.png"].map((name) => {
      const path = written(tarOf({ name, content: readFileSync(join(photos, names[0] as string)) }));
      utimesSync(path, time, time);
      return path;
    });
    const options = asked({ source: one as string, shards: 1 });
    await runAll(options);
    await expect(openBatch({ ...options, source: two as string })).rejects.toMatchObject({
      code: "RUN_MISMATCH",
      message: expect.stringMatching(/input\.sha256: there/),
    });
    await expect(openBatch({ ...options, source: photos })).rejects.toMatchObject({
      message: expect.stringMatching(/input\.kind: there "tar", now "folder"/),
    });
  });

  it("lists it again where its time is another, and goes on where it says the same", async () => {
    const options = asked({ source: written(packed) });
    const batch = await openBatch(options);
    await batch.runShard(0);
    batch.close();
    utimesSync(options.source, new Date(), new Date(1e12));
    const before = inodeOf(options);
    await runAll(options);
    expect(inodeOf(options)).not.toBe(before);
    expect(rowsIn(options.out).map(({ id }) => id)).toEqual(names);
  });

  it("ends where the archive changes under it, and leaves no part", async () => {
    const changes: ((path: string) => void)[] = [
      (path) => writeFileSync(path, tarOf({ name: "other.png", content: Buffer.alloc(packed.length) })),
      (path) => truncateSync(path, 3000),
      (path) => utimesSync(path, new Date(), new Date(1e12)),
    ];
    for (const change of changes) {
      const options = asked({ source: written(packed) });
      const run = runAll(options, () => change(options.source));
      await expect(run).rejects.toMatchObject({
        code: "FILE_UNREADABLE",
        message: expect.stringMatching(/it has changed while it was read/),
      });
      expect(readdirSync(options.out).filter((name) => name.includes("part"))).toEqual([]);
    }
  });

  it("ends too where the archive changes while its last pictures are read", async () => {
    const options = asked({ source: written(packed), shards: 1, concurrency: 1, batch: 1 });
    const batch = await openBatch(options);
    const onProgress = ({ done }: { readonly done: number }) =>
      done === 2 && utimesSync(options.source, new Date(), new Date(1e12));
    await expect(batch.runShard(0, { onProgress: (progress) => void onProgress(progress) })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
    });
    batch.close();
    expect(readdirSync(options.out).filter((name) => name.includes("part"))).toEqual([]);
  });

  it("ends where another run has listed something else in its directory", async () => {
    const options = asked({ source: written(packed) });
    const other = { ...options, source: written(tarOf({ name: "other.png", content: "x" })) };
    const batch = await openBatch(options);
    await expect(openBatch(other)).rejects.toMatchObject({ code: "RUN_MISMATCH" });
    await batch.runShard(1);
    // As of two that begin at the same time.
    renameSync(join(options.out, "run.json"), join(options.out, "kept"));
    await openPictures(other.source, options.out, true);
    renameSync(join(options.out, "kept"), join(options.out, "run.json"));
    await expect(batch.runShard(0)).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/been listed again/),
    });
    batch.close();
    await runAll(options);
    expect(rowsIn(options.out).map(({ id }) => id)).toEqual(names);
  });

  it("believes no listing that was tampered with", async () => {
    const rows = [
      { path: "a.png", offset: 512, size: 2 ** 53 - 1 },
      { path: "b.png", offset: 2 ** 53 - 1, size: 1 },
      { path: "c.png", offset: -1, size: 1 },
      { path: "d.png", offset: 0.5, size: 1 },
      { path: "e.png", offset: 0, size: "9" },
      { offset: 0, size: 1 },
    ];
    const archives = new OpenArchives();
    const codes = [];
    for (const row of rows) {
      const { image, error } = storedItem(Buffer.from(JSON.stringify(row)), archive);
      if (error !== undefined) codes.push(error.code);
      else await archives.picture(image as never).catch(({ code }) => codes.push(code));
    }
    await archives.close();
    expect(codes).toEqual(["FILE_TRUNCATED", "FILE_TRUNCATED", ...Array.from({ length: 4 }, () => "LINE_INVALID")]);
    expect(storedItem(Buffer.from("{"), archive).error?.code).toBe("LINE_INVALID");
  });

  it("whose archive goes while it is read has errors of files", async () => {
    const path = written(packed);
    const stored = { archive: path, path: "a.png", offset: 0, size: 4096 };
    const archives = new OpenArchives();
    const picture = await archives.picture(stored);
    expect(Buffer.from(await picture.arrayBuffer())).toEqual(packed.subarray(0, 4096));
    expect(Buffer.from(await picture.slice(512, 600).arrayBuffer())).toEqual(packed.subarray(512, 600));
    truncateSync(path, 1000);
    await expect(picture.arrayBuffer()).rejects.toThrow("the archive ends after 1000 of 4096 bytes");
    await archives.close();
    await archives.close();
    rmSync(path);
    await expect(new OpenArchives().picture(stored)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});
