/** Sizes behind broadcast products, casts, and advice: what a graph made to mislead must not get past in silence. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { compile } from "../../src/session/compile.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { functional, type Layer, layer } from "../fixtures/keras-models.ts";
import { readJson } from "../fixtures/tfjs-files.ts";
import { placeholder, attr as tf, tfConst, tfInts, tfNode } from "../writers/graph-def.ts";
import { attr, floats, initializer, int64s, onnxModel, onnxNode } from "../writers/onnx.ts";
import { encode, type Field } from "../writers/protobuf.ts";
import { tflite } from "../writers/tflite.ts";

const SIXTEEN = Float32Array.from({ length: 16 }, (_, i) => i + 1);
/** Each second pixel each way, times the mean of 8.5. */
const WANTED = [8.5, 25.5, 76.5, 93.5];

async function run(file: Uint8Array, input = SIXTEEN): Promise<readonly number[]> {
  const session = await compile(await loadModel(file), { backend: "reference" });
  const results = await session.run(input);
  session.close();
  return [...(Object.values(results)[0] as { readonly data: Float32Array }).data];
}

async function refusal(file: Uint8Array): Promise<string> {
  const error: unknown = await loadModel(file).then(
    () => new Error("nothing was refused"),
    (cause: unknown) => cause,
  );
  if (!isDepthwiseError(error)) throw error;
  return `${error.code} ${error.message}`;
}

const onnx = (nodes: readonly Field[], initializers: readonly Field[] = [], sides = [1, 1, 4, 4]) =>
  onnxModel({ nodes, initializers, inputs: { x: sides } });

const STEP: Parameters<typeof onnxNode>[3] = { kernel_shape: attr.ints(1, 1), strides: attr.ints(2, 2) };

describe("a 1 × 1 pool behind a broadcast is no pool of the whole image", () => {
  it.each([
    ["g", "r"],
    ["r", "g"],
  ])("in ONNX, %s times %s", async (a, b) => {
    const nodes = [
      onnxNode("GlobalAveragePool", ["x"], ["g"]),
      onnxNode("Reshape", ["x", "s"], ["r"]),
      onnxNode("Mul", [a, b], ["m"]),
      onnxNode("MaxPool", ["m"], ["p"], STEP),
      onnxNode("Relu", ["p"], ["y"]),
    ];
    expect(await run(onnx(nodes, [int64s("s", 1, 1, 4, 4)]))).toEqual(WANTED);
  });

  it("in a frozen graph", async () => {
    const nodes = (a: string, b: string) => [
      placeholder(-1, 4, 4, 1),
      tfInts("axes", [2], [1, 2]),
      tfInts("s", [4], [-1, 4, 4, 1]),
      tfNode("g", "Mean", ["input", "axes"], { keep_dims: tf.b(true) }),
      tfNode("r", "Reshape", ["input", "s"]),
      tfNode("m", "Mul", [a, b]),
      tfNode("p", "MaxPool", ["m"], {
        ksize: tf.ints(1, 1, 1, 1),
        strides: tf.ints(1, 2, 2, 1),
        padding: tf.s("VALID"),
      }),
      tfNode("y", "Relu", ["p"]),
    ];
    expect(await run(encode(nodes("r", "g")))).toEqual(WANTED);
    expect(await run(encode(nodes("g", "r")))).toEqual(WANTED);
  });

  it.each([
    ["Multiply", "MaxPooling2D", 2],
    ["Add", "AveragePooling2D", 1],
  ])("in Keras, %s in front of %s", async (merge, pool, strides) => {
    const layers: Layer[] = [
      { className: "InputLayer", name: "x", config: { batch_input_shape: [null, 4, 4, 1] } },
      layer("GlobalAveragePooling2D", "gate", { keepdims: true }, ["x"]),
      layer(merge, "m", {}, ["gate", "x"]),
      layer(pool, "p", { pool_size: 1, strides }, ["m"]),
    ];
    const json = { format: "layers-model", modelTopology: { model_config: functional(layers) }, weightsManifest: [] };
    const { content } = await readJson(json);
    const last = content.kind === "graph" ? content.nodes.at(-1)?.operation : undefined;
    expect(last).toMatchObject({ type: "pool", kernel: [1, 1], strides: [strides, strides] });
  });

  it("in TFLite, where the file leaves the sides open", async () => {
    const open = [-1, -1, -1, 3];
    const more = { 7: ["int32s", open] } as const;
    const image = { name: "x", shape: [1, 1, 1, 3], more };
    const options = { 0: ["int8", 1], 1: ["int32", 2], 2: ["int32", 2], 3: ["int32", 1], 4: ["int32", 1] } as const;
    const model = await loadModel(
      tflite({
        tensors: [image, { ...image, name: "y" }],
        operators: [{ code: 17, inputs: [0], outputs: [1], options }],
      }),
    );
    expect(model.layers.map(({ type }) => type)).toEqual(["maxPool"]);
  });

  it("in ONNX, over channels that were moved to where the height or width was", async () => {
    const sides = [1, 8, 1, 1];
    const input = SIXTEEN.subarray(0, 8);
    for (const [perm, wanted] of [
      [
        [0, 2, 3, 1],
        [1, 3, 5, 7],
      ],
      [
        [0, 2, 1, 3],
        [1, 3, 5, 7],
      ],
    ] as const) {
      const nodes = [
        onnxNode("GlobalAveragePool", ["x"], ["g"]),
        onnxNode("Transpose", ["g"], ["t"], { perm: attr.ints(...perm) }),
        onnxNode("MaxPool", ["t"], ["p"], STEP),
        onnxNode("Relu", ["p"], ["y"]),
      ];
      const found = await run(onnx(nodes, [], sides), input).catch((error: unknown) => error);
      if (!isDepthwiseError(found)) expect(found, perm.join()).toEqual(wanted);
    }
  });

  it("and a pool over what is known to be one pixel still is one", async () => {
    const nodes = [
      onnxNode("GlobalAveragePool", ["x"], ["g"]),
      onnxNode("Mul", ["g", "v"], ["m"]),
      onnxNode("AveragePool", ["m"], ["y"], STEP),
    ];
    const model = await loadModel(onnx(nodes, [floats("v", [1, 3, 1, 1], [1, 2, 3])], [1, 3, 4, 4]));
    expect(model.layers.map(({ type }) => type)).toEqual(["globalAveragePool", "batchNorm", "globalAveragePool"]);
  });
});

describe("a cast is the same numbers only to a float type", () => {
  const castOf = (...types: number[]) => [
    ...types.map((to, i) => onnxNode("Cast", [i === 0 ? "x" : `c${i}`], [`c${i + 1}`], { to: attr.i(to) })),
    onnxNode("Relu", [`c${types.length}`], ["y"]),
  ];
  it.each([
    [9, "BOOL"],
    [7, "INT64"],
    [2, "UINT8"],
    [8, "STRING"],
    [99, "type 99"],
    [0, "no type"],
  ])("in ONNX: %i is refused as %s", async (type, name) => {
    const found = await refusal(onnx(castOf(type, 1)));
    expect(found).toMatch(/^ARCHITECTURE_UNKNOWN /);
    expect(found).toContain(`"c1" is a Cast to ${name}`);
  });

  it("in ONNX: float types are read", async () => {
    expect(await run(onnx(castOf(1, 10, 11, 16, 1)))).toEqual([...SIXTEEN]);
  });

  it("in ONNX: few constants are cast as they should be, more are refused", async () => {
    const file = (type: number, values: readonly number[]) =>
      onnx(
        [
          onnxNode("Cast", ["v"], ["i"], { to: attr.i(type) }, { name: "v" }),
          onnxNode("Cast", ["i"], ["f"], { to: attr.i(1) }),
          onnxNode("Mul", ["x", "f"], ["y"]),
        ],
        [floats("v", [1, values.length, 1, 1], values)],
        [1, values.length, 1, 1],
      );
    const ones = (count: number) => new Float32Array(count).fill(1);
    expect(await run(file(7, [1.7, -1.7, 0]), ones(3))).toEqual([1, -1, 0]);
    expect(await run(file(9, [1.7, -1.7, 0]), ones(3))).toEqual([1, 1, 0]);
    expect(await run(file(10, [1 + 2 ** -12, 2, 3]), ones(3))).toEqual([1, 2, 3]);
    expect(await refusal(file(2, [1.7, -1.7, 0]))).toContain("is a Cast to UINT8");
    expect(await refusal(file(6, [Number.NaN]))).toContain("is a Cast to INT32");
    expect(await refusal(file(7, Array(100).fill(1.5)))).toContain("is a Cast to INT64");
  });

  it("in ONNX: an image of bytes is made floats of in front of everything else", async () => {
    const kernel = initializer("w", 2, [1, 1, 1, 1], [9, { bytes: Uint8Array.of(3) }]);
    const nodes = [
      onnxNode("Cast", ["x"], ["c"], { to: attr.i(1) }),
      onnxNode("Cast", ["w"], ["k"], { to: attr.i(1) }),
      onnxNode("Conv", ["c", "k"], ["y"]),
    ];
    expect(await run(onnx(nodes, [kernel]))).toEqual([...SIXTEEN.map((value) => 3 * value)]);
  });

  it("in ONNX: a shape that is cast is still stated", async () => {
    const nodes = [
      onnxNode("Cast", ["s"], ["i"], { to: attr.i(7) }),
      onnxNode("Reshape", ["x", "i"], ["r"]),
      onnxNode("Relu", ["r"], ["y"]),
    ];
    expect(await run(onnx(nodes, [floats("s", [2], [1, 16])]))).toEqual([...SIXTEEN]);
  });

  const frozen = (...types: number[]) =>
    encode([
      placeholder(-1, 4, 4, 1),
      ...types.map((type, i) =>
        tfNode(`c${i + 1}`, "Cast", [i === 0 ? "input" : `c${i}`], { SrcT: tf.type(1), DstT: tf.type(type) }),
      ),
      tfNode("y", "Relu", [`c${types.length}`]),
    ]);

  it.each([
    [3, "DT_INT32"],
    [10, "DT_BOOL"],
    [9, "DT_INT64"],
    [4, "DT_UINT8"],
  ])("in a frozen graph: %i is refused as %s", async (type, name) => {
    expect(await refusal(frozen(type, 1))).toContain(`"c1" is a Cast to ${name}`);
  });

  it("in a frozen graph: float types are read, and few constants cast", async () => {
    expect(await run(frozen(1, 2, 19, 14, 1))).toEqual([...SIXTEEN]);
    const nodes = [
      placeholder(-1, 4, 4, 1),
      tfConst("v", [], [2.7]),
      tfNode("i", "Cast", ["v"], { SrcT: tf.type(1), DstT: tf.type(3) }),
      tfNode("f", "Cast", ["i"], { SrcT: tf.type(3), DstT: tf.type(1) }),
      tfNode("y", "Mul", ["input", "f"]),
    ];
    expect(await run(encode(nodes))).toEqual([...SIXTEEN.map((value) => 2 * value)]);
  });

  it("in TFLite it is refused", async () => {
    const image = { shape: [1, 4, 4, 1] };
    const operators = [{ code: 53, inputs: [0], outputs: [1] }];
    expect(await refusal(tflite({ tensors: [image, { ...image, type: "int32" }], operators }))).toContain("is a CAST");
  });
});

describe("no option mends the layers of a file", () => {
  const vectors = ["a", "b", "c", "d"].map((name) => floats(name, [3], [1, 2, 3]));
  const far = 2 ** 29;
  const pads = attr.ints(0, 0, far, 0, 0, 0, far, 0);
  it.each<[string, Field, readonly Field[]]>([
    ["no filters", onnxNode("Conv", ["x", "w"], ["y"]), [floats("w", [0, 3, 1, 1], [])]],
    [
      "an endless epsilon",
      onnxNode("BatchNormalization", ["x", "a", "b", "c", "d"], ["y"], { epsilon: attr.f(Infinity) }),
      vectors,
    ],
    ["endless pads", onnxNode("Pad", ["x"], ["y"], { pads }), []],
    [
      "an endless window",
      onnxNode("MaxPool", ["x"], ["y"], { kernel_shape: attr.ints(far, 1), pads: attr.ints(far, 0, far, 0) }),
      [],
    ],
  ])("%s", async (_, node, initializers) => {
    const found = await refusal(onnx([node], initializers, [1, 3, 8, 8]));
    expect(found).toMatch(/^FILE_CORRUPT /);
    expect(found).not.toContain("loadModel");
    expect(found).toContain("The file is damaged, or describes what cannot run.");
  });
});
