/** MobileNets: tensors, eager operations, the V1 builder, sessions, models from and to files, classification. */

export {
  type ClassifiedImage,
  type Classifier,
  type ClassifierOptions,
  type ClassifyAllOptions,
  type ClassifyOptions,
  createClassifier,
  type ImageOptions,
  type ImageSource,
  type Prediction,
  type Progress,
  type UnreadableImage,
} from "./classify/index.ts";
export type { ByteSource } from "./core/bytes.ts";
export { DepthwiseError, type ErrorCode, InternalError, isDepthwiseError } from "./core/errors.ts";
export { type DType, type FloatTensor, type Shape, type Tensor, tensor } from "./core/tensor.ts";
export type { ExplicitPadding, Padding, WindowOptions } from "./core/window.ts";
export {
  add,
  averagePool,
  type BatchNormWeights,
  batchNorm,
  conv2d,
  dense,
  depthwiseConv2d,
  type EagerOptions,
  type ElementwiseOptions,
  globalAveragePool,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  maxPool,
  multiply,
  type PoolOptions,
  pointwiseConv2d,
  relu,
  relu6,
  softmax,
} from "./eager/index.ts";
export type { PageSource, Preprocessing } from "./images/index.ts";
export type { LayerNode, Network, NetworkInfo } from "./layers/index.ts";

export {
  type Block,
  MOBILENET_V1_BLOCKS,
  type MobileNetV1Options,
  type MobileNetV1Output,
  mobileNetV1,
} from "./models/index.ts";
export {
  type AnyOutput,
  type BackendName,
  type CompileOptions,
  compile,
  type DiagnosedChoice,
  type DiagnosedFeature,
  type Diagnosis,
  doctor,
  type Explanation,
  type NumberArray,
  type Plan,
  type PlannedOutput,
  type PlannedValue,
  type Profile,
  type ProfiledStep,
  type ProfileOptions,
  type RunOptions,
  type RunResult,
  type Session,
  type Simd,
  type Step,
  type WorkerFactory,
} from "./session/index.ts";
export {
  addClasses,
  type Decision,
  describe,
  embeddingModel,
  foldBatchNorm,
  formatDescription,
  type HeadedOutput,
  type HeadOptions,
  type LoadedModel,
  type LoadOptions,
  loadModel,
  type ModelDescription,
  type ModelSource,
  type MoreClasses,
  replaceHead,
  type SaveOptions,
  saveModel,
} from "./weights/index.ts";
