/** Standard convolutions in training on wasm: windows as rows of a matrix, and then products. */

import { GRADIENT_PRODUCT, gradientPacking } from "../../kernels/wasm/training/gradient-product.ts";
import { COL2IM, IM2COL } from "../../kernels/wasm/training/im2col.ts";
import { PRODUCT } from "../../kernels/wasm/training/product.ts";
import { windowWords } from "../../kernels/wasm/window.ts";
import type { ConvolutionCall } from "../../operations/kernel-call.ts";
import type { BackwardCall, ForwardCall } from "../../operations/training-call.ts";
import { GROUPS, inPixels, type RowChunking, rowsChunked } from "./chunking.ts";
import type { LayoutBuilder } from "./layout-builder.ts";
import { narrowBytes, packed } from "./product-layout.ts";
import { Sections } from "./sections.ts";
import { biasSums, gradientCall, loadCall, measured, reduced, summed, type Values } from "./weighted-layer.ts";

/** Floats of a chunk's matrix: it stays in the second cache. */
const MATRIX_FLOATS = 65_536;

const MATRICES = "training-products";

interface MatrixGeometry {
  readonly call: ConvolutionCall;
  readonly rows: RowChunking;
  /** Numbers of a row of the matrix. */
  readonly depth: number;
  readonly out: { readonly words: RowChunking["out"]["words"]; readonly units: number; readonly per: number };
  /** Most pixels of a chunk. */
  readonly pixels: number;
}

function geometryOf(builder: LayoutBuilder, call: ConvolutionCall, whole = false): MatrixGeometry {
  const { window, inChannels } = call;
  const depth = window.kernel[0] * window.kernel[1] * inChannels;
  const [, outWidth] = window.output;
  const rows = rowsChunked(window, builder.plan.batch, Math.floor(MATRIX_FLOATS / (depth * outWidth)), whole);
  const out = { ...rows.out, words: inPixels(rows.out.words, outWidth) };
  return { call, rows, depth, out, pixels: rows.out.most * outWidth };
}

export function layForwardConvolution(
  builder: LayoutBuilder,
  of: ConvolutionCall,
  { load, norm }: ForwardCall,
  values: Values,
): void {
  const geometry = geometryOf(builder, of);
  const { call, depth, out, pixels } = geometry;
  const { outChannels } = call;
  const sections = new Sections();
  const { calls, offset } = matrixCalls(builder, geometry, load, values, sections);
  const weights = packed(builder, values["kernel"], values["bias"], [depth, outChannels], "forward");
  const narrow = sections.take(narrowBytes(builder, outChannels, pixels));
  const words = builder.words(PRODUCT, () => ({
    x: 0,
    offset,
    ...weights(),
    y: builder.at(values["y"]),
    yOffset: 0,
    inChannels: depth,
    outChannels,
    narrow,
    ...out.words,
  }));
  calls.push(builder.call(builder.product(outChannels).module, "product", words, "product"));
  const chunks = { ...geometry.rows.out, ...out };
  const { calls: more, jobs } =
    norm === undefined ? { calls: [], jobs: [] } : measured(builder, values, values["y"], norm, chunks, "yNorm");
  sections.claim(builder);
  builder.chunks([...calls, ...more], out.units);
  builder.jobs(jobs, "norm");
}

export function layBackwardConvolution(
  builder: LayoutBuilder,
  of: ConvolutionCall,
  { upstream, load, normGradient }: BackwardCall,
  values: Values,
): void {
  const { dx, dkernel, dbias } = values;
  // The gradient of an input is added up image by image.
  const geometry = geometryOf(builder, of, dx !== undefined);
  const { depth, out, pixels, rows } = geometry;
  const { window, inChannels, outChannels } = geometry.call;
  const [, width] = window.input;
  const { tile, module } = builder.product(outChannels);
  const chunks = { ...rows.out, ...out };
  const sections = new Sections();
  const zOffset = upstream === undefined ? 0 : sections.take(4 * (pixels * outChannels + tile.columns));
  const calls = [];
  const jobs = [];
  if (upstream !== undefined) {
    calls.push(
      gradientCall(builder, values, upstream, outChannels, out.words, { offset: zOffset, before: 0, after: 0 }),
    );
  }
  const dz = () => (upstream === undefined ? builder.at(values["dy"]) : 0);
  if (dbias !== undefined) {
    const sums = biasSums(builder, dbias, outChannels, chunks, dz, { offset: zOffset, before: 0 });
    calls.push(...sums.calls);
    jobs.push(...sums.jobs);
  }
  if (dkernel !== undefined) {
    const matrix = matrixCalls(builder, geometry, load, values, sections);
    calls.push(...matrix.calls);
    const stride = Math.ceil(outChannels / tile.columns) * tile.columns;
    const partials = builder.ownMemory(4 * GROUPS * depth * stride);
    const { packs, bytes } = gradientPacking(depth, outChannels, pixels, tile);
    const packOffset = sections.take(bytes);
    const words = builder.words(GRADIENT_PRODUCT, () => ({
      a: 0,
      aOffset: matrix.offset,
      dz: dz(),
      dzOffset: zOffset,
      partials: partials(),
      rows: depth,
      columns: outChannels,
      stride,
      per: out.per,
      packs,
      packOffset,
      ...out.words,
    }));
    calls.push(builder.call(module, "gradientProduct", words, "product"));
    jobs.push(...reduced(builder, dkernel, partials, [depth, outChannels, stride], chunks));
  }
  if (dx !== undefined) {
    const weights = packed(builder, values["kernel"], undefined, [depth, outChannels], "backward");
    const yOffset = sections.take(4 * pixels * depth);
    const narrow = sections.take(narrowBytes(builder, depth, pixels));
    const columns = builder.words(PRODUCT, () => ({
      x: dz(),
      offset: zOffset,
      ...weights(),
      y: 0,
      yOffset,
      inChannels: outChannels,
      outChannels: depth,
      narrow,
      ...out.words,
    }));
    const image = builder.words(COL2IM, () => ({
      ...windowWords(window, inChannels, 0),
      x: 0,
      w: 0,
      bias: 0,
      y: builder.at(dx),
      offset: yOffset,
      ...out.words,
    }));
    calls.push(builder.call(builder.product(depth).module, "product", columns, "product"));
    calls.push(builder.call(MATRICES, "col2im", image, "product"));
  }
  if (normGradient !== undefined && load !== undefined) {
    const chunk = inPixels(rows.input, width);
    const sums = summed(builder, values, dx, normGradient, load.clamp, { chunk, units: out.units });
    calls.push(...sums.calls);
    jobs.push(...sums.jobs);
  }
  sections.claim(builder);
  builder.chunks(calls, out.units);
  builder.jobs(jobs, dkernel === undefined ? "norm" : "other");
}

/** What each output pixel of a chunk sees, as a matrix in the thread's own memory. */
function matrixCalls(
  builder: LayoutBuilder,
  { call, rows, depth, out, pixels }: MatrixGeometry,
  load: ForwardCall["load"],
  values: Values,
  sections: Sections,
) {
  const { window, inChannels } = call;
  const [, width] = window.input;
  const calls = [];
  let xOffset = 0;
  if (load !== undefined) {
    xOffset = sections.take(4 * rows.most * width * inChannels);
    const target = { offset: xOffset, before: rows.before * width, after: rows.after * width };
    calls.push(loadCall(builder, values["x"], values["xNorm"], load, inChannels, inPixels(rows.input, width), target));
  }
  const offset = sections.take(4 * pixels * depth);
  const words = builder.words(IM2COL, () => ({
    ...windowWords(window, inChannels, 0),
    x: load === undefined ? builder.at(values["x"]) : 0,
    w: 0,
    bias: 0,
    y: 0,
    offset: xOffset,
    before: rows.before,
    yOffset: offset,
    ...out.words,
  }));
  calls.push(builder.call(MATRICES, "im2col", words, "product"));
  return { calls, offset };
}
