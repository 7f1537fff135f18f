/** Where everything of a wasm session lies in its memory, and the program that runs on it. */

import {
  BARRIER_BYTES,
  type Cut,
  FORWARD,
  GATE_BYTES,
  type Lowered,
  lower,
  lowerAfter,
  productFor,
  stagingBytes,
  type Tile,
  type WasmKernels,
} from "../../kernels/wasm/index.ts";
import type { KernelCall, Plan, Step } from "../../plan/plan.ts";
import { lyingAt, operandsOf } from "../operands.ts";
import type { Call, Program, Stage } from "./program.ts";

/** A step with its kernel and its place. */
export interface PlacedStep {
  readonly step: Step;
  readonly lowered: Lowered;
  readonly weights: number;
}

export interface Layout {
  readonly program: Program;
  readonly placed: readonly PlacedStep[];
  readonly arena: number;
  /** Where parameters pass through on the way to their place. */
  readonly staging: number;
  readonly bytes: number;
  /** Writes the words of all steps. */
  writeBlocks(memory: DataView): void;
}

/**
 * Bytes that a step hands to the next at once, where the two run as one. Each band passes all weights of the second:
 * measured on 1.0-224, one thread, bands of 16, 32, 64, 256 KiB and no bands took 26.4, 25.5, 22.7, 21.6 and 21.6 ms.
 */
const BAND_BYTES = 262_144;
/** Fewer pixels for each thread than this, and a pointwise step is cut by panels of weights instead. */
const FEW_PIXELS = 32;
/** Rows for each thread, if they cannot be shared out evenly, below which one thread would wait too long. */
const FEW_ROWS = 7;

/** Whether a depthwise step and the pointwise step behind it run as one, band by band of rows. */
export function joins(first: KernelCall, second: KernelCall, batch: number, threads: number, tile: Tile): boolean {
  if (first.kernel !== "depthwiseConv2d" || second.kernel !== "pointwiseConv2d") return false;
  if (first.activation === "hardSwish" || first.activation === "hardSigmoid") return false;
  // Behind a reshape it may see other pixels.
  if (second.pixels !== first.window.output[0] * first.window.output[1]) return false;
  // A tile narrower than a panel needs the scratch that the band lies in.
  if (second.outChannels < productFor(second.outChannels, tile).columns) return false;
  const rows = first.window.output[0] * batch;
  return rows % threads === 0 || rows >= FEW_ROWS * threads;
}

/**
 * Looks at a gate before a thread sleeps: 100 µs, longer than waking it takes, where each thread has a core; 10 µs where
 * they share cores and a look keeps another from work. 0.25-128 on two threads of two cores: 0.41 ms with 20,000, 0.32
 * with 200,000; on four threads of two cores 1.0 with 20,000 and 4.3 with 400,000.
 */
const SPINS = { alone: 200_000, sharing: 20_000 } as const;

export function layOut(
  plan: Plan,
  tile: Tile,
  threads: number,
  cores = threads,
  kernels: WasmKernels<KernelCall> = FORWARD,
): Layout {
  let bytes = 0;
  const take = (size: number): number => {
    const at = bytes;
    bytes += Math.ceil(size / 128) * 128;
    return at;
  };
  const control = { start: take(GATE_BYTES), barrier: take(BARRIER_BYTES), batch: take(4), cancelled: take(4) };
  const lowered = plan.steps.map(({ call }) => lower(call, tile, kernels));
  const zeros = take(Math.max(0, ...lowered.map(({ zeroBytes }) => zeroBytes)));
  const placed = plan.steps.map((step, index) => {
    const kernel = lowered[index] as Lowered;
    return { step, lowered: kernel, weights: take(4 * kernel.weights.floats) };
  });
  const writers: ((memory: DataView) => void)[] = [];
  const addressOf = (name: string): number => arena + lyingAt(plan, name).offset;
  const stages: Stage[] = [];
  let scratchBytes = 0;

  /** The call of a placed step, or of what follows on its output; its words are written when all addresses are known. */
  const callOf = (index: number, cut: Cut, after?: Lowered): Call => {
    const { step, lowered, weights } = placed[index] as PlacedStep;
    const kernel = after ?? lowered;
    const block = take(kernel.blockBytes);
    writers.push((memory) => {
      const { activations, written } = operandsOf(plan, step);
      const reads = after === undefined ? activations : [written];
      // A band lies in the thread's own memory.
      const inputs = cut.bandedInput === true ? [] : reads.map(addressOf);
      const output = cut.bandedOutput === true ? 0 : addressOf(written);
      kernel.write(memory, block, { inputs, output, weights, zeros }, cut);
    });
    scratchBytes = Math.max(scratchBytes, kernel.scratchBytes);
    return { module: kernel.module, entry: kernel.entry, block, step: index };
  };

  for (let index = 0; index < placed.length; index++) {
    const { step, lowered: first } = placed[index] as PlacedStep;
    const next = step.joined === true ? placed[index + 1]?.lowered : undefined;
    const calls: Call[] = [];
    let { units, unitElements } = first;
    let perExample = true;
    let band = 0;
    if (next !== undefined) {
      const width = next.units / units;
      band = Math.max(1, Math.floor(BAND_BYTES / (4 * unitElements)));
      scratchBytes = Math.max(scratchBytes, 4 * band * unitElements);
      unitElements = next.unitElements * width;
      calls.push(callOf(index, { bandedOutput: true }));
      index++;
      calls.push(callOf(index, { bandedInput: true, unit: width }));
    } else {
      const { panels = 0, activation } = first;
      const byPanel = panels > 0 && units * plan.batch < FEW_PIXELS * threads && activation === undefined;
      if (byPanel) [units, perExample] = [panels, false];
      calls.push(callOf(index, { byPanel }));
    }
    const { activation } = next ?? first;
    if (activation !== undefined) calls.push(callOf(index, {}, lowerAfter(activation, unitElements)));
    stages.push({ calls, units, perExample, band });
  }

  const staging = take(Math.max(0, ...lowered.map(({ weights }) => stagingBytes(weights))));
  const scratch = take(0);
  const own = Math.ceil(scratchBytes / 128) * 128;
  take(own * threads);
  const arena = take(plan.arenaBytes);
  return {
    program: {
      stages,
      control,
      threads,
      spins: threads <= cores ? SPINS.alone : SPINS.sharing,
      scratch,
      scratchBytes: own,
    },
    placed,
    arena,
    staging,
    bytes,
    writeBlocks: (memory) => {
      for (const write of writers) write(memory);
    },
  };
}
