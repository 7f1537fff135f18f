/** @slow: it takes more than a second. */

/** The gradients of layers against differences of the definition, over random geometry. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layWindow, type Window } from "../../src/core/window.ts";
import type { FusedActivation } from "../../src/operations/activation-names.ts";
import {
  conv2dGradient,
  denseGradient,
  depthwiseConv2dGradient,
  pointwiseConv2dGradient,
} from "../../src/train/gradients/index.ts";
import { WINDOWS } from "../cases/windows.ts";
import { ACTIVATE, checkDifferences, dot, isSmooth, type Numbers, toTensor, uniform } from "./differences.ts";
import { activations, areaOf, eachTap, fitting, type Geometry, seeds, side, small, windowOf } from "./geometry.ts";

/** Output channel o of a convolution whose filters read `inputsOf` channels; w [taps, pairs of input and output]. */
function convolve(
  window: Window,
  { x, w, b }: Numbers,
  batch: number,
  channels: number,
  outChannels: number,
  pairs: readonly (readonly [input: number, output: number])[],
): Float64Array {
  const outPixels = areaOf(window.output);
  const z = new Float64Array(batch * outPixels * outChannels);
  if (b !== undefined) for (const i of z.keys()) z[i] = b[i % outChannels]!;
  for (let n = 0; n < batch; n++) {
    eachTap(window, (out, tap, pixel) => {
      pairs.forEach(([c, o], pair) => {
        const value = x![(n * areaOf(window.input) + pixel) * channels + c]!;
        z[(n * outPixels + out) * outChannels + o]! += value * w![tap * pairs.length + pair]!;
      });
    });
  }
  return z;
}

const checkWeighted = (
  kind: "conv2d" | "depthwiseConv2d",
  g: Geometry,
  seed: number,
  hasBias: boolean,
  activation: FusedActivation,
): void => {
  const window = windowOf(g)!;
  const { batch, channels } = g;
  const perChannel = kind === "conv2d" ? g.filters : g.multiplier;
  const outChannels = kind === "conv2d" ? g.filters : channels * g.multiplier;
  const pairs = Array.from({ length: channels * perChannel }, (_, pair) => {
    const c = Math.floor(pair / perChannel);
    return [c, kind === "conv2d" ? pair % perChannel : pair] as const;
  });
  const shapes = {
    x: [batch, ...g.size, channels],
    w: [...g.kernel, channels, perChannel],
    b: [outChannels],
  };
  const inputs: Numbers = {
    x: uniform(shapes.x, seed),
    w: uniform(shapes.w, seed + 1),
    ...(hasBias ? { b: uniform(shapes.b, seed + 2) } : {}),
  };
  const outShape = [batch, ...window.output, outChannels];
  const dy = uniform(outShape, seed + 3);
  const z = (values: Numbers) => convolve(window, values, batch, channels, outChannels, pairs);
  fc.pre(isSmooth(activation, z(inputs)));
  const gradient = kind === "conv2d" ? conv2dGradient : depthwiseConv2dGradient;
  const { stride, dilation, padding } = g;
  const bias = hasBias ? { bias: toTensor(inputs["b"]!, shapes.b) } : {};
  checkDifferences(inputs, (values) => dot(dy, z(values).map(ACTIVATE[activation])), {
    ...gradient(toTensor(dy, outShape), toTensor(inputs["x"]!, shapes.x), toTensor(inputs["w"]!, shapes.w), {
      ...{ stride, dilation, padding, activation, ...bias },
    }),
  });
};

describe("the gradients of layers", () => {
  it.each(["conv2d", "depthwiseConv2d"] as const)("%s", (kind) => {
    fc.assert(
      fc.property(fitting, seeds, fc.boolean(), activations, (g, seed, hasBias, activation) =>
        checkWeighted(kind, g, seed, hasBias, activation),
      ),
      { numRuns: 120 },
    );
  });

  it("conv2d and depthwiseConv2d, in the geometries that went wrong somewhere", () => {
    // The largest of them cost seconds each, and differ from others in what only emitted kernels look at.
    const cases = WINDOWS.filter(({ size, channels, filters }) => areaOf(size) * channels * filters < 3000);
    expect(cases.length).toBeGreaterThan(150);
    for (const [i, g] of cases.entries()) {
      checkWeighted("conv2d", g as Geometry, i + 1, i % 2 === 0, "linear");
      checkWeighted("depthwiseConv2d", g as Geometry, i + 1, i % 2 === 1, "linear");
    }
  });

  it.each(["pointwiseConv2d", "dense"] as const)("%s", (kind) => {
    const property = fc.property(
      fc.record({ batch: small, size: fc.tuple(side, side), channels: side, filters: side }),
      seeds,
      fc.boolean(),
      activations,
      ({ batch, size, channels, filters }, seed, hasBias, activation) => {
        const isDense = kind === "dense";
        const window = layWindow("test", UNIT, isDense ? [1, 1] : size);
        const [x, w] = isDense
          ? [
              [batch, channels],
              [channels, filters],
            ]
          : [
              [batch, ...size, channels],
              [1, 1, channels, filters],
            ];
        const outShape = [...x.slice(0, -1), filters];
        const pairs = Array.from(
          { length: channels * filters },
          (_, pair) => [Math.floor(pair / filters), pair % filters] as const,
        );
        const inputs: Numbers = {
          x: uniform(x, seed),
          w: uniform(w, seed + 1),
          ...(hasBias ? { b: uniform([filters], seed + 2) } : {}),
        };
        const dy = uniform(outShape, seed + 3);
        const z = (values: Numbers) => convolve(window, values, batch, channels, filters, pairs);
        fc.pre(isSmooth(activation, z(inputs)));
        const gradient = isDense ? denseGradient : pointwiseConv2dGradient;
        const bias = hasBias ? { bias: toTensor(inputs["b"]!, [filters]) } : {};
        const found = gradient(toTensor(dy, outShape), toTensor(inputs["x"]!, x), toTensor(inputs["w"]!, w), {
          ...{ activation, ...bias },
        });
        checkDifferences(inputs, (values) => dot(dy, z(values).map(ACTIVATE[activation])), { ...found });
      },
    );
    fc.assert(property, { numRuns: 100 });
  });
});

const UNIT = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: "valid" } as const;
