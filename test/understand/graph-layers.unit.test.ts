/** Kernels in every layout, pads and strides: the layers that TensorFlow.js' numbers come out of, and no larger ones. */

import { describe, expect, it } from "vitest";
import type { GraphOperation, ModelGraph, Pair } from "../../src/formats/graph.ts";
import { network, withParameters } from "../../src/layers/network.ts";
import { compile } from "../../src/session/compile.ts";
import { translateGraph } from "../../src/understand/graph/translate.ts";
import { GraphBuilder } from "../fixtures/graphs.ts";
import { interpret } from "../fixtures/tfjs-interpreter.ts";
import { largestDifference, recipe } from "../golden/vectors.ts";

const image = [5, 4, 3];
type Convolution = Extract<GraphOperation, { type: "convolution" }>;
const one: Pair = [1, 1];
const conv = (more: Partial<Convolution> = {}): Convolution => {
  return { type: "convolution", layout: "HWIO", strides: one, dilations: one, padding: "same", groups: 1, ...more };
};
const pads = (top: number, bottom: number, left: number, right: number) =>
  [
    [top, bottom],
    [left, right],
  ] as const;

/** A translation, with what it was charged for. */
function translated(graph: ModelGraph) {
  const charged: [number, string][] = [];
  const charge = (bytes: number, what: string) => void charged.push([bytes, what]);
  return { ...translateGraph(graph, charge, (reason) => new Error(reason)), charged };
}
const refuse = (graph: ModelGraph) => () => translated(graph);

/** The layers, if they give what TensorFlow.js computes of the graph. */
async function layersOf(graph: ModelGraph) {
  const { inputShape, layers, outputs, parameters } = translated(graph);
  const session = await compile(withParameters(network({ inputShape, layers, outputs }), parameters), {
    backend: "reference",
  });
  const { data } = recipe(inputShape, 3, -1, 1);
  const { output } = (await session.run(data)) as Record<string, { data: Float32Array }>;
  session.close();
  const [expected] = await interpret(graph, data, [1, ...inputShape]);
  expect(largestDifference(output!.data, expected!)).toBeLessThan(1e-5);
  return layers;
}
const of = (operation: Convolution, kernel: readonly number[], more: Partial<ModelGraph> = {}): ModelGraph => {
  const g = new GraphBuilder();
  return { ...g.node("a", operation, g.constant("w", kernel)).graph(image), ...more };
};

describe("a convolution", () => {
  const geometries: readonly Partial<Convolution>[] = [
    {},
    { padding: "valid" },
    { padding: pads(1, 2, 0, 1) },
    { strides: [2, 2] },
    { strides: [2, 2], padding: "valid" },
    { dilations: [2, 2] },
  ];
  const layouts: readonly [Convolution["layout"], readonly number[], string][] = [
    ["HWIO", [3, 2, 3, 4], "conv2d"],
    ["OHWI", [4, 3, 2, 3], "conv2d"],
    ["HWIM", [3, 2, 3, 2], "depthwiseConv2d"],
    ["1HWC", [1, 3, 2, 6], "depthwiseConv2d"],
  ];

  it.each(layouts.flatMap((layout) => geometries.map((geometry) => [...layout, geometry] as const)))(
    "in %s of %j is a %s with %j",
    async (layout, kernel, type, geometry) => {
      const layers = await layersOf(of(conv({ ...geometry, layout }), kernel));
      expect(layers.map((layer) => layer.type)).toEqual([type]);
      const { strides = one, dilations = one, padding = "same" } = geometry;
      expect(layers[0]?.attributes).toMatchObject({ kernel: [3, 2], stride: strides, dilation: dilations, padding });
    },
  );

  it("is a pointwise one where its window is a point that stays where it is", async () => {
    const type = async (more: Partial<Convolution>, kernel: readonly number[] = [1, 1, 3, 4]) =>
      (await layersOf(of(conv(more), kernel)))[0]?.type;
    for (const padding of ["same", "valid", pads(0, 0, 0, 0)] as const) {
      expect(await type({ padding })).toBe("pointwiseConv2d");
    }
    for (const at of [0, 1, 2, 3]) {
      const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((side) => (side === at ? 1 : 0));
      expect(await type({ padding: pads(a, b, c, d) })).toBe("conv2d");
    }
    expect(await type({ strides: [2, 2] })).toBe("conv2d");
    expect(await type({}, [2, 1, 3, 4])).toBe("conv2d");
    expect(await type({}, [1, 2, 3, 4])).toBe("conv2d");
    expect(await type({ layout: "HWIM" }, [1, 1, 3, 2])).toBe("depthwiseConv2d");
  });

  it("lays the zeros that stand in front of it with its own, or has a layer for them", async () => {
    const behind = (padding: Convolution["padding"]) => {
      const g = new GraphBuilder().node("z", { type: "pad", padding: pads(1, 0, 2, 1) });
      return g.node("a", conv({ padding }), g.constant("w", [3, 3, 3, 4])).graph(image);
    };
    const valid = await layersOf(behind("valid"));
    expect(valid.map(({ attributes }) => attributes?.["padding"])).toEqual([pads(1, 0, 2, 1)]);
    const own = await layersOf(behind(pads(1, 1, 0, 3)));
    expect(own.map(({ attributes }) => attributes?.["padding"])).toEqual([pads(2, 1, 2, 4)]);
    const same = await layersOf(behind("same"));
    expect(same.map(({ type }) => type)).toEqual(["depthwiseConv2d", "conv2d"]);
    const twice = new GraphBuilder().node("z", { type: "pad", padding: pads(1, 0, 2, 1) });
    twice.node("y", { type: "pad", padding: pads(0, 3, 1, 0) });
    twice.node("a", conv({ padding: "valid" }), twice.constant("w", [3, 3, 3, 4]));
    const [layer] = await layersOf(twice.graph(image));
    expect(layer?.attributes?.["padding"]).toEqual(pads(1, 3, 3, 1));
  });

  it.each<[string, ModelGraph]>([
    ['"a" has 2 groups', of(conv({ groups: 2 }), [1, 1, 3, 4])],
    ['"a" has 2 groups', of(conv({ groups: 2, layout: "OHWI" }), [4, 1, 1, 3])],
    ['"a" has 4 filters for 3 channels', of(conv({ layout: "1HWC" }), [1, 3, 3, 4])],
    ['"a" has 3 filters for 3 channels', of(conv({ layout: "1HWC" }), [2, 3, 3, 3])],
    ['"a" reads 2 channels where there are 3', of(conv(), [3, 3, 2, 4])],
    ['"a" reads 4 channels where there are 3', of(conv({ layout: "HWIM" }), [3, 3, 4, 1])],
    ['the kernel of "a" has 2 dimensions', of(conv(), [3, 4])],
  ])("is refused: %s", (reason, graph) => {
    expect(refuse(graph)).toThrow(new Error(reason));
  });

  it("with channels first has groups of one channel each, or none", async () => {
    const first = (groups: number, kernel: readonly number[]): ModelGraph => {
      const graph = of(conv({ layout: "OIHW", groups, padding: "valid" }), kernel);
      return { ...graph, layout: "NCHW", inputs: [{ name: "input", shape: image, isChannelsFirst: true }] };
    };
    expect(translated(first(1, [4, 3, 2, 3]))).toMatchObject({
      layers: [{ type: "conv2d", attributes: { kernel: [2, 3], filters: 4 } }],
    });
    for (const multiplier of [1, 2]) {
      const { layers, parameters } = translated(first(3, [3 * multiplier, 1, 2, 3]));
      expect(layers).toMatchObject([{ type: "depthwiseConv2d", attributes: { kernel: [2, 3], multiplier } }]);
      expect(parameters.get("a/depthwise_kernel")?.shape).toEqual([2, 3, 3, multiplier]);
    }
    expect(refuse(first(3, [6, 2, 2, 3]))).toThrow(new Error('"a" has 3 groups of 2 channels'));
    expect(refuse(first(3, [4, 1, 2, 3]))).toThrow(new Error('"a" has 3 groups of 1 channels'));
  });
});

describe("a dense layer", () => {
  const dense = (more: object = {}): GraphOperation => ({ type: "dense", transposed: false, ...more });
  const on = (shape: readonly number[], operation: GraphOperation, kernel: readonly number[]) => {
    const g = new GraphBuilder();
    return g.node("a", operation, g.constant("w", kernel), g.constant("b", [5])).graph(shape);
  };

  it("reads a row, an image pixel by pixel, or all of an image", async () => {
    const type = async (graph: ModelGraph) => (await layersOf(graph)).map((layer) => layer.type);
    expect(await type(on([7], dense(), [7, 5]))).toEqual(["dense"]);
    expect(await type(on([7], dense({ transposed: true }), [5, 7]))).toEqual(["dense"]);
    expect(await type(on(image, dense({ flattens: true }), [60, 5]))).toEqual(["flatten", "dense"]);
    expect(await type(on(image, dense({ flattens: true, transposed: true }), [5, 60]))).toEqual(["flatten", "dense"]);
    const { layers, parameters } = translated(on(image, dense(), [3, 5]));
    expect(layers.map((layer) => layer.type)).toEqual(["pointwiseConv2d"]);
    expect(parameters.get("a/kernel")?.shape).toEqual([1, 1, 3, 5]);
    expect(translated(on([1, 1, 1], dense(), [1, 5])).layers.map((layer) => layer.type)).toEqual(["pointwiseConv2d"]);
  });

  it("is refused on what is neither", () => {
    expect(refuse(on([4, 3], dense(), [3, 5]))).toThrow(new Error('"a" is a dense layer on 4 × 3 numbers'));
    expect(refuse(on([7], dense(), [6, 5]))).toThrow(new Error('"a" reads 6 channels where there are 7'));
    expect(refuse(on([7], dense(), [7, 5, 1]))).toThrow(new Error('the kernel of "a" has 3 dimensions'));
    expect(refuse(on([7], dense(), [7, 4]))).toThrow(new Error('what follows "a" does not fit its 4 channels'));
  });
});

describe("a pool", () => {
  it.each(["average", "max"] as const)("of the %s is one of its window", async (kind) => {
    const type = kind === "average" ? "averagePool" : "maxPool";
    for (const padding of ["same", "valid"] as const) {
      for (const strides of [one, [2, 2]] as const) {
        const g = new GraphBuilder().node("p", { type: "pool", kind, kernel: [3, 2], strides, padding });
        const [layer] = await layersOf(g.graph(image));
        expect(layer).toMatchObject({ type, attributes: { kernel: [3, 2], stride: strides, padding } });
      }
    }
  });

  it.each(["average", "max"] as const)(
    "of the %s of the whole image is a row, or an image of one point",
    async (kind) => {
      const type = kind === "average" ? "globalAveragePool" : "globalMaxPool";
      const shapeOf = async (more: object, shape = image) => {
        const g = new GraphBuilder().node("p", { type: "globalPool", kind, ...more });
        const [layer] = await layersOf(g.graph(shape));
        return [layer?.type, layer?.attributes?.["keepDims"]];
      };
      expect(await shapeOf({})).toEqual([type, false]);
      expect(await shapeOf({ keepDims: true })).toEqual([type, true]);
      expect(await shapeOf({ keepDims: true }, [1, 1, 4])).toEqual([type, true]);
    },
  );
});

describe("numbers that a file has not", () => {
  it("are charged: a bias, batch norm, and a constant for another layer", () => {
    const g = new GraphBuilder();
    const kernel = g.constant("w", [1, 1, 3, 3]);
    g.node("a", conv(), kernel, g.constant("b", [3])).node("r", { type: "activation", function: "relu" });
    g.node("c", conv(), kernel);
    expect(translated(g.graph(image)).charged).toEqual([
      [12, 'the bias of "a"'],
      [36, 'constant "w", for another layer'],
    ]);
    const norm = new GraphBuilder();
    const parts = ["gamma", "beta", "mean", "variance"].map((part) => norm.constant(part, [3], 0.5, 1.5));
    norm.node("n", { type: "batchNorm", epsilon: 1e-3 }, ...parts);
    expect(translated(norm.graph(image)).charged).toEqual([[48, 'the numbers of "n"']]);
  });

  it("are another layer's own, also of one constant", () => {
    const g = new GraphBuilder();
    const kernel = g.constant("w", [1, 1, 3, 3]);
    g.node("a", conv(), kernel).node("r", { type: "activation", function: "relu" }).node("c", conv(), kernel);
    const { parameters } = translated(g.graph(image));
    const [a, c] = ["a", "c"].map((name) => parameters.get(`${name}/kernel`)!.data);
    expect(a).toEqual(c);
    expect(a?.buffer).not.toBe(c?.buffer);
  });
});
