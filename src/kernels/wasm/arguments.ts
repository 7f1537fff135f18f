/**
 * A step's arguments are words in memory. One list of names gives both sides: where the emitted code reads a word,
 * and what JavaScript must write.
 */

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
import type { Addresses, Cut, WordBlock } from "./lowered.ts";

export interface ArgumentBlock<Name extends string> {
  readonly names: readonly Name[];
  /** The block of a step, of words that wait for its addresses; the bounds of its clamp are float32. */
  of(words: (at: Addresses, cut: Cut) => Readonly<Record<Name | "low" | "high", number>>): WordBlock;
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
    of: (words) => ({
      blockBytes: 4 * names.length + 8,
      write(memory, block, at, cut = {}) {
        const values = words(at, cut);
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

/** The bounds of a clamp that clamps nothing. */
export const LINEAR = { low: -Infinity, high: Infinity } as const;

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
