/**
 * A step's arguments are words in memory. One list of names gives both sides: where the emitted code reads a word,
 * and what JavaScript must write.
 */

import type { FusedActivation } from "../../operations/activation-names.ts";
import {
  access,
  type Expression,
  type Local,
  type MakeLocal,
  type ModuleBuilder,
  type Statement,
  set,
} from "./assembler/index.ts";
import { type Callable, type Exported, exported } from "./exports.ts";
import { CLAMPS, isClamp } from "./fused.ts";
import type { Addresses, Cut, Lowered } from "./lowered.ts";

/** Words that say the same in every block, unless a step says otherwise: its first input, its weights, its output. */
type Usual = "x" | "w" | "y";
type Words<Name extends string> = Readonly<Record<Name, number>>;

export interface ArgumentBlock<Name extends string> {
  readonly names: readonly Name[];
  /**
   * The block of a step, of words that wait for its addresses. The bounds of its clamp are float32, and without any
   * those of the activation that it ends with, default `linear`; one that is no clamp is left for after it.
   */
  of(
    words: (at: Addresses, cut: Cut) => Words<Exclude<Name, Usual>> & Partial<Words<Usual | "low" | "high">>,
    activation?: FusedActivation,
  ): Pick<Lowered, "blockBytes" | "write" | "activation">;
}

/**
 * A block of the words named, behind the two bounds that every step has. Blocks are made when their module is loaded:
 * each is marked pure, so that a bundle without the kernel is without its block.
 */
export function argumentBlock<const Name extends string, const More extends string = never>(
  first: readonly Name[],
  more: readonly More[] = [],
): ArgumentBlock<Name | More> {
  const names = [...first, ...more];
  return {
    names,
    of: (words, activation = "linear") => ({
      blockBytes: 4 * names.length + 8,
      ...(isClamp(activation) ? {} : { activation }),
      write(memory, block, at, cut = {}) {
        const usual = {
          ...CLAMPS[isClamp(activation) ? activation : "linear"],
          x: at.inputs[0] ?? 0,
          w: at.weights,
          y: at.output,
        };
        const values = { ...usual, ...words(at, cut) } as Words<Name | More | "low" | "high">;
        memory.setFloat32(block, values.low, true);
        memory.setFloat32(block + 4, values.high, true);
        for (const [index, name] of names.entries()) memory.setInt32(block + 8 + 4 * index, values[name], true);
      },
    }),
  };
}

/** What every kernel is called with: its words, a range of units, the batch of this run, the thread's own memory. */
const PARAMETERS = ["block", "from", "to", "batch", "scratch"] as const;

/** A kernel as JavaScript calls it. */
export type Kernel = Callable<Exported<string, typeof PARAMETERS, "none">>;

export interface Bounds {
  readonly low: Local<"v128">;
  readonly high: Local<"v128">;
}

/** What a kernel's code sees: its words and parameters by name, and the bounds of its clamp in registers. */
export type KernelScope<Name extends string> = {
  readonly [N in Name | "from" | "to" | "batch" | "scratch"]: Expression<"i32">;
} & {
  readonly bounds: Bounds;
  readonly local: MakeLocal;
};

/** Adds an exported kernel. */
export function kernel<const Entry extends string, Name extends string>(
  module: ModuleBuilder,
  entry: Entry,
  { names }: ArgumentBlock<Name>,
  build: (scope: KernelScope<Name>) => readonly Statement[],
) {
  return exported(module, entry, PARAMETERS, (parameters, local) => {
    const bounds = { low: local("v128"), high: local("v128") };
    const words = names.map((word, index) => [word, access("i32.load", 8 + 4 * index, parameters.block)]);
    const scope = { ...Object.fromEntries(words), ...parameters, bounds, local } as KernelScope<Name>;
    return [
      set(bounds.low, access("v128.load32_splat", 0, parameters.block)),
      set(bounds.high, access("v128.load32_splat", 4, parameters.block)),
      ...build(scope),
    ];
  });
}
