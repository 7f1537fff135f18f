/**
 * A path of operations as units: a convolution with all that follows it up to its activation; then pool and classifier.
 */

import type { ExplicitPadding, WindowAttributes } from "../../core/window.ts";
import type { Basis } from "../../formats/fact.ts";
import type { ConvolutionOperation, GraphInput, GraphNode, GraphOperation } from "../../formats/graph.ts";
import type { Constants } from "./constants.ts";
import { isKind, type NoPath, type Path } from "./path.ts";

/** y = x · value, x + value, …: a value that is the same for every input. */
export interface AffineStep {
  readonly type: "multiply" | "add" | "subtract" | "divide" | "subtractFrom";
  readonly value: string;
}

export interface BatchNormStep {
  readonly type: "batchNorm";
  readonly epsilon: number;
  /** Names of constants; `""` where left out. */
  readonly gamma: string;
  readonly beta: string;
  readonly mean: string;
  readonly variance: string;
}

export type AfterStep = AffineStep | BatchNormStep;

export interface UnitActivation {
  readonly function: "linear" | "relu" | "relu6" | "leakyRelu";
  readonly slope?: number;
  readonly basis: Basis;
  readonly from: string;
}

/** A convolution or a dense layer, and what is done to its sums. */
export interface Unit {
  readonly name: string;
  readonly operation: ConvolutionOperation | Extract<GraphOperation, { readonly type: "dense" }>;
  readonly kernel: string;
  /** Zeros added in front of it by a layer of its own. */
  readonly pad?: ExplicitPadding;
  readonly bias: string | undefined;
  readonly after: readonly AfterStep[];
  readonly activation: UnitActivation;
}

export interface Chain {
  readonly input: GraphInput;
  /** What the graph does to its input before the first layer. */
  readonly front: readonly AfterStep[];
  readonly units: readonly Unit[];
  /** How features are averaged before the classifier; `window` where it need not be the whole image. */
  readonly pool?: {
    readonly kind: "average" | "max";
    readonly name: string;
    readonly window?: Omit<WindowAttributes, "dilation">;
  };
  /** Layers behind the pool. */
  readonly head: readonly Unit[];
  readonly endsInSoftmax: boolean;
}

/** Groups the nodes of a path, or says which of them has no place in a chain. */
export function chainOf({ input, nodes }: Path, constants: Constants): Chain | NoPath {
  const front: AfterStep[] = [];
  const units: MutableUnit[] = [];
  const head: MutableUnit[] = [];
  let pool: Chain["pool"];
  let pad: ExplicitPadding | undefined;
  let endsInSoftmax = false;
  const last = () => head.at(-1) ?? (pool === undefined ? units.at(-1) : undefined);

  for (const node of nodes) {
    const { name, operation } = node;
    if (operation.type === "identity" || operation.type === "reshape") continue;
    if (endsInSoftmax) return { reason: `"${name}" follows the softmax` };
    if (pad !== undefined && operation.type !== "convolution")
      return { reason: `"${name}" follows a layer of padding` };
    switch (operation.type) {
      case "pad":
        pad = operation.padding;
        break;
      case "convolution":
      case "dense": {
        const [, kernel = "", bias] = node.inputs;
        if (!constants.has(kernel)) return { reason: `the kernel of "${name}" is computed` };
        const unit: MutableUnit = { name, operation, kernel, bias: bias || undefined, after: [], activation: LINEAR };
        if (pad !== undefined) unit.pad = pad;
        pad = undefined;
        (pool === undefined && operation.type === "convolution" ? units : head).push(unit);
        break;
      }
      case "add":
      case "subtract":
      case "multiply":
      case "divide":
      case "batchNorm": {
        const step = afterStep(node, constants);
        const unit = last();
        if (typeof step === "string") return { reason: `"${name}" ${step}` };
        if (unit === undefined && units.length > 0) return { reason: `"${name}" changes pooled features` };
        if (unit !== undefined && unit.activation !== LINEAR) return { reason: `"${name}" follows an activation` };
        (unit?.after ?? front).push(step);
        break;
      }
      case "activation": {
        const unit = last();
        if (operation.function === "linear") break;
        if (unit === undefined || unit.activation !== LINEAR) return { reason: `"${name}" follows no convolution` };
        const { function: kind, slope, basis = "stated", from = `"${name}"` } = operation;
        if (kind === "hardSwish" || kind === "hardSigmoid") return { reason: `"${name}" is a ${kind}` };
        unit.activation = { function: kind, basis, from, ...(slope === undefined ? {} : { slope }) };
        break;
      }
      case "globalPool":
        if (pool !== undefined || units.length === 0) return { reason: `"${name}" pools where there are no features` };
        pool = { kind: operation.kind, name };
        break;
      case "pool":
        if (pool !== undefined || units.length === 0) return { reason: `"${name}" pools between the layers` };
        pool = {
          kind: operation.kind,
          name,
          window: { kernel: operation.kernel, stride: operation.strides, padding: operation.padding },
        };
        break;
      case "softmax":
        endsInSoftmax = true;
        break;
      case "rsqrt":
        return { reason: `"${name}" takes a root of what is computed` };
      case "other":
        return { reason: isKind(name, operation.name) };
    }
  }
  return { input, front, units, head, endsInSoftmax, ...(pool === undefined ? {} : { pool }) };
}

interface MutableUnit extends Omit<Unit, "after" | "activation" | "pad"> {
  after: AfterStep[];
  activation: UnitActivation;
  pad?: ExplicitPadding;
}

const LINEAR: UnitActivation = { function: "linear", basis: "inferred", from: "no activation behind any layer" };

/** The step, or why the node is none. */
export function afterStep({ operation, inputs }: GraphNode, constants: Constants): AfterStep | string {
  if (operation.type === "batchNorm") {
    const [, gamma = "", beta = "", mean = "", variance = ""] = inputs;
    return { type: "batchNorm", epsilon: operation.epsilon, gamma, beta, mean, variance };
  }
  const [a = "", b = ""] = inputs;
  const { type } = operation as { readonly type: "add" | "subtract" | "multiply" | "divide" };
  if (inputs.length !== 2) return `has ${inputs.length} operands, not two`;
  if (constants.has(b)) return { type, value: b };
  if (!constants.has(a)) return "has an operand that is no constant";
  if (type === "divide") return "divides by what is computed";
  return { type: type === "subtract" ? "subtractFrom" : type, value: a };
}
