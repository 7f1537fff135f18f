/** Images: decoding, resizing, cropping, range. */

export type { ByteSource } from "../core/bytes.ts";
export { type CompletePreprocessing, completePreprocessing, type Preprocessing } from "../core/preprocessing.ts";
export { type DecodeOptions, decodeImage } from "./decode.ts";
export type { PageSource } from "./page-source.ts";
export { type ImageDataLike, type Pixels, toPixels } from "./pixels.ts";
export { cropAndResize, normalize, preprocess } from "./preprocess.ts";
export { type Centers, type PixelWindow, resizeAntialiased, resizePlain } from "./resize.ts";
