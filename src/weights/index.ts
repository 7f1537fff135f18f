/** Weights: reading and writing models. */

export { type LoadedModel, type LoadOptions, loadModel } from "./load-model.ts";
export { readSafetensors, type TensorToWrite, writeSafetensors } from "./safetensors.ts";
export { encodeModel, type SaveOptions, saveModel } from "./save-model.ts";
export { type StoredTensor, type TensorFile, toFloat32 } from "./stored-tensor.ts";
