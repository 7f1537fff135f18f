/** Training steps while they are made: values and steps so far, and what is known of the network. */

import { DepthwiseError, invariant } from "../../core/errors.ts";
import { elementCount, type Shape } from "../../core/tensor.ts";
import type { LayerNode } from "../../layers/node.ts";
import type { ParameterInfo } from "../../layers/parameter-info.ts";
import type { KernelCall } from "../../operations/kernel-call.ts";
import { operationOf } from "../../operations/table.ts";
import type { Load, Norm, TrainingCall, WeightedCall } from "../../operations/training-call.ts";
import type { StepValue } from "../steps.ts";
import type { Segment, Trainable } from "./segments.ts";
import {
  gradientOf,
  type NamedOperands,
  normOf,
  type TrainingStep,
  type TrainingStepsOptions,
} from "./training-step.ts";

/** How a segment is read: a value, and what is done to it on the way. */
export interface SegmentView {
  readonly value: string;
  readonly norm?: string;
  readonly load?: Load;
}

/** Names by role; those that are not there are left out of a step. */
export type Roles = Readonly<Record<string, string | undefined>>;

export class TrainingDraft {
  readonly network: Trainable;
  readonly options: TrainingStepsOptions;
  readonly steps: TrainingStep[] = [];
  readonly values = new Map<string, StepValue>();
  readonly kept = new Set<string>();
  readonly views = new Map<string, SegmentView>();
  readonly gradients = new Map<string, string>();
  readonly parametersRead = new Set<string>();
  readonly #layers: ReadonlyMap<string, LayerNode>;
  /** Parameters of a layer by their role. */
  readonly #parameters = new Map<string, Map<string, ParameterInfo>>();

  constructor(network: Trainable, options: TrainingStepsOptions) {
    this.network = network;
    this.options = options;
    this.#layers = new Map(network.layers.map((node) => [node.name, node]));
    for (const info of network.parameterInfo.values()) {
      const own = this.#parameters.get(info.node) ?? new Map<string, ParameterInfo>();
      this.#parameters.set(info.node, own.set(info.role, info));
    }
  }

  add(
    { lead }: Segment,
    phase: TrainingStep["phase"],
    call: TrainingCall | KernelCall,
    reads: Roles,
    writes: Roles,
    { multAdds = 0, ...more }: { readonly multAdds?: number; readonly inPlace?: boolean } = {},
  ): void {
    this.steps.push({
      name: lead.name,
      phase,
      call,
      reads: present(reads),
      writes: present(writes),
      multAdds,
      ...more,
    });
  }

  value(name: string, kind: StepValue["kind"], elements: number): void {
    if (this.values.has(name)) throw takenName(this.network.name, name);
    this.values.set(name, { kind, dtype: "float32", elements });
  }

  /** A value that is there before the first step and after the last one. */
  state(name: string, elements: number): void {
    if (!this.kept.has(name)) this.value(name, "scratch", elements);
    this.kept.add(name);
  }

  view(name: string): SegmentView {
    const view = this.views.get(name);
    invariant(view !== undefined, `Nothing computes "${name}".`);
    return view;
  }

  /**
   * How a layer with a kernel reads a segment. Where a reshape lies between and the layer's channels are others than those
   * that were normalised, the value is normalised in memory.
   */
  read(name: string, reader: Segment): SegmentView {
    const view = this.view(name);
    const shape = this.network.shapes.get(reader.lead.inputs[0] ?? "") ?? [];
    const isAlike = shape[shape.length - 1] === this.pixels(name).channels;
    return view.load?.norm !== true || isAlike ? view : { value: this.plain(name, reader) };
  }

  /** A segment's value as others read it, in memory. */
  plain(name: string, reader: Segment): string {
    const { value, norm, load } = this.view(name);
    if (load === undefined) return value;
    const activated = `activated(${name})`;
    if (!this.values.has(activated)) {
      this.value(activated, "activation", this.elements(name));
      const call = { kernel: "normalise", load, ...this.pixels(name) } as const;
      this.add(reader, "forward", call, { x: value, xNorm: norm }, { y: activated });
    }
    return activated;
  }

  /** What a batch norm is, as calls say it. */
  norm(layer: string): Norm {
    const node = this.#layers.get(layer);
    invariant(node?.type === "batchNorm", `"${layer}" is no batch norm.`);
    const { momentum, variance, normMode } = this.options;
    const learns = this.changes(layer, "gamma") || this.changes(layer, "beta");
    const mode = normMode?.(layer) ?? (learns ? "batch" : "frozen");
    return { mode, ...this.pixels(layer), epsilon: node.attributes.epsilon, momentum, variance };
  }

  statistics(layer: string): Roles {
    const role = (name: string) => this.parameter(layer, name);
    return { gamma: role("gamma"), beta: role("beta"), movingMean: role("mean"), movingVariance: role("variance") };
  }

  /** What measuring a batch norm writes; `role` is that of its norm. */
  measured(layer: string, { mode, channels }: Norm, role: "xNorm" | "yNorm"): Roles {
    const norm = normOf(layer);
    this.value(norm, "scratch", 4 * channels);
    // Made of parameters alone: a backend may write it before the first step, so nothing else lies there then.
    if (mode === "frozen") this.kept.add(norm);
    const { movingMean, movingVariance } = this.statistics(layer);
    return { [role]: norm, ...(mode === "batch" ? { movingMean, movingVariance } : {}) };
  }

  /** What the gradient of a batch norm writes. */
  normGradients(layer: string, { channels }: Norm): Roles {
    const name = gradientOf(normOf(layer));
    this.value(name, "scratch", 3 * channels);
    return { xNormGradient: name, dgamma: this.gradient(layer, "gamma"), dbeta: this.gradient(layer, "beta") };
  }

  parameter(layer: string, role: string): string | undefined {
    const info = this.#parameters.get(layer)?.get(role);
    if (info === undefined) return undefined;
    this.state(info.name, elementCount(info.shape));
    this.parametersRead.add(info.name);
    return info.name;
  }

  /** Whether a layer has a parameter of a role, or of any, that changes. */
  changes(layer: string, role?: string): boolean {
    const own = this.#parameters.get(layer);
    const asked = role === undefined ? [...(own?.values() ?? [])] : [own?.get(role)];
    return asked.some((info) => info?.trainable === true && this.options.trains(info));
  }

  /** Where the gradient of a parameter goes, if it changes. */
  gradient(layer: string, role: string): string | undefined {
    const info = this.#parameters.get(layer)?.get(role);
    if (info === undefined || !this.changes(layer, role)) return undefined;
    const name = gradientOf(info.name);
    this.state(name, elementCount(info.shape));
    this.gradients.set(info.name, name);
    return name;
  }

  elements(layer: string): number {
    return elementCount(this.network.shapes.get(layer) ?? []);
  }

  /** Pixels and channels of one example of what a layer gives. */
  pixels(layer: string): { readonly pixels: number; readonly channels: number } {
    const shape = this.network.shapes.get(layer) ?? [];
    const channels = shape[shape.length - 1] ?? 1;
    return { pixels: this.elements(layer) / channels, channels };
  }

  call({ lead }: Segment): KernelCall {
    const operation = operationOf(lead.type);
    invariant(!operation.isView, `"${lead.name}" is a view and cannot be a step.`);
    const [output = [], ...inputs] = this.#batched(lead);
    return operation.call(lead.name, lead.attributes, inputs, output);
  }

  weighted(part: Segment): WeightedCall {
    const call = this.call(part);
    const isWeighted =
      call.kernel === "conv2d" || call.kernel === "depthwiseConv2d" || call.kernel === "pointwiseConv2d";
    invariant(isWeighted, `"${part.lead.name}" has no kernel.`);
    return call;
  }

  multAdds({ lead }: Segment): number {
    const [output = [], input = []] = this.#batched(lead);
    return operationOf(lead.type).multAdds(lead.attributes, input, output);
  }

  /** Shapes of a layer's output and inputs, with one example in front. */
  #batched({ name, inputs }: LayerNode): readonly Shape[] {
    return [name, ...inputs].map((node): Shape => [1, ...(this.network.shapes.get(node) ?? [])]);
  }
}

/** Of a layer that is named like a value of training. */
export function takenName(network: string, name: string): DepthwiseError {
  return new DepthwiseError("NETWORK_INVALID", {
    what: `train: ${network}: layer "${name}"`,
    expected: "another name: training has a value of that name",
    found: "two values of one name",
  });
}

function present(roles: Roles): NamedOperands {
  const names = Object.entries(roles).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(names);
}
