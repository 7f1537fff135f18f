/** Damaged frozen graphs: a typed error or a whole answer, whatever byte is changed and wherever the file is cut. */

import { describe, expect, it } from "vitest";
import { read as readProtobuf } from "../../src/formats/protobuf/read.ts";
import { read as readFrozenGraph } from "../../src/formats/tensorflow/read.ts";
import { attempt, mutations, structuralBytes } from "../fixtures/protobuf-mutations.ts";
import { rounds, seedOf } from "../fuzz.ts";
import { attr, smallGraphDef, tfConst, tfConstOf, tfInts, tfNode } from "../writers/graph-def.ts";
import { encode, type Field } from "../writers/protobuf.ts";

/** With all that the small network lacks: splats, halves, quantized weights, fused operations, pads, axes. */
const good = encode([
  ...smallGraphDef(),
  tfConstOf("q", 12, [1, 1, 3, 2], [4, { bytes: Uint8Array.of(0, 1, 2, 3, 4, 255) }]),
  tfConst("q/min", [], [-1]),
  tfConstOf("q/max", 19, [], [13, { ints: [0x3c00] }]),
  tfNode("q/values", "Dequantize", ["q", "q/min", "q/max"], { T: attr.type(12), mode: attr.s("MIN_FIRST") }),
  tfInts("pads", [4, 2], [0, 0, 0, 1, 0, 1, 0, 0]),
  tfNode("padded", "Pad", ["input", "pads"]),
  tfConstOf("splat", 1, [2], [5, { float: 0.5 }]),
  tfNode("side", "_FusedConv2D", ["padded", "q/values", "splat"], {
    strides: attr.ints(1, 1, 1, 1),
    padding: attr.s("EXPLICIT"),
    explicit_paddings: attr.ints(0, 0, 1, 1, 1, 1, 0, 0),
    fused_ops: attr.strings("BiasAdd", "Relu6"),
  }),
  tfInts("axes", [2], [1, 2]),
  tfNode("averaged", "Mean", ["side", "axes"]),
  tfInts("order", [4], [0, 1, 3, 2]),
  tfNode("turned", "Transpose", ["q/values", "order"]),
  tfNode("other", "Einsum", ["averaged", "turned"], { _output_shapes: attr.shapes(1, 2) }),
] satisfies Field[]);

describe("damaged frozen graphs", () => {
  it("the file itself is read", async () => {
    expect(await attempt(readProtobuf, good)).toBe("read");
    expect(structuralBytes(good).length).toBeGreaterThan(1000);
  });

  it("cut at every length", async () => {
    let refused = 0;
    for (let length = 0; length < good.length; length++) {
      if ((await attempt(readProtobuf, good.subarray(0, length))) === "refused") refused++;
    }
    // A cut between two nodes may leave a graph that is whole.
    expect(refused).toBeGreaterThan(good.length * 0.9);
  }, 60_000);

  it("every byte that is no number of a tensor, set to 0, to 255 and with its lowest bit changed", async () => {
    for (const at of structuralBytes(good)) {
      for (const value of [0, 255, (good[at] ?? 0) ^ 1]) {
        const bytes = good.slice();
        bytes[at] = value;
        await attempt(readFrozenGraph, bytes);
      }
    }
  }, 60_000);

  it("thousands of random mutations, half of them in tags, lengths and dimensions", async () => {
    const outcomes = { read: 0, refused: 0 };
    for (const bytes of mutations(good, rounds(3000), seedOf(20260801))) outcomes[await attempt(readProtobuf, bytes)]++;
    expect(outcomes.refused).toBeGreaterThan(500);
    expect(outcomes.read).toBeGreaterThan(100);
  }, 60_000);
});
