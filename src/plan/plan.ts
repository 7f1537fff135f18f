/**
 * A plan: what will run, in order, where in memory, as plain data and the same for every backend. Printing it
 * explains a session.
 */

import { DepthwiseError, invariant } from "../core/errors.ts";
import { elementCount, type Shape } from "../core/tensor.ts";
import { checkNetwork, checkParameters, type Network, unknownName } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import { scaleAndShift } from "../operations/batch-norm.ts";
import type { KernelCall } from "../operations/kernel-call.ts";
import type { ParameterRole } from "../operations/operation.ts";
import { operationOf } from "../operations/table.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import { fuse, type Group } from "./fuse.ts";
import { layOutMemory } from "./lifetimes.ts";

export interface Step {
  /** The layer that gives it its name. */
  readonly name: string;
  /** All layers computed in it. */
  readonly layers: readonly string[];
  readonly call: KernelCall;
  /** Offsets in the arena, in elements. */
  readonly inputOffsets: readonly number[];
  readonly inputElements: readonly number[];
  readonly outputOffset: number;
  /** Elements of one example; the arena holds `batch` times as many. */
  readonly outputElements: number;
  readonly multAdds: number;
  /** `[kernel, bias]` after folding, or `[scale, shift]`. */
  readonly parameters: readonly (Float32Array | undefined)[];
}

/** A value the caller gets. */
export interface PlannedOutput {
  readonly offset: number;
  /** Shape of one example. */
  readonly shape: Shape;
}

export interface Plan {
  readonly network: string;
  readonly batch: number;
  readonly inputShape: Shape;
  readonly inputOffset: number;
  readonly steps: readonly Step[];
  readonly outputs: Readonly<Record<string, PlannedOutput>>;
  readonly taps: Readonly<Record<string, PlannedOutput>>;
  readonly arenaElements: number;
}

export interface PlanOptions {
  /** Most images in one run. Default 1. */
  readonly batch?: number;
  /** Layers whose activated output is wanted: names of layers or blocks. */
  readonly taps?: readonly string[];
  /** Whether batch norm is folded into convolutions. Default true. */
  readonly fold?: boolean;
}

/**
 * Plans a network.
 *
 * @throws {DepthwiseError} `NAME_UNKNOWN` for a tap that is no layer; `PARAMETERS_MISMATCH` if a parameter was
 *         replaced by one that does not fit; `MEMORY_EXCEEDED` if the activations could not be addressed
 */
export function plan(network: Network, { batch = 1, taps = [], fold = true }: PlanOptions = {}): Plan {
  checkNetwork("compile", network);
  const tapped = new Map(taps.map((name) => [name, resolveTap(network, name)]));
  const grouping = fuse(network, { keep: keptApart(network, [...tapped.values()]), fold });
  const holderOf = (node: string): string => {
    const holder = grouping.holder.get(node);
    invariant(holder !== undefined, `No step holds "${node}".`);
    return holder;
  };
  const wanted = [...Object.values<string>(network.outputs), ...tapped.values()];
  const memory = layOutMemory(network, grouping, batch, new Set(wanted.map(holderOf)));
  checkAddressable(network, batch, memory.elements);
  checkParameters(network, network.parameters, "compile");

  const offsetOf = (head: string): number => memory.offsets.get(head) ?? 0;
  const planned = (node: string): PlannedOutput => ({
    offset: offsetOf(holderOf(node)),
    shape: network.shapes.get(node) ?? [],
  });
  const plannedAll = (names: Iterable<readonly [string, string]>) =>
    Object.fromEntries([...names].map(([name, node]) => [name, planned(node)]));
  return {
    network: network.name,
    batch,
    inputShape: network.inputShape,
    inputOffset: offsetOf(INPUT),
    steps: grouping.groups.map((group) => planStep(network, group, offsetOf)),
    outputs: plannedAll(Object.entries<string>(network.outputs)),
    taps: plannedAll(tapped),
    arenaElements: memory.elements,
  };
}

function planStep(network: Network, group: Group, offsetOf: (head: string) => number): Step {
  const { head } = group;
  const operation = operationOf(head.type);
  const inputs = head.inputs.map((name) => [1, ...(network.shapes.get(name) ?? [])]);
  const output = [1, ...(network.shapes.get(head.name) ?? [])];
  const call = operation.call(head.name, head.attributes, inputs, output);
  invariant(call !== undefined, `"${head.name}" is a view and cannot be a step.`);
  const isFused = group.activation !== undefined && "activation" in call;
  return {
    name: head.name,
    layers: group.nodes.map(({ name }) => name),
    call: isFused ? ({ ...call, activation: group.activation?.attributes.function } as KernelCall) : call,
    inputOffsets: group.reads.map(offsetOf),
    inputElements: inputs.map(elementCount),
    outputOffset: offsetOf(head.name),
    outputElements: elementCount(output),
    multAdds: operation.multAdds(head.attributes, inputs[0] ?? [], output),
    parameters: stepParameters(network, group),
  };
}

function stepParameters(network: Network, { head, batchNorm }: Group): readonly (Float32Array | undefined)[] {
  const own = parametersByRole(network, head.name);
  if (head.type === "batchNorm") {
    const { scale, shift } = scaleAndShift(statistics(own), head.attributes.epsilon);
    return [Float32Array.from(scale), Float32Array.from(shift)];
  }
  const kernel = own.get("kernel");
  if (kernel === undefined) return [];
  if (batchNorm === undefined) return [kernel, own.get("bias")];
  const numbers = statistics(parametersByRole(network, batchNorm.name));
  const folded = foldBatchNorm(kernel, own.get("bias"), numbers, batchNorm.attributes.epsilon);
  return [folded.kernel, folded.bias];
}

function parametersByRole(network: Network, node: string): ReadonlyMap<ParameterRole, Float32Array> {
  const found = new Map<ParameterRole, Float32Array>();
  for (const info of network.parameterInfo.values()) {
    const value = info.node === node ? network.parameters.get(info.name) : undefined;
    if (value !== undefined) found.set(info.role, value.data);
  }
  return found;
}

function statistics(own: ReadonlyMap<ParameterRole, Float32Array>) {
  const mean = own.get("mean");
  const variance = own.get("variance");
  invariant(mean !== undefined && variance !== undefined, "A batch norm lacks its statistics.");
  return { gamma: own.get("gamma"), beta: own.get("beta"), mean, variance };
}

/**
 * The node a tap means. A convolution's name means its activated output: the value after the batch norm and the
 * activation behind it. Any other layer's name means that layer's own output.
 */
function resolveTap(network: Network, name: string): string {
  const node = network.aliases[name] ?? name;
  const { groups, holder } = fuse(network);
  if (!holder.has(node)) {
    const known = [...network.layers.map((layer) => layer.name), ...Object.keys(network.aliases)];
    throw unknownName("compile: taps", name, known);
  }
  const group = groups.find(({ head }) => head.name === node);
  return group === undefined ? node : (group.nodes[group.nodes.length - 1]?.name ?? node);
}

/** Tapped values inside a group must be kept apart; the last value of a group is there anyway. */
function keptApart(network: Network, nodes: readonly string[]): ReadonlySet<string> {
  const lasts = new Set(fuse(network).groups.map(({ nodes: all }) => all[all.length - 1]?.name));
  return new Set(nodes.filter((node) => !lasts.has(node)));
}

/** The longest a Float32Array may be on every engine: 4 GiB. */
const MOST_ELEMENTS = 2 ** 30;

function checkAddressable(network: Network, batch: number, elements: number): void {
  if (elements <= MOST_ELEMENTS) return;
  throw new DepthwiseError("MEMORY_EXCEEDED", {
    what: `${network.name} with batch ${batch}: activations`,
    expected: `at most ${MOST_ELEMENTS * 4} bytes`,
    found: `${elements * 4}`,
    advice: "Use a smaller input or a smaller batch. Nothing was allocated.",
    fields: { bytes: elements * 4, batch },
  });
}
