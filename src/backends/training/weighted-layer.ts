/** What the layout of a layer with a kernel is made of: the calls that its stages share, whatever family it is of. */

import type { ChunkWords } from "../../kernels/wasm/training/chunks.ts";
import { bitsOf } from "../../kernels/wasm/training/doubles.ts";
import { FINISH_NORM, FROZEN_NORM } from "../../kernels/wasm/training/finish-norm.ts";
import { FINISH_NORM_GRADIENT } from "../../kernels/wasm/training/finish-norm-gradient.ts";
import { MOMENTS } from "../../kernels/wasm/training/moments.ts";
import { NORM_GRADIENT } from "../../kernels/wasm/training/norm-gradient.ts";
import { NORM_SUMS } from "../../kernels/wasm/training/norm-sums.ts";
import { NORMALISE } from "../../kernels/wasm/training/normalise.ts";
import { COLUMN_SUMS, FINISH_SUMS, REDUCE } from "../../kernels/wasm/training/sums.ts";
import type { Load, LoadClamp, Norm } from "../../operations/training-call.ts";
import type { Call } from "../wasm/program.ts";
import type { Chunking } from "./chunking.ts";
import type { LayoutBuilder, StageJob } from "./layout-builder.ts";

/** Values by role, of what a step reads and writes. */
export type Values = Readonly<Record<string, string | undefined>>;

/** Where what is loaded goes: to the thread's own memory, to its place from an address on, or in a value of the plan. */
export type LoadTarget =
  | { readonly offset: number; readonly before: number; readonly after: number }
  | { readonly address: () => number }
  | { readonly value: string };

const NORMS = "training-norms";

/** Channels of a job that joins sums over chunks, in fours. */
const GROUPS_OF_A_JOB = 8;
/** Numbers of a job that joins partial weights. */
const NUMBERS_OF_A_JOB = 32_768;

/** Normalised and clamped, on the way to a kernel that reads it. */
export function loadCall(
  builder: LayoutBuilder,
  x: string | undefined,
  norm: string | undefined,
  { clamp }: Load,
  channels: number,
  chunk: ChunkWords,
  target: LoadTarget,
): Call {
  const words = builder.words(
    NORMALISE,
    () => ({ x: builder.at(x), norm: builder.at(norm), channels, ...chunk, ...placed(builder, target) }),
    clamp,
  );
  return builder.call(NORMS, "normalise", words, "norm");
}

/** The gradient of what lies in memory, from that of what is read. */
export function gradientCall(
  builder: LayoutBuilder,
  { dy, y, yNorm, yNormGradient }: Values,
  { clamp }: Load,
  channels: number,
  chunk: ChunkWords,
  target: LoadTarget,
): Call {
  const words = builder.words(
    NORM_GRADIENT,
    () => ({
      dy: builder.at(dy),
      x: builder.at(y),
      norm: builder.at(yNorm),
      normGradient: builder.at(yNormGradient),
      channels,
      ...chunk,
      ...placed(builder, target),
    }),
    clamp,
  );
  return builder.call(NORMS, "normGradient", words, "norm");
}

function placed(builder: LayoutBuilder, target: LoadTarget) {
  const whole = { offset: 0, before: 0, after: 0 };
  if ("address" in target) return { y: target.address(), ...whole };
  if ("value" in target) return { y: builder.at(target.value), ...whole };
  return { y: 0, ...target };
}

/** Measures a value for its batch norm, chunk by chunk; what joins the chunks. */
export function measured(
  builder: LayoutBuilder,
  values: Values,
  value: string | undefined,
  norm: Norm,
  { words: chunk, units }: Chunking,
  role: "xNorm" | "yNorm",
): { readonly calls: readonly Call[]; readonly jobs: readonly StageJob[] } {
  const { gamma, beta, movingMean, movingVariance } = values;
  const { channels, epsilon, momentum, mode, variance } = norm;
  const own = () => ({
    norm: builder.at(values[role]),
    gamma: builder.at(gamma),
    beta: builder.at(beta),
    movingMean: builder.at(movingMean),
    movingVariance: builder.at(movingVariance),
    channels,
    epsilon: bitsOf(epsilon),
  });
  const groups = Math.ceil(channels / 4);
  if (mode === "frozen") {
    // Constants, that only an update changes.
    builder.before("forward", builder.cut("frozenNorm", builder.words(FROZEN_NORM, own), groups, GROUPS_OF_A_JOB));
    return { calls: [], jobs: [] };
  }
  const partials = builder.ownMemory(8 * channels * units);
  const moments = builder.words(MOMENTS, () => ({ x: builder.at(value), partials: partials(), channels, ...chunk }));
  const finish = builder.words(FINISH_NORM, () => ({
    ...own(),
    partials: partials(),
    share: bitsOf(1 - momentum),
    unbiased: variance === "unbiased" ? 1 : 0,
    ...chunk,
  }));
  return {
    calls: [builder.call(NORMS, "moments", moments, "norm")],
    jobs: builder.cut("finishNorm", finish, groups, GROUPS_OF_A_JOB),
  };
}

/** Sums for the gradient of a batch norm, from the gradient of what is read of x. */
export function summed(
  builder: LayoutBuilder,
  values: Values,
  dy: string | undefined,
  norm: Norm,
  clamp: LoadClamp,
  { chunk, units }: { readonly chunk: ChunkWords; readonly units: number },
): { readonly calls: readonly Call[]; readonly jobs: readonly StageJob[] } {
  const { x, xNorm, xNormGradient, dgamma, dbeta } = values;
  const { channels, mode } = norm;
  const partials = builder.ownMemory(8 * channels * units);
  const sums = builder.words(
    NORM_SUMS,
    () => ({ dy: builder.at(dy), x: builder.at(x), norm: builder.at(xNorm), partials: partials(), channels, ...chunk }),
    clamp,
  );
  const finish = builder.words(FINISH_NORM_GRADIENT, () => ({
    partials: partials(),
    norm: builder.at(xNorm),
    normGradient: builder.at(xNormGradient),
    dgamma: builder.at(dgamma),
    dbeta: builder.at(dbeta),
    adds: builder.flags.adds,
    frozen: mode === "frozen" ? 1 : 0,
    channels,
    ...chunk,
  }));
  return {
    calls: [builder.call(NORMS, "normSums", sums, "norm")],
    jobs: builder.cut("finishNormGradient", finish, Math.ceil(channels / 4), GROUPS_OF_A_JOB),
  };
}

/** The gradient of a bias: Σ dz, of an address in memory or of the thread's own memory. */
export function biasSums(
  builder: LayoutBuilder,
  dbias: string,
  channels: number,
  { words: chunk, units }: Chunking,
  dz: () => number,
  { offset, before }: { readonly offset: number; readonly before: number },
): { readonly calls: readonly Call[]; readonly jobs: readonly StageJob[] } {
  const partials = builder.ownMemory(4 * channels * units);
  const sums = builder.words(COLUMN_SUMS, () => ({
    x: dz(),
    partials: partials(),
    channels,
    offset,
    before,
    ...chunk,
  }));
  const finish = builder.words(FINISH_SUMS, () => ({
    partials: partials(),
    y: builder.at(dbias),
    adds: builder.flags.adds,
    channels,
    ...chunk,
  }));
  return {
    calls: [builder.call(NORMS, "columnSums", sums, "other")],
    jobs: builder.cut("finishSums", finish, Math.ceil(channels / 4), GROUPS_OF_A_JOB),
  };
}

/** Joins the partial weights of groups, at an address: `rows` of `columns`, of which partials have `stride`. */
export function reduced(
  builder: LayoutBuilder,
  dkernel: string,
  partials: () => number,
  [rows, columns, stride]: readonly [number, number, number],
  { words: chunk, per }: Chunking,
): readonly StageJob[] {
  const words = builder.words(REDUCE, () => ({
    partials: partials(),
    y: builder.at(dkernel),
    adds: builder.flags.adds,
    rows,
    columns,
    stride,
    per,
    ...chunk,
  }));
  return builder.cut("reduce", words, rows, Math.max(1, Math.floor(NUMBERS_OF_A_JOB / columns)));
}
