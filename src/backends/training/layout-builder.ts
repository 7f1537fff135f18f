/** The memory and the program of training on wasm while they are laid out. Addresses are known when all of it is. */

import type { ArgumentBlock } from "../../kernels/wasm/arguments.ts";
import { BARRIER_BYTES, GATE_BYTES, type Lowered, productFor, type Tile } from "../../kernels/wasm/index.ts";
import { JOB_KERNELS, type JobKernel } from "../../kernels/wasm/training/index.ts";
import { JOB_BYTES, JOBS } from "../../kernels/wasm/training/jobs.ts";
import type { LoadClamp } from "../../operations/training-call.ts";
import type { TrainingPlan } from "../../plan/training/training-plan.ts";
import type { Call, Program, Stage } from "../wasm/program.ts";
import type { TrainingPart } from "./bound-training.ts";
import { lyingIn } from "./training-values.ts";

export const JOBS_MODULE = "training-jobs";

/** Words of a kernel in memory. */
export interface BlockWords {
  readonly at: number;
}

/** A piece of work of a stage of jobs. */
export interface StageJob extends BlockWords {
  readonly kernel: number;
  readonly from: number;
  readonly to: number;
}

/** Looks at a gate before a thread sleeps; see `backends/wasm/layout.ts`. */
const SPINS = { alone: 200_000, sharing: 20_000 } as const;

/** Behind the last value: panels may be read beyond the end of what they are of. */
const MARGIN = 256;

export interface TrainingLayout {
  readonly program: Program;
  readonly parts: readonly TrainingPart[];
  readonly arena: number;
  readonly bytes: number;
  /** Addresses of what a run says: an i32, a float32, an i32. */
  readonly flags: { readonly adds: number; readonly scale: number; readonly updates: number };
  writeBlocks(memory: DataView): void;
}

export class LayoutBuilder {
  readonly plan: TrainingPlan;
  readonly tile: Tile;
  readonly flags: TrainingLayout["flags"];
  readonly #threads: number;
  readonly #control: Program["control"];
  readonly #stages: Stage[] = [];
  readonly #parts: TrainingPart[] = [];
  readonly #writers: ((memory: DataView) => void)[] = [];
  /** Memory that several steps use, by name: as large as the largest use. */
  readonly #areas = new Map<string, number>();
  readonly #placed = new Map<string, number>();
  /** Bytes of the step's own memory that are taken, and the most that a step takes. */
  #ownTaken = 0;
  #ownMost = 0;
  /** Where the memory of a step's own lies: the same for each. */
  #own = 0;
  readonly #first = { forward: new Map<string, StageJob[]>(), backward: new Map<string, StageJob[]>() };
  /** Where the stages of the backward steps begin. */
  #turn: number | undefined;
  #bytes = 0;
  #scratch = 0;
  #zeroBytes = 0;
  #zeros = 0;
  #arena = 0;
  /** What is being laid out. */
  #step: Pick<TrainingPart, "name" | "phase"> = { name: "", phase: "forward" };

  constructor(plan: TrainingPlan, tile: Tile, threads: number) {
    this.plan = plan;
    this.tile = tile;
    this.#threads = threads;
    const take = (size: number) => this.take(size);
    this.#control = { start: take(GATE_BYTES), barrier: take(BARRIER_BYTES), batch: take(4), cancelled: take(4) };
    this.flags = { adds: take(4), scale: take(4), updates: take(4) };
  }

  /** The tile of a product of so many output channels, and the module that has it. */
  product(outChannels: number): { readonly tile: Tile; readonly module: string; readonly isSlim: boolean } {
    const { slim } = this.tile;
    const isSlim = productFor(outChannels, this.tile).module === "product-slim" && slim !== undefined;
    return isSlim
      ? { tile: slim, module: "training-products-slim", isSlim }
      : { tile: this.tile, module: "training-products", isSlim };
  }

  begin({ name, phase }: Pick<TrainingPart, "name" | "phase">): void {
    this.#step = { name, phase };
    this.#ownTaken = 0;
    if (phase === "backward") this.#turn ??= this.#stages.length;
  }

  /** Memory of its own, for as long as training lasts. */
  take(size: number): number {
    const at = this.#bytes;
    this.#bytes += Math.ceil(size / 128) * 128;
    return at;
  }

  /** Address of a value of the plan. Only while words are written. */
  at(name: string | undefined): number {
    return name === undefined ? 0 : this.#arena + lyingIn(this.plan, name).offset;
  }

  needArea(area: string, bytes: number): void {
    this.#areas.set(area, Math.max(this.#areas.get(area) ?? 0, bytes));
  }

  /**
   * Memory of the step that is laid out, which the next step has again: sums of chunks, panels, what was loaded.
   *
   * @returns says its address while words are written
   */
  ownMemory(bytes: number): () => number {
    const offset = this.#ownTaken;
    this.#ownTaken += Math.ceil((bytes + MARGIN) / 128) * 128;
    this.#ownMost = Math.max(this.#ownMost, this.#ownTaken);
    return () => this.#own + offset;
  }

  /** Address of an area. Only while words are written. */
  area(area: string): number {
    return this.#placed.get(area) ?? 0;
  }

  needScratch(bytes: number): void {
    this.#scratch = Math.max(this.#scratch, bytes);
  }

  needZeros(bytes: number): void {
    this.#zeroBytes = Math.max(this.#zeroBytes, bytes);
  }

  get zeros(): number {
    return this.#zeros;
  }

  /** Memory for a kernel's words, written when all addresses are known. */
  words<const Name extends string>(
    block: ArgumentBlock<Name>,
    say: Parameters<ArgumentBlock<Name>["of"]>[0],
    clamp: LoadClamp = "linear",
  ): BlockWords {
    const { blockBytes, write } = block.of(say, clamp);
    const at = this.take(blockBytes);
    this.#writers.push((memory) => write(memory, at, NOWHERE));
    return { at };
  }

  call(module: string, entry: string, { at }: BlockWords, kind: TrainingPart["kind"]): Call {
    this.#parts.push({ ...this.#step, kind });
    return { module, entry, block: at, step: this.#parts.length - 1 };
  }

  /** A kernel of a run, on values of the plan. */
  lowered(kernel: Lowered, inputs: readonly string[], output: string, kind: TrainingPart["kind"]): void {
    const at = this.take(kernel.blockBytes);
    this.needScratch(kernel.scratchBytes);
    this.#writers.push((memory) =>
      kernel.write(memory, at, {
        inputs: inputs.map((name) => this.at(name)),
        output: this.at(output),
        weights: 0,
        zeros: 0,
      }),
    );
    const call = this.call(kernel.module, kernel.entry, { at }, kind);
    this.#stages.push({ calls: [call], units: kernel.units, perExample: true, band: 0 });
  }

  /** All calls on one chunk before the next. */
  chunks(calls: readonly Call[], units: number): void {
    this.#stages.push({ calls, units, perExample: false, band: 1 });
  }

  /** A range that is cut anywhere. */
  range(call: Call, units: number, perExample = false): void {
    this.#stages.push({ calls: [call], units, perExample, band: 0 });
  }

  job(kernel: JobKernel, { at }: BlockWords, from: number, to: number): StageJob {
    return { kernel: JOB_KERNELS.indexOf(kernel), at, from, to };
  }

  /** Jobs of a range, cut in pieces of so many. */
  cut(kernel: JobKernel, words: BlockWords, count: number, piece: number): readonly StageJob[] {
    const jobs: StageJob[] = [];
    for (let from = 0; from < count; from += piece) {
      jobs.push(this.job(kernel, words, from, Math.min(from + piece, count)));
    }
    return jobs;
  }

  /** A stage of jobs. `runs`: the address of a flag. */
  jobs(jobs: readonly StageJob[], kind: TrainingPart["kind"], module = JOBS_MODULE, runs = 0): void {
    if (jobs.length === 0) return;
    const table = this.take(JOB_BYTES * jobs.length);
    this.#writers.push((memory) => {
      for (const [index, { kernel, at, from, to }] of jobs.entries()) {
        for (const [word, value] of [kernel, at, from, to].entries()) {
          memory.setInt32(table + JOB_BYTES * index + 4 * word, value, true);
        }
      }
    });
    this.range(
      this.call(
        module,
        "jobs",
        this.words(JOBS, () => ({ table, runs })),
        kind,
      ),
      jobs.length,
    );
  }

  /** Jobs that are done before anything else of the forward steps, or of the backward ones. */
  before(phase: "forward" | "backward", jobs: readonly StageJob[], module = JOBS_MODULE): void {
    const known = this.#first[phase].get(module);
    if (known === undefined) this.#first[phase].set(module, [...jobs]);
    else known.push(...jobs);
  }

  /** Writes more than words once addresses are known. */
  writes(write: (memory: DataView) => void): void {
    this.#writers.push(write);
  }

  finish(cores: number): TrainingLayout {
    const turn = this.#turn ?? this.#stages.length;
    const stages = this.#stages.splice(0);
    for (const [phase, from, to] of [
      ["forward", 0, turn],
      ["backward", turn, stages.length],
    ] as const) {
      this.#step = { name: "weights", phase };
      for (const [module, jobs] of this.#first[phase]) this.jobs(jobs, "other", module);
      this.#stages.push(...stages.slice(from, to));
    }
    this.#zeros = this.take(this.#zeroBytes);
    this.#own = this.take(this.#ownMost);
    for (const [area, bytes] of this.#areas) this.#placed.set(area, this.take(bytes + MARGIN));
    const own = Math.ceil((this.#scratch + MARGIN) / 128) * 128;
    const scratch = this.take(own * this.#threads);
    this.#arena = this.take(this.plan.arenaBytes + MARGIN);
    return {
      program: {
        stages: this.#stages,
        control: this.#control,
        threads: this.#threads,
        spins: this.#threads <= cores ? SPINS.alone : SPINS.sharing,
        scratch,
        scratchBytes: own,
      },
      parts: this.#parts,
      arena: this.#arena,
      bytes: this.#bytes,
      flags: this.flags,
      writeBlocks: (memory) => {
        for (const write of this.#writers) write(memory);
      },
    };
  }
}

/** Words say all addresses themselves. */
const NOWHERE = { inputs: [], output: 0, weights: 0, zeros: 0 } as const;
