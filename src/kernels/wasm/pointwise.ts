/**
 * Pointwise convolution and dense layers, a matrix product:
 *
 *     y[p, oc] = clamp(bias[oc] + Σ(k) x[p, k] · w[k, oc])
 *
 * x [pixels, K], y [pixels, N], w in panels `[N / columns][K][columns]` with a bias `[columns]` for each.
 *
 * A lone pixel (the classifier) has too few sums in a tile to hide the time of an addition, and waits for 4 MB of
 * weights: it takes several panels at once.
 */

import type { PointwiseCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { access, call, int, type Local, type ModuleBuilder, set, when } from "./assembler/index.ts";
import {
  add,
  advance,
  clampBounds,
  countDown,
  divide,
  equal,
  type Features,
  floats,
  least,
  locals,
  loop,
  mul,
  multiplyAdd,
  put,
  storeClamped,
  sub,
} from "./emit.ts";
import type { Lowered } from "./lowered.ts";
import type { PanelsFunction } from "./multiply-panels.ts";
import { panelPacking } from "./pack.ts";
import { type ProductModule, productFor, type Tile } from "./tiles.ts";

const POINTWISE = /* @__PURE__ */ argumentBlock([
  "x",
  "w",
  "bias",
  "y",
  "inChannels",
  "outChannels",
  "panels",
  /** Pixels of one example, and of one unit of the range that a thread is given. */
  "pixels",
  "unit",
  /** Whether the range counts panels, and each thread takes all pixels. */
  "byPanel",
  /** Whether x is a band: the first pixel of the range lies at the start of scratch. */
  "banded",
  /** Most pixels that pass all panels in turn. */
  "chunk",
]);

export function pointwise(module: ModuleBuilder, panels: PanelsFunction, tile: Tile, features: Features) {
  const lone = loneRow(module, tile, features);
  return kernel(module, "pointwise", POINTWISE, (scope) => {
    const names = ["x", "y", "pixel", "end", "count", "panel", "last", "inBytes", "outBytes", "panelBytes"] as const;
    const v = locals(scope.local, "i32", ...names);
    const shared = {
      ...scope.bounds,
      w: scope.w,
      bias: scope.bias,
      length: scope.inChannels,
      panelBytes: v.panelBytes,
    };
    return [
      put(v.inBytes, floats(scope.inChannels)),
      put(v.outBytes, floats(scope.outChannels)),
      put(v.panelBytes, mul(v.inBytes, tile.columns)),
      when(
        scope.byPanel,
        [put(v.end, mul(scope.batch, scope.pixels)), put(v.panel, scope.from), put(v.last, scope.to)],
        [put(v.pixel, mul(scope.from, scope.unit)), put(v.end, mul(scope.to, scope.unit)), put(v.last, scope.panels)],
      ),
      put(v.x, scope.x),
      when(scope.banded, [put(v.x, sub(scope.scratch, mul(v.pixel, v.inBytes)))]),
      put(v.y, scope.y),
      when(equal(sub(v.end, v.pixel), 1), [
        put(v.count, least(v.last, divide(scope.outChannels, tile.columns))),
        loop(v.panel, sub(v.count, tile.lone - 1), tile.lone, [
          call(lone, {
            ...shared,
            x: add(v.x, mul(v.pixel, v.inBytes)),
            y: add(add(v.y, mul(v.pixel, v.outBytes)), mul(v.panel, 4 * tile.columns)),
            w: add(shared.w, mul(v.panel, v.panelBytes)),
            bias: add(shared.bias, mul(v.panel, 4 * tile.columns)),
          }),
        ]),
      ]),
      loop(v.pixel, v.end, v.count, [
        put(v.count, least(sub(v.end, v.pixel), scope.chunk)),
        call(panels, {
          ...shared,
          x: add(v.x, mul(v.pixel, v.inBytes)),
          y: add(v.y, mul(v.pixel, v.outBytes)),
          xStep: v.inBytes,
          yStep: v.outBytes,
          pixels: v.count,
          from: v.panel,
          to: v.last,
          channels: scope.outChannels,
          scratch: scope.scratch,
          rows: int(1),
          segments: int(1),
          xSkip: int(0),
          rowSkip: int(0),
          wSkip: int(0),
        }),
      ]),
    ];
  });
}

const LONE = {
  x: "i32",
  w: "i32",
  bias: "i32",
  y: "i32",
  length: "i32",
  panelBytes: "i32",
  low: "v128",
  high: "v128",
} as const;

/** One pixel against several panels at once. */
function loneRow(module: ModuleBuilder, { columns, lone, lanes }: Tile, features: Features) {
  return module.func(`f32-multiply-1x${lone}x${columns}`, LONE, (p, local) => {
    const panels = Array.from({ length: lone }, () => local("i32"));
    const sums = panels.map((panel) =>
      Array.from({ length: columns / 4 }, (_, j) => ({ panel, offset: 16 * j, sum: local("v128") })),
    );
    const x = local("v128");
    const bounds = clampBounds(lanes, p, local);
    return [
      ...panels.map((panel, i) => put(panel, i === 0 ? p.w : add(panels[i - 1] as Local<"i32">, p.panelBytes))),
      ...sums.flat().map(({ sum }, j) => set(sum, access("v128.load", 16 * j, p.bias))),
      countDown(p.length, [
        set(x, access("v128.load32_splat", 0, p.x)),
        ...sums
          .flat()
          .map(({ panel, offset, sum }) => set(sum, multiplyAdd(features, x, access("v128.load", offset, panel), sum))),
        ...panels.map((panel) => advance(panel, 4 * columns)),
        advance(p.x, 4),
      ]),
      bounds.ready,
      storeClamped(
        lanes,
        p.y,
        sums.flat().map(({ sum }) => sum),
        bounds,
      ),
    ];
  });
}

/** Inputs of a chunk, in floats, that stay in the second cache beside the weights that pass them. */
const CHUNK_FLOATS = 98_304;
/** Pixels of a chunk whose tiles go through scratch. */
const NARROW_CHUNK = 256;

export function lowerPointwise(
  { pixels, inChannels, outChannels, activation }: PointwiseCall,
  tile: Tile,
): Lowered<ProductModule, "pointwise"> {
  const { module, columns } = productFor(outChannels, tile);
  const panels = Math.ceil(outChannels / columns);
  const isNarrow = outChannels < columns;
  const chunk = isNarrow ? NARROW_CHUNK : Math.max(48, Math.floor(CHUNK_FLOATS / inChannels));
  return {
    module,
    entry: "pointwise",
    units: pixels,
    unitElements: outChannels,
    panels,
    weights: panelPacking(inChannels, outChannels, columns, module === "product"),
    zeroBytes: 0,
    // A tile narrower than a panel goes to scratch first.
    scratchBytes: isNarrow ? 4 * chunk * columns : 0,
    ...POINTWISE.of(
      (at, cut) => ({
        bias: at.weights + 4 * panels * columns * inChannels,
        inChannels,
        outChannels,
        panels,
        pixels,
        unit: cut.unit ?? 1,
        byPanel: cut.byPanel === true ? 1 : 0,
        banded: cut.bandedInput === true ? 1 : 0,
        chunk,
      }),
      activation,
    ),
  };
}
