/**
 * Groups nodes into the steps that will run: a convolution with the batch norm and the activation behind it is one.
 *
 * A follower joins if the operation fuses it, it alone reads its predecessor, and nobody asked for the value in
 * between. Views are no steps: they are other names for the buffer they read. A leaky ReLU is a step of its own.
 */

import type { Network } from "../layers/network.ts";
import { INPUT, type LayerNode } from "../layers/node.ts";
import type { FusedActivation } from "../operations/activation-names.ts";
import type { Fusible } from "../operations/operation.ts";
import { isView, operationOf } from "../operations/table.ts";

export type BatchNormNode = Extract<LayerNode, { readonly type: "batchNorm" }>;
type FusedNode = Extract<LayerNode, { readonly type: "activation" }> & {
  readonly attributes: { readonly function: FusedActivation };
};

export interface Group {
  /** The node that gives the step its name: the convolution, or whatever stands alone. */
  readonly lead: LayerNode;
  readonly batchNorm?: BatchNormNode;
  readonly activation?: FusedNode;
  /** An activation right behind it that takes a step of its own. */
  readonly activatedBy?: string;
  /** All nodes of the step, in order. */
  readonly nodes: readonly LayerNode[];
  /** The steps, or the network's input, that it reads, by the name of their lead. */
  readonly reads: readonly string[];
}

/** While it is looked for what joins. */
type Growing = { -readonly [K in keyof Group]: Group[K] };

export interface Grouping {
  readonly groups: readonly Group[];
  /** For each node and the input: the lead of the group that holds its value. */
  readonly holder: ReadonlyMap<string, string>;
}

export interface FuseOptions {
  /** Names of nodes whose own value is wanted, so that nothing may be fused behind them. */
  readonly keep?: ReadonlySet<string>;
  /** Whether batch norm joins the convolution before it. Default true. */
  readonly fold?: boolean;
}

export function fuse(
  network: Pick<Network, "layers" | "shapes" | "outputs">,
  { keep = new Set(), fold = true }: FuseOptions = {},
): Grouping {
  const readers = countReaders(network);
  const wanted = new Set([...keep, ...Object.values<string>(network.outputs)]);
  const holder = new Map<string, string>([[INPUT, INPUT]]);
  const groups: Group[] = [];
  const taken = new Set<string>();
  const layers = network.layers;

  for (const [index, lead] of layers.entries()) {
    if (taken.has(lead.name)) continue;
    if (isView(lead.type)) {
      holder.set(lead.name, holder.get(lead.inputs[0] ?? INPUT) ?? INPUT);
      continue;
    }
    const fuses: readonly Fusible[] = operationOf(lead.type).fuses;
    const nodes: LayerNode[] = [lead];
    const group: Growing = { lead, nodes, reads: lead.inputs.map((name) => holder.get(name) ?? INPUT) };
    let last: LayerNode = lead;
    /** The node right behind `last`, if it alone reads it and nothing else wants the value. */
    const follower = (): LayerNode | undefined => {
      const next = layers[index + nodes.length];
      const isSole = next?.inputs.length === 1 && next.inputs[0] === last.name && readers.get(last.name) === 1;
      return isSole && !wanted.has(last.name) ? next : undefined;
    };
    const first = follower();
    if (fold && first?.type === "batchNorm" && fuses.includes("batchNorm")) {
      group.batchNorm = first;
      last = first;
      nodes.push(first);
    }
    const second = follower();
    if (second?.type === "activation" && fuses.includes("activation")) {
      if (isFused(second)) {
        group.activation = second;
        nodes.push(second);
      } else group.activatedBy = second.name;
    }
    for (const node of nodes) {
      taken.add(node.name);
      holder.set(node.name, lead.name);
    }
    groups.push(group);
  }
  return { groups, holder };
}

function isFused(node: Extract<LayerNode, { readonly type: "activation" }>): node is FusedNode {
  return node.attributes.function !== "leakyRelu";
}

/** How often each node and the input is read. */
export function countReaders(network: Pick<Network, "layers">): ReadonlyMap<string, number> {
  const readers = new Map<string, number>();
  for (const node of network.layers) {
    for (const input of node.inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  return readers;
}
