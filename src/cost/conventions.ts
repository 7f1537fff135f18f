/**
 * Counting conventions: what each counter calls an operation and which parameters it counts, as plain data.
 *
 * Rules speak of one layer at a time and of batch 1. Tools that multiply by the batch or see modules only (`thop`,
 * `fvcore`) are given here as they count the plain PyTorch module: convolution, batch norm and ReLU6 as modules, one
 * global pool, one linear layer. What a convention does not name counts 0.
 */

import { didYouMean } from "../core/nearest.ts";
import { checkKnownOptions, optionError } from "../core/options.ts";
import type { ActivationName } from "../operations/activation-names.ts";
import type { ParameterRole } from "../operations/operation.ts";
import type { NodeType, ViewType } from "../operations/table.ts";

/** Views move no number, have no row and are never counted. */
export type CountedType = Exclude<NodeType, ViewType>;

/** What a rule may look at: one layer, batch 1. */
export interface LayerFacts {
  readonly name: string;
  readonly type: CountedType;
  /** Whether this is the layer that makes the logits. */
  readonly isClassifier: boolean;
  /** Multiply-adds as the paper counts them. */
  readonly multAdds: number;
  readonly inputElements: number;
  readonly outputElements: number;
  /** Elements of the window: of the kernel, of a pool's window, or of the whole image for a global pool; else 1. */
  readonly windowArea: number;
  readonly hasBias: boolean;
  /** Whether a batch norm has a gamma or a beta. */
  readonly isAffine: boolean;
  /** Of an activation; undefined for other layers. */
  readonly activation: ActivationName | undefined;
}

/** How many operations a layer has by a convention. */
export type OperationRule = (facts: LayerFacts) => number;

/** A way to count: which operations it counts, how many a layer has, and which parameters. */
export interface Convention {
  readonly name: string;
  /** What it calls an operation; null where it counts none. */
  readonly word: string | null;
  /** Where the rule comes from. */
  readonly source: string;
  /** What to know before comparing. */
  readonly notes?: string;
  /** Operations of a layer by its type; a type that is absent counts 0; null: it has no count of operations. */
  readonly operations: null | { readonly [T in CountedType]?: OperationRule };
  /** How often a parameter of each role counts; absent 0. */
  readonly parameters: { readonly [R in ParameterRole]?: number };
  /** Whether the layer that makes the logits counts. Default true. */
  readonly classifier?: boolean;
}

const product: OperationRule = ({ multAdds }) => multAdds;
const inputs: OperationRule = ({ inputElements }) => inputElements;
const outputs: OperationRule = ({ outputElements }) => outputElements;
const times =
  (factor: number, rule: OperationRule): OperationRule =>
  (facts) =>
    factor * rule(facts);
/** An addition for each output of a layer that has a bias. */
const withBias: OperationRule = ({ multAdds, hasBias, outputElements }) => multAdds + (hasBias ? outputElements : 0);
/** The same, but not for the classifier: a linear layer whose bias the tool leaves out. */
const withBiasButLinear: OperationRule = (facts) => (facts.isClassifier ? facts.multAdds : withBias(facts));
const perElement =
  (affine: number, plain: number): OperationRule =>
  ({ isAffine, inputElements }) =>
    (isAffine ? affine : plain) * inputElements;
/** `AdaptiveAvgPool2d`: each output is the sum of its window and a division. */
const windowAndDivision: OperationRule = ({ windowArea, outputElements }) => (windowArea + 1) * outputElements;
/** ReLU and ReLU6 in ptflops: `nn.ReLU` may be counted twice, other functions not at all. */
const rectifier =
  (relu: number, relu6: number): OperationRule =>
  ({ activation, inputElements }) =>
    (activation === "relu" ? relu : activation === "relu6" ? relu6 : 0) * inputElements;

const PRODUCTS = { conv2d: product, depthwiseConv2d: product, pointwiseConv2d: product, dense: product };
const PRODUCTS_WITH_BIAS = { conv2d: withBias, depthwiseConv2d: withBias, pointwiseConv2d: withBias, dense: withBias };

const WEIGHTS = { kernel: 1 };
const TRAINABLE = { kernel: 1, bias: 1, gamma: 1, beta: 1 };

const THOP = { ...PRODUCTS, batchNorm: perElement(4, 2), averagePool: outputs };
const PTFLOPS = { ...PRODUCTS_WITH_BIAS, batchNorm: perElement(2, 1) };
const FVCORE = { ...PRODUCTS, batchNorm: perElement(2, 1) };
const THOP_SOURCE = "thop 0.1.1, thop/vision/basic_hooks.py and calc_func.py";
const PTFLOPS_SOURCE = "ptflops 0.7.6, ptflops/pytorch_ops.py, back end pytorch";
const FVCORE_SOURCE = "fvcore 0.1.6, fvcore/nn/flop_count.py and jit_handles.py";

function poolsTimes(factor: number) {
  const rule = times(factor, inputs);
  return { averagePool: rule, maxPool: rule, globalAveragePool: rule, globalMaxPool: rule };
}

/** All named conventions. A convention of one's own is an object of the same form. */
export const CONVENTIONS = {
  paper: {
    name: "paper",
    word: "mult-adds",
    source: "Howard et al. 2017, sections 3.1 and 4, table 2",
    notes: "One multiply-add is 1. No bias, batch norm, activation, pool or softmax; of parameters the weights only.",
    operations: PRODUCTS,
    parameters: WEIGHTS,
  },
  slim: {
    name: "slim",
    word: "MACs",
    source: "tensorflow/models, research/slim/nets/mobilenet_v1.md",
    notes:
      "Parameters: weights, bias and 3 numbers for each batch norm channel. The source does not say which three; here beta and the two statistics, as in slim's batch norm without scale.",
    operations: PRODUCTS,
    parameters: { kernel: 1, bias: 1, beta: 1, mean: 1, variance: 1 },
  },
  "slim-base": {
    name: "slim-base",
    word: "MACs",
    source: "tensorflow/models, research/slim/nets/mobilenet_v1.py, docstring",
    notes: "The base network: without the layer that makes the logits, without batch norm.",
    operations: PRODUCTS,
    parameters: WEIGHTS,
    classifier: false,
  },
  keras: {
    name: "keras",
    word: null,
    source: "Keras, Model.count_params()",
    notes: "All parameters, statistics included. Keras has no count of operations.",
    operations: null,
    parameters: { kernel: 1, bias: 1, gamma: 1, beta: 1, mean: 1, variance: 1 },
  },
  thop: {
    name: "thop",
    word: "MACs",
    source: THOP_SOURCE,
    notes: "Batch norm counts 4 for each element. The global pool as AdaptiveAvgPool2d; no softmax module.",
    operations: { ...THOP, globalAveragePool: windowAndDivision },
    parameters: TRAINABLE,
  },
  "thop-fixed-pool": {
    name: "thop-fixed-pool",
    word: "MACs",
    source: THOP_SOURCE,
    notes: "As thop, the global pool as AvgPool2d of the whole map.",
    operations: { ...THOP, globalAveragePool: outputs },
    parameters: TRAINABLE,
  },
  "thop-0.0.31": {
    name: "thop-0.0.31",
    word: "MACs",
    source: "thop 0.0.31, commit b95bd4b, May 2020",
    notes: "Batch norm counts 2 for each element, a convolution's bias 1 for each output.",
    operations: {
      conv2d: withBias,
      depthwiseConv2d: withBias,
      pointwiseConv2d: withBiasButLinear,
      dense: product,
      batchNorm: times(2, inputs),
      averagePool: outputs,
      globalAveragePool: windowAndDivision,
    },
    parameters: TRAINABLE,
  },
  ptflops: {
    name: "ptflops",
    word: "MACs",
    source: PTFLOPS_SOURCE,
    notes: "Pool and nn.ReLU modules are counted twice, because the functions they call are counted too; ReLU6 once.",
    operations: { ...PTFLOPS, ...poolsTimes(2), activation: rectifier(2, 1) },
    parameters: TRAINABLE,
  },
  "ptflops-relu": {
    name: "ptflops-relu",
    word: "MACs",
    source: PTFLOPS_SOURCE,
    notes: "As ptflops, each ReLU6 written as nn.ReLU, which is counted twice.",
    operations: { ...PTFLOPS, ...poolsTimes(2), activation: rectifier(2, 2) },
    parameters: TRAINABLE,
  },
  "ptflops-no-functional": {
    name: "ptflops-no-functional",
    word: "MACs",
    source: `${PTFLOPS_SOURCE}, count_functional off`,
    notes: "Nothing is counted twice.",
    operations: { ...PTFLOPS, ...poolsTimes(1), activation: rectifier(1, 1) },
    parameters: TRAINABLE,
  },
  "ptflops-aten": {
    name: "ptflops-aten",
    word: "MACs",
    source: "ptflops 0.7.6, ptflops/aten_ops.py, back end aten",
    notes: "Convolutions and matrix products with their bias, nothing else.",
    operations: PRODUCTS_WITH_BIAS,
    parameters: TRAINABLE,
  },
  fvcore: {
    name: "fvcore",
    word: "flops",
    source: FVCORE_SOURCE,
    notes: "A flop is one fused multiply-add. Evaluation mode; the global pool as AdaptiveAvgPool2d.",
    operations: { ...FVCORE, globalAveragePool: inputs },
    parameters: TRAINABLE,
  },
  "fvcore-fixed-pool": {
    name: "fvcore-fixed-pool",
    word: "flops",
    source: FVCORE_SOURCE,
    notes: "As fvcore, the global pool as AvgPool2d, which it does not know and counts 0.",
    operations: FVCORE,
    parameters: TRAINABLE,
  },
  hardware: {
    name: "hardware",
    word: "floating point operations",
    source: "by definition: a multiply-add is two operations",
    operations: {
      conv2d: times(2, product),
      depthwiseConv2d: times(2, product),
      pointwiseConv2d: times(2, product),
      dense: times(2, product),
    },
    parameters: WEIGHTS,
  },
} as const satisfies Readonly<Record<string, Convention>>;

/** A convention that is built in. */
export type ConventionName = keyof typeof CONVENTIONS;

/** Names that `cost` accepts. */
export const conventionNames = Object.keys(CONVENTIONS) as readonly ConventionName[];

/** The convention of a name, or the one given, checked. Throws `OPTION_INVALID`. */
export function resolveConvention(convention: ConventionName | Convention): Convention {
  if (typeof convention === "string") {
    if (Object.hasOwn(CONVENTIONS, convention)) return CONVENTIONS[convention];
    const hint = didYouMean(convention, conventionNames);
    const advice = hint === "" ? `Known names: ${conventionNames.join(", ")}.` : hint;
    throw optionError("cost", "convention", "the name of a convention, or one of your own", convention, advice);
  }
  if (typeof convention !== "object" || convention === null) {
    throw optionError("cost", "convention", "the name of a convention, or one of your own", convention);
  }
  checkConvention(convention);
  return convention;
}

const KNOWN = Object.keys({
  name: 1,
  word: 1,
  source: 1,
  notes: 1,
  operations: 1,
  parameters: 1,
  classifier: 1,
} satisfies Record<keyof Convention, 1>);

function checkConvention(convention: Convention): void {
  checkKnownOptions("cost: convention", convention, KNOWN);
  const { name, word, operations, parameters } = convention;
  const option = (field: string) => `convention.${field}`;
  if (typeof name !== "string") throw optionError("cost", option("name"), "a string", name);
  if (word !== null && typeof word !== "string") throw optionError("cost", option("word"), "a string or null", word);
  if (typeof operations !== "object")
    throw optionError("cost", option("operations"), "rules by type, or null", operations);
  for (const [type, rule] of Object.entries(operations ?? {})) {
    if (typeof rule !== "function") throw optionError("cost", option(`operations.${type}`), "a function", rule);
  }
  if (typeof parameters !== "object" || parameters === null) {
    throw optionError("cost", option("parameters"), "a number for each role", parameters);
  }
  for (const [role, weight] of Object.entries(parameters)) {
    if (!Number.isFinite(weight)) throw optionError("cost", option(`parameters.${role}`), "a finite number", weight);
  }
}
