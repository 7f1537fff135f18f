/** Which pixels an output pixel sees. */

import type { Window } from "../../core/window.ts";

/**
 * A function that writes to `taps[u, v]` which input pixel lies under a tap of output pixel `p`, counted through the
 * whole batch; −1 outside the image. Says whether all lie inside.
 */
export function tapsOf({ kernel, stride, dilation, input, output, padding }: Window) {
  const [kh, kw] = kernel;
  const [height, width] = input;
  const [outHeight, outWidth] = output;
  return (p: number, taps: Int32Array): boolean => {
    const line = Math.floor(p / outWidth);
    const firstLine = Math.floor(line / outHeight) * height;
    let isInside = true;
    for (let u = 0, tap = 0; u < kh; u++) {
      const iy = (line % outHeight) * stride[0] + u * dilation[0] - padding[0][0];
      for (let v = 0; v < kw; v++, tap++) {
        const ix = (p % outWidth) * stride[1] + v * dilation[1] - padding[1][0];
        const isHere = iy >= 0 && iy < height && ix >= 0 && ix < width;
        taps[tap] = isHere ? (firstLine + iy) * width + ix : -1;
        isInside &&= isHere;
      }
    }
    return isInside;
  };
}
