/** Training: a trainer, optimizers, schedules, data sets, and the gradients of operations. */

export type { AnyTrainingCall, TrainingPlan } from "../plan/training/training-plan.ts";
export type { TrainingStep } from "../plan/training/training-step.ts";
export { createTrainer } from "./create-trainer.ts";
export {
  type Augmentation,
  arrays,
  type Batch,
  type BatchesOptions,
  batches,
  CIFAR10_CLASSES,
  type Cifar10Options,
  type ClassOptions,
  cifar10,
  type Dataset,
  type DatasetOptions,
  dataset,
  type Example,
  type ExampleImage,
  type ExampleLabel,
  type Examples,
  type GivenExample,
  type IdxOptions,
  type ImageFolderOptions,
  idx,
  imageFolder,
  type KeepDecodedOptions,
  keepDecoded,
  type PixelImage,
  type SkippedExample,
} from "./data/index.ts";
export type { Evaluation } from "./evaluated.ts";
export {
  type AddedImages,
  type AddOptions,
  FewShot,
  type FewShotMethod,
  type FewShotOptions,
  fewShot,
  type ImageSources,
  type ShotsTraining,
} from "./few-shot/index.ts";
export { type FineTuneOptions, fineTune } from "./fine-tune/index.ts";
export {
  type CheckpointStore,
  type EpochEvent,
  type EpochRecord,
  type EpochTime,
  type FitEvent,
  type FitOptions,
  type FitResult,
  type FitRun,
  fit,
  indexedDbStore,
  type ProgressEvent,
  type RecalibrateOptions,
  recalibrateBatchNorm,
  type ValidationResult,
} from "./fit/index.ts";
export {
  addGradient,
  averagePoolGradient,
  type BatchNormGradient,
  type BatchNormResult,
  type BatchNormTrainingOptions,
  batchNorm,
  batchNormGradient,
  type CrossEntropy,
  type CrossEntropyOptions,
  conv2dGradient,
  denseGradient,
  depthwiseConv2dGradient,
  globalAveragePoolGradient,
  hardSigmoidGradient,
  hardSwishGradient,
  type InputGradient,
  leakyReluGradient,
  maxPoolGradient,
  multiplyGradient,
  type PairGradient,
  pointwiseConv2dGradient,
  relu6Gradient,
  reluGradient,
  softmaxCrossEntropy,
  softmaxGradient,
  type WeightedGradient,
} from "./gradients/index.ts";
export type { Labels } from "./labels.ts";
export {
  type AdamOptimizer,
  type AdamwOptimizer,
  adam,
  adamw,
  type DecayGroup,
  type Optimizer,
  type RmspropOptimizer,
  rmsprop,
  type SgdOptimizer,
  sgd,
} from "./optimizers.ts";
export { RECIPES, type Recipe, type RecipeName, type RecipeOptions, recipe } from "./recipes.ts";
export {
  type ConstantSchedule,
  type CosineSchedule,
  constant,
  cosine,
  type ExponentialSchedule,
  exponential,
  type LinearSchedule,
  linear,
  type OneCycleSchedule,
  oneCycle,
  type Schedule,
  type StepSchedule,
  step,
  type WarmUpSchedule,
  warmUp,
} from "./schedules.ts";
export type {
  EvaluateOptions,
  StepResult,
  Trainer,
  TrainerExplanation,
  TrainerProfile,
  TrainerState,
} from "./trainer.ts";
export type { BatchNormOptions, TrainerOptions } from "./trainer-options.ts";
export type { DecayOverride } from "./weight-decay.ts";
