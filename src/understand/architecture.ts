/**
 * An architecture, to those who understand files: how its tensors and graphs are told, what is decided of them, and
 * who builds it. `architectures/table.ts` lists them; nobody else knows one by its name.
 */

import type { FloatTensor } from "../core/tensor.ts";
import type { ModelGraph } from "../formats/graph.ts";
import type { TensorContent } from "../formats/model-file.ts";
import type { Network } from "../layers/network.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";
import type { OpenFile } from "../sources/open-file.ts";
import type { Facts } from "./facts.ts";
import type { StatedModel } from "./metadata.ts";

/** A builder's options, not checked: of the call, of a file, or decided. */
export type Options = object;

/** What is known beside the content that is looked at. */
export interface Evidence {
  readonly model: StatedModel;
  /** For what lies beside it, and for messages. */
  readonly file: OpenFile;
  readonly budget: DecodedBudget;
  /** Options of the call: what they say of the layers is known before these are looked for. */
  readonly given: Options;
}

/** What was understood of a file, whoever it is to be built by. */
export interface Understood {
  /** Under our names, in our layouts. */
  readonly parameters: ReadonlyMap<string, FloatTensor>;
  /** Of the file and of the content together; what the file itself states wins. */
  readonly facts: Facts;
  /** How the layers were told apart: "names of timm mobilenetv1", "operations of the graph". */
  readonly understoodBy: string;
  /** Scales and zero points by layer, where values are quantized. */
  readonly quantization?: Readonly<Record<string, unknown>>;
}

/** A network of the architecture. */
export interface Recognised<Defaults = unknown> extends Understood {
  /** What files of this family usually are, for `decide`. */
  readonly defaults: Defaults;
}

/** Why something is none of the architecture. */
export interface Refusal {
  readonly reason: string;
  /** Of tensors: what they should have been, "those of a MobileNet V1 (names of Keras, …)". */
  readonly expected?: string;
  /** What they are instead, if that is known. */
  readonly recognised?: string;
}

/** Parameters as the builder wants them, and its options with what each rests on. */
export type Decided = Pick<Understood, "parameters" | "facts">;

/** Who builds an architecture: all that is asked of one by those who save and change networks. */
export interface Builder {
  /** In `info.architecture` and in the metadata of what `saveModel` writes: `mobilenet_v1`. */
  readonly id: string;
  /** In messages: "MobileNet V1". */
  readonly title: string;
  /**
   * Names of the builder's options. Where it has them, `inputSize`, `resolution`, `rho`, `classes`, `includeTop`,
   * `pooling`, `dropout`, `batchNorm`, `convolutionBias`, `labels`, `background` and `preprocessing` mean what they mean
   * for MobileNet V1.
   */
  readonly options: readonly string[];
  /** Checks every option: what a file says is no more trusted than a caller. */
  build(options: Options): Network;
}

/** What only few files need is loaded by the row itself, with `ownPart`. */
export interface Architecture<Defaults = unknown> {
  readonly builder: Builder;
  /** By names of tensors that are its and no other's; undefined for others. */
  byNames(content: TensorContent, evidence: Evidence): Promise<Recognised<Defaults> | undefined>;
  /** By the order and the shapes of tensors, whose names nobody knows. */
  byShapes(content: TensorContent, evidence: Evidence): Promise<Recognised<Defaults> | Refusal>;
  /** By the operations of a graph. */
  byGraph(graph: ModelGraph, evidence: Evidence): Promise<Recognised<Defaults> | Refusal>;
  /** Given beats stated beats inferred beats assumed. */
  decide(recognised: Recognised<Defaults>, given: Options, file: string): Promise<Decided>;
}

/** A refusal, by the architecture's title. */
export type Refused = Refusal & Pick<Builder, "title">;

/** "no MobileNet V1: it has 8 blocks, not 13", for each that was asked. */
export function whyNone(refusals: readonly Refused[]): string {
  return refusals.map(({ title, reason }) => `no ${title}: ${reason}`).join("; ");
}

/** Who made a network, and can make it with other options. */
export function builtBy({ info }: Network, builders: readonly Builder[]): Builder | undefined {
  return info.options && builders.find(({ id }) => id === info.architecture);
}
