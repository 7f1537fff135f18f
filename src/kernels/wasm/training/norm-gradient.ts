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
import { inRow, isLinear, normalised, normLocals, readNorm, readRow, throughClamp } from "./norm-values.ts";

export const NORM_GRADIENT = /* @__PURE__ */ argumentBlock(
  ["dy", "x", "y", "norm", "normGradient", "channels"],
  [...CHUNK_WORDS, ...SCRATCH_WORDS],
);

/**
 * GB/s of dy and x, of chunks with 256 KB each in the second cache, 16 / 128 / 1024 channels. With a clamp, which wants
 * more registers, blocks of 2 vectors: 33 / 28 / 22; of 4: 24 / 19 / 22. Without one blocks of 4: 52 / 47 / 37; of 2:
 * 48 / 44 / 19. Where V8 joins vectors 67 / 51 / 43, and 74 / 68 / 49 without a clamp.
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
      "left",
      "bytes",
    ] as const;
    const v = locals(scope.local, "i32", ...names);
    const linear = scope.local("i32");
    const norm = normLocals(scope.local, CLAMPED[lanes][0]);
    const [p, q, r] = [0, 1, 2].map(() => vectorsOf(scope.local, LINEAR[lanes][0])) as [Rows, Rows, Rows];
    const dys = vectorsOf(scope.local, LINEAR[lanes][0]);
    const xs = vectorsOf(scope.local, LINEAR[lanes][0]);
    const value = scope.local("v128");
    const bounds = clampBounds(lanes, scope.bounds, scope.local);
    const inScratch = add(scope.scratch, add(scope.offset, mul(add(sub(v.first, range.start), scope.before), v.bytes)));
    const moves = (by: (address: "dy" | "x" | "y") => Statement) => [by("dy"), by("x"), by("y")];

    const strip = (way: Way, block: ChannelBlock): readonly Statement[] => [
      put(v.left, v.strip),
      countDown(v.left, [
        loadBlock(block, dys, v.dyAt),
        way.clamp || way.norm ? loadBlock(block, xs, v.xAt) : [],
        blockOf(block, dys).map((dy, j) => {
          const x = xs[j] as Rows[number];
          return [
            way.clamp ? [set(value, normalised(features, x, norm, j)), set(dy, throughClamp(dy, value, bounds))] : [],
            way.norm
              ? set(
                  dy,
                  multiplyAdd(
                    features,
                    dy,
                    p[j] as Rows[number],
                    multiplyAdd(features, x, q[j] as Rows[number], r[j] as Rows[number]),
                  ),
                )
              : [],
          ];
        }),
        storeBlock(block, v.yAt, blockOf(block, dys), lanes),
        advance(v.dyAt, v.bytes),
        advance(v.xAt, v.bytes),
        advance(v.yAt, v.bytes),
      ]),
    ];
    const goOver = (way: Way): Statement =>
      overStrips(v.pixels, v.strip, STRIP, [
        ...overBlocks(v.channel, scope.channels, (way.clamp ? CLAMPED : LINEAR)[lanes], (block) => [
          way.clamp ? [readNorm(block, norm, v.xAt, scope, v.channel), bounds.ready] : [],
          way.norm
            ? [p, q, r].map((row, i) =>
                readRow(block, row, v.xAt, inRow(scope.normGradient, i, scope.channels, v.channel)),
              )
            : [],
          ...moves((name) => put(v[`${name}At`], add(v[name], floats(v.channel)))),
          ...strip(way, block),
        ]),
        ...moves((name) => advance(v[name], mul(v.strip, v.bytes))),
      ]);
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
      when(below(0, v.pixels), [when(not(scope.normGradient), [withClamp(false)], [withClamp(true)])]),
    ];
  });
}

type Rows = ReturnType<typeof vectorsOf>;
