/** Layers that are matrix products of pixels, pointwise and dense, in training on wasm. */

import {
  GRADIENT_PANELS,
  GRADIENT_PRODUCT,
  gradientPacking,
  gradientPanelsPacking,
} from "../../kernels/wasm/training/gradient-product.ts";
import { PACK_PANELS } from "../../kernels/wasm/training/pack-panels.ts";
import { PRODUCT } from "../../kernels/wasm/training/product.ts";
import type { PointwiseCall } from "../../operations/kernel-call.ts";
import type { BackwardCall, ForwardCall } from "../../operations/training-call.ts";
import { chunked, GROUPS } from "./chunking.ts";
import { JOBS_MODULE, type LayoutBuilder } from "./layout-builder.ts";
import { Sections } from "./sections.ts";
import {
  biasSums,
  gradientCall,
  type LoadTarget,
  loadCall,
  measured,
  reduced,
  summed,
  type Values,
} from "./weighted-layer.ts";

/** Floats of a chunk's input, and of its input and the gradient of its output: both stay in the second cache. */
const FORWARD_FLOATS = 49_152;
const BACKWARD_FLOATS = 98_304;
/** Most pixels of a chunk. */
const MOST_PIXELS = 1024;

/** From so many weights on, panels are packed right before they are read, and share memory: a barrier more for each layer. */
const LARGE_WEIGHTS = 65_536;

/**
 * Panels of a matrix `[rows][columns]` for the forward steps, or in the same memory of its transpose for the backward
 * ones: the words that say where they are.
 */
export function packed(
  builder: LayoutBuilder,
  kernel: string | undefined,
  bias: string | undefined,
  [rows, columns]: readonly [number, number],
  phase: "forward" | "backward",
) {
  const [deep, wide] = phase === "forward" ? [rows, columns] : [columns, rows];
  const { tile, isSlim } = builder.product(wide);
  const width = tile.columns;
  const panels = Math.ceil(wide / width);
  const isLarge = rows * columns >= LARGE_WEIGHTS;
  const area = `panels of ${kernel}`;
  const bytes = 4 * panels * width * (deep + 1);
  const own = isLarge ? builder.ownMemory(bytes) : undefined;
  if (own === undefined) builder.needArea(area, bytes);
  const place = own ?? (() => builder.area(area));
  const words = builder.words(PACK_PANELS, () => ({
    source: builder.at(kernel),
    target: place(),
    rows,
    columns,
    bias: builder.at(bias),
  }));
  const piece = Math.max(1, Math.floor(65_536 / (deep * width)));
  const jobs = builder.cut(phase === "forward" ? "pack" : "packTransposed", words, panels, piece);
  const module = isSlim ? "training-slim-packs" : JOBS_MODULE;
  if (isLarge) builder.jobs(jobs, "other", module);
  else builder.before(phase, jobs, module);
  return () => {
    const w = place();
    return { w, bias: w + 4 * panels * width * deep, panels };
  };
}

export function layForwardProduct(
  builder: LayoutBuilder,
  { pixels, inChannels, outChannels }: PointwiseCall,
  { load, norm }: ForwardCall,
  values: Values,
): void {
  const most = Math.min(MOST_PIXELS, Math.max(8, Math.floor(FORWARD_FLOATS / inChannels)));
  const chunks = chunked(pixels, builder.plan.batch, most);
  const { words: chunk, units } = chunks;
  const narrow = load === undefined ? 0 : 4 * chunks.most * inChannels;
  builder.needScratch(narrow + narrowBytes(builder, outChannels, chunks.most));
  const weights = packed(builder, values["kernel"], values["bias"], [inChannels, outChannels], "forward");
  const calls = [];
  if (load !== undefined) {
    const target = { offset: 0, before: 0, after: 0 };
    calls.push(loadCall(builder, values["x"], values["xNorm"], load, inChannels, chunk, target));
  }
  const words = builder.words(PRODUCT, () => ({
    x: load === undefined ? builder.at(values["x"]) : 0,
    offset: 0,
    ...weights(),
    y: builder.at(values["y"]),
    yOffset: 0,
    inChannels,
    outChannels,
    narrow,
    ...chunk,
  }));
  calls.push(builder.call(builder.product(outChannels).module, "product", words, "product"));
  const { calls: more, jobs } =
    norm === undefined ? { calls: [], jobs: [] } : measured(builder, values, values["y"], norm, chunks, "yNorm");
  builder.chunks([...calls, ...more], units);
  builder.jobs(jobs, "norm");
}

export function layBackwardProduct(
  builder: LayoutBuilder,
  { pixels, inChannels: rows, outChannels: columns }: PointwiseCall,
  { upstream, load, normGradient }: BackwardCall,
  values: Values,
): void {
  const { dkernel, dbias, dx } = values;
  const { tile, module } = builder.product(columns);
  const { batch } = builder.plan;
  const most = Math.min(MOST_PIXELS, Math.max(8, Math.floor(BACKWARD_FLOATS / (rows + columns))));
  const chunks = chunked(pixels, batch, most);
  const { words: chunk, units, per } = chunks;
  // Many weights and few pixels: all pixels, in a few deep sums for each weight, in place of partial sums of groups.
  const all = batch * pixels;
  const byPanel = dkernel !== undefined && GROUPS * rows * columns > all * (rows + columns);

  const sections = new Sections();
  const panelBytes = 4 * tile.columns;
  const zOffset = sections.take(upstream === undefined || byPanel ? 0 : 4 * chunks.most * columns + panelBytes);
  const aOffset = sections.take(load === undefined || byPanel ? 0 : 4 * chunks.most * rows + panelBytes);
  const calls = [];
  const jobs = [];
  if (upstream !== undefined) {
    // Nobody reads dy behind this step.
    const target: LoadTarget = byPanel ? { value: values["dy"] ?? "" } : { offset: zOffset, before: 0, after: 0 };
    calls.push(gradientCall(builder, values, upstream, columns, chunk, target));
  }
  const dz = () => (upstream === undefined || byPanel ? builder.at(values["dy"]) : 0);
  if (dx !== undefined) {
    const weights = packed(builder, values["kernel"], undefined, [rows, columns], "backward");
    const narrow = sections.take(narrowBytes(builder, rows, chunks.most));
    const words = builder.words(PRODUCT, () => ({
      x: dz(),
      offset: zOffset,
      ...weights(),
      y: builder.at(dx),
      yOffset: 0,
      inChannels: columns,
      outChannels: rows,
      narrow,
      ...chunk,
    }));
    calls.push(builder.call(builder.product(rows).module, "product", words, "product"));
  }
  if (normGradient !== undefined && load !== undefined) {
    const sums = summed(builder, values, dx, normGradient, load.clamp, { chunk, units });
    calls.push(...sums.calls);
    jobs.push(...sums.jobs);
  }
  if (dbias !== undefined) {
    const sums = biasSums(builder, dbias, columns, chunks, dz, { offset: zOffset, before: 0 });
    calls.push(...sums.calls);
    jobs.push(...sums.jobs);
  }
  if (dkernel === undefined) {
    sections.claim(builder);
    builder.chunks(calls, units);
    builder.jobs(jobs, "norm");
    return;
  }
  const loaded = builder.ownMemory(load !== undefined && byPanel ? 4 * all * rows : 0);
  if (load !== undefined) {
    const target: LoadTarget = byPanel ? { address: loaded } : { offset: aOffset, before: 0, after: 0 };
    calls.push(loadCall(builder, values["x"], values["xNorm"], load, rows, chunk, target));
  }
  const a = () => (load === undefined ? builder.at(values["x"]) : byPanel ? loaded() : 0);
  if (byPanel) {
    sections.claim(builder);
    builder.chunks(calls, units);
    const { packs, deep, atOnce, bytes } = gradientPanelsPacking(rows, columns, all, tile);
    builder.needScratch(bytes + 4 * tile.rows * tile.columns);
    const words = builder.words(GRADIENT_PANELS, () => ({
      a: a(),
      dz: dz(),
      y: builder.at(dkernel),
      rows,
      columns,
      adds: builder.flags.adds,
      each: pixels,
      packs,
      packOffset: 0,
      deep,
      atOnce,
      narrow: bytes,
    }));
    builder.range(builder.call(module, "gradientPanels", words, "product"), Math.ceil(columns / tile.columns));
    builder.jobs(jobs, "norm");
    return;
  }
  const stride = Math.ceil(columns / tile.columns) * tile.columns;
  const partials = builder.ownMemory(4 * GROUPS * rows * stride);
  const { packs, bytes } = gradientPacking(rows, columns, chunks.most, tile);
  const packOffset = sections.take(bytes);
  const words = builder.words(GRADIENT_PRODUCT, () => ({
    a: a(),
    aOffset,
    dz: dz(),
    dzOffset: zOffset,
    partials: partials(),
    rows,
    columns,
    stride,
    per,
    packs,
    packOffset,
    ...chunk,
  }));
  calls.push(builder.call(module, "gradientProduct", words, "product"));
  sections.claim(builder);
  builder.chunks(calls, units);
  builder.jobs([...reduced(builder, dkernel, partials, [rows, columns, stride], chunks), ...jobs], "other");
}

/** Scratch of a product whose tiles are narrower than a panel. */
export function narrowBytes(builder: LayoutBuilder, outChannels: number, pixels: number): number {
  const { tile } = builder.product(outChannels);
  return outChannels < tile.columns ? 4 * pixels * tile.columns : 0;
}
