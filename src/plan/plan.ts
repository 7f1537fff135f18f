/**
 * A plan: what will run, in order, where in memory, as plain data and the same for every backend. Printing it
 * explains a session.
 */

import { invariant } from "../core/errors.ts";
import { checkBytes } from "../core/memory.ts";
import { elementCount, type Shape } from "../core/tensor.ts";
import { parameterBytes } from "../layers/initialise.ts";
import { checkNetwork, checkParameters, type Network, unknownName } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import type { KernelCall } from "../operations/kernel-call.ts";
import { operationOf } from "../operations/table.ts";
import { fuse, type Group, type Grouping } from "./fuse.ts";
import { layOutMemory } from "./lifetimes.ts";
import { namesByRole, type RoleNames, type WeightNames, weightNames } from "./step-weights.ts";

export type { KernelCall };

/** One kernel call of a plan: its inputs, its output and the names of its weights. */
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
  /** Names of the parameters it reads; see `stepWeights`. */
  readonly weights?: WeightNames;
  /** Its output never lies in the arena: a backend that asked for it hands it to the next step piece by piece. */
  readonly joined?: boolean;
}

/** A value the caller gets. */
export interface PlannedOutput {
  readonly offset: number;
  /** Shape of one example. */
  readonly shape: Shape;
}

/** A network laid out for one batch: what runs in which order, and where each activation lies in the arena. */
export interface Plan {
  readonly network: string;
  readonly batch: number;
  readonly inputShape: Shape;
  readonly inputOffset: number;
  readonly steps: readonly Step[];
  readonly outputs: Readonly<Record<string, PlannedOutput>>;
  readonly taps: Readonly<Record<string, PlannedOutput>>;
  readonly arenaElements: number;
  /** The parameters that the network has, by name. */
  readonly parameterInfo: Network["parameterInfo"];
}

/** What a plan needs of a network: shapes and names, no numbers. */
export type PlannedNetwork = Pick<
  Network,
  "name" | "inputShape" | "layers" | "shapes" | "outputs" | "aliases" | "parameterInfo"
>;

export interface PlanOptions {
  /** Most images in one run. Default 1. */
  readonly batch?: number;
  /** Layers whose activated output is wanted: names of layers or blocks. */
  readonly taps?: readonly string[];
  /** Whether batch norm is folded into convolutions. Default true. */
  readonly fold?: boolean;
  /** Whether a backend wants to run a step and the only reader of its output as one. Default never. */
  readonly joins?: (first: KernelCall, second: KernelCall) => boolean;
}

/**
 * Plans a network.
 *
 * From shapes alone: no parameter is asked for, since that may make them.
 *
 * @throws {DepthwiseError} `NAME_UNKNOWN` for a tap that is no layer; `MEMORY_EXCEEDED` if activations and parameters
 *         could not be addressed together
 */
export function plan(network: PlannedNetwork, options: PlanOptions = {}): Plan {
  const { batch = 1, taps = [], fold = true, joins = () => false } = options;
  checkNetwork("compile", network);
  const usual = fuse(network);
  const byHead = new Map(usual.groups.map((group) => [group.head.name, group]));
  const tapped = new Map(taps.map((name) => [name, resolveTap(network, name, usual, byHead)]));
  const keep = keptApart(usual, [...tapped.values()]);
  const grouping = fold && keep.size === 0 ? usual : fuse(network, { keep, fold });
  const holderOf = (node: string): string => {
    const holder = grouping.holder.get(node);
    invariant(holder !== undefined, `No step holds "${node}".`);
    return holder;
  };
  const wanted = [...Object.values<string>(network.outputs), ...tapped.values()];
  const kept = new Set(wanted.map(holderOf));
  const calls = grouping.groups.map((group) => callOf(network, group));
  const joined = joinedSteps(grouping, calls, kept, joins);
  const memory = layOutMemory(network, grouping, batch, kept, joined);
  const parameters = parameterBytes(network.parameterInfo.values());
  const what = `${network.name} with batch ${batch}`;
  const advice = "Use a smaller alpha, input or batch, or fewer classes.";
  checkBytes(`${what}: activations and parameters`, 4 * memory.elements + parameters, advice, { batch });
  const copied = wanted.reduce((sum, node) => sum + elementCount(network.shapes.get(node) ?? []), 0);
  checkBytes(`${what}: outputs, of which each run makes copies,`, 4 * batch * copied, advice, { batch });

  const names = namesByRole(network);
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
    steps: grouping.groups.map((group, index) => ({
      ...planStep(network, group, calls[index] as KernelCall, names, offsetOf),
      ...(joined.has(group.head.name) ? { joined: true } : {}),
    })),
    outputs: plannedAll(Object.entries<string>(network.outputs)),
    taps: plannedAll(tapped),
    arenaElements: memory.elements,
    parameterInfo: network.parameterInfo,
  };
}

/**
 * The parameters as they are now, in a Map of its own: what becomes of the network's Map afterwards, or of a tensor in
 * it, changes nothing. The numbers are not copied; see `stepWeights`.
 *
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH`
 */
export function parametersOf(network: Pick<Network, "name" | "parameterInfo" | "parameters">): Network["parameters"] {
  const { parameters } = network;
  checkParameters(network, parameters, "compile");
  return heldParameters(network, parameters, (data) => data);
}

/** Throws `PARAMETERS_MISMATCH` unless `parameters` can take the place of those that were planned. */
export function checkReplacement({ network, parameterInfo }: Plan, parameters: Network["parameters"]): void {
  checkParameters({ name: network, parameterInfo }, parameters, "replaceParameters");
}

/** Parameters that were checked, in a Map of its own. */
export function heldParameters(
  { parameterInfo }: Pick<Network, "parameterInfo">,
  parameters: Network["parameters"],
  hold: (data: Float32Array) => Float32Array,
): Network["parameters"] {
  const held: Network["parameters"] = new Map();
  for (const [name, { shape }] of parameterInfo) {
    const value = parameters.get(name);
    if (value !== undefined) held.set(name, { dtype: "float32", shape, data: hold(value.data) });
  }
  return held;
}

/** Heads of the steps whose output only the next step reads, where the backend wants the two as one. */
function joinedSteps(
  { groups }: Grouping,
  calls: readonly KernelCall[],
  kept: ReadonlySet<string>,
  joins: NonNullable<PlanOptions["joins"]>,
): ReadonlySet<string> {
  const joined = new Set<string>();
  const readers = new Map<string, number>();
  for (const { reads } of groups) for (const read of reads) readers.set(read, (readers.get(read) ?? 0) + 1);
  for (const [index, { head }] of groups.entries()) {
    const [call, next] = [calls[index], calls[index + 1]];
    const previous = groups[index - 1]?.head.name ?? "";
    if (call === undefined || next === undefined || kept.has(head.name) || joined.has(previous)) continue;
    const isSole = readers.get(head.name) === 1 && groups[index + 1]?.reads[0] === head.name;
    if (isSole && joins(call, next)) joined.add(head.name);
  }
  return joined;
}

function callOf(network: PlannedNetwork, { head, activation }: Group): KernelCall {
  const inputs = head.inputs.map((name) => [1, ...(network.shapes.get(name) ?? [])]);
  const output = [1, ...(network.shapes.get(head.name) ?? [])];
  const operation = operationOf(head.type);
  invariant(!operation.isView, `"${head.name}" is a view and cannot be a step.`);
  const call = operation.call(head.name, head.attributes, inputs, output);
  if (activation === undefined) return call;
  invariant(
    "activation" in call && call.kernel !== "activation",
    `"${activation.name}" was fused into "${head.name}", but ${call.kernel} has no place for an activation.`,
  );
  return { ...call, activation: activation.attributes.function };
}

function planStep(
  network: PlannedNetwork,
  group: Group,
  call: KernelCall,
  names: RoleNames,
  offsetOf: (head: string) => number,
): Step {
  const { head } = group;
  const inputs = head.inputs.map((name) => [1, ...(network.shapes.get(name) ?? [])]);
  const output = [1, ...(network.shapes.get(head.name) ?? [])];
  const weights = weightNames(names, group);
  return {
    name: head.name,
    layers: group.nodes.map(({ name }) => name),
    call,
    inputOffsets: group.reads.map(offsetOf),
    inputElements: inputs.map(elementCount),
    outputOffset: offsetOf(head.name),
    outputElements: elementCount(output),
    multAdds: operationOf(head.type).multAdds(head.attributes, inputs[0] ?? [], output),
    ...(weights === undefined ? {} : { weights }),
  };
}

/**
 * The node a tap means. A convolution's name means its activated output: the value after the batch norm and the
 * activation behind it. Any other layer's name means that layer's own output.
 */
function resolveTap(
  network: PlannedNetwork,
  name: string,
  { holder }: Grouping,
  byHead: ReadonlyMap<string, Group>,
): string {
  const alias = Object.hasOwn(network.aliases, name) ? network.aliases[name] : undefined;
  const node = alias ?? name;
  if (!holder.has(node)) {
    const known = [...network.layers.map((layer) => layer.name), ...Object.keys(network.aliases)];
    throw unknownName("compile: taps", name, known);
  }
  const group = byHead.get(node);
  return group === undefined ? node : (group.activatedBy ?? group.nodes[group.nodes.length - 1]?.name ?? node);
}

/** Tapped values inside a group must be kept apart; the last value of a group is there anyway. */
function keptApart({ groups }: Grouping, nodes: readonly string[]): ReadonlySet<string> {
  const lasts = new Set(groups.map(({ nodes: all }) => all[all.length - 1]?.name));
  return new Set(nodes.filter((node) => !lasts.has(node)));
}
