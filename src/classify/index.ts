export { type Classifier, type ClassifierOptions, createClassifier, type Prediction } from "./classifier.ts";
export type { ClassifiedImage, ClassifyAllOptions, Progress, UnreadableImage } from "./classify-all.ts";
export type { ClassifyOptions, ImageOptions, ImageSource } from "./image-options.ts";
