/**
 * The gradient of a value z behind a batch norm and a clamp: dz = p · dy′ + q · z + r over the pixels of a chunk and its
 * halo, where dy′ is dy where the clamp let through, else 0. Without a `normGradient` dz = dy′; without a `norm` z itself is
 * what was clamped; and with neither a clamp nor a `normGradient` x is not read. To y, at the place it has in x, which may
 * be that of dy, or with y = 0 to the thread's scratch.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { type ModuleBuilder, type Statement, set, when } from "../assembler/index.ts";
import {
  add,
  advance,
  below,
  choose,
  clampBounds,
  countDown,
  type Features,
  floats,
  locals,
  mul,
  multiplyAdd,
  not,
  put,
  sub,
} from "../emit.ts";
import type { Tile } from "../tiles.ts";
import { blockOf, type ChannelBlock, loadBlock, overBlocks, overStrips, storeBlock, vectorsOf } from "./blocks.ts";
import { CHUNK_WORDS, chunkRange, SCRATCH_WORDS } from "./chunks.ts";
import {
  goesPixelByPixel,
  inRow,
  isLinear,
  normalised,
  normLocals,
  readNorm,
  readRow,
  throughClamp,
} from "./norm-values.ts";
import { touch } from "./touch.ts";

export const NORM_GRADIENT = /* @__PURE__ */ argumentBlock(
  ["dy", "x", "y", "norm", "normGradient", "channels"],
  [...CHUNK_WORDS, ...SCRATCH_WORDS],
);

/**
 * GB/s of dy and x in strips, of chunks with 256 KB each in the second cache, 16 / 128 channels. With a clamp, which wants
 * more registers, blocks of 2 vectors: 33 / 28; of 4: 24 / 19. Without one blocks of 4: 52 / 47; of 2: 48 / 44. Where V8
 * joins vectors 67 / 51, and 74 / 68 without a clamp.
 */
const CLAMPED = { 4: [2, 1], 8: [4, 2, 1] } as const;
const LINEAR = { 4: [4, 2, 1], 8: [8, 4, 2, 1] } as const;
const STRIP = 32;

/** What happens to dy: it goes through the clamp, through the norm, or both. */
interface Way {
  readonly clamp: boolean;
  readonly norm: boolean;
}

export function normGradient(module: ModuleBuilder, features: Features, { lanes }: Pick<Tile, "lanes">) {
  return kernel(module, "normGradient", NORM_GRADIENT, (scope) => {
    const range = chunkRange(scope);
    const names = [
      "first",
      "pixels",
      "strip",
      "dy",
      "x",
      "y",
      "channel",
      "dyAt",
      "xAt",
      "yAt",
      "at",
      "left",
      "bytes",
    ] as const;
    const v = locals(scope.local, "i32", ...names);
    const linear = scope.local("i32");
    const norm = normLocals(scope.local, CLAMPED[lanes][0]);
    const rows = locals(scope.local, "i32", "scale", "shift", "p", "q", "r");
    const [p, q, r] = [0, 1, 2].map(() => vectorsOf(scope.local, LINEAR[lanes][0])) as [Rows, Rows, Rows];
    const dys = vectorsOf(scope.local, LINEAR[lanes][0]);
    const xs = vectorsOf(scope.local, LINEAR[lanes][0]);
    const value = scope.local("v128");
    const bounds = clampBounds(lanes, scope.bounds, scope.local);
    const inScratch = add(scope.scratch, add(scope.offset, mul(add(sub(v.first, range.start), scope.before), v.bytes)));
    const moves = (by: (address: "dy" | "x" | "y") => Statement) => [by("dy"), by("x"), by("y")];

    const goThrough = (way: Way, block: ChannelBlock): readonly Statement[] => [
      loadBlock(block, dys, v.dyAt),
      way.clamp || way.norm ? loadBlock(block, xs, v.xAt) : [],
      blockOf(block, dys).map((dy, j) => {
        const x = xs[j] as Rows[number];
        const [pj, qj, rj] = [p[j], q[j], r[j]] as [Rows[number], Rows[number], Rows[number]];
        return [
          way.clamp ? [set(value, normalised(features, x, norm, j)), set(dy, throughClamp(dy, value, bounds))] : [],
          way.norm ? set(dy, multiplyAdd(features, dy, pj, multiplyAdd(features, x, qj, rj))) : [],
        ];
      }),
      storeBlock(block, v.yAt, blockOf(block, dys), lanes),
    ];
    const inStrips = (way: Way): Statement =>
      overStrips(v.pixels, v.strip, STRIP, [
        ...overBlocks(v.channel, scope.channels, (way.clamp ? CLAMPED : LINEAR)[lanes], (block) => [
          way.clamp ? [readNorm(block, norm, v.xAt, scope, v.channel), bounds.ready] : [],
          way.norm
            ? [p, q, r].map((row, i) =>
                readRow(block, row, v.xAt, inRow(scope.normGradient, i, scope.channels, v.channel)),
              )
            : [],
          ...moves((name) => put(v[`${name}At`], add(v[name], floats(v.channel)))),
          put(v.left, v.strip),
          countDown(v.left, [...goThrough(way, block), ...moves((name) => advance(v[`${name}At`], v.bytes))]),
        ]),
        ...moves((name) => advance(v[name], mul(v.strip, v.bytes))),
      ]);
    const byPixel = (way: Way): readonly Statement[] => [
      put(rows.scale, scope.norm),
      put(rows.shift, add(rows.scale, v.bytes)),
      put(rows.p, scope.normGradient),
      put(rows.q, add(rows.p, v.bytes)),
      put(rows.r, add(rows.q, v.bytes)),
      way.clamp ? bounds.ready : [],
      countDown(v.pixels, [
        ...overBlocks(v.channel, scope.channels, (way.clamp ? CLAMPED : LINEAR)[lanes], (block) => [
          put(v.at, floats(v.channel)),
          way.clamp
            ? [
                readRow(block, norm.scale, v.xAt, add(rows.scale, v.at)),
                readRow(block, norm.shift, v.xAt, add(rows.shift, v.at)),
              ]
            : [],
          (
            [
              [p, rows.p],
              [q, rows.q],
              [r, rows.r],
            ] as const
          ).map(([row, from]) => readRow(block, row, v.xAt, add(from, v.at))),
          ...moves((name) => put(v[`${name}At`], add(v[name], v.at))),
          ...goThrough(way, block),
        ]),
        ...moves((name) => advance(v[name], v.bytes)),
      ]),
    ];
    const goOver = (way: Way): Statement =>
      way.norm ? when(goesPixelByPixel(scope), byPixel(way), [inStrips(way)]) : inStrips(way);
    const withClamp = (norm: boolean) =>
      when(linear, [goOver({ clamp: false, norm })], [goOver({ clamp: true, norm })]);

    return [
      ...range.find,
      put(v.first, range.first(scope.before)),
      put(v.pixels, sub(range.last(scope.after), v.first)),
      put(v.bytes, floats(scope.channels)),
      put(v.dy, add(scope.dy, mul(v.first, v.bytes))),
      put(v.x, add(scope.x, mul(v.first, v.bytes))),
      put(v.y, choose(scope.y, add(scope.y, mul(v.first, v.bytes)), inScratch)),
      put(linear, isLinear(scope.bounds)),
      when(below(0, v.pixels), [
        touch(v.at, v.left, v.dy, mul(v.pixels, v.bytes)),
        when(add(not(linear), scope.normGradient), [touch(v.at, v.left, v.x, mul(v.pixels, v.bytes))]),
        when(not(scope.normGradient), [withClamp(false)], [withClamp(true)]),
      ]),
    ];
  });
}

type Rows = ReturnType<typeof vectorsOf>;
