/**
 * From a network to what will run: steps over named values, in order, without a place in memory yet. More steps can be
 * appended to such a list (those of training, say) before `place` gives every value its place.
 */

import { invariant } from "../core/errors.ts";
import { elementCount, type Shape } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";
import { INPUT } from "../layers/node.ts";
import type { KernelCall } from "../operations/kernel-call.ts";
import { operationOf } from "../operations/table.ts";
import type { Group, Grouping } from "./fuse.ts";
import { namesByRole, type WeightNames, weightNames } from "./step-weights.ts";

/**
 * What a step reads or writes. An activation is there once an example, and lives from the step that writes it to the
 * last one that reads it; a parameter is there before the first step; scratch is of use within its steps alone.
 */
export interface StepValue {
  readonly kind: "activation" | "parameter" | "scratch";
  readonly dtype: "float32";
  /** Of an activation that of one example. */
  readonly elements: number;
}

/** One kernel call, and the names of what it reads and writes. */
export interface Step {
  /** The layer that gives it its name. */
  readonly name: string;
  /** All layers computed in it. */
  readonly layers: readonly string[];
  readonly call: KernelCall;
  /** Activations in the order in which the kernel takes them, then parameters: kernel, bias. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly multAdds: number;
  /** How its parameters are made of the network's; see `stepWeights`. */
  readonly weights?: WeightNames;
  /** Its output never lies in memory: a backend that asked for it hands it to the next step piece by piece. */
  readonly joined?: boolean;
  /** What it writes may lie where the first value lies that it reads, if nobody reads that afterwards. */
  readonly inPlace?: boolean;
}

export interface Steps {
  readonly steps: readonly Step[];
  readonly values: ReadonlyMap<string, StepValue>;
  /** Values that are there when the last step has run. */
  readonly kept: ReadonlySet<string>;
}

export interface StepOptions {
  /** Nodes whose value is wanted at the end. Default: the outputs. */
  readonly wanted?: readonly string[];
  /** Whether a backend wants to run a step and the only reader of its output as one. Default never. */
  readonly joins?: ((first: KernelCall, second: KernelCall) => boolean) | undefined;
}

type Stepped = Pick<Network, "layers" | "shapes" | "outputs" | "inputShape" | "parameterInfo">;

/**
 * The steps of inference. A value has the name of the layer that leads its step, and `input` that of the network's; a
 * parameter that of a network whose batch norm was folded: `conv1/kernel`, `conv1/bias`.
 */
export function steps(network: Stepped, grouping: Grouping, options: StepOptions = {}): Steps {
  const { wanted = Object.values<string>(network.outputs), joins } = options;
  const names = namesByRole(network);
  const values = activations(network, grouping);
  const kept = new Set(wanted.map((node) => holderOf(grouping, node)));
  const calls = grouping.groups.map((group) => callOf(network, group));
  const joined = joins === undefined ? new Set<string>() : joinedSteps(grouping, calls, kept, joins);
  const listed = grouping.groups.map((group, index): Step => {
    const { lead, nodes, reads } = group;
    const [input = [], output] = [lead.inputs[0], lead.name].map((node) => shapeOf(network, node));
    const weights = weightNames(names, group);
    const parameters = weights === undefined ? [] : parametersOfStep(network, lead.name, weights);
    for (const [name, elements] of parameters) values.set(name, { kind: "parameter", dtype: "float32", elements });
    return {
      name: lead.name,
      layers: nodes.map(({ name }) => name),
      call: calls[index] as KernelCall,
      reads: [...reads, ...parameters.map(([name]) => name)],
      writes: [lead.name],
      multAdds: operationOf(lead.type).multAdds(lead.attributes, input, output ?? []),
      ...(weights === undefined ? {} : { weights }),
      ...(joined.has(lead.name) ? { joined: true } : {}),
      ...(lead.type === "activation" ? { inPlace: true } : {}),
    };
  });
  return { steps: listed, values, kept };
}

/** The values of a run of a network, without its parameters; what `cost` needs of the steps, and no more. */
export function activations(
  network: Pick<Network, "shapes" | "inputShape">,
  { groups }: Grouping,
): Map<string, StepValue> {
  const value = (elements: number): StepValue => ({ kind: "activation", dtype: "float32", elements });
  return new Map([
    [INPUT, value(elementCount(network.inputShape))],
    ...groups.map(({ lead }): [string, StepValue] => [
      lead.name,
      value(elementCount(network.shapes.get(lead.name) ?? [])),
    ]),
  ]);
}

/** The value in which a node's own lies. */
export function holderOf({ holder }: Grouping, node: string): string {
  const held = holder.get(node);
  invariant(held !== undefined, `No step holds "${node}".`);
  return held;
}

/** Names and elements of what a step reads besides activations: of a folded step after folding. */
function parametersOfStep(
  { parameterInfo }: Pick<Network, "parameterInfo">,
  step: string,
  { kernel, bias, batchNorm }: WeightNames,
): readonly (readonly [name: string, elements: number])[] {
  const elements = (name: string | undefined) => elementCount(parameterInfo.get(name ?? "")?.shape ?? []);
  const channels = elements(batchNorm?.mean ?? bias);
  if (kernel === undefined) {
    return [
      [`${step}/scale`, channels],
      [`${step}/shift`, channels],
    ];
  }
  const own = [kernel, elements(kernel)] as const;
  return bias === undefined && batchNorm === undefined ? [own] : [own, [`${step}/bias`, channels]];
}

/** With an example in front. */
function shapeOf(network: Pick<Network, "shapes">, node = INPUT): Shape {
  return [1, ...(network.shapes.get(node) ?? [])];
}

/** Heads of the steps whose output only the next step reads, where the backend wants the two as one. */
function joinedSteps(
  { groups }: Grouping,
  calls: readonly KernelCall[],
  kept: ReadonlySet<string>,
  joins: (first: KernelCall, second: KernelCall) => boolean,
): ReadonlySet<string> {
  const joined = new Set<string>();
  const readers = new Map<string, number>();
  for (const { reads } of groups) for (const read of reads) readers.set(read, (readers.get(read) ?? 0) + 1);
  for (const [index, { lead }] of groups.entries()) {
    const [call, next] = [calls[index], calls[index + 1]];
    const previous = groups[index - 1]?.lead.name ?? "";
    if (call === undefined || next === undefined || kept.has(lead.name) || joined.has(previous)) continue;
    const isSole = readers.get(lead.name) === 1 && groups[index + 1]?.reads[0] === lead.name;
    if (isSole && joins(call, next)) joined.add(lead.name);
  }
  return joined;
}

function callOf(network: Pick<Network, "shapes">, { lead, activation }: Group): KernelCall {
  const operation = operationOf(lead.type);
  invariant(!operation.isView, `"${lead.name}" is a view and cannot be a step.`);
  const inputs = lead.inputs.map((name) => shapeOf(network, name));
  const call = operation.call(lead.name, lead.attributes, inputs, shapeOf(network, lead.name));
  if (activation === undefined) return call;
  invariant(
    "activation" in call && call.kernel !== "activation",
    `"${activation.name}" was fused into "${lead.name}", but ${call.kernel} has no place for an activation.`,
  );
  return { ...call, activation: activation.attributes.function };
}
