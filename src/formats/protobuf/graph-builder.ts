/** Collects the translation of a file's nodes, one after the other in an order in which they can run. */

import type { DepthwiseError } from "../../core/errors.ts";
import { damaged, quoted } from "../../core/file-error.ts";
import { elementCount, type Shape } from "../../core/tensor.ts";
import { uniqueNames } from "../../core/unique-names.ts";
import { type FeatureMapSizes, featureMapSizes } from "../feature-map-sizes.ts";
import { foldedShape } from "../folded-shape.ts";
import type { GraphConstant, GraphInput, GraphNode, GraphOperation, ModelGraph, ValueQuantization } from "../graph.ts";
import { isNaturals } from "../stored-tensor.ts";
import { permute } from "../transpose.ts";
import { pruneGraph } from "./graph-order.ts";

/** An operation and what it reads; in a chain, every one but the first reads the one before it first. */
export interface GraphStep {
  readonly operation: GraphOperation;
  readonly inputs: readonly string[];
}

/** A constant; one computed from another knows how many computations lie behind it. */
export interface DerivedConstant extends GraphConstant {
  readonly depth?: number;
}

/** What a node becomes: operations one behind the other, or a constant. */
export type Translation = readonly GraphStep[] | DerivedConstant;

/** Counts bytes that will be allocated; throws beyond what may be. */
export type Charge = (bytes: number, what: string) => void;

export interface GraphBuilder {
  /** Of the file, for messages. */
  readonly file: string;
  readonly sizes: FeatureMapSizes;
  readonly quantization: Map<string, ValueQuantization>;
  readonly charge: Charge;
  addInput(input: GraphInput): void;
  addConstant(constant: GraphConstant): void;
  /** A constant, also behind identities. */
  constant(value: string | undefined): DerivedConstant | undefined;
  /** The shape of a constant, or of what nodes compute from constants alone. */
  shape(value: string | undefined): Shape | undefined;
  /** The values of a constant of at most `most` elements (default 64): a shape, axes, pads, bounds. Read once. */
  numbers(value: string | undefined, most?: number): readonly number[] | undefined;
  /** Adds what a node became; its last step makes `outputs`. */
  add(name: string, translation: Translation, outputs: readonly string[]): void;
  finish(outputs: readonly string[]): ModelGraph;
}

/** Most elements of a constant that steers an operation. */
const FEW = 64;

/** @param names of all nodes and values of the file, which new ones must not take */
export function graphBuilder(file: string, names: Iterable<string>, charge: Charge): GraphBuilder {
  const inputs: GraphInput[] = [];
  const nodes: GraphNode[] = [];
  const constants = new Map<string, DerivedConstant>();
  const originals = new Map<string, string>();
  const lists = new Map<string, readonly number[]>();
  const folded = new Map<string, Shape>();
  const quantization = new Map<string, ValueQuantization>();
  const unused = uniqueNames(names);
  const original = (value: string) => originals.get(value) ?? value;
  const constant = (value: string | undefined) => (value === undefined ? undefined : constants.get(original(value)));
  const shapeOf = (value: string | undefined) => constant(value)?.shape ?? folded.get(value ?? "");
  const sizes = featureMapSizes(shapeOf);

  const push = (node: GraphNode) => {
    nodes.push(node);
    sizes.follow(node);
    const shape = foldedShape(node, shapeOf);
    if (shape !== undefined) folded.set(node.outputs[0] ?? "", shape);
  };
  const addSteps = (name: string, steps: readonly GraphStep[], outputs: readonly string[]) => {
    let before: readonly string[] = [];
    steps.forEach(({ operation, inputs: read }, i) => {
      const isLast = i === steps.length - 1;
      const ownName = isLast ? name : unused(`${name}/${operation.type}`);
      const ownOutputs = isLast ? outputs : [ownName];
      push({ name: ownName, operation, inputs: [...before, ...read].map(original), outputs: ownOutputs });
      before = [ownName];
    });
  };

  return {
    file,
    sizes,
    quantization,
    charge,
    constant,
    shape: shapeOf,
    addInput(input) {
      inputs.push(input);
      sizes.addInput(input);
    },
    addConstant: (value) => void constants.set(value.name, value),
    numbers(value, most = FEW) {
      const found = constant(value);
      if (found === undefined || elementCount(found.shape) > most) return undefined;
      let list = lists.get(found.name);
      if (list === undefined) {
        charge(8 * elementCount(found.shape), `constant ${quoted(found.name)}`);
        list = [...found.read()];
        lists.set(found.name, list);
      }
      return list;
    },
    add(name, translation, outputs) {
      if (!("read" in translation)) {
        const [only, another] = translation;
        const source =
          only?.operation.type === "identity" && another === undefined ? constant(only.inputs[0]) : undefined;
        if (source === undefined) addSteps(name, translation, outputs);
        else for (const output of outputs) originals.set(output, source.name);
        return;
      }
      const [output = name] = outputs;
      charge(4 * elementCount(translation.shape), `constant ${quoted(output)}`);
      constants.set(output, { ...translation, name: output });
    },
    finish(outputs) {
      const graph = pruneGraph({ inputs, nodes, constants, outputs: outputs.map(original) });
      return quantization.size === 0 ? graph : { ...graph, quantization };
    },
  };
}

/** For the few inputs of a table's row. */
export function step(operation: GraphOperation, ...inputs: readonly string[]): readonly GraphStep[] {
  return [{ operation, inputs }];
}

/** More come from no exporter, and each is a node. */
const MOST_SUMMANDS = 64;

/** A sum of two or more values, two at a time; undefined for more than exporters write. */
export function sumSteps(inputs: readonly string[]): readonly GraphStep[] | undefined {
  const [first = "", second = "", ...others] = inputs;
  if (inputs.length < 2 || inputs.length > MOST_SUMMANDS) return undefined;
  return [[first, second], ...others.map((value) => [value])].map((read) => ({
    operation: { type: "add" },
    inputs: read,
  }));
}

/** What the table cannot read. Its inputs are as many as the file says: too many to be handed on one by one. */
export function otherStep(name: string, inputs: readonly string[]): readonly GraphStep[] {
  return [{ operation: { type: "other", name }, inputs: inputs.filter((value) => value !== "") }];
}

/**
 * An operator of a format: the least number of inputs, the most (`Infinity` where they may be any), and what a node
 * becomes if the table can read it.
 */
export type Operator<Node, Context> = readonly [
  least: number,
  most: number,
  translate: (node: Node, context: Context) => Translation | undefined,
];

interface OperatorNode {
  readonly name: string;
  readonly op: string;
  /** `""` for one that is left out. */
  readonly inputs: readonly string[];
}

/** The translation into one operation that reads the first few inputs. */
export function reading(count: number, operation: GraphOperation): (node: OperatorNode) => Translation {
  return ({ inputs }) => step(operation, ...inputs.slice(0, count));
}

/**
 * What a node becomes; anything that is not in the table, or not of the kind the table reads, is `other`.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for a node with too few or too many inputs
 */
export function translateBy<Node extends OperatorNode, Context>(
  table: ReadonlyMap<string, Operator<Node, Context>>,
  node: Node,
  graph: GraphBuilder,
  context: Context,
): Translation {
  const present = node.inputs.filter((value) => value !== "");
  const other = otherStep(node.op, node.inputs);
  const operator = table.get(node.op);
  if (operator === undefined) return other;
  const [least, most, translate] = operator;
  const count = node.inputs.length;
  if (present.length < least) throw senseless(node, graph, "inputs", `at least ${least}`, [present.length]);
  if (count > most) throw senseless(node, graph, "inputs", `at most ${most}`, [count]);
  return translate(node, context) ?? other;
}

/** Longest chain of constants computed from each other; exporters leave two or three. */
const MAX_DEPTH = 16;

/** A constant computed from another each time it is read; undefined if too many computations lie behind that one. */
export function derived(
  source: DerivedConstant,
  shape: Shape,
  compute: (values: Float32Array) => Float32Array,
): DerivedConstant | undefined {
  const depth = (source.depth ?? 0) + 1;
  return depth > MAX_DEPTH ? undefined : { name: source.name, shape, depth, read: () => compute(source.read()) };
}

/**
 * A constant with its axes in another order: axis i is axis `order[i]` of the source. Undefined if these are not all
 * axes, each once.
 */
export function transposed(source: DerivedConstant, order: readonly number[]): DerivedConstant | undefined {
  const { shape } = source;
  if (order.length !== shape.length || !shape.every((_, axis) => order.includes(axis))) return undefined;
  const sides = order.map((axis) => shape[axis] ?? 1);
  return derived(source, sides, (values) => permute(values, shape, order));
}

/**
 * A constant in another shape, undefined if the numbers do not fit.
 *
 * @param sides one of them may be -1: what is left
 */
export function reshaped(source: DerivedConstant, sides: readonly number[]): DerivedConstant | undefined {
  const count = elementCount(source.shape);
  const rest = count / elementCount(sides.filter((side) => side !== -1));
  const shape = sides.map((side) => (side === -1 ? rest : side));
  const fits = isNaturals(shape) && elementCount(shape) === count;
  return fits ? derived(source, shape, (values) => values) : undefined;
}

/** An error for a node whose inputs or attributes make no sense. */
export function senseless(
  { name, op }: Pick<OperatorNode, "name" | "op">,
  { file }: GraphBuilder,
  what: string,
  expected: string,
  found: string | readonly (number | string)[],
): DepthwiseError {
  return damaged(file, `${what} of node ${quoted(name)} (${op})`, {
    expected,
    found: typeof found === "string" ? found : found.slice(0, 8).join(", ") || "none",
    fields: { node: name },
  });
}
