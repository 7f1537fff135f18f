export {
  type Classifier,
  type ClassifierOptions,
  type ClassifyOptions,
  createClassifier,
  type ImageOptions,
  type ImageSource,
  type Prediction,
} from "./classifier.ts";
