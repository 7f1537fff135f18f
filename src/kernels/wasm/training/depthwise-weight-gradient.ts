/**
 * Gradient of a depthwise kernel, over the output rows of a chunk:
 *
 *     dw[u, v, c, m] += Σ(n, oy, ox) x[n, oy·sy + u·dy − top, ox·sx + v·dx − left, c] · dz[n, oy, ox, c·M + m]
 *
 * into `partials + group · taps · C·M` floats, group = chunk / per; the first chunk of a group writes, the others add.
 * Within a chunk sums start from 0 and lie in scratch, `[⌈C·M / lanes⌉][taps][lanes]`, from where tiles of outputs side by
 * side take those of a register of channels, a row of the window at a time.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { call, type Expression, float, int, type ModuleBuilder, op, type Statement, when } from "../assembler/index.ts";
import {
  add,
  advance,
  below,
  divide,
  equal,
  floats,
  type Lanes,
  loadLanes,
  locals,
  loop,
  mul,
  overChannels,
  put,
  remainder,
  storeLanes,
  sub,
} from "../emit.ts";
import { windowWalk } from "../window.ts";
import { isCrowded, tiledColumns, tileRows } from "./depthwise-columns.ts";
import type { DepthwiseParts } from "./depthwise-rows.ts";
import { DEPTHWISE_WORDS, depthwiseShare } from "./depthwise-share.ts";
import { type WeightTile, type WeightTiles, weightTapByTap, weightTiles } from "./depthwise-weight-tile.ts";

/** `x` or `dz` 0: their rows lie in scratch. */
export const DEPTHWISE_WEIGHT_GRADIENT = /* @__PURE__ */ argumentBlock(DEPTHWISE_WORDS, [
  "xOffset",
  "xBefore",
  "dz",
  "zOffset",
  "zBefore",
  "partials",
  "per",
  /** Where sums lie in scratch: `4 · taps · lanes · ⌈C·M / lanes⌉` bytes. */
  "sums",
]);

export function depthwiseWeightGradient(module: ModuleBuilder, parts: DepthwiseParts) {
  const { size, lanes } = parts;
  const oneByOne = weightTapByTap(module, parts.features, lanes);
  const tiles = size === 0 ? undefined : weightTiles(module, size, parts.features, lanes);
  return kernel(module, "depthwiseWeightGradient", DEPTHWISE_WEIGHT_GRADIENT, (given) => {
    const share = depthwiseShare(given);
    const names = [
      "x",
      "z",
      "sums",
      "taps",
      "zBytes",
      "at",
      "end",
      "tap",
      "channel",
      "to",
      "from",
      "isCrowded",
    ] as const;
    const v = locals(given.local, "i32", ...names);
    const scope = { ...given, from: share.start, to: share.end, x: v.x };
    const walk = windowWalk(scope);
    const rows = tileRows(scope, walk, size);
    const { ox, v0, columns, pixelBytes } = walk;

    const pixel = (channelFrom: Expression<"i32">, channelTo: Expression<"i32">): Statement =>
      call(oneByOne, {
        x: walk.firstTap,
        z: v.z,
        sums: v.sums,
        channelFrom,
        channelTo,
        multiplier: scope.multiplier,
        rows: walk.rows,
        columns,
        firstTap: add(mul(walk.u0, scope.kernelWidth), v0),
        kernelWidth: scope.kernelWidth,
        taps: v.taps,
        rowStep: mul(scope.dilationY, walk.rowBytes),
        columnStep: mul(scope.dilationX, pixelBytes),
      });
    const next = (count: number) => [advance(v.z, mul(v.zBytes, count)), advance(ox, count)];
    const pixels = (channelFrom: Expression<"i32">): Statement =>
      loop(ox, scope.outWidth, 0, [...walk.placeColumn, pixel(channelFrom, scope.outChannels), ...next(1)]);
    const tile = (one: WeightTile): Statement =>
      call(one, {
        row0: rows.at(0),
        row1: rows.at(1),
        row2: rows.at(2),
        row3: rows.at(3),
        row4: rows.at(4),
        skipped: mul(v0, pixelBytes),
        z: v.z,
        sums: v.sums,
        pixelBytes,
        groups: divide(scope.channels, lanes),
      });
    const byTiles = (emitted: WeightTiles): readonly Statement[] => [
      ...rows.place,
      tiledColumns(scope, walk, size, {
        inner: emitted.inner.map(([one, two]) => when(equal(scope.strideX, 1), [tile(one)], [tile(two)])),
        left: tile(emitted.left),
        right: tile(emitted.right),
        other: pixel(int(0), sub(scope.channels, remainder(scope.channels, lanes))),
        isNarrow: v.isCrowded,
        next,
      }),
      // Channels left over from whole registers.
      when(remainder(scope.channels, lanes), [
        put(ox, 0),
        advance(v.z, sub(0, mul(v.zBytes, scope.outWidth))),
        pixels(sub(scope.channels, remainder(scope.channels, lanes))),
      ]),
    ];

    const into = (isFirst: boolean, at: (lanes: Lanes) => Expression<"v128">) =>
      overChannels(v.channel, scope.outChannels, (width) => {
        const sum = at(width);
        return [
          put(v.end, add(v.to, floats(v.channel))),
          storeLanes(width, v.end, isFirst ? sum : op("f32x4.add", loadLanes(width, v.end), sum)),
        ];
      });
    const sumAt = (width: Lanes) =>
      loadLanes(
        width,
        add(v.from, floats(add(mul(divide(v.channel, lanes), mul(v.taps, lanes)), remainder(v.channel, lanes)))),
      );
    return [
      ...share.find,
      when(below(share.start, share.end), [
        put(v.x, share.inputAt(given.x, scope.xOffset, scope.xBefore)),
        put(v.zBytes, floats(scope.outChannels)),
        put(
          v.z,
          add(share.outputAt(scope.dz, scope.zOffset, scope.zBefore), mul(mul(share.start, scope.outWidth), v.zBytes)),
        ),
        put(v.taps, mul(scope.kernelHeight, scope.kernelWidth)),
        put(v.sums, add(scope.scratch, scope.sums)),
        ...(tiles === undefined ? [] : [put(v.isCrowded, isCrowded(scope))]),
        // Bytes are counted, not addresses: the loop compares with a sign, which addresses above 2 GiB have.
        put(v.at, 0),
        put(v.end, mul(mul(v.taps, 4 * lanes), divide(add(scope.outChannels, lanes - 1), lanes))),
        loop(v.at, v.end, 16, [storeLanes(4, add(v.sums, v.at), op("f32x4.splat", float(0)))]),
        ...walk.over(tiles === undefined ? [pixels(int(0))] : byTiles(tiles)),
        put(v.to, add(scope.partials, mul(mul(divide(given.from, scope.per), v.taps), v.zBytes))),
        put(v.from, v.sums),
        put(v.tap, 0),
        loop(v.tap, v.taps, 1, [
          when(remainder(given.from, scope.per), [...into(false, sumAt)], [...into(true, sumAt)]),
          advance(v.to, v.zBytes),
          advance(v.from, 4 * lanes),
        ]),
      ]),
    ];
  });
}
