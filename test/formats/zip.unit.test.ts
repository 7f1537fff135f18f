/** Zip archives of every shape a reader meets, and each way in which one can lie. */

import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { openZip } from "../../src/formats/zip/zip.ts";
import { code, u16, u32, zip } from "../writers/torch.ts";

const LIMIT = { maxBytes: 1_000_000 };
const hello = code("hello, hello, hello, hello");
const zeros = new Uint8Array(5000);
const items = [
  ["a.txt", hello],
  ["folder/é.bin", zeros, "deflated"],
  ["empty", code()],
] as const;

async function contents(bytes: Uint8Array) {
  const entries = await openZip(bytes, "x.zip", LIMIT);
  return [...entries.values()].map(({ name, size, read }) => [name, size, read()]);
}

const expected = [
  ["a.txt", hello.length, hello],
  ["folder/é.bin", 5000, zeros],
  ["empty", 0, code()],
];

async function failure(bytes: Uint8Array, maxBytes = LIMIT.maxBytes) {
  const error: unknown = await openZip(bytes, "x.zip", { maxBytes })
    .then((entries) => [...entries.values()].map(({ read }) => read()))
    .catch((thrown: unknown) => thrown);
  if (!isDepthwiseError(error)) throw error;
  return error;
}

/** Where a record's signature stands. */
const find = (bytes: Uint8Array, signature: number) => Buffer.from(bytes).lastIndexOf(Buffer.from(u32(signature)));

function changed(bytes: Uint8Array, at: number, to: readonly number[]) {
  const copy = bytes.slice();
  copy.set(to, at);
  return copy;
}

it("stored and deflated entries are unpacked", async () => {
  expect(await contents(zip(items))).toEqual(expected);
});

it("stored entries are views of the archive", async () => {
  const bytes = zip(items);
  expect((await openZip(bytes, "x.zip", LIMIT)).get("a.txt")?.read().buffer).toBe(bytes.buffer);
});

it("zip64 fields, a comment, and bytes in front, counted or not, are understood", async () => {
  expect(await contents(zip(items, { zip64: true }))).toEqual(expected);
  expect(await contents(zip(items, { comment: "PK is here" }))).toEqual(expected);
  const front = code("TFL3 and more");
  expect(await contents(code(front, zip(items)))).toEqual(expected);
  expect(await contents(code(front, zip(items, { shift: front.length })))).toEqual(expected);
  expect(await contents(code(front, zip(items, { zip64: true })))).toEqual(expected);
});

it("an archive without entries is one", async () => {
  expect(await contents(zip([]))).toEqual([]);
});

it("what claims more than maxBytes is refused before it is unpacked", async () => {
  const error = await failure(zip(items), 5000);
  expect(error.code).toBe("FILE_TOO_LARGE");
  expect(error.message).toMatch(/expected at most 5,000 bytes, found 5,026/);
});

it("an archive that is cut off has no directory", async () => {
  const bytes = zip(items);
  expect((await failure(bytes.subarray(0, bytes.length - 1))).message).toMatch(/no directory at its end/);
  expect((await failure(code())).message).toMatch(/no directory at its end/);
});

it.each([
  ["more entries than it lists", 10, u16(4), /directory/],
  ["a directory larger than the file", 12, u32(1e6), /does not fit/],
  ["a directory behind its place", 16, u32(1e6), /does not fit/],
])("a directory that claims %s is refused", async (_, offset, to, message) => {
  const bytes = zip(items);
  const error = await failure(changed(bytes, find(bytes, 0x06054b50) + offset, to));
  expect(error.code).toBe("FILE_CORRUPT");
  expect(error.message).toMatch(message);
});

it.each([
  ["encryption", 8, u16(1), /encrypted/],
  ["another method", 10, u16(12), /method 12/],
  ["another checksum", 16, u32(1), /checksum/],
  ["fewer packed bytes", 20, u32(20), /does not unpack to the 26 bytes/],
  ["more bytes", 24, u32(27), /does not unpack to the 27 bytes/],
  ["a place outside", 42, u32(1e9), /outside/],
  ["a place that is none", 42, u32(1), /outside/],
])("an entry that claims %s is refused", async (_, offset, to, message) => {
  const bytes = zip([["a.txt", hello]]);
  const error = await failure(changed(bytes, find(bytes, 0x02014b50) + offset, to));
  expect(error.code).toBe("FILE_CORRUPT");
  expect(error.message).toMatch(message);
});

it.each([
  ["fewer bytes than it holds", u32(4999), /does not unpack to the 4,999 bytes/],
  ["more bytes than it holds", u32(5001), /does not unpack to the 5,001 bytes/],
  ["more bytes than any could", u32(900_000), /does not unpack to the 900,000 bytes/],
])("a deflated entry that claims %s is refused", async (_, to, message) => {
  const bytes = zip([["z", zeros, "deflated"]]);
  expect((await failure(changed(bytes, find(bytes, 0x02014b50) + 24, to))).message).toMatch(message);
});

it("deflated nonsense is refused", async () => {
  const bytes = zip([["z", code(...Array.from({ length: 500 }, (_, i) => (i * 7919) % 251)), "deflated"]]);
  const start = find(bytes, 0x04034b50) + 31;
  const error = await failure(changed(bytes, start, [255, 255, 255, 255, 255, 255]));
  expect(error.code).toBe("FILE_CORRUPT");
});

it("a name listed twice is refused", async () => {
  const error = await failure(zip([items[0], items[0]]));
  expect(error.message).toMatch(/lists "a.txt" twice/);
});

it("a checksum that was left out is not missed", async () => {
  const bytes = zip([["a.txt", hello]]);
  const without = changed(bytes, find(bytes, 0x02014b50) + 16, u32(0));
  expect((await openZip(without, "x.zip", LIMIT)).get("a.txt")?.read()).toEqual(hello);
});
