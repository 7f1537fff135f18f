/** Data for training: data sets, augmentation, batches. */

export { arrays } from "./arrays.ts";
export { type Augmentation, type CompleteAugmentation, completeAugmentation } from "./augmentation.ts";
export { type BatchesOptions, checkTrainable } from "./batch-options.ts";
export { type Batch, batches } from "./batches.ts";
export { CIFAR10_CLASSES, type Cifar10Options, cifar10, RECORD_BYTES } from "./cifar10.ts";
export type { ClassOptions, Dataset } from "./dataset.ts";
export type { Example, ExampleImage, ExampleLabel, PixelImage } from "./example.ts";
export { type DatasetOptions, dataset, type Examples, type GivenExample } from "./from-iterable.ts";
export { type IdxOptions, idx } from "./idx.ts";
export { entriesOf, type ImageFolderOptions, imageFolder } from "./image-folder.ts";
export { type KeepDecodedOptions, keepDecoded } from "./keep-decoded.ts";
export type { SkippedExample } from "./make-batch.ts";
