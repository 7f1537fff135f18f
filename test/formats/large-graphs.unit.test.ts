/** @slow: it takes 7 seconds. */

/** Files of a few megabytes whose graphs, names or constants once kept a reader busy for seconds, minutes or for ever. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import type { GraphNode, ModelGraph } from "../../src/formats/graph.ts";
import { findConstants } from "../../src/understand/graph/constants.ts";
import { findPath } from "../../src/understand/graph/path.ts";
import {
  describe as describeModel,
  formatDescription,
  type LoadOptions,
  loadModel,
  writeSafetensors,
} from "../../src/weights/index.ts";
import { placeholder, tfNode } from "../writers/graph-def.ts";
import { floats, onnxModel, onnxNode } from "../writers/onnx.ts";
import { encode } from "../writers/protobuf.ts";
import { tflite } from "../writers/tflite.ts";

const MANY = 20_000;
/** Of the processor, not the clock, for what took 30 s or more and now takes less than one. */
const BOUND_MS = 6000;
/** Where a test would never have ended. */
const PATIENCE_MS = 60_000;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

async function refusal(
  bytes: Uint8Array,
  options: LoadOptions = {},
): Promise<{ readonly code: string; readonly message: string }> {
  const error: unknown = await loadModel(bytes, options).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!isDepthwiseError(error)) throw error ?? new Error("it was loaded");
  expect(error.message.length).toBeLessThan(5000);
  return error;
}

const code = async (bytes: Uint8Array, options?: LoadOptions) => (await refusal(bytes, options)).code;

describe("the path through a graph", () => {
  const node = (name: string, ...inputs: string[]): GraphNode => {
    return { name, operation: { type: "activation", function: "relu" }, inputs, outputs: [name] };
  };
  const graph = (nodes: readonly GraphNode[], outputs: readonly string[]): ModelGraph => {
    return { kind: "graph", inputs: [{ name: "x" }], nodes, constants: new Map(), outputs };
  };
  const chain = numbers(2000).map((i) => node(`r${i}`, i === 0 ? "x" : `r${i - 1}`));
  const names = chain.map(({ name }) => name);

  /** How often it asks whether an input is a constant, which it does once on each step. */
  function steps(of: ModelGraph) {
    const constants = findConstants(of, (reason) => new Error(reason));
    let asked = 0;
    const found = findPath(of, { ...constants, has: (name) => ++asked > 0 && constants.has(name) });
    return { found, asked };
  }

  it.each([
    ["in the order of the chain", names],
    ["in the opposite order", [...names].reverse()],
    ["several times", [...names, ...names]],
  ])("passes each node once if all are results, %s", (_, outputs) => {
    const { found, asked } = steps(graph(chain, outputs));
    expect(found).toMatchObject({ nodes: { length: 2000 } });
    expect(asked).toBe(2000);
  });

  it("passes each node once where every node has a leaf", () => {
    const leaves = names.map((name) => node(`leaf of ${name}`, name));
    const { found, asked } = steps(
      graph(
        [...chain, ...leaves],
        leaves.map(({ name }) => name),
      ),
    );
    expect(found).toEqual({ reason: "it has 2000 results that are not on one path" });
    expect(asked).toBe(4000);
  });

  it("is the longest, and results in its middle lie on it", () => {
    expect(steps(graph(chain, ["r5", "r1999", "x"])).found).toMatchObject({ nodes: chain });
    expect(steps(graph([...chain, node("aside", "r5")], ["r7", "aside"])).found).toHaveProperty("reason");
    expect(steps(graph(chain, ["x"])).found).toEqual({ reason: "nothing lies between its input and its result" });
    expect(steps(graph([node("a", "b"), node("b", "a")], ["a"])).found).toHaveProperty("reason");
  });
});

describe("a graph of 20,000 nodes is refused soon", () => {
  const relu = (i: number) => onnxNode("Relu", [i === 0 ? "x" : `y${i - 1}`], [`y${i}`]);
  const inputs = { x: [1, 3, 8, 8] };
  const tensors = numbers(MANY + 1).map((i) => ({ name: `t${i}`, shape: [1, 8, 8, 3] }));
  const layer = (name: string, className: string, config: object, inbound: unknown) => {
    return { class_name: className, name, config: { name, ...config }, inbound_nodes: inbound };
  };
  const input = layer("x", "InputLayer", { batch_input_shape: [null, 8, 8, 3] }, []);
  const reads = (name: string, call = 0) => [[name, call, 0, {}]];
  const keras = (layers: readonly unknown[], outputs: readonly unknown[]) => {
    const config = { name: "m", layers: [input, ...layers], input_layers: [["x", 0, 0]], output_layers: outputs };
    const modelTopology = { class_name: "Functional", config };
    const weightsManifest = [{ paths: [], weights: [] }];
    return new TextEncoder().encode(JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }));
  };
  const passing = (name: string, before: string) =>
    layer(
      name,
      "Functional",
      {
        layers: [{ ...input, name: "i", config: { ...input.config, name: "i" } }],
        input_layers: [["i", 0, 0]],
        output_layers: [["i", 0, 0]],
      },
      [reads(before)],
    );

  it.each<[string, () => Uint8Array]>([
    [
      "ONNX, a chain, all of it results",
      () => onnxModel({ nodes: numbers(MANY).map(relu), inputs, outputs: numbers(MANY).map((i) => `y${i}`) }),
    ],
    [
      "GraphDef, a chain with as many leaves",
      () =>
        encode([
          placeholder(1, 8, 8, 3),
          ...numbers(MANY).map((i) => tfNode(`r${i}`, "Relu", [i === 0 ? "input" : `r${i - 1}`])),
          ...numbers(MANY).map((i) => tfNode(`leaf${i}`, "Relu", [`r${i}`])),
        ]),
    ],
    [
      "TFLite, a chain, all of it results",
      () =>
        tflite({
          tensors,
          operators: numbers(MANY).map((i) => ({ code: 19, inputs: [i], outputs: [i + 1] })),
          outputs: numbers(MANY).map((i) => i + 1),
        }),
    ],
    [
      "Keras, a chain, all of it results",
      () =>
        keras(
          numbers(MANY).map((i) => layer(`r${i}`, "ReLU", {}, [reads(i === 0 ? "x" : `r${i - 1}`)])),
          numbers(MANY).map((i) => [`r${i}`, 0, 0]),
        ),
    ],
    [
      "Keras, one layer called again and again",
      () => {
        const calls = numbers(MANY).map((i) => (i === 0 ? reads("x") : reads("r", i - 1)));
        return keras([layer("r", "Rescaling", { scale: 1, offset: 0 }, calls)], [["r", MANY - 1, 0]]);
      },
    ],
    [
      "Keras, models that hand on what they are given",
      () => {
        const models = numbers(MANY).map((i) => passing(`m${i}`, i === 0 ? "x" : `m${i - 1}`));
        const layers = numbers(MANY).map((i) => layer(`r${i}`, "ReLU", {}, [reads(`m${MANY - 1}`)]));
        const results = numbers(MANY).map((i) => [`r${i}`, 0, 0]);
        return keras([...models, ...layers], results);
      },
    ],
  ])(
    "%s",
    async (_, file) => {
      const bytes = file();
      const start = process.cpuUsage();
      // More than the budget of a load allows for a graph like this: here it is the walks that are tried.
      expect((await refusal(bytes, { maxDecodedBytes: 2 ** 30 })).code).toBe("ARCHITECTURE_UNKNOWN");
      const { user, system } = process.cpuUsage(start);
      expect((user + system) / 1000).toBeLessThan(BOUND_MS);
    },
    PATIENCE_MS,
  );
});

describe("constants computed from each other", () => {
  const vector = (name: string, sides: readonly number[]) => {
    return floats(
      name,
      sides,
      numbers(sides.reduce((a, b) => a * b, 1)).map(() => 1),
    );
  };
  const inputs = { x: [1, 1, 8, 8] };

  // Each doubling asked for both of its halves anew: 2 ^ 60 sums.
  it(
    "that share branches without end are refused",
    async () => {
      const doublings = numbers(60).map((i) => onnxNode("Add", [`b${i}`, `b${i}`], [`b${i + 1}`]));
      const nodes = [...doublings, onnxNode("Conv", ["x", "w", "b60"], ["y"])];
      const initializers = [vector("b0", [5000]), vector("w", [5000, 1, 1, 1])];
      const { message } = await refusal(onnxModel({ nodes, initializers, inputs }));
      expect(message).toContain("its constants are computed from one another over and over");
    },
    PATIENCE_MS,
  );

  it(
    "and read by two thousand layers are refused",
    async () => {
      const sums = numbers(2000).map((i) => onnxNode("Add", [`y${i}`, "b"], [`y${i + 1}`]));
      const nodes = [onnxNode("Conv", ["x", "w"], ["y0"]), ...sums];
      const initializers = [vector("b", [400_000]), vector("w", [400_000, 1, 1, 1])];
      const { message } = await refusal(onnxModel({ nodes, initializers, inputs, outputs: ["y2000"] }));
      expect(message).toContain("its constants are computed from one another over and over");
    },
    PATIENCE_MS,
  );
});

describe("names and facts without end", () => {
  const value = new Float32Array(1);
  const file = (names: readonly string[], metadata: Record<string, string> = {}) =>
    writeSafetensors(
      names.map((name) => ({ name, shape: [1], data: value })),
      metadata,
    );
  const own = (network: object, names: readonly string[] = []) => {
    const whole = { name: "own", inputShape: [1], outputs: { output: "r" }, aliases: {}, info: {}, ...network };
    return file(names, { format: "depthwise", architecture: "custom", network: JSON.stringify(whole) });
  };
  const dense = { name: "r", type: "dense", attributes: { filters: 1, bias: false } };
  const relu = { name: "r", type: "activation", attributes: { function: "relu" } };

  // 20,000 letters took 8 s, 80,000 four minutes.
  it(
    "in tensors of an own network are named in short",
    async () => {
      const long = "x".repeat(80_000);
      const bytes = own({ layers: [{ ...dense, name: long }], outputs: { output: long } }, [
        `${"y".repeat(80_000)}/kernel`,
      ]);
      expect((await refusal(bytes)).message.length).toBeLessThan(1000);
    },
    PATIENCE_MS,
  );

  it(
    "in a layer's list of inputs are refused",
    async () => {
      const bytes = own({ layers: [{ name: "r", type: "add", inputs: numbers(MANY).map(() => "input") }] });
      expect(await code(bytes)).toBe("NETWORK_INVALID");
    },
    PATIENCE_MS,
  );

  it(
    "among what a file says of itself are refused",
    async () => {
      const facts = Object.fromEntries(numbers(200_000).map((i) => [`fact${i}`, i]));
      expect(await code(own({ layers: [relu], info: facts }))).toBe("FILE_CORRUPT");
      expect(await code(file(["conv1/kernel"], { options: JSON.stringify(facts) }))).toBe("FILE_CORRUPT");
    },
    PATIENCE_MS,
  );

  it(
    "make no row of a description longer than a few lines",
    async () => {
      const facts = Object.fromEntries(numbers(900).map((i) => [`fact${i}`, i]));
      const model = await loadModel(own({ layers: [relu], info: { ...facts, fact0: "x".repeat(1e6) } }));
      expect(formatDescription(describeModel(model)).length).toBeLessThan(900 * 400);
    },
    PATIENCE_MS,
  );

  // A pattern looked for zeros at the end from every zero there is: hours for this one.
  it(
    "zeros in a TFLite file's version are passed once",
    async () => {
      const version = new Uint8Array(1e6).fill(65, -1);
      const image = { name: "x", shape: [1, 8, 8, 3] };
      const bytes = tflite({
        tensors: [image, { ...image, name: "y" }],
        operators: [{ code: 28, inputs: [0], outputs: [1] }],
        metadata: { min_runtime_version: version },
      });
      expect(await code(bytes)).toBe("ARCHITECTURE_UNKNOWN");
    },
    PATIENCE_MS,
  );
});

describe("a node of 130,000 inputs", () => {
  const inputs = numbers(130_000).map(() => "x");
  const image = { name: "x", shape: [1, 8, 8, 3] };

  // As arguments of a function, so many overflowed the stack.
  it.each<[string, () => Uint8Array]>([
    ["of ONNX", () => onnxModel({ nodes: [onnxNode("Concat", inputs, ["y"])], inputs: { x: [1, 3, 8, 8] } })],
    ["of ONNX, a sum", () => onnxModel({ nodes: [onnxNode("Sum", inputs, ["y"])], inputs: { x: [1, 3, 8, 8] } })],
    [
      "of ONNX, without its first output",
      () => onnxModel({ nodes: [onnxNode("Split", inputs, ["", "y"])], inputs: { x: [1, 3, 8, 8] } }),
    ],
    [
      "of GraphDef",
      () =>
        encode([
          placeholder(1, 8, 8, 3),
          tfNode(
            "y",
            "AddN",
            inputs.map(() => "input"),
          ),
        ]),
    ],
    [
      "of TFLite",
      () =>
        tflite({
          tensors: [image, { ...image, name: "y" }],
          operators: [{ code: 2, inputs: inputs.map(() => 0), outputs: [1] }],
        }),
    ],
  ])("%s is refused by name", async (_, file) => {
    expect(await code(file(), { maxDecodedBytes: 2 ** 30 })).toBe("ARCHITECTURE_UNKNOWN");
  });
});
