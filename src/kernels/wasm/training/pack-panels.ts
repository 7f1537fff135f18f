/**
 * Weights as they lie, `[rows][columns]`, to panels as products read them (`panelPacking`), or those of the transpose,
 * since in training each step has others: for a matrix of K rows and N columns `[⌈N / columns⌉][K][columns]`, then a bias
 * `[columns]` for each panel. A last panel that is not full begins early, at N − columns; where N is less than the columns
 * it is filled up with zeros. The range counts panels.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, call, float, int, type ModuleBuilder, op, when } from "../assembler/index.ts";
import { add, advance, choose, countDown, divide, equal, floats, least, locals, loop, mul, put, sub } from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { copyFloats } from "./copy-floats.ts";

export const PACK_PANELS = /* @__PURE__ */ argumentBlock([
  "source",
  "target",
  /** Of the source. */
  "rows",
  "columns",
  /** N numbers; 0: zeros. */
  "bias",
]);

/** Panels of W. */
export function pack(module: ModuleBuilder, tile: Tile) {
  return toPanels(module, tile, "pack");
}

/** Panels of Wᵀ, by which gradients of inputs are products too. */
export function packTransposed(module: ModuleBuilder, tile: Tile) {
  return toPanels(module, tile, "packTransposed");
}

function toPanels<const Entry extends "pack" | "packTransposed">(
  module: ModuleBuilder,
  { columns }: Tile,
  entry: Entry,
) {
  const isTransposed = entry === "packTransposed";
  const toPanel = panelRows(module, columns, isTransposed);
  return kernel(module, entry, PACK_PANELS, (scope) => {
    const v = locals(scope.local, "i32", "panel", "first", "width", "biases");
    const { inner, outer, lane, step } = isTransposed
      ? { inner: scope.columns, outer: scope.rows, lane: floats(scope.columns), step: int(4) }
      : { inner: scope.rows, outer: scope.columns, lane: int(4), step: floats(scope.columns) };
    const rowBytes = 4 * columns;
    return [
      put(v.width, least(outer, columns)),
      put(v.biases, add(scope.target, mul(mul(divide(add(outer, columns - 1), columns), inner), rowBytes))),
      put(v.panel, scope.from),
      loop(v.panel, scope.to, 1, [
        put(v.first, least(mul(v.panel, columns), sub(outer, v.width))),
        call(toPanel, {
          from: add(scope.source, mul(v.first, lane)),
          to: add(scope.target, mul(mul(v.panel, inner), rowBytes)),
          rows: inner,
          width: v.width,
          lane,
          step,
        }),
        call(toPanel, {
          from: add(scope.bias, floats(v.first)),
          to: add(v.biases, mul(v.panel, rowBytes)),
          rows: int(1),
          width: choose(scope.bias, v.width, 0),
          lane: int(4),
          step: int(0),
        }),
      ]),
    ];
  });
}

const ROWS = {
  from: "i32",
  to: "i32",
  rows: "i32",
  /** Numbers of a row; what is left of it is zeros. */
  width: "i32",
  /** Bytes from a number of a row to the next, and from a row to the next. */
  lane: "i32",
  step: "i32",
} as const;

/** Rows of a panel; their numbers lie together unless they are `scattered`. */
function panelRows(module: ModuleBuilder, columns: number, scattered: boolean) {
  return module.func(scattered ? "f32-panel-of-columns" : "f32-panel-of-rows", ROWS, (p, local) => {
    const { at, to, left } = locals(local, "i32", "at", "to", "left");
    const one = access("f32.store", 0, to, access("f32.load", 0, at));
    const zeros = op("f32x4.splat", float(0));
    const whole = scattered
      ? Array.from({ length: columns }, (_, j) => [
          access("f32.store", 4 * j, p.to, access("f32.load", 0, at)),
          advance(at, p.lane),
        ])
      : copyFloats(columns, p.to, at);
    return [
      countDown(p.rows, [
        put(at, p.from),
        when(
          equal(p.width, columns),
          [whole],
          [
            put(to, p.to),
            put(left, columns / 4),
            countDown(left, [access("v128.store", 0, to, zeros), advance(to, 16)]),
            put(to, p.to),
            put(left, p.width),
            countDown(left, [one, advance(at, p.lane), advance(to, 4)]),
          ],
        ),
        advance(p.from, p.step),
        advance(p.to, 4 * columns),
      ]),
    ];
  });
}
