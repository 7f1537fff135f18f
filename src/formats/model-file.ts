/** What a reader makes of a file: tensors by name, or a graph of operations; and what the file says besides. */

import type { ReadLimits } from "../sources/decoded-budget.ts";
import type { OpenFile } from "../sources/open-file.ts";
import type { FileFacts } from "./fact.ts";
import type { ModelGraph } from "./graph.ts";
import type { StoredTensor } from "./stored-tensor.ts";

export interface ReadContext extends ReadLimits {
  readonly signal?: AbortSignal | undefined;
}

/** Tensors under the names of the tool that wrote them. */
export interface TensorContent {
  readonly kind: "tensors";
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Whether the order of `tensors` is the order of the network's layers (a state dict), or says nothing. */
  readonly isOrdered: boolean;
  /** A tensor that a network needs as float32, where its type alone does not say how. Default `toFloat32`. */
  readonly toFloats?: (stored: StoredTensor) => Float32Array;
}

export interface ModelFile {
  /** As a person would call it: "TFLite", "Keras HDF5, weights only". */
  readonly format: string;
  readonly content: TensorContent | ModelGraph;
  /** What the file says or shows of the model, apart from the content. */
  readonly facts: FileFacts;
  /** What was written beside the tensors by this library, or by others under its names: text that nobody has read yet. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Anything else worth telling or keeping: who wrote it, versions, quantization. Plain data, kept in `describe`. */
  readonly remarks: Readonly<Record<string, unknown>>;
}

/** One format: a file exporting `read`, and a row in `registry.ts`. */
export type FormatReader = (file: OpenFile, context: ReadContext) => Promise<ModelFile>;
