/** Nodes: the layers of a network as plain data. */

import type { AttributesByType, NodeType } from "../operations/table.ts";

/** One layer: what it is, what it reads, how it is set. `inputs` are names of earlier nodes or `"input"`. */
export type LayerNode = {
  readonly [T in NodeType]: {
    readonly name: string;
    readonly type: T;
    readonly inputs: readonly string[];
    readonly attributes: AttributesByType[T];
  };
}[NodeType];

/** A node before its check, as a builder or a file gives it. */
export interface NodeDefinition {
  /** Unlike all others of the network; parameters are named after it. */
  readonly name: string;
  /** A `NodeType`. */
  readonly type: string;
  /** Default: the node before, or the network's input. */
  readonly inputs?: readonly string[];
  /** Those of its type; what is left out has the default of the layer function. */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** One entry a node type; the compiler names the types that are missing. */
export type ByNodeType<Result> = {
  readonly [T in NodeType]: (node: Extract<LayerNode, { readonly type: T }>) => Result;
};

/** The name under which nodes read the network's input. */
export const INPUT = "input";
