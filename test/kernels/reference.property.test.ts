/** @slow: it takes more than a second. */

/** The reference loops against the definition itself, written once more for one output at a time, over random geometry. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { type FloatTensor, tensor } from "../../src/core/tensor.ts";
import { averagePool, conv2d, depthwiseConv2d, maxPool } from "../../src/eager/index.ts";
import { recipe } from "../golden/vectors.ts";

const geometry = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  size: fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 })),
  channels: fc.integer({ min: 1, max: 9 }),
  out: fc.integer({ min: 1, max: 9 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilation: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  padding: fc.oneof(
    fc.constant("same" as const),
    fc.tuple(
      fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
      fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
    ),
  ),
  bias: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

type Geometry = typeof geometry extends fc.Arbitrary<infer G> ? G : never;

/** TensorFlow's rule, written again here. */
function pads(g: Geometry, axis: 0 | 1): { before: number; out: number } {
  const n = g.size[axis];
  const extent = (g.kernel[axis] - 1) * g.dilation[axis] + 1;
  if (g.padding !== "same") {
    const [before, after] = g.padding[axis];
    return { before, out: Math.floor((n + before + after - extent) / g.stride[axis]) + 1 };
  }
  const out = Math.ceil(n / g.stride[axis]);
  return { before: Math.floor(Math.max((out - 1) * g.stride[axis] + extent - n, 0) / 2), out };
}

/** Calls `visit` with each input position that contributes to an output position. */
function taps(
  g: Geometry,
  oy: number,
  ox: number,
  visit: (iy: number, ix: number, u: number, v: number) => void,
): void {
  for (let u = 0; u < g.kernel[0]; u++) {
    for (let v = 0; v < g.kernel[1]; v++) {
      const iy = oy * g.stride[0] + u * g.dilation[0] - pads(g, 0).before;
      const ix = ox * g.stride[1] + v * g.dilation[1] - pads(g, 1).before;
      if (iy >= 0 && iy < g.size[0] && ix >= 0 && ix < g.size[1]) visit(iy, ix, u, v);
    }
  }
}

const at = ({ data, shape }: FloatTensor, ...index: number[]): number =>
  data[index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)]!;

/** |a − b| ≤ γ·Σ|x·w| for a float32 result of a float64 sum. */
function close(actual: number, exact: number, magnitude: number): boolean {
  return Math.abs(actual - exact) <= 2 ** -23 * (magnitude + Math.abs(exact)) + 1e-30;
}

function each(g: Geometry, channels: number, visit: (n: number, oy: number, ox: number, o: number) => void): void {
  for (let n = 0; n < g.batch; n++)
    for (let oy = 0; oy < pads(g, 0).out; oy++)
      for (let ox = 0; ox < pads(g, 1).out; ox++) for (let o = 0; o < channels; o++) visit(n, oy, ox, o);
}

const fits = (g: Geometry) => pads(g, 0).out >= 1 && pads(g, 1).out >= 1;
const input = (g: Geometry) => recipe([g.batch, ...g.size, g.channels], g.seed, -1, 1);
const biasOf = (g: Geometry, count: number) =>
  g.bias ? recipe([count], g.seed + 2, -1, 1) : tensor(new Float32Array(count), [count]);

it("conv2d is the definition, for any geometry", () => {
  fc.assert(
    fc.property(geometry.filter(fits), (g) => {
      const { stride, dilation, padding } = g;
      const x = input(g);
      const w = recipe([...g.kernel, g.channels, g.out], g.seed + 1, -1, 1);
      const b = biasOf(g, g.out);
      const y = conv2d(x, w, { stride, dilation, padding, ...(g.bias ? { bias: b } : {}) });
      expect(y.shape).toEqual([g.batch, pads(g, 0).out, pads(g, 1).out, g.out]);
      each(g, g.out, (n, oy, ox, o) => {
        let exact = at(b, o);
        let magnitude = Math.abs(exact);
        taps(g, oy, ox, (iy, ix, u, v) => {
          for (let c = 0; c < g.channels; c++) {
            const product = at(x, n, iy, ix, c) * at(w, u, v, c, o);
            exact += product;
            magnitude += Math.abs(product);
          }
        });
        expect(close(at(y, n, oy, ox, o), exact, magnitude)).toBe(true);
      });
    }),
    { numRuns: 150 },
  );
});

it("depthwiseConv2d is the definition, with any multiplier", () => {
  fc.assert(
    fc.property(geometry.filter(fits), fc.integer({ min: 1, max: 3 }), (g, m) => {
      const { stride, dilation, padding } = g;
      const x = input(g);
      const w = recipe([...g.kernel, g.channels, m], g.seed + 1, -1, 1);
      const b = biasOf(g, g.channels * m);
      const y = depthwiseConv2d(x, w, { stride, dilation, padding, ...(g.bias ? { bias: b } : {}) });
      each(g, g.channels * m, (n, oy, ox, o) => {
        let exact = at(b, o);
        let magnitude = Math.abs(exact);
        taps(g, oy, ox, (iy, ix, u, v) => {
          const product = at(x, n, iy, ix, Math.floor(o / m)) * at(w, u, v, Math.floor(o / m), o % m);
          exact += product;
          magnitude += Math.abs(product);
        });
        expect(close(at(y, n, oy, ox, o), exact, magnitude)).toBe(true);
      });
    }),
    { numRuns: 150 },
  );
});

it("pools never count padding", () => {
  fc.assert(
    fc.property(geometry.filter(fits), (g) => {
      const { kernel, stride, dilation, padding } = g;
      const x = input(g);
      const mean = averagePool(x, { kernel, stride, dilation, padding });
      const largest = maxPool(x, { kernel, stride, dilation, padding });
      each(g, g.channels, (n, oy, ox, c) => {
        const values: number[] = [];
        taps(g, oy, ox, (iy, ix) => values.push(at(x, n, iy, ix, c)));
        const average = values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
        expect(Math.abs(at(mean, n, oy, ox, c) - average)).toBeLessThan(1e-5);
        expect(at(largest, n, oy, ox, c)).toBe(values.length === 0 ? 0 : Math.max(...values));
      });
    }),
    { numRuns: 100 },
  );
});
