/** What a reader makes of a file: tensors by name, or a graph of operations; and what the file says besides. */

import type { ReadLimits } from "./decoded-budget.ts";
import type { Facts } from "./facts.ts";
import type { ModelGraph } from "./graph/graph.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** A file as readers see it: whole, with the files that lie beside it. */
export interface OpenFile {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The bytes of a file named relative to this one, such as a shard; at most `maxBytes` of the load.
   *
   * @throws {DepthwiseError} `FILE_NOT_FOUND` and others; for bytes without a place, saying what to pass instead
   */
  sibling(path: string): Promise<Uint8Array>;
}

export interface ReadContext extends ReadLimits {
  readonly signal?: AbortSignal | undefined;
}

/** Tensors under the names of the tool that wrote them. */
export interface TensorContent {
  readonly kind: "tensors";
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Whether the order of `tensors` is the order of the network's layers (a state dict), or says nothing. */
  readonly isOrdered: boolean;
}

export interface ModelFile {
  /** As a person would call it: "TFLite", "Keras HDF5, weights only". */
  readonly format: string;
  readonly content: TensorContent | ModelGraph;
  /** What the file says or shows of the model, apart from the content. */
  readonly facts: Facts;
  /** A network of the user's own that the file describes, to be checked by `networkFromJson`. */
  readonly network?: Readonly<Record<string, unknown>>;
  /** Anything else worth telling or keeping: who wrote it, versions, quantization. Plain data, kept in `describe`. */
  readonly remarks: Readonly<Record<string, unknown>>;
}

/** One format: a file exporting `read`, and a row in `registry.ts`. */
export type FormatReader = (file: OpenFile, context: ReadContext) => Promise<ModelFile>;
