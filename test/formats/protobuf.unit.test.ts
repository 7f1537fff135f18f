/** The decoder of messages, and which reader a protobuf file goes to. */

import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import { openProtobuf } from "../../src/formats/protobuf/message.ts";
import { read } from "../../src/formats/protobuf/read.ts";
import { opened } from "../fixtures/opened-files.ts";
import { attr, placeholder, tfNode } from "../writers/graph-def.ts";
import { encode, type Field } from "../writers/protobuf.ts";

const context = { maxBytes: 1e6 };

const SCHEMA = {
  text: [1, "string"],
  number: [2, "int"],
  numbers: [3, "int", "repeated"],
  floats: [4, "float", "repeated"],
  double: [5, "double"],
  inner: [6, { bytes: [1, "bytes"] }, "repeated"],
} as const;

async function decode(bytes: Uint8Array, maxBytes = 1e6) {
  return openProtobuf({ name: "file", bytes }, { maxBytes }).decodeFile(SCHEMA, "Message");
}

async function refusal(promise: Promise<unknown>): Promise<DepthwiseError> {
  const error = await promise.then(
    () => new Error("nothing was refused"),
    (cause: unknown) => cause,
  );
  if (!(error instanceof DepthwiseError)) throw error;
  return error;
}

describe("messages", () => {
  it("gives undefined and empty lists for what is left out", async () => {
    expect(await decode(new Uint8Array())).toEqual({
      text: undefined,
      number: undefined,
      numbers: [],
      floats: [],
      double: undefined,
      inner: [],
    });
  });

  it("reads every kind of field, packed and one by one, the last of what stands twice", async () => {
    const message = await decode(
      encode([
        [1, { text: "first" }],
        [1, { text: "größer" }],
        [2, { int: -5 }],
        [3, { ints: [1, 300, -1] }],
        [3, { int: 7 }],
        [4, { float: 0.5 }],
        [4, { floats: [1.5, -2] }],
        [6, { message: [[1, { bytes: Uint8Array.of(9, 8) }]] }],
        [6, { message: [] }],
        [99, { text: "unknown" }],
      ]),
    );
    expect(message).toEqual({
      text: "größer",
      number: -5,
      numbers: [1, 300, -1, 7],
      floats: [0.5, 1.5, -2],
      double: undefined,
      inner: [{ bytes: Uint8Array.of(9, 8) }, { bytes: undefined }],
    });
  });

  it("reads doubles", async () => {
    const bytes = Uint8Array.of((5 << 3) | 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f);
    expect((await decode(bytes)).double).toBe(1.5);
  });

  it("says what is wrong with a field, and whether the file was cut", async () => {
    expect((await refusal(decode(encode([[1, { int: 1 }]])))).message).toBe(
      "file: Message.text: expected wire type 2, found 0. The file is damaged or incomplete; fetch it again. Nothing was loaded.",
    );
    const whole = encode([[1, { text: "a text of some length" }]]);
    expect((await refusal(decode(whole.subarray(0, 9)))).code).toBe("FILE_TRUNCATED");
    // A message inside that claims more than it has is no cut file.
    const inner = encode([[6, { bytes: Uint8Array.of(0x0a, 50) }]]);
    expect((await refusal(decode(inner))).code).toBe("FILE_CORRUPT");
    expect((await refusal(decode(Uint8Array.of(0x0f)))).code).toBe("FILE_CORRUPT");
  });

  const many = (count: number): readonly Field[][] => [
    Array.from({ length: 20 * count }, (): Field => [6, { message: [] }]),
    [[3, { ints: Array.from({ length: 200 * count }, () => 1) }]],
    [[1, { text: "x".repeat(3000 * count) }]],
  ];

  it("charges what is decoded before it grows: empty messages, numbers of one byte, texts", async () => {
    for (const fields of many(1000)) {
      expect((await refusal(decode(encode(fields), 100_000))).code).toBe("FILE_TOO_LARGE");
      await decode(encode(fields), 1e7);
    }
  });

  it("has objects of an ordinary network for free, as all readers have", async () => {
    for (const fields of many(100)) await decode(encode(fields), 1);
  });

  it("counts and copies the numbers of a field without a list in between", async () => {
    const bytes = encode([
      [3, { ints: [5, -6] }],
      [4, { floats: [1.5] }],
      [3, { int: 7 }],
    ]);
    const protobuf = openProtobuf({ name: "file", bytes }, context);
    expect(protobuf.countNumbers(bytes, 3, "int32", "x")).toBe(3);
    const target = new Float32Array(4);
    protobuf.copyNumbers(bytes, 3, "int32", target, "x");
    expect([...target]).toEqual([5, -6, 7, 0]);
    expect(() => protobuf.countNumbers(bytes, 4, "int32", "x")).not.toThrow();
    const odd = encode([[4, { bytes: Uint8Array.of(1, 2, 3) }]]);
    expect(() => protobuf.countNumbers(odd, 4, "float", "x")).toThrow(DepthwiseError);
  });
});

describe("kinds of protobuf files", () => {
  const graph = [placeholder(1, 8, 8, 3), tfNode("relu", "Relu", ["input"])];

  it("reads a GraphDef", async () => {
    expect((await read(opened(encode(graph)), context)).format).toBe("TensorFlow frozen graph");
  });

  it("reads an ONNX model, whatever stands in it besides the graph", async () => {
    const onnx: Field[] = [
      [1, { int: 7 }],
      [2, { text: "producer" }],
      [
        7,
        {
          message: [
            [11, { message: [[1, { text: "x" }]] }],
            [12, { message: [[1, { text: "x" }]] }],
          ],
        },
      ],
    ];
    expect((await read(opened(encode(onnx)), context)).format).toBe("ONNX");
    expect((await read(opened(encode(onnx.slice(2))), context)).format).toBe("ONNX");
  });

  it.each<readonly [string, Field[], string]>([
    [
      "SavedModel",
      [
        [1, { int: 1 }],
        [2, { message: [[2, { message: graph }]] }],
      ],
      "SavedModel, whose weights lie",
    ],
    [
      "MetaGraph",
      [
        [1, { message: [] }],
        [2, { message: graph }],
        [3, { message: [] }],
      ],
      "MetaGraph (.meta)",
    ],
    [
      "Caffe",
      [
        [1, { text: "net" }],
        [100, { message: [[1, { text: "conv1" }]] }],
      ],
      "a Caffe network",
    ],
    [
      "unknown",
      [
        [2, { int: 1 }],
        [9, { text: "data" }],
      ],
      "a protobuf message of another kind",
    ],
  ])("refuses %s by name", async (kind, fields, phrase) => {
    const error = await refusal(read(opened(encode(fields)), context));
    expect(error.code).toBe("FORMAT_UNKNOWN");
    expect(error.message).toContain(phrase);
    expect(error.fields).toMatchObject({ kind });
  });

  it("says FILE_TRUNCATED for a cut ONNX model, not that it is of another kind", async () => {
    const graphs: Field[] = [
      [1, { int: 7 }],
      [7, { message: [[2, { text: "a name that is long enough" }]] }],
    ];
    expect((await refusal(read(opened(encode(graphs).subarray(0, 12)), context))).code).toBe("FILE_TRUNCATED");
  });

  it("keeps attributes of a GraphDef apart from those of other kinds", async () => {
    const empty = encode([tfNode("input", "Placeholder", [], { shape: attr.shape() }), tfNode("y", "Relu", ["input"])]);
    const { content } = await read(opened(empty), context);
    expect(content.kind === "graph" && content.inputs).toEqual([{ name: "input" }]);
  });
});
