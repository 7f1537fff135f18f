/** Pictures without a browser: what networks cost and look like, as plain data and as SVG. */

export type { SeparableSizes } from "../cost/index.ts";
export { type AccuracyPictureOptions, drawAccuracy } from "./draw-accuracy.ts";
export { type CostPictureOptions, drawCost } from "./draw-cost.ts";
export { drawFront, type FrontPictureOptions } from "./draw-front.ts";
export { drawNetwork } from "./draw-network.ts";
export { drawSeparable, type SeparablePictureOptions } from "./draw-separable.ts";
export { PICTURE_LANGUAGES, type PictureLanguage, type PictureOptions } from "./languages.ts";
export type { Picture, PictureShape, PictureTable, PictureTag } from "./picture.ts";
export { PICTURE_CLASS, pictureStyle } from "./style.ts";
export { svgText } from "./svg-text.ts";
