/** The runners of what has no kernel against the functions on tensors, over random geometry. */

import fc from "fast-check";
import { describe, it } from "vitest";
import { tensor } from "../../src/core/tensor.ts";
import * as eager from "../../src/eager/index.ts";
import { REFERENCE_TRAINING } from "../../src/kernels/reference/gradients/index.ts";
import { add, multiply } from "../../src/operations/elementwise.ts";
import type { ActivationCall, ElementwiseCall } from "../../src/operations/kernel-call.ts";
import { averagePool, maxPool } from "../../src/operations/pool.ts";
import * as train from "../../src/train/gradients/index.ts";
import { recipe } from "../golden/vectors.ts";
import { blank, expectClose, fill, run, withRoom } from "./with-room.ts";

const small = fc.integer({ min: 1, max: 3 });
const seeds = fc.integer({ min: 1, max: 1e6 });
const windows = fc.record({
  batch: small,
  size: fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 })),
  channels: fc.integer({ min: 1, max: 5 }),
  kernel: fc.integer({ min: 1, max: 4 }),
  stride: small,
  dilation: fc.integer({ min: 1, max: 2 }),
});

const ACTIVATION_GRADIENTS = {
  relu: train.reluGradient,
  relu6: train.relu6Gradient,
  hardSwish: train.hardSwishGradient,
  hardSigmoid: train.hardSigmoidGradient,
} as const;
const POOLED = { averagePool: train.averagePoolGradient, maxPool: train.maxPoolGradient } as const;

describe("the runners without a kernel", () => {
  const shapes = fc.tuple(small, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), small);

  it("activationGradient", () => {
    const kinds = fc.constantFrom("linear", "relu", "relu6", "hardSwish", "hardSigmoid", "leakyRelu");
    const property = fc.property(shapes, kinds, seeds, (shape, activation, seed) => {
      const [x, dy] = [recipe(shape, seed, -8, 8), recipe(shape, seed + 1, -1, 1)];
      const elements = x.data.length / shape[0];
      const slope = Math.fround(0.3);
      const of = {
        kernel: "activation",
        elements,
        activation,
        ...(activation === "leakyRelu" ? { slope } : {}),
      } as ActivationCall;
      const dx = blank(shape);
      run(REFERENCE_TRAINING.activationGradient({ kernel: "activationGradient", of }), shape[0], {
        ...{ x: withRoom(x), dy: withRoom(dy), dx },
      });
      const expected =
        activation === "linear"
          ? dy
          : activation === "leakyRelu"
            ? train.leakyReluGradient(dy, x, 0.3).dx
            : ACTIVATION_GRADIENTS[activation](dy, x).dx;
      expectClose(dx, expected, activation);
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("softmaxGradient", () => {
    const property = fc.property(shapes, seeds, (shape, seed) => {
      const [x, dy] = [recipe(shape, seed, -4, 4), recipe(shape, seed + 1, -1, 1)];
      const [batch, , , channels] = shape;
      const dx = blank(shape);
      const call = { kernel: "softmaxGradient", rows: shape[1] * shape[2], channels } as const;
      run(REFERENCE_TRAINING.softmaxGradient(call), batch, { dy: withRoom(dy), y: withRoom(eager.softmax(x)), dx });
      expectClose(dx, train.softmaxGradient(dy, x).dx, "dx");
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("poolGradient, over windows", () => {
    const property = fc.property(windows, fc.constantFrom("averagePool", "maxPool"), seeds, (g, kind, seed) => {
      const shape = [g.batch, ...g.size, g.channels];
      const x = recipe(shape, seed, -1, 1);
      const operation = kind === "maxPool" ? maxPool : averagePool;
      const attributes = operation.check(kind, g);
      const out = operation.outputShape(kind, attributes, [shape]);
      const of = operation.call(kind, attributes, [shape], out) as never;
      const dy = recipe(out, seed + 1, -1, 1);
      const dx = blank(shape);
      run(REFERENCE_TRAINING.poolGradient({ kernel: "poolGradient", of }), g.batch, {
        ...{ dy: withRoom(dy), x: withRoom(x), dx },
      });
      const { kernel, stride, dilation } = g;
      expectClose(dx, POOLED[kind](dy, x, { kernel, stride, dilation }).dx, kind);
    });
    fc.assert(property, { numRuns: 80 });
  });

  it("poolGradient, over whole images", () => {
    const property = fc.property(shapes, seeds, (shape, seed) => {
      const [batch, height, width, channels] = shape;
      const x = recipe(shape, seed, -1, 1);
      const dy = recipe([batch, channels], seed + 1, -1, 1);
      const size = { pixels: height * width, channels };
      for (const kernel of ["globalAveragePool", "globalMaxPool"] as const) {
        const dx = blank(shape);
        run(REFERENCE_TRAINING.poolGradient({ kernel: "poolGradient", of: { kernel, ...size } }), batch, {
          ...{ dy: withRoom(dy), x: withRoom(x), dx },
        });
        const whole = tensor(dy.data, [batch, 1, 1, channels]);
        const expected =
          kernel === "globalAveragePool"
            ? train.globalAveragePoolGradient(dy, x)
            : train.maxPoolGradient(whole, x, { kernel: [height, width], padding: "valid" });
        expectClose(dx, expected.dx, kernel);
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  it("elementwiseGradient, to either input", () => {
    const broadcast = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean());
    const property = fc.property(shapes, broadcast, fc.boolean(), seeds, (shape, ones, isSum, seed) => {
      const bShape = shape.map((side, axis) => (ones[axis] ? 1 : side));
      const [a, b, dy] = [recipe(shape, seed, -1, 1), recipe(bShape, seed + 1, -1, 1), recipe(shape, seed + 2, -1, 1)];
      const of = (isSum ? add : multiply).call("test", {}, [shape, bShape], shape) as ElementwiseCall;
      const expected = (isSum ? train.addGradient : train.multiplyGradient)(dy, a, b);
      const isShared = of.exampleStride === 0;
      const da = blank(shape);
      const db = isShared ? new Float32Array(b.data.length).fill(Number.NaN) : blank(bShape);
      const operands = { dy: withRoom(dy), a: withRoom(a), b: isShared ? b.data : withRoom(b) };
      const kernel = "elementwiseGradient";
      run(REFERENCE_TRAINING.elementwiseGradient({ kernel, of, to: "a" }), shape[0], { ...operands, da });
      run(REFERENCE_TRAINING.elementwiseGradient({ kernel, of, to: "b" }), shape[0], { ...operands, db });
      expectClose(da, expected.da, "da");
      expectClose(db, expected.db, "db", !isShared);
    });
    fc.assert(property, { numRuns: 80 });
  });

  it("sum, also in place", () => {
    const [a, b] = [recipe([3, 5], 1, -1, 1), recipe([3, 5], 2, -1, 1)];
    const y = withRoom(a);
    run(REFERENCE_TRAINING.sum({ kernel: "sum", elements: 5 }), 3, { a: y, b: withRoom(b), y });
    expectClose(y, eager.add(a, b), "y");
  });

  it("softmaxCrossEntropy, scaled for a part of a batch", () => {
    const property = fc.property(small, fc.integer({ min: 1, max: 9 }), seeds, (batch, classes, seed) => {
      const logits = recipe([batch, classes], seed, -5, 5);
      const labels = Int32Array.from({ length: batch }, (_, n) => (n * 5 + seed) % classes);
      const targets = fill([batch, classes], 0);
      for (const [n, label] of labels.entries()) targets.data[n * classes + label] = 1;
      const [perExample, dlogits] = [blank([batch, 1]), blank([batch, classes])];
      run(
        REFERENCE_TRAINING.softmaxCrossEntropy({ kernel: "softmaxCrossEntropy", classes }),
        ...([
          batch,
          { logits: withRoom(logits), targets: withRoom(targets), perExample, dlogits },
          false,
          0.25,
        ] as const),
      );
      const expected = train.softmaxCrossEntropy(logits, tensor(labels, [batch]));
      expectClose(perExample, expected.perExample, "perExample");
      expectClose(
        dlogits.map((value) => 4 * value),
        expected.dlogits,
        "dlogits",
      );
    });
    fc.assert(property, { numRuns: 60 });
  });
});
