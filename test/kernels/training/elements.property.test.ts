/** Loss, activations, softmax, pools, sums and broadcast products: gradients against float64 loops. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layWindow, type Window } from "../../../src/core/window.ts";
import { REFERENCE_TRAINING } from "../../../src/kernels/reference/gradients/index.ts";
import {
  ELEMENTWISE_GRADIENT,
  type ElementwiseGradientEntry,
  elementwiseGradient,
} from "../../../src/kernels/wasm/training/elementwise-gradient.ts";
import {
  ACTIVATION_GRADIENT,
  type ActivationGradientEntry,
  activationGradient,
  SUM,
  sum,
} from "../../../src/kernels/wasm/training/number-by-number.ts";
import {
  POOL_GRADIENT,
  type PoolGradientEntry,
  poolGradient,
} from "../../../src/kernels/wasm/training/pool-gradient.ts";
import {
  SOFTMAX_CROSS_ENTROPY,
  softmaxCrossEntropy,
} from "../../../src/kernels/wasm/training/softmax-cross-entropy.ts";
import { SOFTMAX_GRADIENT, softmaxGradient } from "../../../src/kernels/wasm/training/softmax-gradient.ts";
import { windowWords } from "../../../src/kernels/wasm/window.ts";
import { recipe } from "../../golden/vectors.ts";
import { firstDifference } from "../on-wasm.ts";
import { expectNear, runKernel, shuffled, VARIANTS } from "./on-memory.ts";

const ULP = 2 ** -24;
const RUNS = { numRuns: 150, seed: 20150211 } as const;
const seeds = fc.integer({ min: 1, max: 1e6 });
const lasts = fc.integer({ min: 0, max: 9 });
const endOf = (values: object, last: number) => Object.keys(values)[last % Object.keys(values).length]!;

const SLOPES: Readonly<
  Record<string, { entry: ActivationGradientEntry; low: number; high: number; slope: (x: number) => number }>
> = {
  relu: { entry: "clampGradient", low: 0, high: Infinity, slope: (x) => Number(x > 0) },
  relu6: { entry: "clampGradient", low: 0, high: 6, slope: (x) => Number(x > 0 && x < 6) },
  hardSigmoid: { entry: "hardSigmoidGradient", low: -3, high: 3, slope: (x) => (x > -3 && x < 3 ? 1 / 6 : 0) },
  hardSwish: { entry: "hardSwishGradient", low: -3, high: 3, slope: (x) => (x < -3 ? 0 : x > 3 ? 1 : (2 * x + 3) / 6) },
  leakyRelu: { entry: "leakyReluGradient", low: 0.25, high: 0, slope: (x) => (x > 0 ? 1 : 0.25) },
};

describe.each(VARIANTS)("$name", (variant) => {
  it("goes number by number through activations and sums, also in place, to the end of the batch", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(SLOPES)),
        fc.record({ each: fc.integer({ min: 1, max: 80 }), batch: fc.integer({ min: 1, max: 4 }) }),
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom("apart", "first", "second"),
        seeds,
        lasts,
        (name, { each, batch }, unit, place, seed, last) => {
          const elements = each * batch;
          // Every other number lies on a kink.
          const x = recipe([elements], seed, -8, 8).data.map((value, i) => (i % 2 === 0 ? value : Math.round(value)));
          const dy = recipe([elements], seed + 1, -1, 1).data;
          const units = shuffled(Math.ceil(elements / unit) + 1, seed);
          const { entry, low, high, slope } = SLOPES[name]!;
          const all = { dy, x, dx: elements };
          const to = { apart: "dx", first: "dy", second: "x" }[place]!;
          const dx = runKernel(variant, {
            ...{ entry, block: ACTIVATION_GRADIENT, values: all, writes: [to], units, batch, last: endOf(all, last) },
            emit: (module) => activationGradient(module, entry),
            words: { dy: "dy", x: "x", dx: to, unit, each, low, high },
          })[to]!;
          for (const [i, value] of dx.entries()) {
            const exact = dy[i]! * slope(x[i]!);
            // 2 · x + 3 is rounded where it nearly cancels.
            const size = name === "hardSwish" ? Math.abs(dy[i]!) * (2 * Math.abs(x[i]!) + 3) : Math.abs(exact);
            expectNear(value, exact, 3 * ULP * size);
          }
          const sums = runKernel(variant, {
            ...{ entry: "sum", emit: sum, block: SUM, values: all, writes: [to], units, batch, last: endOf(all, last) },
            words: { a: "dy", b: "x", y: to, unit, each },
          })[to]!;
          expect(
            firstDifference(
              sums,
              dy.map((value, i) => value + x[i]!),
            ),
          ).toBe(-1);
        },
      ),
      RUNS,
    );
  });

  it("gives the loss of each example and the gradient of their mean", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(0.01, 1, 30, 10_000),
        fc.constantFrom("hard", "smooth", "soft"),
        fc.constantFrom(1, 0.5, 1 / 3),
        fc.boolean(),
        seeds,
        lasts,
        (classes, batch, spread, kind, given, inPlace, seed, last) => {
          const logits = recipe([batch, classes], seed, -spread, spread).data;
          const shares = recipe([batch, classes], seed + 1, 0, 1).data;
          const targets = shares.map((share, i) => {
            const row = Math.floor(i / classes) * classes;
            if (kind === "soft")
              return share / shares.slice(row, row + classes).reduce((total, value) => total + value, 0);
            const isIt = Number(i - row === (seed + row) % classes);
            return kind === "hard" ? isIt : 0.9 * isIt + 0.1 / classes;
          });
          const scale = Math.fround(given);
          const all = { logits, targets, perExample: batch, dlogits: batch * classes, scale: Float32Array.of(scale) };
          const to = inPlace ? "logits" : "dlogits";
          const result = runKernel(variant, {
            ...{ entry: "softmaxCrossEntropy", emit: softmaxCrossEntropy, block: SOFTMAX_CROSS_ENTROPY, values: all },
            words: {
              logits: "logits",
              targets: "targets",
              perExample: "perExample",
              dlogits: to,
              classes,
              scale: "scale",
            },
            writes: ["perExample", to],
            units: shuffled(batch, seed),
            batch,
            last: endOf(all, last),
          });
          for (let n = 0; n < batch; n++) {
            const z = [...logits.subarray(n * classes, (n + 1) * classes)];
            const t = targets.subarray(n * classes, (n + 1) * classes);
            const largest = Math.max(...z);
            const total = z.reduce((part, value) => part + Math.exp(value - largest), 0);
            const loss = z.reduce((part, value, i) => part + t[i]! * (Math.log(total) - (value - largest)), 0);
            expectNear(result["perExample"]![n]!, loss, ULP * Math.abs(loss) + 1e-14);
            for (const [i, value] of z.entries()) {
              const exact = ((Math.exp(value - largest) / total - t[i]!) * scale) / batch;
              expectNear(result[to]![n * classes + i]!, exact, ULP * Math.abs(exact) + 1e-15);
            }
          }
        },
      ),
      RUNS,
    );
  });

  it("lets a logit that is no number show in the loss", () => {
    // The last of them is finite, and its loss is not: then no gradient is either.
    for (const logits of [
      [0, Number.NaN, 1],
      [0, Number.POSITIVE_INFINITY, 1],
      [Number.NEGATIVE_INFINITY, 0, 1],
      [-3e38, 3e38, 1],
    ]) {
      const all = {
        logits: Float32Array.from(logits),
        targets: Float32Array.of(1, 0, 0),
        perExample: 1,
        dlogits: 3,
        scale: Float32Array.of(1),
      };
      const { perExample, dlogits } = runKernel(variant, {
        ...{ entry: "softmaxCrossEntropy", emit: softmaxCrossEntropy, block: SOFTMAX_CROSS_ENTROPY, values: all },
        words: {
          logits: "logits",
          targets: "targets",
          perExample: "perExample",
          dlogits: "dlogits",
          classes: 3,
          scale: "scale",
        },
        ...{ writes: ["perExample", "dlogits"], units: [0], batch: 1 },
      });
      expect(Number.isFinite(perExample![0])).toBe(false);
      expect([...dlogits!].every(Number.isNaN), `${logits}`).toBe(true);
      const own = { perExample: new Float32Array(1), dlogits: new Float32Array(3) };
      const { logits: given, targets } = all;
      const call = { kernel: "softmaxCrossEntropy", classes: 3 } as const;
      REFERENCE_TRAINING.softmaxCrossEntropy(call)(1, { logits: given, targets, ...own }, { adds: false, scale: 1 });
      expect(own).toEqual({ perExample, dlogits });
    }
  });

  it("takes nothing from a class without a share, however unlikely it is", () => {
    const all = {
      logits: Float32Array.of(0, Number.NEGATIVE_INFINITY, 0),
      targets: Float32Array.of(1, 0, 0),
      perExample: 1,
      dlogits: 3,
      scale: Float32Array.of(1),
    };
    const { perExample, dlogits } = runKernel(variant, {
      ...{ entry: "softmaxCrossEntropy", emit: softmaxCrossEntropy, block: SOFTMAX_CROSS_ENTROPY, values: all },
      words: {
        ...{ logits: "logits", targets: "targets", perExample: "perExample", dlogits: "dlogits", scale: "scale" },
        classes: 3,
      },
      ...{ writes: ["perExample", "dlogits"], units: [0], batch: 1 },
    });
    expect([...perExample!, ...dlogits!]).toEqual([Math.fround(Math.LN2), -0.5, 0, 0.5]);
  });

  it("gives the gradient of a maximum that is no number to the first pixel that is none, as the reference does", () => {
    const x = Float32Array.of(4, Number.NaN, Number.NaN, 1, 2, 3);
    const all = { dy: Float32Array.of(1, 2), x, dx: 6 };
    const window = layWindow("pool", { kernel: [1, 3], stride: [1, 3], dilation: [1, 1], padding: "valid" }, [1, 6]);
    const dx = runKernel(variant, {
      ...{ entry: "maxPoolGradient", block: POOL_GRADIENT, values: all, writes: ["dx"], units: [0], batch: 1 },
      emit: (module) => poolGradient(module, "maxPoolGradient"),
      words: { ...windowWords(window, 1, 1), x: "x", w: 0, bias: 0, y: 0, dy: "dy", dx: "dx" },
    })["dx"]!;
    const own = new Float32Array(6);
    const of = { kernel: "maxPool", window, channels: 1 } as const;
    REFERENCE_TRAINING.poolGradient({ kernel: "poolGradient", of })(
      1,
      { dy: all.dy, x, dx: own },
      {
        adds: false,
        scale: 1,
      },
    );
    expect([...own]).toEqual([0, 1, 0, 0, 0, 2]);
    expect([...dx]).toEqual([...own]);
  });

  it("takes the gradient of a softmax", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        seeds,
        lasts,
        (channels, rows, inPlace, seed, last) => {
          const y = recipe([rows, channels], seed, 0, 1).data;
          const dy = recipe([rows, channels], seed + 1, -1, 1).data;
          const all = { dy, y, dx: rows * channels };
          const to = inPlace ? "dy" : "dx";
          const dx = runKernel(variant, {
            ...{ entry: "softmaxGradient", emit: softmaxGradient, block: SOFTMAX_GRADIENT, values: all, writes: [to] },
            words: { dy: "dy", y: "y", dx: to, channels },
            ...{ units: shuffled(rows, seed), batch: rows, last: endOf(all, last) },
          })[to]!;
          for (const [i, value] of dx.entries()) {
            const row = Math.floor(i / channels) * channels;
            let total = 0;
            for (let c = row; c < row + channels; c++) total += y[c]! * dy[c]!;
            const bound = 3 * ULP * Math.abs(y[i]!) * (Math.abs(dy[i]!) + Math.abs(total));
            expectNear(value, y[i]! * (dy[i]! - total), bound);
          }
        },
      ),
      RUNS,
    );
  });

  const sizes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
  const pairs = (max: number) => fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
  const pads = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }));
  const windows: fc.Arbitrary<Window> = fc.oneof(
    fc
      .record({ input: sizes, kernel: pairs(4), stride: pairs(3), dilation: pairs(2), padding: fc.tuple(pads, pads) })
      .filter(({ input, kernel, dilation, padding }) =>
        [0, 1].every((i) => (kernel[i]! - 1) * dilation[i]! + 1 <= input[i]! + padding[i]![0]! + padding[i]![1]!),
      )
      .map(({ input, ...options }) => layWindow("pool", options, input)),
    fc
      .integer({ min: 1, max: 60 })
      .map(
        (pixels): Window =>
          layWindow("pool", { kernel: [1, pixels], stride: [1, 1], dilation: [1, 1], padding: "valid" }, [1, pixels]),
      ),
  );

  it.each(["averagePoolGradient", "maxPoolGradient"] as const)(
    "gives each pixel its share of the window: %s",
    (entry: PoolGradientEntry) => {
      fc.assert(
        fc.property(
          windows,
          fc.integer({ min: 1, max: 13 }),
          fc.integer({ min: 1, max: 3 }),
          seeds,
          lasts,
          (window, channels, batch, seed, last) => {
            const [[height, width], [outHeight, outWidth]] = [window.input, window.output];
            const isMax = entry === "maxPoolGradient";
            // Few different numbers, so that maxima are equal.
            const x = recipe([batch, height, width, channels], seed, -4, 4).data.map(Math.round);
            const dy = recipe([batch, outHeight, outWidth, channels], seed + 1, -1, 1).data;
            const all = { dy, x, dx: x.length };
            const dx = runKernel(variant, {
              ...{ entry, block: POOL_GRADIENT, values: all, writes: ["dx"], units: shuffled(batch, seed), batch },
              emit: (module) => poolGradient(module, entry),
              words: {
                ...windowWords(window, channels, channels),
                x: isMax ? "x" : 0,
                w: 0,
                bias: 0,
                y: 0,
                dy: "dy",
                dx: "dx",
              },
              last: endOf(all, last),
            })["dx"]!;
            const expected = new Float64Array(x.length);
            const bounds = new Float64Array(x.length);
            for (let at = 0; at < dy.length; at++) {
              const channel = at % channels;
              const ox = Math.floor(at / channels) % outWidth;
              const oy = Math.floor(at / channels / outWidth) % outHeight;
              const n = Math.floor(at / channels / outWidth / outHeight);
              const taps: number[] = [];
              for (let u = 0; u < window.kernel[0]; u++)
                for (let v = 0; v < window.kernel[1]; v++) {
                  const iy = oy * window.stride[0] + u * window.dilation[0] - window.padding[0][0];
                  const ix = ox * window.stride[1] + v * window.dilation[1] - window.padding[1][0];
                  if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
                  taps.push(((n * height + iy) * width + ix) * channels + channel);
                }
              const largest = Math.max(...taps.map((tap) => x[tap]!));
              const to = isMax ? taps.filter((tap) => x[tap] === largest).slice(0, 1) : taps;
              for (const tap of to) {
                expected[tap]! += dy[at]! / to.length;
                bounds[tap]! += 20 * ULP * Math.abs(dy[at]! / to.length);
              }
            }
            for (const [i, value] of dx.entries()) expectNear(value, expected[i]!, bounds[i]!);
          },
        ),
        RUNS,
      );
    },
  );

  it.each(["addGradient", "multiplyGradient"] as const)(
    "sums over the axes along which b was broadcast: %s",
    (entry: ElementwiseGradientEntry) => {
      fc.assert(
        fc.property(
          fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 65 })),
          fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
          fc.integer({ min: 1, max: 3 }),
          seeds,
          lasts,
          ([outer, middle, inner], [hasOuter, hasMiddle, hasInner, hasExample], batch, seed, last) => {
            const innerStride = Number(hasInner);
            const ofInner = hasInner ? inner : 1;
            const middleStride = hasMiddle ? ofInner : 0;
            const ofMiddle = ofInner * (hasMiddle ? middle : 1);
            const outerStride = hasOuter ? ofMiddle : 0;
            const ofOuter = ofMiddle * (hasOuter ? outer : 1);
            const exampleStride = hasExample ? ofOuter : 0;
            const dy = recipe([batch, outer, middle, inner], seed, -1, 1).data;
            const a = recipe([batch, outer, middle, inner], seed + 1, -1, 1).data;
            const all = { dy, a, db: ofOuter * (hasExample ? batch : 1) };
            const db = runKernel(variant, {
              ...{ entry, block: ELEMENTWISE_GRADIENT, values: all, writes: ["db"], batch, last: endOf(all, last) },
              emit: (module) => elementwiseGradient(module, entry),
              words: {
                ...{ dy: "dy", a: entry === "multiplyGradient" ? "a" : 0, db: "db", outer, middle, inner },
                ...{ outerStride, middleStride, innerStride, exampleStride },
              },
              units: shuffled(hasExample ? batch : 1, seed),
            })["db"]!;
            const expected = new Float64Array(db.length);
            for (let n = 0, at = 0; n < batch; n++)
              for (let i = 0; i < outer; i++)
                for (let j = 0; j < middle; j++)
                  for (let k = 0; k < inner; k++, at++)
                    expected[n * exampleStride + i * outerStride + j * middleStride + k * innerStride]! +=
                      dy[at]! * (entry === "multiplyGradient" ? a[at]! : 1);
            for (const [i, value] of db.entries())
              expectNear(value, expected[i]!, ULP * Math.abs(expected[i]!) + 1e-12);
          },
        ),
        RUNS,
      );
    },
  );
});
