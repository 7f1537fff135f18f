import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";

/** A file with any header text, honest about its length unless told otherwise. */
function file(header: string, dataBytes: number, claimed?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype = "F32") =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

/** One hostile file a check: its name, the bytes, the code, and words the message must hold. */
const HOSTILE: readonly [string, Uint8Array, string, readonly string[]][] = [
  ["an empty file", new Uint8Array(), "FILE_EMPTY", ["weights.safetensors"]],
  ["three bytes", new Uint8Array(3), "FILE_TRUNCATED", ["8 bytes", "3"]],
  ["a header longer than the file", file("{}", 0, 500n), "FILE_TRUNCATED", ["500", "2"]],
  ["a header of 2^63 bytes", file("{}", 0, 2n ** 63n), "FILE_TOO_LARGE", ["100,000,000"]],
  ["a header of 200 MB that is not there", file("{}", 0, 200_000_000n), "FILE_TOO_LARGE", ["200,000,000"]],
  ["a header that is no JSON", file('{"a": tru', 0), "FILE_CORRUPT", ["JSON"]],
  ["a header that is an array", file("[1]", 0), "FILE_CORRUPT", ["{"]],
  [
    "a header that is not UTF-8",
    (() => {
      const b = file('{"aa":1}', 0);
      b[10] = 0xff;
      return b;
    })(),
    "FILE_CORRUPT",
    ["UTF-8"],
  ],
  ["a key that stands twice", file(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), "FILE_CORRUPT", ['"a"', "twice"]],
  ["a deep header", file(`{"a":${"[".repeat(50)}${"]".repeat(50)}}`, 0), "FILE_CORRUPT", ["levels"]],
  ["metadata that are numbers", file('{"__metadata__":{"a":1}}', 0), "FILE_CORRUPT", ["__metadata__"]],
  ["an entry without offsets", file('{"a":{"dtype":"F32","shape":[1]}}', 4), "FILE_CORRUPT", ['"a"', "data_offsets"]],
  ["an unknown dtype", file(`{"a":${entry(0, 4, [1], "F31")}}`, 4), "FILE_CORRUPT", ["F31", '"a"']],
  ["a negative side", file(`{"a":${entry(0, 4, [-1])}}`, 4), "FILE_CORRUPT", ["[-1]"]],
  ["a shape that overflows", file(`{"a":${entry(0, 4, [2 ** 40, 2 ** 40])}}`, 4), "FILE_CORRUPT", ['"a"']],
  [
    "offsets the wrong way round",
    file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4),
    "FILE_CORRUPT",
    ["begin ≤ end"],
  ],
  [
    "offsets that are fractions",
    file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0.5,4.5]}}', 4),
    "FILE_CORRUPT",
    ["0.5"],
  ],
  ["a length that is not the shape's", file(`{"a":${entry(0, 8, [1])}}`, 8), "FILE_CORRUPT", ["4 bytes", "8"]],
  [
    "tensors that overlap",
    file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12),
    "FILE_CORRUPT",
    ['"a"', '"b"', "overlap"],
  ],
  ["a hole between tensors", file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), "FILE_CORRUPT", ["hole of 4"]],
  ["bytes after the last tensor", file(`{"a":${entry(0, 4)}}`, 8), "FILE_CORRUPT", ["4 bytes", "8"]],
  [
    "data that are cut off",
    file(`{"a":${entry(0, 4)},"b":${entry(4, 400)}}`, 40),
    "FILE_TRUNCATED",
    ['"b"', "the file ends at", "fetch it again"],
  ],
  [
    "an HTML page",
    new TextEncoder().encode("<!DOCTYPE html><html><body>404</body></html>"),
    "FORMAT_UNKNOWN",
    ["HTML"],
  ],
  [
    "a Git LFS pointer",
    new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "FORMAT_UNKNOWN",
    ["LFS"],
  ],
  ["a zip", Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0]), "FORMAT_UNKNOWN", ["PyTorch"]],
  ["an HDF5 file", Uint8Array.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]), "FORMAT_UNKNOWN", ["Keras"]],
];

describe("readSafetensors", () => {
  it.each(HOSTILE)("refuses %s by name", (_name, bytes, code, words) => {
    let caught: unknown;
    try {
      readSafetensors(bytes, { name: "weights.safetensors" });
    } catch (error) {
      caught = error;
    }
    if (!isDepthwiseError(caught)) throw new Error(`expected ${code}, got ${String(caught)}`);
    expect(caught.code).toBe(code);
    for (const word of ["weights.safetensors", ...words]) expect(caught.message).toContain(word);
  });

  it("reads a tensor called __proto__ as any other", () => {
    const bytes = writeSafetensors([{ name: "__proto__", shape: [2], data: Float32Array.of(1, 2) }]);
    const { tensors } = readSafetensors(bytes);
    expect([...toFloat32(tensors.get("__proto__")!)]).toEqual([1, 2]);
    expect(({} as Record<string, unknown>)["dtype"]).toBeUndefined();
  });

  it("reads a file whose data do not start on a multiple of four", () => {
    const bytes = file(`{"a":${entry(0, 8)}} `, 8);
    const view = new DataView(bytes.buffer);
    for (const i of [0, 1]) view.setFloat32(bytes.length - 8 + 4 * i, i + 0.5, true);
    expect([...toFloat32(readSafetensors(bytes).tensors.get("a")!)]).toEqual([0.5, 1.5]);
  });

  it("hands out empty tensors and scalars", () => {
    const { tensors } = readSafetensors(
      writeSafetensors([
        { name: "none", shape: [0, 3], data: new Float32Array() },
        { name: "one", shape: [], data: Float32Array.of(7) },
      ]),
    );
    expect(toFloat32(tensors.get("none")!)).toHaveLength(0);
    expect([...toFloat32(tensors.get("one")!)]).toEqual([7]);
  });
});

describe("writeSafetensors", () => {
  it("aligns the data to eight bytes and sorts the metadata", () => {
    const bytes = writeSafetensors([{ name: "a", shape: [1], data: Float32Array.of(1) }], { z: "1", b: "2" });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length))).toMatch(
      /^\{"__metadata__":\{"b":"2","z":"1"\},"a":/,
    );
  });

  it("refuses a value too large for float16, by tensor and value", () => {
    const write = () => writeSafetensors([{ name: "big", shape: [2], data: Float32Array.of(1, 70000), dtype: "F16" }]);
    expect(write).toThrow(/"big", element 1.*70000/);
  });
});
