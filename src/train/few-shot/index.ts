/** Few-shot learning. */

export type { ImageSources } from "./embedder.ts";
export {
  type AddedImages,
  type AddOptions,
  FewShot,
  type FewShotMethod,
  type FewShotOptions,
  fewShot,
  type ShotsTraining,
} from "./few-shot.ts";
