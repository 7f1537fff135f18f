/** A layer with a kernel in training: forward with its batch norm measured, and backward with that of its input. */

import type {
  BackwardCall,
  ForwardCall,
  Load,
  Norm,
  NormaliseCall,
  NormaliseGradientCall,
  NormCall,
  NormGradientCall,
  WeightedCall,
} from "../../../operations/training-call.ts";
import { convolution } from "../convolution.ts";
import { depthwiseConvolution } from "../depthwise-convolution.ts";
import { pointwiseConvolution } from "../pointwise-convolution.ts";
import type { Runner } from "../runner.ts";
import { isPlain, loadValues, measureNorm, normaliseGradient, sumNormGradient } from "./batch-norm.ts";
import { convolutionGradients } from "./convolution.ts";
import { depthwiseGradients } from "./depthwise-convolution.ts";
import { biasGradient, type LayerGradients } from "./layer-gradients.ts";
import { pointwiseGradients } from "./pointwise-convolution.ts";
import { growing, type TrainingOperands, type TrainingRunner } from "./runner.ts";

/** The gradients of a layer's call. */
export function layerGradients(call: WeightedCall): LayerGradients {
  switch (call.kernel) {
    case "conv2d":
      return convolutionGradients(call);
    case "depthwiseConv2d":
      return depthwiseGradients(call);
    case "pointwiseConv2d":
      return pointwiseGradients(call);
  }
}

/** The forward loops of a layer's call. */
export function layerRunner(call: WeightedCall): Runner {
  switch (call.kernel) {
    case "conv2d":
      return convolution(call);
    case "depthwiseConv2d":
      return depthwiseConvolution(call);
    case "pointwiseConv2d":
      return pointwiseConvolution(call);
  }
}

export function forwardRunner({ of, load, norm }: ForwardCall): TrainingRunner {
  const run = layerRunner(of);
  const loaded = loading(of, load);
  return (batch, operands) => {
    const { x, xNorm, kernel, bias, y, yNorm } = operands;
    run(batch, { inputs: [loaded(batch, x!, xNorm)], parameters: [kernel, bias], output: y! });
    if (norm !== undefined) measure(norm, batch, y!, yNorm!, operands);
  };
}

export function backwardRunner({ of, upstream, load, normGradient }: BackwardCall): TrainingRunner {
  const gradients = layerGradients(of);
  const loaded = loading(of, load);
  const [scratchZ, scratchX] = [growing(), growing()];
  const { inputElements, outputPixels, outputChannels } = gradients;
  return (batch, operands, { adds }) => {
    const { dy, y, yNorm, yNormGradient, x, xNorm, kernel, dx, dkernel, dbias } = operands;
    const pixels = batch * outputPixels;
    let dz = dy!;
    if (upstream !== undefined && !isPlain(upstream)) {
      dz = scratchZ(pixels * outputChannels);
      normaliseGradient(upstream.clamp, dy!, y!, yNorm, yNormGradient, dz, pixels, outputChannels);
    }
    if (dkernel !== undefined) gradients.kernel(batch, loaded(batch, x!, xNorm), dz, dkernel, adds);
    if (dbias !== undefined) biasGradient(dz, pixels, dbias, outputChannels, adds);
    if (dx === undefined && normGradient === undefined) return;
    const input = dx ?? scratchX(batch * inputElements);
    gradients.input(batch, dz, kernel!, input);
    if (normGradient === undefined) return;
    const { xNormGradient, dgamma, dbeta } = operands;
    const values = { dy: input, x: x!, norm: xNorm!, normGradient: xNormGradient!, dgamma, dbeta };
    sumNormGradient(normGradient, load?.clamp ?? "linear", batch, values, adds);
  };
}

export function normaliseRunner({ load, pixels, channels }: NormaliseCall): TrainingRunner {
  return (batch, { x, xNorm, y }) => loadValues(load.clamp, x!, xNorm, y!, batch * pixels, channels);
}

export function normRunner({ norm }: NormCall): TrainingRunner {
  return (batch, operands) => measure(norm, batch, operands["x"]!, operands["xNorm"]!, operands);
}

export function normGradientRunner({ norm, clamp }: NormGradientCall): TrainingRunner {
  return (batch, { dy, x, xNorm, xNormGradient, dgamma, dbeta }, { adds }) => {
    const values = { dy: dy!, x: x!, norm: xNorm!, normGradient: xNormGradient!, dgamma, dbeta };
    sumNormGradient(norm, clamp, batch, values, adds);
  };
}

export function normaliseGradientRunner({ load, pixels, channels }: NormaliseGradientCall): TrainingRunner {
  return (batch, { dy, x, xNorm, xNormGradient, dx }) =>
    normaliseGradient(load.clamp, dy!, x!, xNorm, xNormGradient, dx!, batch * pixels, channels);
}

/** The layer's input as `load` says: x itself, or a copy that the next call overwrites. */
function loading(of: WeightedCall, load: Load | undefined) {
  const scratch = growing();
  const [pixels, channels] = inputOf(of);
  return (batch: number, x: Float32Array, norm: Float32Array | undefined): Float32Array => {
    if (load === undefined || isPlain(load)) return x;
    const y = scratch(batch * pixels * channels);
    loadValues(load.clamp, x, norm, y, batch * pixels, channels);
    return y;
  };
}

function inputOf(of: WeightedCall): readonly [pixels: number, channels: number] {
  if (of.kernel === "pointwiseConv2d") return [of.pixels, of.inChannels];
  const [height, width] = of.window.input;
  return [height * width, of.kernel === "conv2d" ? of.inChannels : of.channels];
}

function measure(call: Norm, batch: number, x: Float32Array, norm: Float32Array, operands: TrainingOperands): void {
  const { gamma, beta, movingMean, movingVariance } = operands;
  measureNorm(call, batch, x, { gamma, beta, movingMean: movingMean!, movingVariance: movingVariance!, norm });
}
