/**
 * What a network costs, from its shapes alone: no parameter is made, no number computed.
 *
 * A row is a step as it would run: a convolution with the batch norm and the activation behind it, named after the
 * convolution. Multiply-adds are those of Howard et al. 2017, section 3.1, on the output's side where there is a
 * stride; other conventions count more.
 */

import { checkKnownOptions, optionError } from "../core/options.ts";
import { elementCount, type Shape } from "../core/tensor.ts";
import { checkNetwork, type Network } from "../layers/network.ts";
import { INPUT, type LayerNode } from "../layers/node.ts";
import type { ParameterInfo } from "../layers/parameter-info.ts";
import { operationOf } from "../operations/table.ts";
import { fuse, type Group, type Grouping } from "../plan/fuse.ts";
import { place } from "../plan/place.ts";
import { activations, flowOf } from "../plan/steps.ts";
import { type Convention, type ConventionName, type CountedType, resolveConvention } from "./conventions.ts";
import { countedType, kindOf, standardMultAdds, windowAreaOf } from "./kinds.ts";

/** A row of a count: a layer with its batch norm and activation. Null where the convention counts none. */
export interface CostLayer {
  readonly name: string;
  readonly type: CountedType;
  /** The paper's label of table 2, made from the kernel: `Conv DW 3x3`, `Fully Connected`, … */
  readonly kind: string;
  /** Without the batch. */
  readonly inputShape: Shape;
  /** Of the last layer of the row, without the batch. */
  readonly outputShape: Shape;
  /** `[height, width]`, of layers with a window. */
  readonly kernel?: readonly [number, number];
  readonly stride?: readonly [number, number];
  /** Operations in the convention's word; null where it counts none. */
  readonly multAdds: number | null;
  readonly parameters: number;
  readonly trainableParameters: number;
  /** Of the row's output: float32, one example. */
  readonly activationBytes: number;
  /** Part of the total, 0 to 1; null where nothing is counted. */
  readonly multAddsShare: number | null;
  readonly parametersShare: number;
  /**
   * On both rows of a separable pair: its multiply-adds over those of the standard convolution of the same kernel,
   * stride and channels, 1/N + 1/k². Howard et al. 2017, section 3.1. Always in multiply-adds.
   */
  readonly standardRatio?: number;
}

/** A count in all; batch 1. */
export interface CostTotals {
  /** Operations in the convention's word; null for one that counts parameters alone, such as `keras`. */
  readonly multAdds: number | null;
  readonly parameters: number;
  readonly trainableParameters: number;
  /** Sum over the rows: float32, one example. */
  readonly activationBytes: number;
  /** The piece of memory in which a session of batch 1 keeps all activations, the input included. */
  readonly peakActivationBytes: number;
}

/** All layers of one kind together; shares are of the totals, 0 to 1. */
export interface CostOfKind {
  readonly layers: number;
  readonly multAdds: number | null;
  readonly multAddsShare: number | null;
  readonly parameters: number;
  readonly parametersShare: number;
}

/** A counted network. */
export interface Cost {
  /** The network's name. */
  readonly network: string;
  /** The convention's name. */
  readonly convention: string;
  /** What the convention calls an operation. */
  readonly word: string | null;
  readonly layers: readonly CostLayer[];
  readonly totals: CostTotals;
  /** By `kind`, in the order of first appearance. */
  readonly byType: Readonly<Record<string, CostOfKind>>;
}

/** How `cost` counts. */
export interface CostOptions {
  /** A name of `CONVENTIONS`, or a convention of one's own. Default `"paper"`. */
  readonly convention?: ConventionName | Convention;
}

/**
 * Counts a network: operations, parameters and bytes of activations, by layer, by kind and in all; batch 1.
 *
 *     cost(mobileNetV1()).totals.multAdds   // 568,740,352
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for a convention that does not exist or gives no finite number
 */
export function cost(network: Network, options: CostOptions = {}): Cost {
  checkNetwork("cost", network);
  checkKnownOptions("cost", options, ["convention"]);
  const convention = resolveConvention(options.convention === undefined ? "paper" : options.convention);
  const grouping = fuse(network);
  const classifier = grouping.holder.get(logitsOf(network) ?? "");
  const counter = new Counter(network, convention, classifier);
  const counted = grouping.groups.map((group) => countGroup(network, group, counter));
  const multAdds = convention.operations === null ? null : total(counted, (row) => row.multAdds ?? 0);
  const parameters = total(counted, (row) => row.parameters);
  const ratios = standardRatios(network, grouping, classifier);
  const layers = counted.map((row): CostLayer => {
    const ratio = ratios.get(row.name);
    return {
      ...row,
      multAddsShare: shareOf(row.multAdds, multAdds),
      parametersShare: share(row.parameters, parameters),
      ...(ratio === undefined ? {} : { standardRatio: ratio }),
    };
  });
  return {
    network: network.name,
    convention: convention.name,
    word: convention.word,
    layers,
    totals: {
      multAdds,
      parameters,
      trainableParameters: total(counted, (row) => row.trainableParameters),
      activationBytes: total(counted, (row) => row.activationBytes),
      peakActivationBytes: peakActivationBytes(network, grouping),
    },
    byType: sumByKind(layers, multAdds, parameters),
  };
}

type CountedRow = Omit<CostLayer, "multAddsShare" | "parametersShare" | "standardRatio">;

/** Applies a convention to one layer at a time. */
class Counter {
  private readonly network: Network;
  private readonly convention: Convention;
  readonly classifier: string | undefined;
  private readonly infoByNode: ReadonlyMap<string, readonly ParameterInfo[]>;

  constructor(network: Network, convention: Convention, classifier: string | undefined) {
    this.network = network;
    this.convention = convention;
    this.classifier = classifier;
    this.infoByNode = groupBy(network.parameterInfo.values(), ({ node }) => node);
  }

  get countsOperations(): boolean {
    return this.convention.operations !== null;
  }

  operations(node: LayerNode): number {
    const type = countedType(node);
    const rule = this.convention.operations?.[type];
    if (rule === undefined || this.leavesOut(node)) return 0;
    const infos = this.infoByNode.get(node.name) ?? [];
    const inputShape = this.network.shapes.get(node.inputs[0] ?? INPUT) ?? [];
    const outputShape = this.network.shapes.get(node.name) ?? [];
    const count = rule({
      name: node.name,
      type,
      isClassifier: node.name === this.classifier,
      multAdds: operationOf(node.type).multAdds(node.attributes, [1, ...inputShape], [1, ...outputShape]),
      inputElements: elementCount(inputShape),
      outputElements: elementCount(outputShape),
      windowArea: windowAreaOf(node, inputShape),
      hasBias: infos.some(({ role }) => role === "bias"),
      isAffine: infos.some(({ role }) => role === "gamma" || role === "beta"),
      activation: node.type === "activation" ? node.attributes.function : undefined,
    });
    if (Number.isFinite(count)) return count;
    throw optionError("cost", `convention.operations.${type}`, "a rule that returns a finite number", count);
  }

  parameters(node: LayerNode, { trainableOnly = false } = {}): number {
    if (this.leavesOut(node)) return 0;
    const infos = (this.infoByNode.get(node.name) ?? []).filter(({ trainable }) => trainable || !trainableOnly);
    return total(infos, ({ role, shape }) => (this.convention.parameters[role] ?? 0) * elementCount(shape));
  }

  private leavesOut(node: LayerNode): boolean {
    return this.convention.classifier === false && node.name === this.classifier;
  }
}

function countGroup(network: Network, { lead, nodes }: Group, counter: Counter): CountedRow {
  const inputShape = network.shapes.get(lead.inputs[0] ?? INPUT) ?? [];
  const outputShape = network.shapes.get(nodes[nodes.length - 1]?.name ?? lead.name) ?? [];
  return {
    name: lead.name,
    type: countedType(lead),
    kind: kindOf(lead, outputShape, lead.name === counter.classifier),
    inputShape,
    outputShape,
    ...("kernel" in lead.attributes ? { kernel: lead.attributes.kernel, stride: lead.attributes.stride } : {}),
    multAdds: counter.countsOperations ? total(nodes, (node) => counter.operations(node)) : null,
    parameters: total(nodes, (node) => counter.parameters(node)),
    trainableParameters: total(nodes, (node) => counter.parameters(node, { trainableOnly: true })),
    activationBytes: 4 * elementCount(outputShape),
  };
}

/** Both rows of each depthwise layer that a pointwise layer follows. */
function standardRatios(network: Network, { groups }: Grouping, classifier: string | undefined): Map<string, number> {
  const ratios = new Map<string, number>();
  groups.forEach(({ lead: depthwise }, index) => {
    const next = groups[index + 1];
    if (depthwise.type !== "depthwiseConv2d" || next?.lead.type !== "pointwiseConv2d") return;
    if (next.lead.name === classifier || next.reads[0] !== depthwise.name) return;
    const input = [1, ...(network.shapes.get(depthwise.inputs[0] ?? INPUT) ?? [])];
    const between = [1, ...(network.shapes.get(depthwise.name) ?? [])];
    const output = [1, ...(network.shapes.get(next.lead.name) ?? [])];
    const pair =
      operationOf("depthwiseConv2d").multAdds(depthwise.attributes, input, between) +
      operationOf("pointwiseConv2d").multAdds(next.lead.attributes, between, output);
    const ratio = pair / standardMultAdds(depthwise.attributes, next.lead.attributes.filters, input, output);
    ratios.set(depthwise.name, ratio);
    ratios.set(next.lead.name, ratio);
  });
  return ratios;
}

function logitsOf(network: Network): string | undefined {
  const outputs: Readonly<Record<string, string>> = network.outputs;
  return outputs["logits"];
}

/** As a session of batch 1 lays it out. */
function peakActivationBytes(network: Network, grouping: Grouping): number {
  const kept = new Set(Object.values<string>(network.outputs).map((node) => grouping.holder.get(node) ?? INPUT));
  const steps = grouping.groups.map(flowOf);
  return place({ steps, values: activations(network, grouping), kept }, 1).arenaBytes;
}

function sumByKind(layers: readonly CostLayer[], multAdds: number | null, parameters: number) {
  const byType: Record<string, CostOfKind> = {};
  for (const [kind, rows] of groupBy(layers, (layer) => layer.kind)) {
    const ofKind = multAdds === null ? null : total(rows, (row) => row.multAdds ?? 0);
    const parametersOfKind = total(rows, (row) => row.parameters);
    byType[kind] = {
      layers: rows.length,
      multAdds: ofKind,
      multAddsShare: shareOf(ofKind, multAdds),
      parameters: parametersOfKind,
      parametersShare: share(parametersOfKind, parameters),
    };
  }
  return byType;
}

/** `Map.groupBy`, which Node 20 lacks. */
function groupBy<Key, Value>(values: Iterable<Value>, keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function total<Value>(values: readonly Value[], count: (value: Value) => number): number {
  return values.reduce((sum, value) => sum + count(value), 0);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function shareOf(part: number | null, whole: number | null): number | null {
  return part === null || whole === null ? null : share(part, whole);
}
