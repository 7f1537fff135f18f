/** Random windows over images, and the walk over them, written once more. */

import fc from "fast-check";
import { layWindow, type Window } from "../../src/core/window.ts";
import { FUSED_ACTIVATIONS, type FusedActivation } from "../../src/operations/activation-names.ts";

export const side = fc.integer({ min: 1, max: 7 });
export const small = fc.integer({ min: 1, max: 3 });
const pad = fc.integer({ min: 0, max: 3 });
export const seeds = fc.integer({ min: 1, max: 1e6 });
export const activations = fc.constantFrom<FusedActivation>("linear", "linear", ...FUSED_ACTIVATIONS);

const geometries = fc.record({
  batch: small,
  size: fc.tuple(side, side),
  channels: fc.integer({ min: 1, max: 5 }),
  filters: fc.integer({ min: 1, max: 5 }),
  multiplier: small,
  kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  stride: fc.tuple(small, small),
  dilation: fc.tuple(small, small),
  padding: fc.oneof(
    fc.constant("same" as const),
    fc.constant("valid" as const),
    fc.tuple(fc.tuple(pad, pad), fc.tuple(pad, pad)),
  ),
});
export type Geometry = typeof geometries extends fc.Arbitrary<infer G> ? G : never;

/** The window over the image, or none if nothing would come out. */
export function windowOf(g: Geometry): Window | undefined {
  try {
    return layWindow("test", g, g.size);
  } catch {
    return undefined;
  }
}
export const fitting = geometries.filter((g) => windowOf(g) !== undefined);

/** Every tap inside the image: out pixel, tap and input pixel, counted in one example. */
export function eachTap(window: Window, visit: (out: number, tap: number, pixel: number) => void): void {
  const { kernel, stride, dilation, input, output, padding } = window;
  for (let oy = 0; oy < output[0]; oy++)
    for (let ox = 0; ox < output[1]; ox++)
      for (let u = 0; u < kernel[0]; u++)
        for (let v = 0; v < kernel[1]; v++) {
          const iy = oy * stride[0] + u * dilation[0] - padding[0][0];
          const ix = ox * stride[1] + v * dilation[1] - padding[1][0];
          if (iy < 0 || iy >= input[0] || ix < 0 || ix >= input[1]) continue;
          visit(oy * output[1] + ox, u * kernel[1] + v, iy * input[1] + ix);
        }
}

export const areaOf = ([height, width]: readonly [number, number]) => height * width;
