/**
 * A network cut into what training runs as one: a layer, the batch norm right behind it and the clamp behind that.
 * Whoever reads a segment normalises and clamps its value again, so that the value before both is all that is saved.
 */

import { DepthwiseError } from "../../core/errors.ts";
import type { Network } from "../../layers/network.ts";
import { INPUT, type LayerNode } from "../../layers/node.ts";
import type { LoadClamp } from "../../operations/training-call.ts";
import type { BatchNormNode } from "../fuse.ts";

export interface Segment {
  /** The layer that computes; of a batch norm on its own that one. */
  readonly lead: LayerNode;
  readonly batchNorm?: BatchNormNode;
  readonly clamp: LoadClamp;
  /** The last layer in it, by which others read it. */
  readonly name: string;
  /** All of its layers. */
  readonly layers: readonly string[];
  /** The segments that it reads, by name, or the network's input. */
  readonly inputs: readonly string[];
}

/** What of a network training asks for: shapes and names, no numbers. */
export type Trainable = Pick<Network, "name" | "layers" | "shapes" | "inputShape" | "parameterInfo">;

/** The segments that lead to a layer, in order; the last is the one that holds it. */
export function segments(network: Trainable, target: string): readonly Segment[] {
  const layers = upstream(network, target);
  const readers = new Map<string, LayerNode[]>();
  for (const node of layers) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  /** The layer that alone reads another, if nobody wants what lies between. */
  const soleReader = (name: string): LayerNode | undefined => {
    const [first, ...others] = readers.get(name) ?? [];
    return name === target || others.length > 0 ? undefined : first;
  };
  const holders = new Map<string, string>([[INPUT, INPUT]]);
  const holderOf = (name: string) => holders.get(name) ?? name;
  const found: Segment[] = [];
  const taken = new Set<string>();
  for (const lead of layers) {
    if (taken.has(lead.name)) continue;
    if (lead.type === "reshape" || lead.type === "flatten") {
      holders.set(lead.name, holderOf(lead.inputs[0] ?? INPUT));
      continue;
    }
    const nodes: LayerNode[] = [lead];
    let batchNorm = lead.type === "batchNorm" ? lead : undefined;
    let clamp: LoadClamp = "linear";
    let next = soleReader(lead.name);
    if (hasKernel(lead) && next?.type === "batchNorm") {
      batchNorm = next;
      nodes.push(next);
      next = soleReader(next.name);
    }
    const clamped =
      (hasKernel(lead) || lead.type === "batchNorm" || isSum(lead)) && next !== undefined && clampOf(next);
    if (clamped && next !== undefined) {
      clamp = clamped;
      nodes.push(next);
    }
    const name = nodes[nodes.length - 1]?.name ?? lead.name;
    for (const node of nodes) {
      taken.add(node.name);
      holders.set(node.name, name);
    }
    found.push({
      lead,
      ...(batchNorm === undefined ? {} : { batchNorm }),
      clamp,
      name,
      layers: nodes.map((node) => node.name),
      inputs: lead.inputs.map(holderOf),
    });
  }
  return found;
}

/** Layers that a layer needs, itself included, in order. */
function upstream({ name, layers }: Pick<Trainable, "name" | "layers">, target: string): readonly LayerNode[] {
  const byName = new Map(layers.map((node) => [node.name, node]));
  const needed = new Set<string>();
  const open = [target];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (needed.has(at)) continue;
    needed.add(at);
    open.push(...(byName.get(at)?.inputs ?? []));
  }
  if (target === INPUT) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `train: ${name}`,
      expected: "an output that a layer computes",
      found: "the input itself",
    });
  }
  return layers.filter((node) => needed.has(node.name));
}

export function hasKernel({ type }: LayerNode): boolean {
  return type === "conv2d" || type === "depthwiseConv2d" || type === "pointwiseConv2d" || type === "dense";
}

function isSum({ type }: LayerNode): boolean {
  return type === "add" || type === "multiply";
}

/** The clamp that a layer is, if it is one. */
function clampOf(node: LayerNode): LoadClamp | undefined {
  if (node.type !== "activation") return undefined;
  const { function: name } = node.attributes;
  return name === "relu" || name === "relu6" || name === "linear" ? name : undefined;
}
