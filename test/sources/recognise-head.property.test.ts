/** The first bytes of a file are enough to refuse it, and then the whole would be refused alike. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkStart } from "../../src/formats/registry.ts";
import { recognise, START_BYTES } from "../../src/sources/recognise.ts";

/** Beginnings that mean something, cut off anywhere and followed by anything. */
const BEGINNINGS = [
  "\x89HDF\r\n\x1a\n",
  "PK\x03\x04",
  "PK\x05\x06",
  "\x1f\x8b\x08",
  "\x80\x02}",
  "{}\0\0\0\0\0\0{",
  "    TFL3",
  '{"modelTopology": null}',
  "[1, 2]",
  "<!doctype html><p>",
  '<?xml version="1.0"?>',
  "version https://git-lfs.github.com/spec/v1",
  "plain text",
  "\x0a\x80\x08",
  "\x08\x07\x12\x04onnx",
  "\x0a\xff\xff\xff\xff\x0f",
];

const file = fc
  .tuple(
    fc.constantFrom("", ...BEGINNINGS),
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: START_BYTES, max: 3 * START_BYTES }),
    fc.constantFrom(0, 0x0a, 0x20, 0x61, 0x80, 0xff),
  )
  .map(([beginning, middle, length, filler]) => {
    const bytes = new Uint8Array(length).fill(filler);
    bytes.set(Uint8Array.from(beginning, (letter) => letter.charCodeAt(0)));
    bytes.set(middle, beginning.length);
    return bytes;
  });

describe("the head of a file", () => {
  it("is of the kind that the whole is, but that protobuf is only possible", () => {
    fc.assert(
      fc.property(file, fc.integer({ min: START_BYTES, max: 3 * START_BYTES }), (whole, cut) => {
        const head = recognise(whole.subarray(0, cut), false);
        if (head !== "protobuf (ONNX or TensorFlow)") expect(recognise(whole)).toBe(head);
      }),
      { numRuns: 5000 },
    );
  });

  it("may be protobuf however long its first fields are", () => {
    for (const start of [
      [0x0a, 0xff, 0xff, 0x7f],
      [0x0a, 0x80, 0x08],
      [0x08, 7, 0x3a, 0xff, 0x7f],
    ]) {
      const head = new Uint8Array(START_BYTES);
      head.set(start);
      expect(recognise(head, false)).toBe("protobuf (ONNX or TensorFlow)");
    }
  });

  it("of zeros, of a page or of an archive is refused by what it is", () => {
    const refused = (bytes: Uint8Array) => () => checkStart("x", bytes);
    expect(refused(new Uint8Array(START_BYTES))).toThrow(
      /^x: expected a file of weights, found a file of no known kind/,
    );
    const page = new Uint8Array(START_BYTES).fill(0x20);
    page.set(new TextEncoder().encode("<!DOCTYPE html>"));
    expect(refused(page)).toThrow(/an HTML page/);
    const tar = new Uint8Array(START_BYTES);
    tar.set(new TextEncoder().encode("ustar"), 257);
    expect(refused(tar)).toThrow(/a tar archive/);
  });
});
