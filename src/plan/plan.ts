/**
 * A plan: what will run, in order, where in memory, as plain data and the same for every backend. Printing it
 * explains a session.
 */

import { checkBytes } from "../core/memory.ts";
import { elementCount, type Shape } from "../core/tensor.ts";
import { parameterBytes } from "../layers/initialise.ts";
import { checkNetwork, checkParameters, type Network, unknownName } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import type { KernelCall } from "../operations/kernel-call.ts";
import { fuse, type Group, type Grouping } from "./fuse.ts";
import { place, type Span } from "./place.ts";
import { holderOf, type Step, type StepValue, steps } from "./steps.ts";

export type { KernelCall, Step };

/** A value with its place in the arena, and the steps between which it is there. */
export interface PlannedValue extends StepValue, Span {
  /** In bytes; of what does not lie there, parameters and what a joined step hands on, undefined. */
  readonly offset?: number | undefined;
}

/** A value the caller gets. */
export interface PlannedOutput {
  /** Its name among the plan's values. */
  readonly value: string;
  /** Shape of one example. */
  readonly shape: Shape;
}

/** A network laid out for one batch: what runs in which order, and where each activation lies in the arena. */
export interface Plan {
  readonly network: string;
  readonly batch: number;
  /** Name of the value that comes from outside. */
  readonly input: string;
  /** Shape of one example of it. */
  readonly inputShape: Shape;
  readonly steps: readonly Step[];
  /** What steps read and write, by name. */
  readonly values: ReadonlyMap<string, PlannedValue>;
  readonly outputs: Readonly<Record<string, PlannedOutput>>;
  readonly taps: Readonly<Record<string, PlannedOutput>>;
  readonly arenaBytes: number;
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
  const { batch = 1, taps = [], fold = true, joins } = options;
  checkNetwork("compile", network);
  const usual = fuse(network);
  const byLead = new Map(usual.groups.map((group) => [group.lead.name, group]));
  const tapped = new Map(taps.map((name) => [name, resolveTap(network, name, usual, byLead)]));
  const keep = keptApart(usual, [...tapped.values()]);
  const grouping = fold && keep.size === 0 ? usual : fuse(network, { keep, fold });
  const wanted = [...Object.values<string>(network.outputs), ...tapped.values()];
  const list = steps(network, grouping, { wanted, joins });
  const { spans, offsets, arenaBytes } = place(list, batch);
  const always = { from: -1, to: list.steps.length };
  const parameters = parameterBytes(network.parameterInfo.values());
  const what = `${network.name} with batch ${batch}`;
  const advice = "Use a smaller alpha, input or batch, or fewer classes.";
  checkBytes(`${what}: activations and parameters`, arenaBytes + parameters, advice, { batch });
  const copied = wanted.reduce((sum, node) => sum + elementCount(network.shapes.get(node) ?? []), 0);
  checkBytes(`${what}: outputs, of which each run makes copies,`, 4 * batch * copied, advice, { batch });

  const plannedAll = (names: Iterable<readonly [string, string]>) =>
    Object.fromEntries(
      [...names].map(([name, node]): [string, PlannedOutput] => [
        name,
        { value: holderOf(grouping, node), shape: network.shapes.get(node) ?? [] },
      ]),
    );
  return {
    network: network.name,
    batch,
    input: INPUT,
    inputShape: network.inputShape,
    steps: list.steps,
    values: new Map(
      [...list.values].map(([name, value]): [string, PlannedValue] => {
        const span = value.kind === "parameter" ? always : (spans.get(name) ?? always);
        return [name, { ...value, ...span, offset: offsets.get(name) }];
      }),
    ),
    outputs: plannedAll(Object.entries<string>(network.outputs)),
    taps: plannedAll(tapped),
    arenaBytes,
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

/**
 * The node a tap means. A convolution's name means its activated output: the value after the batch norm and the
 * activation behind it. Any other layer's name means that layer's own output.
 */
function resolveTap(
  network: PlannedNetwork,
  name: string,
  { holder }: Grouping,
  byLead: ReadonlyMap<string, Group>,
): string {
  const alias = Object.hasOwn(network.aliases, name) ? network.aliases[name] : undefined;
  const node = alias ?? name;
  if (!holder.has(node)) {
    const known = [...network.layers.map((layer) => layer.name), ...Object.keys(network.aliases)];
    throw unknownName("compile: taps", name, known);
  }
  const group = byLead.get(node);
  return group === undefined ? node : (group.activatedBy ?? group.nodes[group.nodes.length - 1]?.name ?? node);
}

/** Tapped values inside a group must be kept apart; the last value of a group is there anyway. */
function keptApart({ groups }: Grouping, nodes: readonly string[]): ReadonlySet<string> {
  const lasts = new Set(groups.map(({ nodes: all }) => all[all.length - 1]?.name));
  return new Set(nodes.filter((node) => !lasts.has(node)));
}
