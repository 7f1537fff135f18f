/** Which pixels of an image a window reads: the walk that the gradients of convolutions and pools share. */

import type { Window } from "../../../core/window.ts";
import { tapsUpTo } from "../pool.ts";

/**
 * Calls `visit` for every tap that lies inside the image, in the order of the forward loops: oy, ox, u, v. `out` is
 * oy · outWidth + ox, `tap` u · kw + v, `pixel` iy · width + ix with iy = oy·s + u·d − top, ix = ox·s + v·d − left.
 */
export function eachTap(window: Window, visit: (out: number, tap: number, pixel: number) => void): void {
  const [kh, kw] = window.kernel;
  const [strideY, strideX] = window.stride;
  const [dilationY, dilationX] = window.dilation;
  const [height, width] = window.input;
  const [outHeight, outWidth] = window.output;
  const [[top], [left]] = window.padding;
  for (let oy = 0; oy < outHeight; oy++) {
    const y0 = oy * strideY - top;
    const u0 = tapsUpTo(-y0, kh, dilationY);
    const u1 = tapsUpTo(height - y0, kh, dilationY);
    for (let ox = 0; ox < outWidth; ox++) {
      const x0 = ox * strideX - left;
      const v0 = tapsUpTo(-x0, kw, dilationX);
      const v1 = tapsUpTo(width - x0, kw, dilationX);
      for (let u = u0; u < u1; u++) {
        const row = (y0 + u * dilationY) * width + x0;
        for (let v = v0; v < v1; v++) visit(oy * outWidth + ox, u * kw + v, row + v * dilationX);
      }
    }
  }
}
