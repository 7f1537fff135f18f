/** Archives of any tree, by whatever writes one; and what is damaged is refused, or says the same. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { create } from "tar";
import { afterAll, describe, expect, it } from "vitest";
import { FileWindow } from "../../src/batch/file-window.ts";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { rounds, seeded, seedOf } from "../fuzz.ts";
import { base256, contentsOf, entriesOf, longName, paxRecords, type TarPiece, tarOf } from "./tars.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-tar-property-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const part = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.constantFrom("ä", "日本", "a b", "n".repeat(90), "x".repeat(160), "é".repeat(70)),
);
const path = fc
  .tuple(fc.array(part, { maxLength: 3 }), part)
  .map(([folders, name]) => [...folders.map((one) => `${one}.d`), `${name}.png`].join("/"));
const content = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom(0, 511, 512, 513, 5000, 70_000).map((length) => "x".repeat(length)),
);
const tree = fc.dictionary(path, content, { minKeys: 1, maxKeys: 8, noNullPrototype: true });

let trees = 0;

describe("any tree", () => {
  it("packed by the package tar is listed, each file with its content", async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (files) => {
        const place = join(folder, `tree-${++trees}`);
        for (const [name, text] of Object.entries(files)) {
          mkdirSync(dirname(join(place, name)), { recursive: true });
          writeFileSync(join(place, name), text);
        }
        const file = `${place}.tar`;
        const names = Object.keys(files);
        await create({ file, cwd: place }, names);
        expect(await contentsOf(readFileSync(file))).toEqual(Object.entries(files));
        await create({ file, cwd: place, portable: true }, ["."]);
        const whole = await contentsOf(readFileSync(file));
        expect(Object.fromEntries(whole)).toEqual(
          Object.fromEntries(Object.entries(files).map(([name, text]) => [`./${name}`, text])),
        );
        rmSync(place, { recursive: true });
        rmSync(file);
      }),
      { numRuns: rounds(25), seed: seedOf(1) },
    );
  });

  /** Ways in which an archive may say the same of a file. */
  const ways: readonly ((name: string, text: string) => readonly (Buffer | TarPiece)[])[] = [
    (name, text) => [longName(name), { name: "x", content: text, format: "gnu" }],
    (name, text) => [longName(name), { name, content: text, format: "v7" }],
    (name, text) => [paxRecords({ path: name }), { name: "x", content: text }],
    (name, text) => [
      paxRecords({ atime: 1.25, size: Buffer.byteLength(text), path: name, "SCHILY.xattr.a": "b\nc" }),
      { name: "x", content: text, size: 0, prefix: "y" },
    ],
    (name, text) => [longName(name), { name: "x", content: text, size: base256(Buffer.byteLength(text)) }],
    (name, text) => [
      { name: "x.d", type: "5" },
      paxRecords({ comment: "all" }, "g"),
      longName(name),
      { name, content: text },
    ],
    (name, text) => [Buffer.alloc(512), longName(name), { name, content: text }],
  ];

  it("packed by hand, each file in another way, is listed too", async () => {
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.array(fc.nat(ways.length - 1), { minLength: 8, maxLength: 8 }),
        async (files, chosen) => {
          const pieces = Object.entries(files).flatMap(([name, text], place) => ways[chosen[place]!]!(name, text));
          expect(await contentsOf(tarOf(...pieces))).toEqual(Object.entries(files));
        },
      ),
      { numRuns: rounds(100), seed: seedOf(2) },
    );
  });
});

it("a window gives what stands in the file, wherever it is asked", async () => {
  const file = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) % 256));
  // As a system may: less than was asked for.
  const read = async (buffer: Uint8Array, offset: number, length: number, position: number) => {
    const piece = file.subarray(position, position + Math.min(length, 50_000));
    buffer.set(piece, offset);
    return { bytesRead: piece.length };
  };
  const place = fc.tuple(fc.nat(320_000), fc.nat(9000));
  await fc.assert(
    fc.asyncProperty(fc.array(place, { minLength: 2, maxLength: 6 }), async (places) => {
      const window = new FileWindow({ read });
      for (const [at, length] of places) {
        expect((await window.read(at, length)).equals(file.subarray(at, at + length))).toBe(true);
      }
    }),
    { numRuns: rounds(200), seed: seedOf(5) },
  );
});

describe("a damaged archive", () => {
  const pieces = [
    { name: "a.png", content: "one" },
    { name: "folder/", type: "5" },
    { name: "b.png", content: "x".repeat(600), format: "gnu", size: base256(600) },
    { name: "c.png", content: "c", format: "v7" },
  ] as const;
  const said = [paxRecords({ path: "d.png", size: 4 }), { name: "x", content: "four" }, longName("e.png")] as const;
  const plain = tarOf(...pieces);
  const records = tarOf(...pieces, ...said, { name: "y", content: "five" });

  /** What became of it: its rows, or a typed error. */
  const rowsOf = (bytes: Uint8Array): Promise<string> =>
    entriesOf(bytes).then(
      (rows) => JSON.stringify(rows),
      (error) => {
        if (!isDepthwiseError(error)) throw error;
        return error.code;
      },
    );

  it("is refused wherever it is cut, but within the end", async () => {
    for (const bytes of [plain, records]) {
      const rows = await rowsOf(bytes);
      for (let length = 0; length < bytes.length; length++) {
        const wanted = length >= bytes.length - 512 ? rows : "FILE_TRUNCATED";
        const became = await rowsOf(bytes.subarray(0, length));
        if (became !== wanted) expect([length, became]).toEqual([length, wanted]);
      }
    }
  });

  it("is refused or says the same, whichever byte is another", async () => {
    const random = seeded(3);
    const rows = await rowsOf(plain);
    const codes = [rows, "FILE_CORRUPT", "FILE_TRUNCATED"];
    for (let at = 0; at < plain.length; at++) {
      for (const bits of [0x80, 1 + Math.floor(random() * 255)]) {
        const bytes = Buffer.from(plain);
        bytes[at] = bytes[at]! ^ bits;
        const became = await rowsOf(bytes);
        if (!codes.includes(became)) expect([at, bits, became]).toEqual([at, bits, codes]);
      }
    }
  });

  it("is refused or lies within its bytes, whatever happened to it", async () => {
    const random = seeded(4);
    const below = (most: number) => Math.floor(random() * most);
    let [refused, kept] = [0, 0];
    for (let turn = 0; turn < rounds(3000); turn++) {
      let bytes = Buffer.from(records);
      const changes = 1 + below(3);
      for (let i = 0; i < changes; i++) {
        const [from, to, length] = [below(bytes.length), below(bytes.length), below(700)];
        const kind = below(4);
        if (kind === 0) bytes[from] = below(256);
        else if (kind === 1) bytes.copyWithin(to, from, from + length);
        else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
        else bytes.fill(below(2) * 0xff, from, Math.min(from + length, bytes.length));
      }
      const became = await rowsOf(bytes);
      if (!became.startsWith("[")) refused++;
      else {
        kept++;
        for (const { offset, size } of JSON.parse(became)) expect(offset + size).toBeLessThanOrEqual(bytes.length);
      }
    }
    expect(Math.min(refused, kept)).toBeGreaterThan(100);
  });
});
