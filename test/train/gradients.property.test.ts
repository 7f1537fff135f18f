/** @slow: it takes more than a second. */

/** The gradients of what has no kernel against differences of the definition, over random geometry. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as train from "../../src/train/gradients/index.ts";
import { ACTIVATE, checkDifferences, dot, isSmooth, type Numbers, toTensor, uniform } from "./differences.ts";
import { activations, areaOf, eachTap, fitting, seeds, side, small, windowOf } from "./geometry.ts";

describe("the gradient of batchNorm", () => {
  it.each(["train", "frozen"] as const)("in mode %s", (mode) => {
    const property = fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 6 }),
      fc.record({ gamma: fc.boolean(), beta: fc.boolean(), epsilon: fc.constantFrom(1e-3, 0.1) }),
      activations,
      seeds,
      (outer, channels, { gamma, beta, epsilon }, activation, seed) => {
        const shape = [...outer, channels];
        const n = outer.reduce((product, side) => product * side, 1);
        // Of two values that are almost equal the third derivative is huge, and a difference far off.
        fc.pre(n >= 4 || mode === "frozen");
        const inputs: Numbers = {
          x: uniform(shape, seed, -1, 3),
          ...(gamma ? { gamma: uniform([channels], seed + 1, 0.5, 1.5) } : {}),
          ...(beta ? { beta: uniform([channels], seed + 2) } : {}),
        };
        const [mean, variance] = [uniform([channels], seed + 3), uniform([channels], seed + 4, 0.5, 1.5)];
        const dy = uniform(shape, seed + 5);
        const z = ({ x, gamma: g, beta: b }: Numbers) => {
          const statistics = mode === "frozen" ? { mean, variance } : momentsOf(x!, channels);
          return x!.map((value, i) => {
            const c = i % channels;
            const normalised = (value - statistics.mean[c]!) / Math.sqrt(statistics.variance[c]! + epsilon);
            return normalised * (g?.[c] ?? 1) + (b?.[c] ?? 0);
          });
        };
        fc.pre(isSmooth(activation, z(inputs)));
        fc.pre(mode === "frozen" || momentsOf(inputs["x"]!, channels).variance.every((value) => value > 0.1));
        const parameters = Object.fromEntries(
          Object.entries({ ...inputs, mean, variance })
            .filter(([name]) => name !== "x")
            .map(([name, values]) => [name, toTensor(values, [channels])]),
        ) as never;
        const options = { mode, epsilon, activation };
        const x = toTensor(inputs["x"]!, shape);
        const found = train.batchNormGradient(toTensor(dy, shape), x, parameters, options);
        checkDifferences(inputs, (values) => dot(dy, z(values).map(ACTIVATE[activation])), { ...found });
        const { y } = train.batchNorm(x, parameters, options);
        for (const [i, value] of z(inputs).entries()) expect(y.data[i]).toBeCloseTo(ACTIVATE[activation](value), 5);
      },
    );
    fc.assert(property, { numRuns: 150 });
  });
});

function momentsOf(x: Float64Array, channels: number) {
  const n = x.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (const [i, value] of x.entries()) mean[i % channels]! += value / n;
  for (const [i, value] of x.entries()) variance[i % channels]! += (value - mean[i % channels]!) ** 2 / n;
  return { mean, variance };
}

describe("the gradients of activations", () => {
  const ONES = {
    relu: train.reluGradient,
    relu6: train.relu6Gradient,
    hardSwish: train.hardSwishGradient,
    hardSigmoid: train.hardSigmoidGradient,
  } as const;
  const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

  it.each(Object.keys(ONES) as (keyof typeof ONES)[])("%s", (name) => {
    const property = fc.property(shapes, seeds, (shape, seed) => {
      const x = uniform(shape, seed, -8, 8);
      fc.pre(isSmooth(name, x));
      const dy = uniform(shape, seed + 1);
      const found = ONES[name](toTensor(dy, shape), toTensor(x, shape));
      checkDifferences({ x }, (values) => dot(dy, values["x"]!.map(ACTIVATE[name])), { ...found });
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("leakyRelu of any slope", () => {
    const slopes = fc.double({ min: 0, max: 0.999, noNaN: true });
    const property = fc.property(shapes, seeds, slopes, (shape, seed, slope) => {
      const x = uniform(shape, seed, -8, 8);
      fc.pre(isSmooth("relu", x));
      const dy = uniform(shape, seed + 1);
      const found = train.leakyReluGradient(toTensor(dy, shape), toTensor(x, shape), slope);
      const leaky = (value: number) => (value < 0 ? value * slope : value);
      checkDifferences({ x }, (values) => dot(dy, values["x"]!.map(leaky)), { ...found });
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("softmax, on the last axis", () => {
    const property = fc.property(shapes, seeds, (shape, seed) => {
      const channels = shape.at(-1)!;
      const x = uniform(shape, seed, -4, 4);
      const dy = uniform(shape, seed + 1);
      const found = train.softmaxGradient(toTensor(dy, shape), toTensor(x, shape));
      checkDifferences({ x }, (values) => dot(dy, softmaxOf(values["x"]!, channels)), { ...found });
    });
    fc.assert(property, { numRuns: 100 });
  });
});

function softmaxOf(x: Float64Array, channels: number): Float64Array {
  const sums = new Float64Array(x.length / channels);
  for (const [i, value] of x.entries()) sums[Math.floor(i / channels)]! += Math.exp(value);
  return x.map((value, i) => Math.exp(value) / sums[Math.floor(i / channels)]!);
}

describe("the gradients of pools", () => {
  it.each(["averagePool", "maxPool"] as const)("%s", (kind) => {
    const property = fc.property(fitting, seeds, (g, seed) => {
      const window = windowOf(g)!;
      const { batch, channels, kernel, stride, dilation, padding } = g;
      const shape = [batch, ...g.size, channels];
      const outShape = [batch, ...window.output, channels];
      // All differ, by more than the difference's width.
      const order = uniform(shape, seed)
        .map((value, i, all) => all.filter((other, j) => other < value || (other === value && j < i)).length)
        .map((place) => Math.fround(place / 16));
      const dy = uniform(outShape, seed + 1);
      const pooled = (x: Float64Array) => {
        const y = new Float64Array(dy.length);
        for (let n = 0; n < batch; n++) {
          for (let c = 0; c < channels; c++) {
            const values = Array.from({ length: areaOf(window.output) }, (): number[] => []);
            eachTap(window, (out, _tap, pixel) =>
              values[out]!.push(x[(n * areaOf(window.input) + pixel) * channels + c]!),
            );
            for (const [out, inside] of values.entries()) {
              const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
              const value = inside.length === 0 ? 0 : kind === "maxPool" ? Math.max(...inside) : mean;
              y[(n * areaOf(window.output) + out) * channels + c] = value;
            }
          }
        }
        return y;
      };
      const gradient = kind === "maxPool" ? train.maxPoolGradient : train.averagePoolGradient;
      const options = { kernel, stride, dilation, padding };
      const found = gradient(toTensor(dy, outShape), toTensor(order, shape), options);
      checkDifferences({ x: order }, ({ x }) => dot(dy, pooled(x!)), { ...found });
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("globalAveragePool, of either shape", () => {
    const property = fc.property(
      small,
      side,
      side,
      side,
      fc.boolean(),
      seeds,
      (batch, h, w, channels, keepDims, seed) => {
        const shape = [batch, h, w, channels];
        const outShape = keepDims ? [batch, 1, 1, channels] : [batch, channels];
        const x = uniform(shape, seed);
        const dy = uniform(outShape, seed + 1);
        const pooled = (values: Float64Array) => {
          const y = new Float64Array(batch * channels);
          values.forEach((value, i) => {
            y[Math.floor(i / (h * w * channels)) * channels + (i % channels)]! += value / (h * w);
          });
          return y;
        };
        const found = train.globalAveragePoolGradient(toTensor(dy, outShape), toTensor(x, shape), { keepDims });
        checkDifferences({ x }, (values) => dot(dy, pooled(values["x"]!)), { ...found });
      },
    );
    fc.assert(property, { numRuns: 60 });
  });
});

describe("the gradients of two inputs", () => {
  /** Sides of a, those of b (1 where it is broadcast), and how many leading sides b leaves out where they are 1. */
  const broadcasts = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), { minLength: 1, maxLength: 4 });

  it.each(["add", "multiply"] as const)("%s, broadcast along any axes", (kind) => {
    const property = fc.property(broadcasts, fc.boolean(), activations, seeds, (sides, isShort, activation, seed) => {
      const aShape = sides.map(([length]) => length);
      const aligned = sides.map(([length, isBroadcast]) => (isBroadcast ? 1 : length));
      const leading = aligned.findIndex((length) => length !== 1);
      const bShape = isShort ? aligned.slice(leading < 0 ? aligned.length - 1 : leading) : aligned;
      const inputs = { a: uniform(aShape, seed, -3, 3), b: uniform(bShape, seed + 1, -3, 3) };
      const dy = uniform(aShape, seed + 2);
      const combined = ({ a, b }: Numbers) =>
        a!.map((value, i) => {
          let [rest, at, stride] = [i, 0, 1];
          for (let axis = aShape.length - 1; axis >= 0; axis--) {
            if (aligned[axis] !== 1) at += (rest % aShape[axis]!) * stride;
            rest = Math.floor(rest / aShape[axis]!);
            stride *= aligned[axis]!;
          }
          return kind === "add" ? value + b![at]! : value * b![at]!;
        });
      fc.pre(isSmooth(activation, combined(inputs)));
      const gradient = kind === "add" ? train.addGradient : train.multiplyGradient;
      const [a, b] = [toTensor(inputs.a, aShape), toTensor(inputs.b, bShape)];
      const found = gradient(toTensor(dy, aShape), a, b, { activation });
      expect(found.db.shape).toEqual(bShape);
      checkDifferences(inputs, (values) => dot(dy, combined(values).map(ACTIVATE[activation])), { ...found });
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe("softmaxCrossEntropy", () => {
  it.each(["classes", "shares"] as const)("of %s, smoothed or not", (kind) => {
    const smoothings = fc.constantFrom(0, 0.1, 0.9);
    const property = fc.property(side, side, smoothings, seeds, (batch, classes, labelSmoothing, seed) => {
      const logits = uniform([batch, classes], seed, -5, 5);
      const soft = uniform([batch, classes], seed + 1, 0, 1).map((share, i, all) => {
        const row = all.subarray(i - (i % classes), i - (i % classes) + classes);
        return Math.fround(share / row.reduce((sum, value) => sum + value, 0));
      });
      const hard = Int32Array.from(uniform([batch], seed + 2, 0, classes), Math.floor).map((c) =>
        Math.min(c, classes - 1),
      );
      const target = soft.map((share, i) => {
        const t = kind === "shares" ? share : hard[Math.floor(i / classes)] === i % classes ? 1 : 0;
        return t * (1 - labelSmoothing) + labelSmoothing / classes;
      });
      const loss = ({ logits: z }: Numbers) => -dot(target, softmaxOf(z!, classes).map(Math.log)) / batch;
      const labels =
        kind === "shares" ? toTensor(soft, [batch, classes]) : { dtype: "int32" as const, shape: [batch], data: hard };
      const found = train.softmaxCrossEntropy(toTensor(logits, [batch, classes]), labels, { labelSmoothing });
      expect(found.loss).toBeCloseTo(loss({ logits }), 10);
      expect(found.perExample.data.reduce((sum, value) => sum + value, 0) / batch).toBeCloseTo(found.loss, 5);
      checkDifferences({ logits }, loss, { dlogits: found.dlogits });
    });
    fc.assert(property, { numRuns: 100 });
  });
});
