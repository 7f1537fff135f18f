import { afterAll, expect, it } from "vitest";
import { type Tensor, tensor } from "../../src/core/tensor.ts";
import * as train from "../../src/train/gradients/index.ts";
import { largestDifference, readIntegers, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface Case {
  readonly name: string;
  readonly op: string;
  readonly options: Record<string, never>;
  readonly inputs: Record<string, TensorReference>;
  readonly outputs: Record<string, TensorReference>;
  readonly gradients: Record<string, TensorReference>;
  readonly tolerance: Record<string, number>;
}

interface Index {
  readonly counts: { readonly gradient: Record<string, number> };
  readonly cases: readonly Case[];
}

type Tensors = Record<string, Tensor>;
type Gradients = Record<string, Tensor | number>;

const withBias = ({ b }: Tensors) => (b === undefined ? {} : { bias: b });
const valid = { padding: "valid" } as const;
const batchNormParameters = ({ mean, variance, gamma, beta }: Tensors) => ({
  mean: mean!,
  variance: variance!,
  ...(gamma ? { gamma } : {}),
  ...(beta ? { beta } : {}),
});

/** How each golden gradient is asked for. Options a case leaves out have the golden defaults. */
const CALLS: Record<string, (dy: Tensor, t: Tensors, o: Record<string, never>) => object> = {
  conv2d: (dy, t, o) => train.conv2dGradient(dy, t["x"]!, t["w"]!, { ...valid, ...o, ...withBias(t) }),
  depthwiseConv2d: (dy, t, o) =>
    train.depthwiseConv2dGradient(dy, t["x"]!, t["w"]!, { ...valid, ...o, ...withBias(t) }),
  pointwiseConv2d: (dy, t, o) => train.pointwiseConv2dGradient(dy, t["x"]!, t["w"]!, { ...o, ...withBias(t) }),
  dense: (dy, t, o) => train.denseGradient(dy, t["x"]!, t["w"]!, { ...o, ...withBias(t) }),
  batchNorm: (dy, t, o) => ({
    ...train.batchNormGradient(dy, t["x"]!, batchNormParameters(t), o),
    ...train.batchNorm(t["x"]!, batchNormParameters(t), o),
  }),
  relu: (dy, { x }) => train.reluGradient(dy, x!),
  relu6: (dy, { x }) => train.relu6Gradient(dy, x!),
  hardSwish: (dy, { x }) => train.hardSwishGradient(dy, x!),
  hardSigmoid: (dy, { x }) => train.hardSigmoidGradient(dy, x!),
  softmax: (dy, { x }) => train.softmaxGradient(dy, x!),
  globalAveragePool: (dy, { x }, o) => train.globalAveragePoolGradient(dy, x!, o),
  averagePool: (dy, { x }, o) => train.averagePoolGradient(dy, x!, { ...valid, ...o } as never),
  maxPool: (dy, { x }, o) => train.maxPoolGradient(dy, x!, { ...valid, ...o } as never),
  add: (dy, { a, b }) => train.addGradient(dy, a!, b!),
  multiply: (dy, { a, b }) => train.multiplyGradient(dy, a!, b!),
  softmaxCrossEntropy: (dy, { logits, labels }, o) => {
    const result = train.softmaxCrossEntropy(logits!, labels!, { labelSmoothing: o["labelSmoothing"] ?? 0 });
    const dlogits = tensor(
      result.dlogits.data.map((value) => value * dy.data[0]!),
      result.dlogits.shape,
    );
    return { ...result, dlogits };
  },
};

const readAny = (reference: TensorReference): Tensor =>
  reference.dtype === "int32"
    ? tensor(Int32Array.from(readIntegers("golden/ops", reference)), reference.shape)
    : readTensor("golden/ops", reference);

const readAll = (references: Record<string, TensorReference>): Tensors =>
  Object.fromEntries(Object.entries(references).map(([name, reference]) => [name, readAny(reference)]));

describeShared("golden gradients", () => {
  const index =
    sharedRoot === undefined ? { counts: { gradient: {} }, cases: [] } : readJson<Index>("golden/ops/index.json");
  const gradients = index.cases.filter(({ name }) => name.startsWith("gradient/"));
  const passed: Record<string, number> = {};

  it.each(gradients.map((entry) => [entry.name, entry] as const))("%s", (_name, entry) => {
    const { upstream, ...expected } = readAll(entry.gradients);
    const { y, ...outputs } = readAll(entry.outputs);
    const actual = CALLS[entry.op]!(upstream!, readAll(entry.inputs), entry.options) as Gradients;
    // Of the outputs, batch norm's and the loss's are what these functions give; y of others is eager's.
    const all = { ...expected, ...outputs, ...("y" in actual ? { y: y! } : {}) };
    // No gradient of what is not there, and none left out; frozen statistics come back as they were.
    const given = Object.keys(actual).filter((name) => !(name.startsWith("moving") && !(name in outputs)));
    expect(given.sort()).toEqual(Object.keys(all).sort());
    for (const [name, values] of Object.entries(all)) {
      const found = actual[name]!;
      const [data, shape] = typeof found === "number" ? [[found], []] : [found.data, found.shape];
      expect(shape).toEqual(values.shape);
      expect(largestDifference(data, values.data), name).toBeLessThanOrEqual(entry.tolerance[name]!);
    }
    passed[entry.op] = (passed[entry.op] ?? 0) + 1;
  });

  afterAll(() => {
    const { total, ...counts } = index.counts.gradient;
    expect(passed).toEqual(counts);
    expect(Object.values(passed).reduce((sum, count) => sum + count, 0)).toBe(total);
  });
});
