/** A real frozen graph of TF-slim, its constants against a reading of the same bytes that shares no code. */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { read } from "../../src/formats/protobuf/read.ts";
import { graphOf, nodeNamed, opened, valuesOf } from "../fixtures/opened-files.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const SCOPE = "MobilenetV1/MobilenetV1/";

describeShared("the frozen graph of a MobileNet V1", () => {
  const bytes = () => new Uint8Array(readFileSync(`${sharedRoot}/weights/mobilenet_v1_0.25_128_frozen_graph.pb`));
  const load = async () => graphOf(await read(opened(bytes()), { maxBytes: 1e8 }));

  it("has 28 convolutions, 27 batch norms written out, and the pool of the whole image", async () => {
    const graph = await load();
    expect(graph.inputs).toEqual([{ name: "input", shape: [128, 128, 3] }]);
    expect(graph.outputs).toEqual(["MobilenetV1/Predictions/Reshape_1"]);
    const count = new Map<string, number>();
    for (const { operation } of graph.nodes) count.set(operation.type, (count.get(operation.type) ?? 0) + 1);
    expect(Object.fromEntries(count)).toEqual({
      convolution: 28,
      add: 27 * 2 + 1,
      rsqrt: 27,
      multiply: 27 * 3,
      subtract: 27,
      activation: 27,
      globalPool: 1,
      identity: 1,
      reshape: 3,
      softmax: 1,
    });
    const convolutions = graph.nodes.flatMap(({ name, operation }) =>
      operation.type === "convolution" ? [{ name, ...operation }] : [],
    );
    expect(convolutions.every(({ padding }) => padding === "same")).toBe(true);
    expect(convolutions.filter(({ layout }) => layout === "HWIM")).toHaveLength(13);
    expect(convolutions.filter(({ strides }) => strides[0] === 2).map(({ name }) => name.slice(SCOPE.length))).toEqual([
      "Conv2d_0/convolution",
      ...[2, 4, 6, 12].map((block) => `Conv2d_${block}_depthwise/depthwise`),
    ]);
    const steps = ["add", "Rsqrt", "mul", "mul_1", "mul_2", "sub", "add_1"];
    for (const step of steps) nodeNamed(graph, `${SCOPE}Conv2d_0/BatchNorm/batchnorm/${step}`);
  });

  it("has an epsilon of 0.001 in every batch norm", async () => {
    const graph = await load();
    const epsilons = [...graph.constants.keys()].filter((name) => name.endsWith("/batchnorm/add/y"));
    expect(epsilons).toHaveLength(27);
    for (const name of epsilons) expect(valuesOf(graph, name), name).toEqual([Math.fround(0.001)]);
  });

  it("has the numbers that lie behind each name in the file", async () => {
    const graph = await load();
    const file = bytes();
    let compared = 0;
    for (const constant of graph.constants.values()) {
      if (constant.shape.length === 0) continue;
      expect(constant.read(), constant.name).toEqual(contentAfter(file, constant.name, constant.shape));
      compared++;
    }
    // Kernels, four vectors for each batch norm, kernel and bias of the classifier.
    expect(compared).toBe(27 * 5 + 2);
  });
});

/**
 * The floats of a constant, found by its name as bytes: `0a LENGTH name 12 05 "Const"`, then, within the node, the
 * last field 4 (`tensor_content`) whose length is that of the shape.
 */
function contentAfter(file: Uint8Array, name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, side) => product * side, 1);
  const text = Buffer.from(name, "latin1");
  const head = Buffer.concat([Buffer.of(0x0a, text.length), text, Buffer.of(0x12, 5), Buffer.from("Const")]);
  const at = Buffer.from(file.buffer, file.byteOffset, file.length).indexOf(head);
  if (at < 0) throw new Error(`no constant ${name} in the bytes`);
  const length: number[] = [];
  for (let rest = 4 * count; rest > 0 || length.length === 0; rest >>>= 7)
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  const marker = Buffer.of(0x22, ...length);
  const content =
    Buffer.from(file.buffer, file.byteOffset, file.length).indexOf(marker, at + head.length) + marker.length;
  if (content - at > 200) throw new Error(`no content near ${name}`);
  return new Float32Array(file.slice(content, content + 4 * count).buffer);
}
