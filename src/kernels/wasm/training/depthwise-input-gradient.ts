/**
 * Gradient of a depthwise layer's input, over the input rows of a chunk:
 *
 *     dx[n, iy, ix, c] = Σ(u, v, m) dz[n, oy, ox, c·M + m] · w[u, v, c, m]     oy·sy + u·dy − top = iy,  ox·sx + v·dx − left = ix
 *
 * `w` is packed by `packGroups`, flipped, without a bias; the clamp is that of `linear`. At stride 1 this is the forward
 * convolution of dz by flipped taps. A window of 3 × 3 at stride 2 has tiles of its own: over a row of dx the taps u are
 * those of its parity, one or two rows of dz; columns alternate, so that two of dx take two of dz. Whatever no window
 * touches becomes 0.
 */

import { argumentBlock, type KernelScope, kernel } from "../arguments.ts";
import {
  call,
  type Expression,
  int,
  type Local,
  type ModuleBuilder,
  type Statement,
  when,
} from "../assembler/index.ts";
import {
  add,
  advance,
  below,
  both,
  choose,
  divide,
  equal,
  floats,
  inside,
  least,
  locals,
  loop,
  most,
  mul,
  not,
  put,
  remainder,
  sub,
} from "../emit.ts";
import { gradientTapByTap, PAIRS, type PairTile, type PairTiles, pairTiles } from "./depthwise-gradient-tile.ts";
import { type DepthwiseParts, depthwiseRows } from "./depthwise-rows.ts";
import { DEPTHWISE_WORDS, depthwiseShare } from "./depthwise-share.ts";

/** `dz` 0: output rows lie in scratch, from `zOffset`, `zBefore` more in front of the chunk's own. */
export const DEPTHWISE_INPUT_GRADIENT = /* @__PURE__ */ argumentBlock(DEPTHWISE_WORDS, [
  "dz",
  "zOffset",
  "zBefore",
  "dx",
]);

type Scope = KernelScope<(typeof DEPTHWISE_INPUT_GRADIENT)["names"][number]>;

export function depthwiseInputGradient(module: ModuleBuilder, parts: DepthwiseParts) {
  const oneByOne = gradientTapByTap(module, parts.features, parts.lanes);
  const pairs = parts.size === 3 ? pairTiles(module, parts.features, parts.lanes) : undefined;
  return kernel(module, "depthwiseInputGradient", DEPTHWISE_INPUT_GRADIENT, (scope) => {
    const { firstRow, endRow, find, outputAt } = depthwiseShare(scope);
    const { z } = locals(scope.local, "i32", "z");
    const isForward = both(equal(scope.multiplier, 1), both(equal(scope.strideY, 1), equal(scope.strideX, 1)));
    return [
      ...find,
      put(z, outputAt(scope.dz, scope.zOffset, scope.zBefore)),
      when(
        isForward,
        [...asForward(parts, scope, firstRow, endRow, z)],
        [...strided(parts, scope, firstRow, endRow, z, oneByOne, pairs)],
      ),
    ];
  });
}

/** Rows of dx as outputs of the flipped window over dz. */
function asForward(parts: DepthwiseParts, scope: Scope, from: Local<"i32">, to: Local<"i32">, x: Local<"i32">) {
  const { top, left, innerFrom, innerTo } = locals(scope.local, "i32", "top", "left", "innerFrom", "innerTo");
  const extent = (taps: Expression<"i32">, dilation: Expression<"i32">) => mul(sub(taps, 1), dilation);
  return [
    put(top, sub(extent(scope.kernelHeight, scope.dilationY), scope.top)),
    put(left, sub(extent(scope.kernelWidth, scope.dilationX), scope.left)),
    put(innerFrom, most(left, 0)),
    put(
      innerTo,
      most(innerFrom, least(scope.width, sub(add(scope.outWidth, left), extent(scope.kernelWidth, scope.dilationX)))),
    ),
    ...depthwiseRows(parts, {
      ...scope,
      from,
      to,
      x,
      y: scope.dx,
      channels: scope.outChannels,
      outChannels: scope.channels,
      height: scope.outHeight,
      width: scope.outWidth,
      outHeight: scope.height,
      outWidth: scope.width,
      top,
      left,
      innerFrom,
      innerTo,
    }),
  ];
}

/** Rows of dx, each by taps that a stride leaves. */
function strided(
  { size, lanes }: DepthwiseParts,
  scope: Scope,
  from: Local<"i32">,
  to: Local<"i32">,
  z: Local<"i32">,
  oneByOne: ReturnType<typeof gradientTapByTap>,
  pairs: PairTiles | undefined,
): readonly Statement[] {
  const names = ["row", "atY", "ix", "atX", "image", "pixelBytes", "zRowBytes", "dx", "oy", "ox", "count"] as const;
  const v = locals(scope.local, "i32", ...names);
  const pixel = (channelFrom: Expression<"i32">): Statement =>
    call(oneByOne, {
      z: v.image,
      w: scope.w,
      dx: v.dx,
      channelFrom,
      channels: scope.channels,
      multiplier: scope.multiplier,
      atY: v.atY,
      atX: add(v.ix, scope.left),
      outHeight: scope.outHeight,
      outWidth: scope.outWidth,
      kernelHeight: scope.kernelHeight,
      kernelWidth: scope.kernelWidth,
      strideY: scope.strideY,
      strideX: scope.strideX,
      dilationY: scope.dilationY,
      dilationX: scope.dilationX,
    });
  const next = (count: number) => [advance(v.dx, mul(v.pixelBytes, count)), advance(v.ix, count)];
  const pixels = (channelFrom: Expression<"i32">): Statement =>
    loop(v.ix, scope.width, 0, [pixel(channelFrom), ...next(1)]);
  const byPairs = ({ inner, first }: PairTiles): readonly Statement[] => {
    const rows = [locals(scope.local, "i32", "at", "step"), locals(scope.local, "i32", "at", "step")] as const;
    // With multiplier 1 a pixel of dz is as large as one of dx.
    const rowAt = ({ at, step }: (typeof rows)[number]) => add(at, mul(sub(v.ox, 1), step));
    const tile = ([even, odd]: readonly [PairTile, PairTile]): Statement => {
      const given = {
        row0: rowAt(rows[0]),
        row1: rowAt(rows[1]),
        w: scope.w,
        y: v.dx,
        pixelBytes: v.pixelBytes,
        groups: divide(scope.channels, lanes),
      };
      return when(both(v.atY, 1), [call(odd, given)], [call(even, given)]);
    };
    return [
      ...rows.flatMap(({ at, step }, u) => [
        put(v.oy, sub(divide(v.atY, 2), u)),
        put(v.count, inside(v.oy, scope.outHeight)),
        put(at, choose(v.count, add(v.image, mul(v.oy, v.zRowBytes)), scope.zeros)),
        put(step, choose(v.count, v.pixelBytes, 0)),
      ]),
      loop(v.ix, scope.width, 0, [
        put(v.atX, add(v.ix, scope.left)),
        put(v.ox, divide(v.atX, 2)),
        put(v.count, choose(both(v.atX, 1), 0, least(divide(sub(scope.width, v.ix), 2), sub(scope.outWidth, v.ox)))),
        when(
          below(v.count, 1),
          [pixel(int(0)), ...next(1)],
          [
            when(
              not(v.ox),
              [tile(first), ...next(2)],
              [
                inner.reduceRight<Statement>(
                  (otherwise, one, i) =>
                    when(below(v.count, PAIRS[i] ?? 1), [otherwise], [tile(one), ...next(2 * (PAIRS[i] ?? 1))]),
                  [],
                ),
              ],
            ),
          ],
        ),
      ]),
      // Channels left over from whole registers.
      when(remainder(scope.channels, lanes), [
        put(v.ix, 0),
        advance(v.dx, sub(0, mul(v.pixelBytes, scope.width))),
        pixels(sub(scope.channels, remainder(scope.channels, lanes))),
      ]),
    ];
  };
  return [
    put(v.pixelBytes, floats(scope.channels)),
    put(v.zRowBytes, mul(scope.outWidth, floats(scope.outChannels))),
    put(v.row, from),
    put(v.dx, add(scope.dx, mul(mul(from, scope.width), v.pixelBytes))),
    loop(v.row, to, 1, [
      put(v.atY, add(remainder(v.row, scope.height), scope.top)),
      put(v.image, add(z, mul(mul(divide(v.row, scope.height), scope.outHeight), v.zRowBytes))),
      put(v.ix, 0),
      // Tiles of a size of 3 are for windows of stride 1 or 2: this is 2.
      ...(size === 3 && pairs !== undefined ? byPairs(pairs) : [pixels(int(0))]),
    ]),
  ];
}
