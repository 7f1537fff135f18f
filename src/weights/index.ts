/** Weights: reading what other tools wrote, saying what was understood, writing, and making new networks of old ones. */

export type { Basis } from "../formats/fact.ts";
export {
  type IntegersToWrite,
  readSafetensors,
  type TensorToWrite,
  writeSafetensors,
} from "../formats/safetensors/safetensors.ts";
export { type StoredTensor, type TensorFile, toFloat32 } from "../formats/stored-tensor.ts";
export {
  type CacheEntry,
  type CacheOptions,
  type Cleared,
  clearCache,
  listCache,
  type ModelSource,
  type Progress,
  type SourceOptions,
} from "../sources/index.ts";
export { type Decision, describe, formatDescription, type ModelDescription } from "./describe.ts";
export { foldBatchNorm } from "./fold-batch-norm.ts";
export { type LoadedModel, type LoadedOutput, type LoadOptions, loadModel } from "./load-model.ts";
export { encodeModel, type SaveOptions, saveModel } from "./save-model.ts";
export {
  addClasses,
  embeddingModel,
  type HeadedOutput,
  type HeadOptions,
  type MoreClasses,
  replaceHead,
} from "./transfer.ts";
export { encodeTfjs, saveTfjs } from "./write-tfjs.ts";
