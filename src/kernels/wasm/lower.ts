/** From a kernel call to an emitted kernel: one row a kernel; the compiler names those that are missing. */

import type { AnyCall, KernelCall } from "../../operations/kernel-call.ts";
import { lowerActivation } from "./activation.ts";
import { lowerConvolution } from "./convolution.ts";
import { lowerDepthwise } from "./depthwise.ts";
import { lowerElementwise } from "./elementwise.ts";
import type { Lowered, Lowering } from "./lowered.ts";
import { type Emitter, MODULES, type ModuleExports, type ModuleName } from "./modules.ts";
import { lowerPointwise } from "./pointwise.ts";
import { lowerGlobalPool, lowerPool } from "./pool.ts";
import { lowerScaleShift } from "./scale-shift.ts";
import { lowerSoftmax } from "./softmax.ts";
import type { Tile } from "./tiles.ts";

/** A kernel that one of our modules exports. */
type Ours = { readonly [M in ModuleName]: Lowered<M, keyof ModuleExports[M] & string> }[ModuleName];

/**
 * The kernels of a set of calls: how each call is lowered, and the modules that hold what it is lowered to. Another
 * set, of gradients or of another numeric type, is a value of this type in a module of its own, and with ours spread
 * into one:
 *
 *     { lowering: { ...FORWARD.lowering, ...GRADIENT.lowering }, modules: { ...FORWARD.modules, ...GRADIENT.modules } }
 *
 * A page that does not name it has no byte of it.
 */
export interface WasmKernels<Call extends AnyCall, To extends Lowered = Lowered> {
  readonly lowering: Lowering<Call, To>;
  readonly modules: Readonly<Record<To["module"], Emitter>>;
}

/** The kernels of a run. */
export const FORWARD: WasmKernels<KernelCall, Ours> = {
  lowering: {
    pointwiseConv2d: lowerPointwise,
    conv2d: lowerConvolution,
    depthwiseConv2d: lowerDepthwise,
    scaleShift: lowerScaleShift,
    activation: lowerActivation,
    softmax: lowerSoftmax,
    globalAveragePool: lowerGlobalPool,
    globalMaxPool: lowerGlobalPool,
    averagePool: lowerPool,
    maxPool: lowerPool,
    add: lowerElementwise,
    multiply: lowerElementwise,
  },
  modules: MODULES,
};

type Row = (call: AnyCall, tile: Tile) => Lowered;

/** The emitted kernel of a call, of a run or of another set. */
export function lower(call: KernelCall, tile: Tile): Ours;
export function lower<Call extends AnyCall, To extends Lowered>(
  call: Call,
  tile: Tile,
  kernels: Pick<WasmKernels<Call, To>, "lowering">,
): To;
export function lower(call: AnyCall, tile: Tile, { lowering }: { readonly lowering: object } = FORWARD): Lowered {
  // Each row takes its own kind of call; the index loses that.
  const row = (lowering as Readonly<Record<string, Row>>)[call.kernel] as Row;
  return row(call, tile);
}
