import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { indexLines, placeBefore } from "../../src/batch/line-places.ts";
import { LineCutter, LONGEST_LINE, linesFrom } from "../../src/batch/lines.ts";
import { shardRange } from "../../src/batch/part.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-lines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "list");

const line = fc.oneof(
  fc.stringMatching(/^[a-z/]{1,9}$/),
  fc.constantFrom("", "  ", "\t", " a b ", "ä", '{"id":"1","path":"x"}'),
);
const text = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n"))), fc.constantFrom("", "last", "\r", " "))
  .map(([hasMark, lines, last]) => (hasMark ? "\ufeff" : "") + lines.flat().join("") + last);

/** What is meant by lines, said another way. */
const meant = (whole: string) =>
  whole
    .replace(/^\ufeff/, "")
    .split("\n")
    .map((one) => one.replace(/\r$/, ""))
    .filter((one) => one.trim() !== "");

it("cuts a text into lines, however its bytes come", () => {
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (whole, sizes) => {
      const bytes = Buffer.from(whole);
      const found: [string, number][] = [];
      const cutter = new LineCutter(0, (one, offset) => found.push([Buffer.from(one).toString(), offset]));
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] as number;
        // One buffer, again and again: what was pushed is not the cutter's.
        const piece = Uint8Array.from(bytes.subarray(at, at + size));
        cutter.push(piece);
        piece.fill(120);
        at += size;
      }
      cutter.end();
      expect(found.map(([one]) => one)).toEqual(meant(whole));
      for (const [one, offset] of found) {
        const start = offset === 0 && whole.startsWith("\ufeff") ? 3 : offset;
        expect(bytes.subarray(start, start + Buffer.byteLength(one)).toString()).toBe(one);
      }
    }),
  );
});

it("reads from any line on, by places that are known", async () => {
  await fc.assert(
    fc.asyncProperty(text, async (whole) => {
      writeFileSync(path, whole);
      const index = await indexLines(path);
      const lines = meant(whole);
      expect([index.count, index.sha256]).toEqual([
        lines.length,
        createHash("sha256").update(Buffer.from(whole)).digest("hex"),
      ]);
      for (let from = 0; from < lines.length; from++) {
        const place = placeBefore(index, from);
        const found: string[] = [];
        for await (const one of linesFrom(path, place.offset)) found.push(Buffer.from(one).toString());
        expect(found.slice(from - place.line)).toEqual(lines.slice(from));
      }
    }),
    { numRuns: 60 },
  );
});

it("keeps few places of a long list, and finds every line by them", async () => {
  const count = 300_000;
  writeFileSync(path, Array.from({ length: count }, (_, i) => `${i}\n`).join(""));
  const index = await indexLines(path);
  expect(index.count).toBe(count);
  expect(index.offsets.length).toBeLessThanOrEqual(32_768);
  expect(index.stride).toBe(16);
  for (const wanted of [0, 1, 15, 16, 17, 123_456, count - 1]) {
    const place = placeBefore(index, wanted);
    let at = place.line;
    for await (const one of linesFrom(path, place.offset)) {
      if (at++ !== wanted) continue;
      expect(Buffer.from(one).toString()).toBe(String(wanted));
      break;
    }
  }
});

it("hands over the beginning of a line that is too long, and the next ones as they are", async () => {
  for (const length of [100_000, 3_000_000]) {
    writeFileSync(path, `first\n${"x".repeat(length)}\nlast`);
    const found: number[] = [];
    for await (const one of linesFrom(path, 0)) found.push(one.length);
    expect(found).toEqual([5, LONGEST_LINE + 1, 4]);
    const whole: number[] = [];
    for await (const one of linesFrom(path, 0, undefined, Infinity)) whole.push(one.length);
    expect(whole).toEqual([5, length, 4]);
  }
});

it("cuts long lines at the same place, however their bytes come, and not at all where that is asked", () => {
  const most = 8;
  const long = fc.array(fc.constantFrom("x", "y", " ", "\r", "\n", "xxxxxxxx"), { maxLength: 30 });
  fc.assert(
    fc.property(fc.boolean(), long, fc.integer({ min: 1, max: 9 }), (hasMark, pieces, size) => {
      const bytes = Buffer.from((hasMark ? "\ufeff" : "") + pieces.join(""));
      const cut = (by: number, longest: number) => {
        const found: string[] = [];
        const cutter = new LineCutter(0, (one) => found.push(Buffer.from(one).toString()), longest);
        for (let at = 0; at < bytes.length; at += by) cutter.push(bytes.subarray(at, at + by));
        cutter.end();
        return found;
      };
      expect(cut(size, most)).toEqual(cut(1000, most));
      expect(cut(size, Infinity)).toEqual(meantOf(bytes.toString()));
      for (const one of cut(size, most)) expect(one.length).toBeLessThanOrEqual(most + 1);
      const short = (lines: readonly string[]) => lines.filter((one) => one.length <= most);
      expect(short(cut(size, most))).toEqual(short(cut(size, Infinity)));
    }),
  );
});

/** As `meant`, of text that has carriage returns within its lines: those are no spaces. */
const meantOf = (whole: string) =>
  whole
    .replace(/^\ufeff/, "")
    .split("\n")
    .map((one) => one.replace(/\r$/, ""))
    .filter((one) => /[^ \t]/.test(one));

it("shards have every picture once, and are as long as each other", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: 2 ** 40 }), (shards, count) => {
      const ranges = Array.from({ length: shards }, (_, shard) => shardRange(shard, shards, count));
      expect(ranges[0]?.[0]).toBe(0);
      expect(ranges.at(-1)?.[1]).toBe(count);
      ranges.forEach(([from, to], shard) => {
        if (shard > 0) expect(from).toBe(ranges[shard - 1]?.[1]);
        expect([Math.floor(count / shards), Math.ceil(count / shards)]).toContain(to - from);
      });
    }),
  );
});
