/** Why a graph is no MobileNet V1: each node that has no place in one is named, and what it looks like instead. */

import { describe, expect, it } from "vitest";
import type { GraphNode, GraphOperation, ModelGraph, Pair } from "../../src/formats/graph.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { understandGraph } from "../../src/understand/architectures/mobilenet-v1/from-graph.ts";
import { recogniseGraph } from "../../src/understand/graph/recognise.ts";
import { GraphBuilder, type GraphOptions, mobileNetGraph, withSize } from "../fixtures/graphs.ts";

const found = (graph: ModelGraph) => understandGraph(graph, "test", decodedBudget());
const facts = (graph: ModelGraph) => {
  const understood = found(graph);
  if (typeof understood === "string") throw new Error(understood);
  return understood.facts;
};

const one: Pair = [1, 1];
const conv = (more: Partial<Extract<GraphOperation, { type: "convolution" }>> = {}): GraphOperation => {
  return { type: "convolution", layout: "HWIO", strides: one, dilations: one, padding: "same", groups: 1, ...more };
};
const relu: GraphOperation = { type: "activation", function: "relu" };
const mean: GraphOperation = { type: "globalPool", kind: "average" };
const dense: GraphOperation = { type: "dense", transposed: false };
const softmax: GraphOperation = { type: "softmax" };
const pad: GraphOperation = {
  type: "pad",
  padding: [
    [1, 1],
    [1, 1],
  ],
};
const window: GraphOperation = { type: "pool", kind: "max", kernel: [2, 2], strides: [2, 2], padding: "valid" };

/** A first layer of four channels, behind which something stands. */
const stem = (kernel: readonly number[] = [3, 3, 3, 4]) => {
  const g = new GraphBuilder();
  return g.node("a", conv(), g.constant("w", kernel));
};
const bare = (g: GraphBuilder) => g.node("p", mean).node("fc", dense, g.constant("v", [4, 5]));

describe("a chain of operations that is none", () => {
  it.each<[string, (g: GraphBuilder) => unknown]>([
    ['"r" follows the softmax', (g) => g.node("s", softmax).node("r", relu)],
    ['"m" follows a layer of padding', (g) => g.node("z", pad).node("m", window)],
    ['the kernel of "b" is computed', (g) => g.node("b", conv())],
    ['the kernel of "b" is computed', (g) => g.node("p", mean).node("b", dense)],
    ['"s" has 1 operands, not two', (g) => g.node("s", { type: "add" })],
    ['"s" has 3 operands, not two', (g) => g.node("s", { type: "multiply" }, g.scalar("x", 1), g.scalar("y", 2))],
    [
      '"s" divides by what is computed',
      (g) => {
        g.value = g.aside("s", { type: "divide" }, g.scalar("x", 1), "a");
      },
    ],
    ['"s" changes pooled features', (g) => g.node("p", mean).node("s", { type: "add" }, g.scalar("x", 1))],
    ['"s" follows an activation', (g) => g.node("r", relu).node("s", { type: "subtract" }, g.scalar("x", 1))],
    ['"q" follows no convolution', (g) => g.node("r", relu).node("q", relu)],
    ['"r" follows no convolution', (g) => g.node("p", mean).node("r", relu)],
    ['"h" is a hardSwish', (g) => g.node("h", { type: "activation", function: "hardSwish" })],
    ['"h" is a hardSigmoid', (g) => g.node("h", { type: "activation", function: "hardSigmoid" })],
    ['"q" pools where there are no features', (g) => g.node("p", mean).node("q", mean)],
    ['"q" pools between the layers', (g) => g.node("p", window).node("q", window)],
    ['"r" takes a root of what is computed', (g) => g.node("r", { type: "rsqrt" })],
    ['"o" is an ELU', (g) => g.node("o", { type: "other", name: "ELU" })],
    ['"o" is a TANH', (g) => g.node("o", { type: "other", name: "TANH" })],
    ['"o" is a UNIQUE', (g) => g.node("o", { type: "other", name: "UNIQUE" })],
    ['"o" is a QUEUE', (g) => g.node("o", { type: "other", name: "QUEUE" })],
    [
      '"r" joins two branches',
      (g) => {
        g.value = g.aside("r", { type: "add" }, "a", "input");
      },
    ],
    [
      'a weight of "b" is computed from the input',
      (g) => {
        g.value = g.aside("b", conv(), g.constant("x", [1, 8, 8, 3]), "a");
      },
    ],
    [
      '"b" does not depend on the input',
      (g) => {
        g.value = g.aside("b", conv(), g.constant("x", [1, 8, 8, 3]), g.constant("v", [1, 1, 3, 3]));
      },
    ],
  ])("%s", (reason, build) => {
    const g = stem();
    build(g);
    expect(found(g.graph([8, 8, 3]))).toBe(reason);
  });

  it.each<[string, (g: GraphBuilder) => unknown]>([
    ['"r" follows no convolution', (g) => g.node("r", relu)],
    ['"p" pools where there are no features', (g) => g.node("p", mean)],
    ['"p" pools between the layers', (g) => g.node("p", window)],
    ["it has no convolution before its classifier", (g) => g.node("fc", dense, g.constant("w", [3, 2]))],
  ])("at its beginning: %s", (reason, build) => {
    const g = new GraphBuilder();
    build(g);
    expect(found(g.graph([8, 8, 3]))).toBe(reason);
  });

  it("has numbers behind a layer that are not one for each of its channels", () => {
    const said = 'what follows "a" does not fit its 4 channels';
    for (const type of ["add", "subtract", "multiply", "divide"] as const) {
      const g = stem();
      expect(found(g.node("s", { type }, g.constant("c", [3])).graph([8, 8, 3]))).toBe(said);
    }
    for (const wrong of ["gamma", "beta", "mean", "variance"]) {
      const g = stem();
      const parts = ["gamma", "beta", "mean", "variance"].map((part) => g.constant(part, [part === wrong ? 3 : 4]));
      expect(found(g.node("n", { type: "batchNorm", epsilon: 1e-3 }, ...parts).graph([8, 8, 3]))).toBe(said);
    }
    const biased = new GraphBuilder();
    biased.node("a", conv(), biased.constant("w", [3, 3, 3, 4]), biased.constant("b", [5]));
    expect(found(biased.graph([8, 8, 3]))).toBe(said);
  });

  it("computes its constants from one another over and over", () => {
    const g = new GraphBuilder();
    let bias = g.constant("b", [5000]);
    for (let i = 0; i < 20; i++) bias = g.aside(`b${i}`, { type: "add" }, bias, bias);
    g.node("a", conv(), g.constant("w", [1, 1, 3, 5000]), bias);
    expect(found(g.graph([8, 8, 3]))).toBe("its constants are computed from one another over and over");
  });

  it("may have what changes nothing anywhere", () => {
    const plain = withSize(mobileNetGraph());
    const more: GraphNode[] = plain.nodes.flatMap((node) => {
      const [output = ""] = node.outputs;
      if (!/^(op3|mean|flat|head)$/.test(node.name)) return [node];
      const first = { ...node, outputs: [`${output}/0`] };
      const same = { name: `${output}/same`, operation: { type: "identity" }, inputs: [`${output}/0`] } as const;
      const linear = { type: "activation", function: "linear" } as const;
      const last = { name: `${output}/linear`, operation: linear, inputs: [`${output}/1`], outputs: [output] };
      return [first, { ...same, outputs: [`${output}/1`] }, last];
    });
    expect(facts({ ...plain, nodes: more })).toEqual(facts(plain));
  });
});

describe("what moves no number", () => {
  it("may stand behind every node, a layer of padding and the softmax among them", () => {
    const plain = withSize(mobileNetGraph({ padding: "keras" }));
    const nodes: GraphNode[] = plain.nodes.flatMap((node) => {
      const [output = ""] = node.outputs;
      const [first, second] = [`${output}/0`, `${output}/1`];
      return [
        { ...node, outputs: [first] },
        { name: second, operation: { type: "identity" }, inputs: [first], outputs: [second] },
        { name: `${output}/2`, operation: { type: "reshape" }, inputs: [second], outputs: [output] },
      ];
    });
    expect(facts({ ...plain, nodes })).toEqual(facts(plain));
  });
});

describe("a graph without one way through", () => {
  it("has no input, or two", () => {
    const graph = stem().graph([8, 8, 3]);
    expect(found({ ...graph, inputs: [] })).toBe("it has no input");
    expect(found({ ...graph, inputs: [...graph.inputs, { name: "b" }] })).toBe("it has 2 inputs");
  });

  it("has results beside one another, not behind", () => {
    const g = mobileNetGraph();
    const graph = withSize(g);
    const apart = g.aside("apart", relu, "op3");
    expect(found({ ...graph, outputs: [...graph.outputs, apart] })).toBe("it has 2 results that are not on one path");
    expect(found({ ...graph, outputs: [apart, ...graph.outputs] })).toBe("it has 2 results that are not on one path");
    for (const outputs of [
      ["op3", "softmax"],
      ["softmax", "op3"],
      ["input", "softmax", "mean", "op3", "softmax"],
    ]) {
      expect(facts({ ...graph, outputs }), `${outputs}`).toEqual(facts(graph));
    }
  });

  it("has nothing in between, or a result that nothing computes", () => {
    const graph = stem().graph([8, 8, 3]);
    for (const outputs of [[], ["input"]]) {
      expect(found({ ...graph, outputs })).toBe("nothing lies between its input and its result");
    }
    expect(found({ ...graph, outputs: ["b"] })).toBe('nothing computes "b"');
    const [node] = graph.nodes;
    const second = { ...graph, nodes: [{ ...node!, outputs: ["a", "b"] }], outputs: ["b"] };
    expect(found(second)).toBe('"b" is not the first result of "a"');
    const split: GraphNode = { ...node!, operation: { type: "other", name: "SPLIT" }, outputs: ["a", "b"] };
    expect(found({ ...second, nodes: [split] })).toBe('"a" is a SPLIT');
  });
});

/** The network of `options` with one operation changed. */
function edited(name: string, change: object, options: GraphOptions = {}): ModelGraph {
  const graph = withSize(mobileNetGraph(options), options);
  const nodes = graph.nodes.map((node) =>
    node.name === name ? ({ ...node, operation: { ...node.operation, ...change } } as GraphNode) : node,
  );
  return { ...graph, nodes };
}
/** The same with another kernel. */
function withKernel(name: string, shape: readonly number[], change: object = {}): ModelGraph {
  const graph = edited(name, change);
  const constants = new Map(graph.constants);
  const count = shape.reduce((product, side) => product * side, 1);
  constants.set(`${name}/w`, { name: `${name}/w`, shape, read: () => new Float32Array(count) });
  return { ...graph, constants };
}

describe("a layer that is none of a MobileNet V1", () => {
  it.each<[string, () => ModelGraph]>([
    [
      'its first layer, "d", is a depthwise convolution',
      () => {
        const g = new GraphBuilder();
        return g.node("d", conv({ layout: "HWIM" }), g.constant("w", [3, 3, 3, 1])).graph([8, 8, 3]);
      },
    ],
    ['"op0" has a kernel of 5 × 5', () => withKernel("op0", [5, 5, 3, 8])],
    ['"op1" has a kernel of 3 × 1', () => withKernel("op1", [3, 1, 8, 1])],
    ['"op0" stands where a 3 × 3 convolution should', () => withKernel("op0", [1, 1, 3, 8])],
    ['"op1" stands where another convolution should', () => withKernel("op1", [1, 1, 8, 1])],
    ['"op2" stands where another convolution should', () => withKernel("op2", [3, 3, 8, 16])],
    ['"op2" stands where another convolution should', () => edited("op2", { strides: [2, 1] })],
    ['"op2" stands where another convolution should', () => edited("op2", { strides: [1, 2] })],
    ['the kernel of "op2" has 2 dimensions', () => withKernel("op2", [8, 16])],
    ['the kernel of "head" has 4 dimensions', () => withKernel("head", [1, 1, 256, 5])],
    ['"op2" reads 9 channels where there are 8', () => withKernel("op2", [1, 1, 9, 16])],
    ['"op2" has 2 groups', () => edited("op2", { groups: 2 })],
    ['what follows "op2" does not fit its 17 channels', () => withKernel("op2", [1, 1, 8, 17])],
    [
      '"op3" has a multiplier of its own',
      () => {
        const graph = withKernel("op3", [3, 3, 16, 2]);
        const constants = new Map(graph.constants);
        for (const [name, shape] of [
          ["op3/b", [32]],
          ["op4/w", [1, 1, 32, 32]],
        ] as const)
          constants.set(name, { name, shape, read: () => new Float32Array(shape.reduce<number>((a, b) => a * b, 1)) });
        return { ...graph, constants };
      },
    ],
    ["it has 12 blocks, not 13", () => withSize(mobileNetGraph({ blocks: 12 }))],
    ['"op3" pads twice', () => edited("op3", { padding: "same" }, { padding: "keras" })],
    ['"op4" ends in relu where others end in relu6', () => edited("op4/act", { function: "relu" })],
    [
      '"op4" ends in leakyRelu where others end in leakyRelu',
      () => {
        return edited(
          "op4/act",
          { slope: 0.1 },
          { activation: { type: "activation", function: "leakyRelu", slope: 0.2 } },
        );
      },
    ],
    ['"mean" takes the maximum before the classifier', () => edited("mean", { kind: "max" })],
    [
      '"head" has an activation',
      () => {
        const g = mobileNetGraph();
        g.nodes.pop();
        g.value = "head";
        return withSize(g.node("last", relu));
      },
    ],
    [
      '2 layers follow the pool, the second is "more"',
      () => {
        const g = mobileNetGraph();
        g.nodes.pop();
        g.value = "head";
        return withSize(g.node("more", dense, g.constant("more/w", [5, 2])));
      },
    ],
    [
      '"head" reads features that nothing averaged',
      () => {
        const graph = withSize(mobileNetGraph());
        const nodes = graph.nodes.filter(({ name }) => name !== "mean");
        return {
          ...graph,
          nodes: nodes.map((node) => (node.name === "flat" ? { ...node, inputs: ["op26/act"] } : node)),
        };
      },
    ],
    [
      '"head" is no classifier',
      () => {
        const g = mobileNetGraph({ classes: null });
        return withSize(g.node("head", conv(), g.constant("head/w", [3, 3, 256, 2])));
      },
    ],
    [
      '"mean" pools 2 × 1 of 2 × 2 features, not all',
      () => {
        return edited("mean", { type: "pool", kernel: [2, 1], strides: [1, 1], padding: "valid" });
      },
    ],
  ])("%s", (reason, graph) => {
    expect(found(graph())).toBe(reason);
  });
});

describe("what the layers say together", () => {
  it("is an activation, on the weakest of their words", () => {
    const slope = Math.fround(0.2);
    const leaky = { type: "activation", function: "leakyRelu", slope } as const;
    expect(facts(withSize(mobileNetGraph({ activation: leaky })))).toMatchObject({
      activation: { value: "leakyRelu", basis: "stated", from: "activations of the layers" },
      negativeSlope: { value: 0.2, basis: "stated", from: '"op0/act"' },
    });
    const weak = facts(edited("op4/act", { basis: "inferred", from: "a range" }));
    expect(weak.activation).toEqual({ value: "relu6", basis: "inferred", from: "a range" });
    expect(weak).not.toHaveProperty("negativeSlope");
    expect(facts(withSize(mobileNetGraph())).activation?.from).toBe("activations of the layers");
  });

  it("is an epsilon, if it is the same everywhere", () => {
    const epsilon = (options: GraphOptions) => facts(withSize(mobileNetGraph(options))).epsilon;
    expect(epsilon({ normalization: "batchNorm" })).toMatchObject({ value: 1e-3, from: "batch norm of the layers" });
    expect(epsilon({ normalization: "writtenOut" })).toMatchObject({
      value: 1e-3,
      from: "batch norm, written out as arithmetic",
    });
    expect(epsilon({ normalization: "folded" })).toBeUndefined();
    expect(facts(edited("op3/bn", { epsilon: 1e-5 }, { normalization: "batchNorm" })).epsilon).toBeUndefined();
  });

  it("is what the end of the network is", () => {
    expect(facts(withSize(mobileNetGraph({ classes: null })))).toMatchObject({
      includeTop: { value: false, basis: "stated", from: 'it ends with "mean"' },
      pooling: { value: "avg", from: 'it ends with "mean"' },
    });
    expect(facts(edited("mean", { kind: "max" }, { classes: null })).pooling?.value).toBe("max");
    const features = mobileNetGraph({ classes: null });
    features.nodes.pop();
    features.value = "op26/act";
    expect(facts(withSize(features))).toMatchObject({
      includeTop: { value: false, from: "it ends with the features" },
      pooling: { value: null },
    });
  });
});

describe("a graph looks like", () => {
  const like = (g: GraphBuilder, shape?: readonly (number | undefined)[]) => recogniseGraph(g.graph(shape));
  const other = (name: string) => new GraphBuilder().node("x", { type: "other", name });
  const depthwise = (more: object = {}) => conv({ layout: "HWIM", ...more });
  const separable = (g = stem()) => g.node("d", depthwise(), g.constant("d/w", [3, 3, 4, 1]));

  it.each<[string, () => string]>([
    ["a recurrent network (CuDNNGRU)", () => like(other("CuDNNGRU"))],
    ["a network without convolutions", () => like(bare(new GraphBuilder()))],
    ["a network with one convolution", () => like(bare(stem()))],
    ["a network with one convolution", () => like(stem().node("s", { type: "add" }, "a"))],
    [
      "a single convolution, such as the classifier of a network cut in two",
      () => {
        const g = stem();
        return like(g.node("s", { type: "add" }, g.constant("b", [4])).node("flat", { type: "reshape" }));
      },
    ],
    ["a network of full convolutions", () => like(stem().node("b", conv(), "w"))],
    [
      "a ResNet (1 sums of branches)",
      () => {
        const g = stem().node("b", conv(), "w");
        g.aside("s", { type: "add" }, "a", "b");
        g.aside("t", { type: "add" }, "a", g.constant("c", [4]));
        g.aside("u", { type: "multiply" }, "a", "b");
        return like(g);
      },
    ],
    [
      "a MobileNet V3 or EfficientNet (squeeze and excite or hard-swish)",
      () => {
        const g = separable();
        g.aside("m", { type: "multiply" }, "a", "d");
        return like(g);
      },
    ],
    ...["hardSwish", "hardSigmoid"].map((name): [string, () => string] => [
      "a MobileNet V3 or EfficientNet (squeeze and excite or hard-swish)",
      () => like(separable().node("h", { type: "activation", function: name as "hardSwish" })),
    ]),
    ...["HARD_SWISH", "HardSwish", "HardSigmoid"].map((name): [string, () => string] => [
      "a MobileNet V3 or EfficientNet (squeeze and excite or hard-swish)",
      () => like(separable().node("h", { type: "other", name })),
    ]),
    [
      "a MobileNet V2 (inverted residuals: 2 sums of branches)",
      () => {
        const g = separable();
        g.aside("s", { type: "add" }, "a", "d");
        g.aside("t", { type: "add" }, "s", "d");
        return like(g);
      },
    ],
    [
      "a separable network whose first layer is a depthwise convolution (6 filters)",
      () => {
        const g = new GraphBuilder();
        g.node("d", depthwise(), g.constant("d/w", [3, 3, 3, 2]));
        return like(g.node("b", conv(), g.constant("w", [1, 1, 6, 4])));
      },
    ],
    [
      "a network of full convolutions",
      () => {
        const g = stem();
        g.node("d", conv({ groups: 2 }), g.constant("d/w", [1, 1, 2, 4]));
        return like(g.node("e", conv({ layout: "OIHW", groups: 4 })));
      },
    ],
    ["a separable network of 1 depthwise layers", () => like(separable())],
    ["a separable network of 1 depthwise layers", () => like(separable().node("t", { type: "other", name: "TANH" }))],
    ["a separable network of 1 depthwise layers on 8 × ? × 3", () => like(separable(), [8, undefined, 3])],
    [
      "a separable network of 2 depthwise layers",
      () => {
        const g = stem();
        g.node("d", conv({ layout: "1HWC" }), g.constant("d/w", [1, 3, 3, 4]));
        return like(g.node("e", conv({ layout: "OIHW", groups: 4 }), g.constant("e/w", [4, 1, 3, 3])));
      },
    ],
    [
      "a network of full convolutions",
      () => {
        const g = stem();
        g.node("d", conv({ layout: "OIHW", groups: 2 }), g.constant("d/w", [4, 2, 3, 3]));
        return like(g.node("e", conv({ layout: "OIHW" }), g.constant("e/w", [4, 1, 3, 3])));
      },
    ],
  ])("%s", (expected, recognised) => {
    expect(recognised()).toBe(expected);
  });
});
