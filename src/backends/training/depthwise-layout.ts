/** Depthwise layers in training on wasm: chunks of rows, with as many around them as windows see. */

import { DEPTHWISE_FORWARD } from "../../kernels/wasm/training/depthwise-forward.ts";
import { DEPTHWISE_INPUT_GRADIENT } from "../../kernels/wasm/training/depthwise-input-gradient.ts";
import {
  depthwiseSumBytes,
  depthwiseTiles,
  depthwiseZeroBytes,
} from "../../kernels/wasm/training/depthwise-training.ts";
import { DEPTHWISE_WEIGHT_GRADIENT } from "../../kernels/wasm/training/depthwise-weight-gradient.ts";
import { PACK_GROUPS } from "../../kernels/wasm/training/pack-groups.ts";
import { windowWords } from "../../kernels/wasm/window.ts";
import type { DepthwiseCall } from "../../operations/kernel-call.ts";
import type { BackwardCall, ForwardCall } from "../../operations/training-call.ts";
import { GROUPS, inPixels, type RowChunking, rowsChunked } from "./chunking.ts";
import type { LayoutBuilder } from "./layout-builder.ts";
import { Sections } from "./sections.ts";
import { biasSums, gradientCall, loadCall, measured, reduced, summed, type Values } from "./weighted-layer.ts";

/** Floats of a chunk's rows: of its input; of its input and the gradient of its output. */
const FORWARD_FLOATS = 49_152;
const BACKWARD_FLOATS = 65_536;

export function layForwardDepthwise(
  builder: LayoutBuilder,
  call: DepthwiseCall,
  { load, norm }: ForwardCall,
  values: Values,
): void {
  const { window, channels } = call;
  const [, width] = window.input;
  const most = FORWARD_FLOATS / (width * channels * window.stride[0]);
  const rows = rowsChunked(window, builder.plan.batch, Math.floor(most));
  const common = commonWords(builder, call, rows);
  const calls = [];
  if (load !== undefined) {
    const target = { offset: 0, before: rows.before * width, after: rows.after * width };
    calls.push(loadCall(builder, values["x"], values["xNorm"], load, channels, inPixels(rows.input, width), target));
    builder.needScratch(4 * rows.most * width * channels);
  }
  const w = packedGroups(builder, call, values["kernel"], values["bias"], "forward");
  const words = builder.words(DEPTHWISE_FORWARD, () => ({
    ...common(),
    x: load === undefined ? builder.at(values["x"]) : 0,
    w: w(),
    y: builder.at(values["y"]),
    xOffset: 0,
    xBefore: rows.before,
  }));
  calls.push(builder.call(moduleOf(builder, call), "depthwiseForward", words, "depthwise"));
  const out = pixelsOf(rows, window.output[1]);
  const { calls: more, jobs } =
    norm === undefined ? { calls: [], jobs: [] } : measured(builder, values, values["y"], norm, out, "yNorm");
  builder.chunks([...calls, ...more], rows.out.units);
  builder.jobs(jobs, "norm");
}

export function layBackwardDepthwise(
  builder: LayoutBuilder,
  of: DepthwiseCall,
  { upstream, load, normGradient }: BackwardCall,
  values: Values,
): void {
  const { window, channels, multiplier } = of;
  const outChannels = channels * multiplier;
  const [, width] = window.input;
  const [, outWidth] = window.output;
  const { dkernel, dbias, dx } = values;
  const perRow = width * channels * window.stride[0] + outWidth * outChannels;
  const rows = rowsChunked(window, builder.plan.batch, Math.floor(BACKWARD_FLOATS / perRow));
  const common = commonWords(builder, of, rows);
  const module = moduleOf(builder, of);
  const out = pixelsOf(rows, outWidth);
  const sections = new Sections();
  const zOffset = upstream === undefined ? 0 : sections.take(4 * rows.outMost * outWidth * outChannels);
  const xOffset = load === undefined ? 0 : sections.take(4 * rows.most * width * channels);
  const calls = [];
  const jobs = [];
  const placedZ = () => ({
    dz: upstream === undefined ? builder.at(values["dy"]) : 0,
    zOffset,
    zBefore: rows.outBefore,
  });
  if (upstream !== undefined) {
    const target = { offset: zOffset, before: rows.outBefore * outWidth, after: rows.outAfter * outWidth };
    calls.push(gradientCall(builder, values, upstream, outChannels, out.words, target));
  }
  if (dx !== undefined) {
    const w = packedGroups(builder, of, values["kernel"], undefined, "backward");
    const words = builder.words(DEPTHWISE_INPUT_GRADIENT, () => ({
      ...common(),
      ...placedZ(),
      x: 0,
      y: 0,
      w: w(),
      dx: builder.at(dx),
    }));
    calls.push(builder.call(module, "depthwiseInputGradient", words, "depthwise"));
  }
  if (normGradient !== undefined && load !== undefined) {
    const chunk = inPixels(rows.input, width);
    const sums = summed(builder, values, dx, normGradient, load.clamp, { chunk, units: rows.out.units });
    calls.push(...sums.calls);
    jobs.push(...sums.jobs);
  }
  if (dbias !== undefined) {
    const at = { offset: zOffset, before: rows.outBefore * outWidth };
    const sums = biasSums(builder, dbias, outChannels, out, () => placedZ().dz, at);
    calls.push(...sums.calls);
    jobs.push(...sums.jobs);
  }
  if (dkernel !== undefined) {
    if (load !== undefined) {
      const target = { offset: xOffset, before: rows.before * width, after: rows.after * width };
      calls.push(loadCall(builder, values["x"], values["xNorm"], load, channels, inPixels(rows.input, width), target));
    }
    const taps = window.kernel[0] * window.kernel[1];
    const sums = sections.take(depthwiseSumBytes(of, builder.tile.lanes));
    const partials = builder.ownMemory(4 * GROUPS * taps * outChannels);
    const words = builder.words(DEPTHWISE_WEIGHT_GRADIENT, () => ({
      ...common(),
      ...placedZ(),
      x: load === undefined ? builder.at(values["x"]) : 0,
      xOffset,
      xBefore: rows.before,
      w: 0,
      y: 0,
      partials: partials(),
      per: rows.out.per,
      sums,
    }));
    calls.push(builder.call(module, "depthwiseWeightGradient", words, "depthwise"));
    jobs.push(...reduced(builder, dkernel, partials, [taps, outChannels, outChannels], out));
  }
  sections.claim(builder);
  builder.chunks(calls, rows.out.units);
  builder.jobs(jobs, dkernel === undefined ? "norm" : "other");
}

function commonWords(builder: LayoutBuilder, call: DepthwiseCall, rows: RowChunking) {
  const { window, channels, multiplier } = call;
  const outChannels = channels * multiplier;
  builder.needZeros(depthwiseZeroBytes(call));
  return () => ({
    ...windowWords(window, channels, outChannels),
    bias: 0,
    multiplier,
    zeros: builder.zeros,
    ...rows.out.words,
    images: rows.out.images,
  });
}

function pixelsOf({ out }: RowChunking, width: number) {
  return { ...out, words: inPixels(out.words, width) };
}

function moduleOf({ tile }: LayoutBuilder, call: DepthwiseCall): string {
  const size = depthwiseTiles(call, tile.lanes);
  return size === 0 ? "training-depthwise" : `training-depthwise-${size}`;
}

function packedGroups(
  builder: LayoutBuilder,
  { window, channels, multiplier }: DepthwiseCall,
  kernel: string | undefined,
  bias: string | undefined,
  phase: "forward" | "backward",
) {
  const taps = window.kernel[0] * window.kernel[1];
  const all = channels * multiplier;
  const { lanes } = builder.tile;
  const groups = Math.ceil(all / lanes);
  const area = `groups of ${kernel}`;
  builder.needArea(area, 4 * groups * lanes * (taps + 1));
  const words = builder.words(PACK_GROUPS, () => ({
    source: builder.at(kernel),
    target: builder.area(area),
    taps,
    channels: all,
    bias: builder.at(bias),
    flipped: phase === "forward" ? 0 : 1,
  }));
  builder.before(phase, builder.cut("packGroups", words, groups, 64));
  return () => builder.area(area);
}
