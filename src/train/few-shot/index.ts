/** Few-shot learning. */

export type { ImageSources } from "./embedder.ts";
export { FewShot, fewShot } from "./few-shot.ts";
export type { AddedImages, AddOptions, FewShotMethod, FewShotOptions, ShotsTraining } from "./few-shot-options.ts";
