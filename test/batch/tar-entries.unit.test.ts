import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FileWindow } from "../../src/batch/file-window.ts";
import { tarEntries } from "../../src/batch/tar-entries.ts";
import { GNU_TARS } from "./gnu-tars.ts";
import {
  base256,
  contentsOf,
  END,
  entriesOf,
  longName,
  paxRecords,
  type TarPiece,
  tarHeader,
  tarOf,
  tarPiece,
} from "./tars.ts";

const deep = `${"folder/".repeat(30)}a.png`;

describe("entries of a tar", () => {
  it.each<[string, Buffer, readonly (readonly [string, string])[]]>([
    ["ustar", tarOf({ name: "a.png", content: "one" }), [["a.png", "one"]]],
    ["ustar, long", tarOf({ name: "b/a.png", prefix: "c/d", content: "one" }), [["c/d/b/a.png", "one"]]],
    ["GNU", tarOf({ name: "a.png", content: "one", format: "gnu" }), [["a.png", "one"]]],
    [
      "GNU, long",
      tarOf(longName(deep), { name: deep, content: "one", format: "gnu" }, { name: "b.png", format: "gnu" }),
      [
        [deep, "one"],
        ["b.png", ""],
      ],
    ],
    [
      "GNU, long, of a link and then of a file",
      tarOf(
        tarPiece({ name: "././@LongLink", type: "K", format: "gnu", content: `${deep}\0` }),
        { name: "link.png", type: "2", format: "gnu" },
        longName(deep),
        { name: "x", content: "one", format: "gnu" },
      ),
      [[deep, "one"]],
    ],
    [
      "pax, long",
      tarOf(paxRecords({ path: deep, mtime: 1.5 }), { name: "x", content: "one" }, { name: "b.png", content: "two" }),
      [
        [deep, "one"],
        ["b.png", "two"],
      ],
    ],
    [
      "pax, in other letters",
      tarOf(paxRecords({ path: "é/日.png" }), { name: "x", content: "ö" }),
      [["é/日.png", "ö"]],
    ],
    [
      "pax, a size",
      tarOf(paxRecords({ size: 3 }), tarHeader({ name: "a.png", size: 0 }, 0), pad("one")),
      [["a.png", "one"]],
    ],
    [
      "pax, of all entries",
      tarOf(paxRecords({ comment: "0123", path: "all.png" }, "g"), { name: "a.png", content: "one" }),
      [["a.png", "one"]],
    ],
    [
      "a size in base 256",
      tarOf({ name: "a.png", content: "one", size: base256(3), format: "gnu" }),
      [["a.png", "one"]],
    ],
    ["before ustar", tarOf({ name: "a.png", content: "one", format: "v7", type: "\0" }), [["a.png", "one"]]],
    ["contiguous", tarOf({ name: "a.png", content: "one", type: "7" }), [["a.png", "one"]]],
    [
      "twice the same name",
      tarOf({ name: "a.png", content: "one" }, { name: "a.png", content: "two" }),
      [
        ["a.png", "one"],
        ["a.png", "two"],
      ],
    ],
    [
      "joined",
      Buffer.concat([tarOf({ name: "a.png", content: "one" }), tarOf({ name: "b.png", content: "two" })]),
      [
        ["a.png", "one"],
        ["b.png", "two"],
      ],
    ],
    [
      "with anything behind its end",
      Buffer.concat([tarOf({ name: "a.png" }), Buffer.alloc(1500, "junk")]),
      [["a.png", ""]],
    ],
    ["with half an end", tarOf({ name: "a.png" }).subarray(0, -512), [["a.png", ""]]],
    ["empty", END, []],
  ])("%s", async (_name, bytes, wanted) => {
    expect(await contentsOf(bytes)).toEqual(wanted);
  });

  it("are plain files: what else there is, is passed over, whatever its header says", async () => {
    const others: TarPiece[] = ["1", "2", "3", "4", "5", "6"].map((type) => ({ name: "x.png", type, size: 7000 }));
    const withContent: TarPiece[] = ["A", "D", "V", "?"].map((type) => ({ name: "x.png", type, content: "something" }));
    const folder: TarPiece = { name: "folder.png/", format: "v7", type: "\0" };
    const bytes = tarOf(...others, ...withContent, folder, { name: "a.png", content: "one" });
    expect(await contentsOf(bytes)).toEqual([["a.png", "one"]]);
  });

  it("what is said of one is not said of the next", async () => {
    const said = [paxRecords({ path: "said.png", size: 3 }), { name: "x.png", type: "5" }] as const;
    expect(await contentsOf(tarOf(...said, { name: "a.png", content: "three" }))).toEqual([["a.png", "three"]]);
    const [first, second] = [tarOf(paxRecords({ path: "said.png" })), tarOf({ name: "a.png", content: "one" })];
    expect(await contentsOf(Buffer.concat([first, second]))).toEqual([["a.png", "one"]]);
  });

  it("what is said of one is not said of what stands between", async () => {
    const [size, global] = [paxRecords({ size: 3 }), paxRecords({ comment: "all" }, "g")];
    const link = tarPiece({ name: "././@LongLink", type: "K", format: "gnu", content: `${deep}\0` });
    const file = tarHeader({ name: "x", size: 0 }, 0);
    for (const between of [
      [longName(deep), link],
      [global, longName(deep)],
      [longName(deep), global, link],
    ]) {
      expect(await contentsOf(tarOf(size, ...between, file, pad("one")))).toEqual([[deep, "one"]]);
    }
  });

  it("are sparse where any record says so, and lie behind the whole map of their pieces", async () => {
    const [sparse, time] = [paxRecords({ "GNU.sparse.major": 1 }), paxRecords({ mtime: 1 })];
    for (const records of [[sparse], [sparse, time], [time, sparse]])
      expect(await entriesOf(tarOf(...records, { name: "a.png" }))).toMatchObject([{ path: "a.png", isSparse: true }]);
    const change = (header: Buffer) => header.fill(1, 482, 483);
    const map = (next: number) => Buffer.alloc(512, "0").fill(next, 504);
    const header = tarHeader({ name: "a.png", type: "S", format: "gnu", change }, 3);
    const entries = await entriesOf(tarOf(header, map(1), map(1), map(0), pad("one"), { name: "b.png" }));
    expect(entries.map(({ path, offset }) => [path, offset])).toEqual([
      ["a.png", 2048],
      ["b.png", 3072],
    ]);
  });

  it.each(Object.entries(GNU_TARS))("of GNU tar, %s", async (_name, packed) => {
    const bytes = gunzipSync(Buffer.from(packed, "base64"));
    const entries = await entriesOf(bytes);
    const sound = entries.filter(({ isSparse }) => !isSparse);
    const contents = sound.map(({ path, offset, size }) => [path, bytes.toString("utf8", offset, offset + size)]);
    expect(contents).toEqual([
      ["./.h/x.png", "x\n"],
      ["./.hidden.png", "h\n"],
      ["./a.png", "one"],
      [`./deep/${"n".repeat(120)}/b.jpg`, "two"],
      ["./deep/ö.gif", "three"],
      ["./notes.txt", "no\n"],
    ]);
    expect(entries.filter(({ isSparse }) => isSparse).map(({ path }) => path.replace(/^\.\//, ""))).toEqual([
      "many.png",
      "sparse.png",
    ]);
  });
});

function pad(text: string): Buffer {
  return Buffer.from(text.padEnd(512, "\0"));
}

describe("a tar", () => {
  it("is read by its headers: of large contents nothing, of small ones many at once", async () => {
    const large = tarOf(
      ...Array.from({ length: 20 }, (_, i) => ({ name: `${i}.png`, content: Buffer.alloc(300_000) })),
    );
    let bytes = 0;
    await entriesOf(large, (from, to) => {
      bytes += to - from;
    });
    expect(bytes).toBeLessThan(20 * 4096 + 2 * 65_536);
    const small = tarOf(...Array.from({ length: 200 }, (_, i) => ({ name: `${i}.png`, content: "x" })));
    let reads = 0;
    await entriesOf(small, () => {
      reads++;
    });
    expect(reads).toBeLessThan(12);
  });

  const whole = tarOf({ name: "a.png", content: "one" }, { name: "b.png", content: Buffer.alloc(5000) });
  it.each([
    [100, /the header of an entry.*expected bytes 0 to 512, found an archive that ends at 100/],
    [512, /"a\.png": expected bytes 512 to 515, found an archive that ends at 512/],
    [514, /"a\.png"/],
    [1024, /the end of the archive: expected bytes 1,024 to 1,536/],
    [1300, /the header of an entry, or the end of the archive/],
    [4000, /"b\.png": expected bytes 1,536 to 6,536, found an archive that ends at 4,000/],
    [6600, /the end of the archive/],
    [6656, /the end of the archive/],
  ])("that ends at %d is refused, and what is missing is named", async (length, words) => {
    await expect(entriesOf(whole.subarray(0, length))).rejects.toMatchObject({
      code: "FILE_TRUNCATED",
      message: expect.stringMatching(words),
      fields: { file: "photos.tar", size: length },
    });
  });

  it("that shrinks while it is read is refused", async () => {
    const window = new FileWindow({ read: async () => ({ bytesRead: 0 }) });
    await expect(tarEntries({ name: "x", size: 4096, window }).next()).rejects.toMatchObject({
      code: "FILE_TRUNCATED",
    });
  });

  const size = (text: string) => ({ name: "a.png", size: Buffer.from(text.padEnd(12, "\0")) });
  it.each<[string, Buffer, string]>([
    ["a size that is none", tarOf(size("no")), "FILE_CORRUPT"],
    ["no size", tarOf(size("")), "FILE_CORRUPT"],
    ["a size below 0", tarOf({ name: "a.png", size: new Uint8Array(12).fill(0xff) }), "FILE_CORRUPT"],
    ["a size that no number holds", tarOf({ name: "a.png", size: new Uint8Array(12).fill(0x80) }), "FILE_CORRUPT"],
    ["a size of base 128", tarOf({ name: "a.png", size: new Uint8Array(12).fill(0x90) }), "FILE_CORRUPT"],
    ["a size beyond the file", tarOf(size("77777777777")), "FILE_TRUNCATED"],
    ["a size of 2^53 less 1", tarOf({ name: "a.png", size: base256(Number.MAX_SAFE_INTEGER) }), "FILE_TRUNCATED"],
    ["pax: a size of 2^60", tarOf(paxRecords({ size: 2 ** 60 }), { name: "a.png" }), "FILE_CORRUPT"],
    ["pax: a size of 1.5", tarOf(paxRecords({ size: 1.5 }), { name: "a.png" }), "FILE_CORRUPT"],
    ["pax: no end of a size", tarOf(paxRecords({ size: "Infinity" }), { name: "a.png" }), "FILE_CORRUPT"],
    ["pax: a size beyond the file", tarOf(paxRecords({ size: 1e9 }), { name: "a.png" }), "FILE_TRUNCATED"],
    ["pax: records beyond the file", tarOf(tarHeader({ name: "x", type: "x", size: 2 ** 30 }, 0)), "FILE_TRUNCATED"],
    ["pax: records of 2 MB", tarOf(paxRecords({ comment: "x".repeat(2e6) }), { name: "a.png" }), "FILE_TOO_LARGE"],
    ["a name of 2 MB", tarOf(longName("x".repeat(2e6)), { name: "a.png" }), "FILE_TOO_LARGE"],
    ["a sum that is wrong", Buffer.concat([pad("a.png"), END]), "FILE_CORRUPT"],
    [
      "a second archive that is damaged",
      Buffer.concat([tarOf({ name: "a.png" }), damagedHeader(), END]),
      "FILE_CORRUPT",
    ],
    ["one block of zeros, and then no header", Buffer.concat([Buffer.alloc(512), pad("x"), END]), "FILE_CORRUPT"],
    [
      "a map of a sparse file without end",
      Buffer.concat([
        tarHeader({ name: "a.png", type: "S", format: "gnu", change: (one) => one.fill(1, 482, 483) }, 0),
        Buffer.alloc(5120, 1),
      ]),
      "FILE_TRUNCATED",
    ],
  ])("with %s is refused", async (_name, bytes, code) => {
    let allocated = 0;
    const counted = entriesOf(bytes, (from, to) => {
      allocated = Math.max(allocated, to - from);
    });
    await expect(counted).rejects.toMatchObject({ code, fields: { file: "photos.tar", offset: expect.any(Number) } });
    expect(allocated).toBeLessThanOrEqual(65_536);
  });

  it("with records that contradict themselves has the names of its headers", async () => {
    for (const text of ["", "\n", "5 =x\n", "99 path=no.png\n", "-7 path=no.png\n", "x path=no.png\n", "path=no.png"]) {
      const bytes = tarOf(tarPiece({ name: "x", type: "x", content: text }), { name: "a.png", content: "one" });
      expect(await contentsOf(bytes)).toEqual([["a.png", "one"]]);
    }
  });
});

function damagedHeader(): Buffer {
  const header = tarHeader({ name: "b.png" }, 0);
  header[0] = 99;
  return header;
}
