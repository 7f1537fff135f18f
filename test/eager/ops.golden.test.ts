import { afterAll, expect, it } from "vitest";
import type { Tensor } from "../../src/core/tensor.ts";
import * as eager from "../../src/eager/index.ts";
import { largestDifference, readJson, readTensor, type TensorReference } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface Case {
  readonly name: string;
  readonly op: string;
  readonly options: Record<string, never>;
  readonly inputs: Record<string, TensorReference>;
  readonly outputs: Record<string, TensorReference>;
  readonly tolerance: Record<string, number>;
}

interface Index {
  readonly counts: { readonly forward: Record<string, number> };
  readonly cases: readonly Case[];
}

const activationOf = ({ activation, ...options }: Record<string, never>) => ({ activation, options });

/** How each golden operation is called. Options a case leaves out have the golden defaults. */
const CALLS: Record<string, (t: Record<string, Tensor>, o: Record<string, never>) => Tensor> = {
  conv2d: ({ x, w, b }, o) => eager.conv2d(x!, w!, { padding: "valid", ...o, ...(b ? { bias: b } : {}) }),
  depthwiseConv2d: ({ x, w, b }, o) =>
    eager.depthwiseConv2d(x!, w!, { padding: "valid", ...o, ...(b ? { bias: b } : {}) }),
  pointwiseConv2d: ({ x, w, b }, o) => eager.pointwiseConv2d(x!, w!, { ...o, ...(b ? { bias: b } : {}) }),
  dense: ({ x, w, b }, o) => eager.dense(x!, w!, { ...o, ...(b ? { bias: b } : {}) }),
  batchNorm: ({ x, mean, variance, gamma, beta }, o) =>
    eager.batchNorm(
      x!,
      { mean: mean!, variance: variance!, ...(gamma ? { gamma } : {}), ...(beta ? { beta } : {}) },
      o,
    ),
  relu: ({ x }) => eager.relu(x!),
  relu6: ({ x }) => eager.relu6(x!),
  hardSwish: ({ x }) => eager.hardSwish(x!),
  hardSigmoid: ({ x }) => eager.hardSigmoid(x!),
  softmax: ({ x }) => eager.softmax(x!),
  globalAveragePool: ({ x }, o) => eager.globalAveragePool(x!, o),
  averagePool: ({ x }, o) => eager.averagePool(x!, { padding: "valid", ...o } as never),
  maxPool: ({ x }, o) => eager.maxPool(x!, { padding: "valid", ...o } as never),
  add: ({ a, b }, o) => eager.add(a!, b!, o),
  multiply: ({ a, b }, o) => eager.multiply(a!, b!, o),
};

describeShared("golden operations", () => {
  const index =
    sharedRoot === undefined ? { counts: { forward: {} }, cases: [] } : readJson<Index>("golden/ops/index.json");
  const forward = index.cases.filter(({ name }) => !name.startsWith("gradient/"));
  const passed: Record<string, number> = {};

  it.each(forward.map((entry) => [entry.name, entry] as const))(
    "%s",
    (_name, { op, options, inputs, outputs, tolerance }) => {
      const tensors = Object.fromEntries(
        Object.entries(inputs).map(([key, ref]) => [key, readTensor("golden/ops", ref)]),
      );
      const expected = readTensor("golden/ops", outputs["y"]!);
      const { activation, options: rest } = activationOf(options);
      const actual = CALLS[op]!(tensors, activation === undefined ? rest : { ...rest, activation });
      expect(actual.shape).toEqual(expected.shape);
      expect(largestDifference(actual.data, expected.data)).toBeLessThanOrEqual(tolerance["y"]!);
      passed[op] = (passed[op] ?? 0) + 1;
    },
  );

  afterAll(() => {
    const { total, ...counts } = index.counts.forward;
    expect(passed).toEqual(counts);
    expect(Object.values(passed).reduce((sum, count) => sum + count, 0)).toBe(total);
  });
});
