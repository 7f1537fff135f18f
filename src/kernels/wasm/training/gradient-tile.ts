/**
 * The innermost product of weight gradients: tiles of rows × columns of aᵀ · dz in registers, over pixels.
 *
 *     y[k, n] = Σ(p) a[p, k] · dz[p, n]
 *
 * A pixel gives a tile a row of dz, in vectors, and one number of `a` for each row of the tile, which lie together: one
 * pointer to each is all that it holds. The sum over pixels is one chain from 0 for each output, in every tile: all of
 * them give the same bits. Where y is added to, it is added to the whole sum.
 *
 * Tiles outside, panels of columns inside: what a tile reads of `a` stays in the nearest cache while dz passes it.
 */

import {
  access,
  call,
  float,
  type Local,
  type ModuleBuilder,
  op,
  type Statement,
  set,
  type WasmFunction,
  when,
} from "../assembler/index.ts";
import {
  add,
  advance,
  atLeast,
  countDown,
  divide,
  equal,
  type Features,
  locals,
  loopWhile,
  mul,
  multiplyAdd,
  put,
  sub,
} from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { copyFloats } from "./copy-floats.ts";

const GRADIENT = {
  a: "i32",
  dz: "i32",
  y: "i32",
  pixels: "i32",
  /** Bytes from a pixel to the next in a and in dz, and from row to row in y. */
  aStep: "i32",
  zStep: "i32",
  yStep: "i32",
  /** Whether the sums are added to y, or overwrite it. */
  adds: "i32",
  /** Of columns. */
  panels: "i32",
} as const;

export type GradientFunction = WasmFunction<typeof GRADIENT & { readonly rows: "i32"; readonly packed: "i32" }>;

/**
 * So many rows of y and panels of columns, in tiles of nearly equal height.
 *
 * At `packed`, if it is not 0, dz is put into panels first, `[panels][pixels][columns]`, and behind it what each tile reads
 * of `a`, `[pixels][rows of the tile]`.
 */
export function gradientTiles(module: ModuleBuilder, tile: Tile, features: Features): GradientFunction {
  const { rows, columns } = tile;
  const heights = Array.from({ length: rows }, (_, i) => i + 1);
  const ofHeight = heights.map(
    (height) => [height, gradientTile(module, { ...tile, rows: height }, features)] as const,
  );
  return module.func("f32-gradient-tiles", { ...GRADIENT, rows: "i32", packed: "i32" }, (p, local) => {
    const names = ["lower", "height", "taller", "panel", "dz", "from", "left", "zStep", "zPanel"] as const;
    const v = locals(local, "i32", ...names);
    const tiles = (count: Local<"i32">) =>
      ofHeight.map(([height, one]) =>
        when(equal(v.height, height), [
          call(one, { ...p, dz: v.dz, zStep: v.zStep, zPanel: v.zPanel, tiles: count }),
          advance(p.a, mul(count, 4 * height)),
          advance(p.y, mul(mul(count, height), p.yStep)),
        ]),
      );
    return [
      put(v.dz, p.dz),
      put(v.zStep, p.zStep),
      put(v.zPanel, 4 * columns),
      when(p.packed, [
        put(v.dz, p.packed),
        put(v.zStep, 4 * columns),
        put(v.zPanel, mul(p.pixels, 4 * columns)),
        put(v.panel, p.panels),
        countDown(v.panel, [
          put(v.from, p.dz),
          put(v.left, p.pixels),
          countDown(v.left, [
            copyFloats(columns, p.packed, v.from),
            advance(v.from, p.zStep),
            advance(p.packed, 4 * columns),
          ]),
          advance(p.dz, 4 * columns),
        ]),
      ]),
      put(v.lower, divide(add(p.rows, rows - 1), rows)),
      put(v.height, divide(p.rows, v.lower)),
      put(v.taller, sub(p.rows, mul(v.height, v.lower))),
      put(v.lower, sub(v.lower, v.taller)),
      advance(v.height, 1),
      tiles(v.taller),
      advance(v.height, -1),
      tiles(v.lower),
    ];
  });
}

/** Tiles of one height, one below the other, each over all panels of columns. */
function gradientTile(module: ModuleBuilder, { rows, columns, unroll, lanes }: Tile, features: Features) {
  const vectors = columns / 4;
  const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  return module.func(
    `f32-gradient-${rows}x${columns}`,
    { ...GRADIENT, zPanel: "i32", tiles: "i32", packed: "i32" },
    (p, local) => {
      const sums = times(rows, () => times(vectors, () => local("v128")));
      const held = times(Math.min(rows, vectors), () => local("v128"));
      const streamed = local("v128");
      const v = locals(local, "i32", "aFirst", "aStep", "a", "dzFirst", "dz", "y", "to", "panel", "left");

      const upstream = (j: number) => access("v128.load", 16 * j, v.dz);
      const broadcast = (i: number) => access("v128.load32_splat", 4 * i, v.a);
      const addProduct = (sum: Local<"v128">, x: Local<"v128">, z: Local<"v128">) =>
        set(sum, multiplyAdd(features, x, z, sum));
      // dz or a, whichever are fewer, stay in registers for a pixel; the others stream through one register.
      const products: Statement =
        rows >= vectors
          ? [
              held.map((z, j) => set(z, upstream(j))),
              sums.map((row, i) => [
                set(streamed, broadcast(i)),
                row.map((sum, j) => addProduct(sum, streamed, held[j] as Local<"v128">)),
              ]),
            ]
          : [
              held.map((x, i) => set(x, broadcast(i))),
              times(vectors, (j) => [
                set(streamed, upstream(j)),
                sums.map((row, i) => addProduct(row[j] as Local<"v128">, held[i] as Local<"v128">, streamed)),
              ]),
            ];
      const pixel: Statement = [products, advance(v.a, v.aStep), advance(v.dz, p.zStep)];
      // As storeClamped does it: vectors beside each other have one address where V8 is to join them, and two elsewhere.
      const store = sums.map((row) => [
        times(vectors, (i) => {
          const j = lanes === 4 ? i : i ^ 1;
          const isApart = lanes === 4 && j % 2 === 1;
          const sum = row[j] as Local<"v128">;
          return access("v128.store", 16 * (isApart ? j - 1 : j), isApart ? add(v.to, 16) : v.to, sum);
        }),
        advance(v.to, p.yStep),
      ]);
      const addBefore = sums.map((row) => [
        row.map((sum, j) => set(sum, op("f32x4.add", access("v128.load", 16 * j, v.to), sum))),
        advance(v.to, p.yStep),
      ]);

      return [
        put(v.aFirst, p.a),
        put(v.aStep, p.aStep),
        countDown(p.tiles, [
          when(p.packed, [
            put(v.a, p.a),
            put(v.to, p.packed),
            put(v.left, p.pixels),
            countDown(v.left, [copyFloats(rows, v.to, v.a), advance(v.a, p.aStep), advance(v.to, 4 * rows)]),
            put(v.aFirst, p.packed),
            put(v.aStep, 4 * rows),
          ]),
          put(v.dzFirst, p.dz),
          put(v.y, p.y),
          put(v.panel, p.panels),
          countDown(v.panel, [
            // V8 joins no two zeros, but one with itself.
            set(streamed, op("f32x4.splat", float(0))),
            sums.map((row) => row.map((sum) => set(sum, streamed))),
            put(v.a, v.aFirst),
            put(v.dz, v.dzFirst),
            put(v.left, p.pixels),
            loopWhile(atLeast(v.left, unroll), [times(unroll, () => pixel), advance(v.left, -unroll)]),
            countDown(v.left, [pixel]),
            // All loads stand before the stores: between them V8 joins nothing.
            when(p.adds, [put(v.to, v.y), addBefore]),
            put(v.to, v.y),
            store,
            advance(v.dzFirst, p.zPanel),
            advance(v.y, 4 * columns),
          ]),
          advance(p.a, 4 * rows),
          when(equal(p.packed, 0), [put(v.aFirst, p.a)]),
          advance(p.y, mul(p.yStep, rows)),
        ]),
      ];
    },
  );
}
