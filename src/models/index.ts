/** Architectures: a table each, and one loop. */

export { sizeOption } from "./image-size.ts";
export { type MobileNetV1Output, mobileNetV1, scaledChannels, shallowBlocks } from "./mobilenet-v1/mobilenet-v1.ts";
export type { MobileNetV1Options } from "./mobilenet-v1/options.ts";
export { type Block, MOBILENET_V1_BLOCKS, MOBILENET_V1_STEM } from "./mobilenet-v1/table.ts";
