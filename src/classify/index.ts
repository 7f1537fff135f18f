export {
  type Classifier,
  type ClassifierOptions,
  type ClassifyOptions,
  createClassifier,
  type ImageOptions,
  type ImageSource,
  type Prediction,
} from "./classifier.ts";
export type { ClassifiedImage, ClassifyAllOptions, Progress, UnreadableImage } from "./classify-all.ts";
