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
 * The steps of inference. A value has the name of the layer that heads its step, and `input` that of the network's; a
 * parameter that of a network whose batch norm was folded: `conv1/kernel`, `conv1/bias`.
 */
export function steps(network: Stepped, grouping: Grouping, options: StepOptions = {}): Steps {
  const { wanted = Object.values<string>(network.outputs), joins = () => false } = options;
  const names = namesByRole(network);
  const values = activations(network, grouping);
  const kept = new Set(wanted.map((node) => holderOf(grouping, node)));
  const listed = grouping.groups.map((group): Step => {
    const { lead, nodes } = group;
    const weights = weightNames(names, group);
    const parameters = weights === undefined ? [] : parametersOfStep(network, lead.name, weights);
    for (const [name, elements] of parameters) values.set(name, { kind: "parameter", dtype: "float32", elements });
    const flow = flowOf(group);
    return {
      name: lead.name,
      layers: nodes.map(({ name }) => name),
      ...computedIn(network, group),
      ...flow,
      reads: [...flow.reads, ...parameters.map(([name]) => name)],
      ...(weights === undefined ? {} : { weights }),
    };
  });
  return { steps: joinedSteps(listed, kept, joins), values, kept };
}

/** The values of a run of a network, without its parameters; what `cost` needs of the steps, and no more. */
export function activations({ shapes }: Pick<Network, "shapes">, { groups }: Grouping): Map<string, StepValue> {
  return new Map(
    [INPUT, ...groups.map(({ lead }) => lead.name)].map((name): [string, StepValue] => [
      name,
      { kind: "activation", dtype: "float32", elements: elementCount(shapes.get(name) ?? []) },
    ]),
  );
}

/** What a group reads and writes, parameters apart. */
export function flowOf({ lead, reads }: Group): Pick<Step, "reads" | "writes" | "inPlace"> {
  return { reads, writes: [lead.name], inPlace: lead.type === "activation" };
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
  const elements = (name = "") => elementCount(parameterInfo.get(name)?.shape ?? []);
  const added = batchNorm?.mean ?? bias;
  const channels = elements(added);
  const [factor, term] = kernel === undefined ? ["scale", "shift"] : [undefined, "bias"];
  return [
    [kernel ?? `${step}/${factor}`, kernel === undefined ? channels : elements(kernel)],
    ...(added === undefined ? [] : [[`${step}/${term}`, channels] as const]),
  ];
}

/** Joins those whose output only the next step reads, where the backend wants the two as one. */
function joinedSteps(
  steps: readonly Step[],
  kept: ReadonlySet<string>,
  joins: (first: KernelCall, second: KernelCall) => boolean,
): readonly Step[] {
  const readers = new Map<string, number>();
  for (const { reads } of steps) for (const read of reads) readers.set(read, (readers.get(read) ?? 0) + 1);
  let isJoined = false;
  return steps.map((step, index) => {
    const { name, call } = step;
    const next = steps[index + 1];
    const isSole = next?.reads[0] === name && readers.get(name) === 1 && !kept.has(name);
    // No more than two are one.
    isJoined = !isJoined && isSole && joins(call, next.call);
    return isJoined ? { ...step, joined: true } : step;
  });
}

function computedIn({ shapes }: Pick<Network, "shapes">, { lead, activation }: Group): Pick<Step, "call" | "multAdds"> {
  const operation = operationOf(lead.type);
  invariant(!operation.isView, `"${lead.name}" is a view and cannot be a step.`);
  // With an example in front.
  const [output, ...inputs] = [lead.name, ...lead.inputs].map((name): Shape => [1, ...(shapes.get(name) ?? [])]);
  const call = operation.call(lead.name, lead.attributes, inputs, output ?? []);
  const multAdds = operation.multAdds(lead.attributes, inputs[0] ?? [], output ?? []);
  if (activation === undefined) return { call, multAdds };
  invariant(
    "activation" in call && call.kernel !== "activation",
    `"${activation.name}" was fused into "${lead.name}", but ${call.kernel} has no place for an activation.`,
  );
  return { call: { ...call, activation: activation.attributes.function }, multAdds };
}
