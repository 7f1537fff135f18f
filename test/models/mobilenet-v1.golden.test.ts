import { afterAll, expect, it } from "vitest";
import { layWindow } from "../../src/core/window.ts";
import { mobileNetV1 } from "../../src/models/mobilenet-v1/mobilenet-v1.ts";
import type { MobileNetV1Options } from "../../src/models/mobilenet-v1/options.ts";
import { compile } from "../../src/session/compile.ts";
import {
  largestDifference,
  readIntegers,
  readJson,
  readTensor,
  recipe,
  type TensorReference,
} from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface Case {
  readonly name: string;
  readonly options: MobileNetV1Options & { readonly architecture: string; readonly inputShape: readonly number[] };
  readonly input: { readonly shape: number[]; readonly seed: number; readonly low: number; readonly high: number };
  readonly parameterCount: number;
  readonly parameters: readonly [string, number[], number, number, number, number[], number, number, number][];
  readonly layers: readonly Record<string, never>[];
  readonly taps: readonly Tap[];
  readonly outputs: Record<string, TensorReference>;
  readonly tolerance: Record<string, number>;
}

interface Tap {
  readonly name: string;
  readonly shape: number[];
  readonly mean: number;
  readonly absMax: number;
  readonly zeros: number;
  readonly sixes: number;
  readonly indices: TensorReference;
  readonly values: TensorReference;
  readonly tolerance: number;
}

interface Index {
  readonly counts: { readonly cases: number };
  readonly cases: readonly Case[];
}

function builderOptions({ architecture: _, inputShape, ...rest }: Case["options"]): MobileNetV1Options {
  const [height, width, channels] = inputShape;
  return { ...rest, inputSize: [height!, width!], inputChannels: channels! };
}

describeShared("golden V1 networks", () => {
  const index =
    sharedRoot === undefined ? { counts: { cases: 0 }, cases: [] } : readJson<Index>("golden/models/index.json");
  let passed = 0;

  it.each(index.cases.map((entry) => [entry.name, entry] as const))("%s, tap by tap", async (_name, golden) => {
    const model = mobileNetV1(builderOptions(golden.options));
    expect([...model.parameterInfo.keys()].sort()).toEqual(golden.parameters.map(([name]) => name).sort());
    let count = 0;
    for (const [name, shape, seed, low, high, first, , sum] of golden.parameters) {
      const value = recipe(shape, seed, low, high);
      expect([...value.data.slice(0, first.length)]).toEqual(first);
      const total = value.data.reduce((all, x) => all + x, 0);
      expect(Math.abs(total - sum)).toBeLessThanOrEqual(1e-9 * value.data.length + 1e-9);
      model.parameters.set(name, value);
      count += value.data.length;
    }
    expect(count).toBe(golden.parameterCount);

    for (const layer of golden.layers) {
      const { name, stride, dilation, padding, output } = layer as unknown as {
        name: string;
        stride: number;
        dilation: number;
        padding: unknown;
        output: number[];
      };
      expect(model.shapes.get(name)).toEqual(output);
      const node = model.layers.find((candidate) => candidate.name === name);
      if (node?.type !== "conv2d" && node?.type !== "depthwiseConv2d") continue;
      const input = model.shapes.get(node.inputs[0]!)!;
      const window = layWindow(name, node.attributes, [input[0]!, input[1]!]);
      expect({ stride: window.stride, dilation: window.dilation, padding: window.padding }).toEqual({
        stride: [stride, stride],
        dilation: [dilation, dilation],
        padding,
      });
    }

    const { shape, seed, low, high } = golden.input;
    for (const fold of [true, false]) {
      const session = await compile(model, { batch: shape[0]!, taps: golden.taps.map(({ name }) => name), fold });
      const result = await session.run(recipe(shape, seed, low, high));
      for (const tap of golden.taps) {
        const { name } = tap;
        const actual = result.taps[name]!;
        expect(actual.shape).toEqual(tap.shape);
        const { tolerance } = tap;
        const indices = readIntegers("golden/models", tap.indices);
        const values = readTensor("golden/models", tap.values).data;
        expect(
          largestDifference(
            indices.map((i) => actual.data[i]!),
            values,
          ),
        ).toBeLessThanOrEqual(tolerance);
        const mean = actual.data.reduce((all, x) => all + x, 0) / actual.data.length;
        expect(Math.abs(mean - tap.mean)).toBeLessThanOrEqual(tolerance);
      }
      for (const [name, reference] of Object.entries(golden.outputs)) {
        const expected = readTensor("golden/models", reference);
        const actual = (result as unknown as Record<string, { shape: number[]; data: Float32Array }>)[name]!;
        expect(actual.shape).toEqual(expected.shape);
        expect(largestDifference(actual.data, expected.data)).toBeLessThanOrEqual(golden.tolerance[name]!);
      }
      session.close();
    }
    passed++;
  });

  afterAll(() => expect(passed).toBe(index.counts.cases));
});
