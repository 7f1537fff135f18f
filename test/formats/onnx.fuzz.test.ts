/** Damaged ONNX models: a typed error or a whole answer, whatever byte is changed and wherever the file is cut. */

import { describe, expect, it } from "vitest";
import { DepthwiseError } from "../../src/core/errors.ts";
import type { ReadContext } from "../../src/formats/model-file.ts";
import type { read as readOnnx } from "../../src/formats/onnx/read.ts";
import { read as readProtobuf } from "../../src/formats/protobuf/read.ts";
import { attempt, mutations, structuralBytes } from "../fixtures/protobuf-mutations.ts";
import { rounds, seedOf } from "../fuzz.ts";
import {
  attr,
  bytes as byteTensor,
  initializer,
  int64s,
  onnxModel,
  onnxNode,
  smallOnnx,
  tensor,
} from "../writers/onnx.ts";
import { littleEndian } from "../writers/protobuf.ts";

const small = smallOnnx();
const beside = { "w.bin": littleEndian([1, 2, 3, 4]) };

/** With all that the small network lacks: quantization, external data, Constant nodes, pads, axes, a transposition. */
const good = onnxModel({
  ...small,
  inputs: { ...small.inputs, z: [1, 6, 6, 3] },
  outputs: ["probabilities", "pooled"],
  initializers: [
    ...(small.initializers ?? []),
    byteTensor("q", 3, [2, 3, 1, 1], 1, 2, 3, 4, 5, 6),
    initializer("scale", 10, [2], [5, { ints: [0x3c00, 0x3800] }]),
    byteTensor("zeros", 3, [2], 0, 1),
    int64s("pads", 0, 0, 1, 0, 0, 0, 1, 0),
    initializer(
      "e",
      1,
      [2],
      [14, { int: 1 }],
      [
        13,
        {
          message: [
            [1, { text: "location" }],
            [2, { text: "w.bin" }],
          ],
        },
      ],
      [
        13,
        {
          message: [
            [1, { text: "length" }],
            [2, { text: "8" }],
          ],
        },
      ],
    ),
  ],
  nodes: [
    ...(small.nodes ?? []),
    onnxNode("Pad", ["z", "pads"], ["padded"]),
    onnxNode("Transpose", ["padded"], ["t"], { perm: attr.ints(0, 3, 1, 2) }),
    onnxNode("DequantizeLinear", ["q", "scale", "zeros"], ["qw"], { axis: attr.i(0) }),
    onnxNode("Conv", ["t", "qw", "e"], ["s"], { auto_pad: attr.s("SAME_LOWER"), strides: attr.ints(2, 2) }),
    onnxNode("Constant", [], ["k"], { value: attr.t(tensor("", 1, [2, 1, 1], [4, { floats: [1, 2] }])) }),
    onnxNode("Mul", ["s", "k"], ["m"]),
    onnxNode("MaxPool", ["m"], ["mp"], { kernel_shape: attr.ints(2, 2), strides: attr.ints(2, 2) }),
    onnxNode("Add", ["mp", "f1"], ["o"]),
    onnxNode("Constant", [], ["f1"], { value_float: attr.f(0.5) }),
    onnxNode("ReduceMean", ["o"], ["pooled"], { axes: attr.ints(2, 3) }),
  ],
});

/** A file beside the model that is asked for under a damaged name does not exist. */
const readBeside: typeof readOnnx = (file, context: ReadContext) =>
  readProtobuf(
    {
      ...file,
      sibling: async (path) => {
        if (path === "w.bin") return beside["w.bin"];
        throw new DepthwiseError("FILE_NOT_FOUND", { what: path });
      },
    },
    context,
  );

describe("damaged ONNX models", () => {
  it("the file itself is read", async () => {
    expect(await attempt(readBeside, good)).toBe("read");
    expect(structuralBytes(good).length).toBeGreaterThan(500);
  });

  it("cut at every length", async () => {
    let refused = 0;
    for (let length = 0; length < good.length; length++) {
      if ((await attempt(readBeside, good.subarray(0, length))) === "refused") refused++;
    }
    // The graph is one message: only what follows it can be missing.
    expect(refused).toBeGreaterThan(good.length * 0.9);
  }, 60_000);

  it("every byte that is no number of a tensor, set to 0, to 255 and with its lowest bit changed", async () => {
    for (const at of structuralBytes(good)) {
      for (const value of [0, 255, (good[at] ?? 0) ^ 1]) {
        const bytes = good.slice();
        bytes[at] = value;
        await attempt(readBeside, bytes);
      }
    }
  }, 60_000);

  it("thousands of random mutations, half of them in tags, lengths and dimensions", async () => {
    const outcomes = { read: 0, refused: 0 };
    for (const bytes of mutations(good, rounds(3000), seedOf(20260802))) outcomes[await attempt(readBeside, bytes)]++;
    expect(outcomes.refused).toBeGreaterThan(500);
    expect(outcomes.read).toBeGreaterThan(100);
  }, 60_000);
});
