/** Small MobileNets as graphs of operations, for tests: what a reader would make of a file. */

import type { Shape } from "../../src/core/tensor.ts";
import type { GraphConstant, GraphNode, GraphOperation, ModelGraph } from "../../src/weights/graph/graph.ts";

const PAPER = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
const STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];

export interface GraphOptions {
  readonly alpha?: number;
  readonly classes?: number | null;
  readonly size?: readonly [number, number] | null;
  readonly padding?: "same" | "keras" | "symmetric" | "pixels";
  readonly normalization?: "batchNorm" | "writtenOut" | "folded" | "scaleShift";
  readonly epsilon?: number;
  readonly activation?: Extract<GraphOperation, { type: "activation" }>;
  readonly blocks?: number;
  readonly strides?: readonly number[];
  readonly channels?: number;
  readonly filters?: readonly number[];
}

/** A builder of graphs: each call appends a node that reads the one before. */
export class GraphBuilder {
  readonly constants = new Map<string, GraphConstant>();
  readonly nodes: GraphNode[] = [];
  value = "input";
  #seed = 1;

  constant(name: string, shape: Shape, low = -0.5, high = 0.5): string {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) {
      this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
      data[i] = low + (high - low) * (this.#seed / 2 ** 32);
    }
    this.constants.set(name, { name, shape, read: () => data });
    return name;
  }

  scalar(name: string, value: number): string {
    const data = Float32Array.of(value);
    this.constants.set(name, { name, shape: [], read: () => data });
    return name;
  }

  node(name: string, operation: GraphOperation, ...constants: string[]): this {
    this.nodes.push({ name, operation, inputs: [this.value, ...constants], outputs: [name] });
    this.value = name;
    return this;
  }

  /** A node that does not read the value before. */
  aside(name: string, operation: GraphOperation, ...inputs: string[]): string {
    this.nodes.push({ name, operation, inputs, outputs: [name] });
    return name;
  }

  graph(shape?: readonly (number | undefined)[]): ModelGraph {
    return {
      kind: "graph",
      inputs: [{ name: "input", ...(shape === undefined ? {} : { shape }) }],
      nodes: this.nodes,
      constants: this.constants,
      outputs: [this.value],
    };
  }
}

/** MobileNet V1 as operations; names are not ours, so that nothing can be told from them. */
export function mobileNetGraph(options: GraphOptions = {}): GraphBuilder {
  const { alpha = 0.25, classes = 5, padding = "same", normalization = "folded", channels = 3 } = options;
  const { epsilon = 1e-3, activation = { type: "activation", function: "relu6" }, blocks = 13 } = options;
  const strides = options.strides ?? STRIDES;
  const g = new GraphBuilder();
  let width = channels;
  let place = 0;

  const convolution = (kind: "full" | "depthwise" | "pointwise", filters: number, stride: number) => {
    const name = `op${place++}`;
    const kernel = g.constant(
      `${name}/w`,
      kind === "depthwise" ? [3, 3, width, 1] : kind === "full" ? [3, 3, width, filters] : [1, 1, width, filters],
    );
    const pads = kind === "pointwise" ? "same" : padsOf(padding, stride);
    const isPadded = padding === "keras" && kind !== "pointwise" && stride === 2;
    if (isPadded) {
      g.node(`${name}/pad`, {
        type: "pad",
        padding: [
          [0, 1],
          [0, 1],
        ],
      });
    }
    const operation: GraphOperation = {
      type: "convolution",
      layout: kind === "depthwise" ? "HWIM" : "HWIO",
      strides: [stride, stride],
      dilations: [1, 1],
      padding: isPadded ? "valid" : pads,
      groups: 1,
    };
    width = filters;
    if (normalization === "folded") g.node(name, operation, kernel, g.constant(`${name}/b`, [filters]));
    else g.node(name, operation, kernel);
    normalize(g, name, filters, normalization, epsilon);
    g.node(`${name}/act`, activation);
  };

  const scaled = (filters: number) => Math.trunc(filters * alpha);
  convolution("full", scaled(32), 2);
  for (let block = 0; block < blocks; block++) {
    convolution("depthwise", width, strides[block] ?? 1);
    convolution("pointwise", scaled((options.filters ?? PAPER)[block] ?? 1024), 1);
  }
  g.node("mean", { type: "globalPool", kind: "average" });
  if (classes !== null) {
    g.node("flat", { type: "reshape" });
    g.node(
      "head",
      { type: "dense", transposed: false },
      g.constant("head/w", [width, classes]),
      g.constant("head/b", [classes]),
    );
    g.node("softmax", { type: "softmax" });
  }
  return g;
}

function padsOf(padding: NonNullable<GraphOptions["padding"]>, stride: number) {
  const one = [1, 1] as const;
  if (padding === "symmetric") return [one, one] as const;
  if (padding === "pixels")
    return stride === 2
      ? ([
          [0, 1],
          [0, 1],
        ] as const)
      : ([one, one] as const);
  return "same";
}

function normalize(
  g: GraphBuilder,
  name: string,
  filters: number,
  kind: GraphOptions["normalization"],
  epsilon: number,
) {
  if (kind === "folded") return;
  if (kind === "scaleShift") {
    g.node(`${name}/mul`, { type: "multiply" }, g.constant(`${name}/scale`, [filters], 0.5, 1.5));
    g.node(`${name}/add`, { type: "add" }, g.constant(`${name}/shift`, [filters]));
    return;
  }
  const gamma = g.constant(`${name}/gamma`, [filters], 0.5, 1.5);
  const beta = g.constant(`${name}/beta`, [filters]);
  const mean = g.constant(`${name}/mean`, [filters]);
  const variance = g.constant(`${name}/variance`, [filters], 0.5, 1.5);
  if (kind === "batchNorm") {
    g.node(`${name}/bn`, { type: "batchNorm", epsilon }, gamma, beta, mean, variance);
    return;
  }
  const sum = g.aside(`${name}/add_e`, { type: "add" }, variance, g.scalar(`${name}/e`, epsilon));
  const root = g.aside(`${name}/rsqrt`, { type: "rsqrt" }, sum);
  const scale = g.aside(`${name}/scale`, { type: "multiply" }, root, gamma);
  const product = g.aside(`${name}/mean_scaled`, { type: "multiply" }, mean, scale);
  const shift = g.aside(`${name}/shift`, { type: "subtract" }, beta, product);
  g.node(`${name}/mul_1`, { type: "multiply" }, scale);
  g.node(`${name}/add_1`, { type: "add" }, shift);
}

/** The graph with its input's shape, unless it is to be left out. */
export function withSize(g: GraphBuilder, options: GraphOptions = {}): ModelGraph {
  const { size = [64, 64], channels = 3 } = options;
  return g.graph(size === null ? undefined : [...size, channels]);
}
