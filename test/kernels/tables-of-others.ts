/**
 * Kernels of calls that src does not know, as a later room would hold them: a gradient, and integers. Each is a family,
 * its loop, its emitter and its lowering, and a row in a table of its own.
 */

import type { Runners } from "../../src/kernels/reference/index.ts";
import { argumentBlock, kernel } from "../../src/kernels/wasm/arguments.ts";
import { type Expression, float, type ModuleBuilder, op } from "../../src/kernels/wasm/assembler/index.ts";
import { add, floats, loadLanes, locals, overChannels, storeLanes, sub } from "../../src/kernels/wasm/emit.ts";
import { FORWARD, type WasmKernels } from "../../src/kernels/wasm/index.ts";
import { type Lowered, NOTHING } from "../../src/kernels/wasm/lowered.ts";
import type { KernelCall } from "../../src/operations/kernel-call.ts";

/** dx = dy where x is above 0, else 0. */
export interface ReluGradientCall {
  readonly kernel: "reluGradient";
  readonly elements: number;
}

/** y = a + b, which wraps. */
export interface IntegerAddCall {
  readonly kernel: "addIntegers";
  readonly elements: number;
}

export const GRADIENTS: Runners<ReluGradientCall> = {
  reluGradient:
    ({ elements }) =>
    (batch, { inputs: [x, dy], output: dx }) => {
      for (let i = 0; i < batch * elements; i++) dx[i] = x![i]! > 0 ? dy![i]! : 0;
    },
};

export const INTEGERS: Runners<IntegerAddCall, Int32Array> = {
  addIntegers:
    ({ elements }) =>
    (batch, { inputs: [a, b], output: y }) => {
      for (let i = 0; i < batch * elements; i++) y[i] = a![i]! + b![i]!;
    },
};

const PAIR = /* @__PURE__ */ argumentBlock(["a", "b", "y"]);

/** Number by number of two arrays. The range counts numbers. */
function pairwise<const Entry extends string>(
  module: ModuleBuilder,
  entry: Entry,
  one: (a: Expression<"v128">, b: Expression<"v128">) => Expression<"v128">,
) {
  return kernel(module, entry, PAIR, (scope) => {
    const { at } = locals(scope.local, "i32", "at");
    const element = (base: Expression<"i32">) => add(base, floats(add(scope.from, at)));
    return overChannels(at, sub(scope.to, scope.from), (lanes) => [
      storeLanes(lanes, element(scope.y), one(loadLanes(lanes, element(scope.a)), loadLanes(lanes, element(scope.b)))),
    ]);
  });
}

function lowerPair<Module extends string, Entry extends string>(
  module: Module,
  entry: Entry,
  elements: number,
): Lowered<Module, Entry> {
  return {
    ...NOTHING,
    module,
    entry,
    units: elements,
    unitElements: 1,
    ...PAIR.of(({ inputs: [a = 0, b = 0], output }) => ({ a, b, y: output })),
  };
}

/** Instructions that no other kernel has: rows beside it. */
const GREATER = [0xfd044, "vv", "v"] as const;
const AND = [0xfd04e, "vv", "v"] as const;

export const WASM_GRADIENTS: WasmKernels<ReluGradientCall, Lowered<"gradients", "reluGradient">> = {
  lowering: { reluGradient: ({ elements }) => lowerPair("gradients", "reluGradient", elements) },
  modules: {
    gradients: (module) =>
      pairwise(module, "reluGradient", (x, dy) => op(AND, op(GREATER, x, op("f32x4.splat", float(0))), dy)),
  },
};

export const WASM_INTEGERS: WasmKernels<IntegerAddCall, Lowered<"integers", "addIntegers">> = {
  lowering: { addIntegers: ({ elements }) => lowerPair("integers", "addIntegers", elements) },
  modules: { integers: (module) => pairwise(module, "addIntegers", (a, b) => op("i32x4.add", a, b)) },
};

/** Ours, with twice its input in the place of a softmax. */
export const TWICE: WasmKernels<KernelCall> = {
  lowering: {
    ...FORWARD.lowering,
    softmax: ({ rows, channels }) => ({
      ...lowerPair("twice", "twice", rows * channels),
      ...PAIR.of(({ inputs: [a = 0], output }) => ({ a, b: a, y: output })),
    }),
  },
  modules: { ...FORWARD.modules, twice: (module) => pairwise(module, "twice", (a, b) => op("f32x4.add", a, b)) },
};
