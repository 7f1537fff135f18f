/**
 * Runs kernel calls on emitted kernels without a session: the real lowering, layout and packing. Threads take their
 * shares one after the other, which is all that a barrier promises.
 *
 * Every run is checked for what no result shows. The layout ends where its memory ends, so that a step beyond it
 * traps. Weights, words and inputs stay as they are, and what nobody has written yet is NaN.
 */

import { expect } from "vitest";
import { layOut } from "../../src/backends/wasm/layout.ts";
import { bindThread } from "../../src/backends/wasm/program.ts";
import {
  emitModule,
  exportOf,
  type Instances,
  type ModuleName,
  packAll,
  probeFeatures,
  TILES,
  type TileName,
  type Weights,
} from "../../src/kernels/wasm/index.ts";
import type { KernelCall } from "../../src/operations/kernel-call.ts";
import type { Plan, PlannedValue, Step } from "../../src/plan/plan.ts";

/** A step, and what it reads besides the step before. Sizes are of one example. */
export interface Piece {
  readonly call: KernelCall;
  readonly outputElements: number;
  readonly weights?: Weights;
}

export interface Variant {
  readonly name: string;
  readonly relaxed: boolean;
  readonly tiles: TileName;
}

const TILE_NAMES = Object.keys(TILES) as readonly TileName[];

/** Feature sets that this engine can run, each with every tile: within one, all tiles give the same bits. */
export const FEATURE_SETS: readonly (readonly Variant[])[] = [false, ...(probeFeatures().relaxed ? [true] : [])].map(
  (relaxed) =>
    TILE_NAMES.map((tiles) => ({ name: `${relaxed ? "relaxed" : "plain"}, ${tiles} tiles`, relaxed, tiles })),
);

const PAGE = 65_536;

interface Place {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  readonly instances: Map<string, WebAssembly.Exports>;
}

/** Memories by their pages, used again and again. */
const places = new Map<number, Place>();

/** A memory that holds so many bytes; sizes go up by quarters of powers of two, so that there are few. */
function placeFor(size: number): Place {
  const least = Math.ceil(size / PAGE);
  const step = Math.max(1, 2 ** (Math.ceil(Math.log2(least)) - 2));
  const pages = Math.ceil(least / step) * step;
  const known = places.get(pages);
  if (known !== undefined) return known;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const place = { memory, bytes: new Uint8Array(memory.buffer), instances: new Map() };
  places.set(pages, place);
  return place;
}

const modules = new Map<string, WebAssembly.Module>();

function instance({ memory, instances }: Place, name: ModuleName, { relaxed, tiles }: Variant): WebAssembly.Exports {
  const key = `${name} ${relaxed} ${tiles}`;
  let exports = instances.get(key);
  if (exports !== undefined) return exports;
  const module = modules.get(key) ?? new WebAssembly.Module(emitModule(name, { relaxed, shared: false }, TILES[tiles]));
  modules.set(key, module);
  exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  instances.set(key, exports);
  return exports;
}

export interface RunOptions {
  readonly batch: number;
  /** Most examples the memory is laid out for. Default `batch`. */
  readonly laidOutFor?: number;
  readonly threads: number;
  /** Whether the first piece runs as one with the second, band by band. */
  readonly joined?: boolean;
}

const align = (elements: number) => Math.ceil(elements / 4) * 4;

/**
 * The output of the last piece.
 *
 * @param inputs of the first piece, each of all examples
 */
export function runOnWasm(
  variant: Variant,
  pieces: readonly Piece[],
  inputs: readonly Float32Array[],
  { batch, laidOutFor = batch, threads, joined = false }: RunOptions,
): Float32Array {
  let bytesTaken = 0;
  const values = new Map<string, PlannedValue>();
  const take = (name: string, elements: number, taken = elements) => {
    const kind = "activation" as const;
    values.set(name, { kind, dtype: "float32", elements, offset: bytesTaken, from: 0, to: pieces.length });
    bytesTaken += 4 * align(taken * laidOutFor);
    return name;
  };
  const given = inputs.map(({ length }, index) => take(`input${index}`, length / batch));
  const outputs = pieces.map(({ outputElements }, index) =>
    take(`step${index}`, outputElements, joined && index === 0 ? 0 : outputElements),
  );
  const steps = pieces.map(
    ({ call }, index): Step => ({
      name: `step${index}`,
      layers: [`step${index}`],
      call,
      reads: index === 0 ? given : [outputs[index - 1]!],
      writes: [outputs[index]!],
      multAdds: 0,
      ...(joined && index === 0 ? { joined: true } : {}),
    }),
  );
  const planned = (unusedChannels: number): Plan => ({
    network: "test",
    batch: laidOutFor,
    input: "input0",
    inputShape: [],
    steps: [unused(unusedChannels), ...steps],
    values,
    outputs: {},
    taps: {},
    arenaBytes: bytesTaken,
    parameterInfo: new Map(),
  });
  const offsetOf = (name: string) => values.get(name)!.offset! / 4;
  const tile = TILES[variant.tiles];
  const place = placeFor(layOut(planned(0), tile, threads).bytes);
  const { bytes, memory } = place;
  const missing = bytes.length - layOut(planned(0), tile, threads).bytes;
  const layout = layOut(planned(missing / 8), tile, threads);
  expect(layout.bytes).toBe(bytes.length);
  const { program } = layout;
  const called = new Set(program.stages.flatMap(({ calls }) => calls.map(({ module }) => module as ModuleName)));
  const bound = Object.fromEntries([...called].map((name) => [name, instance(place, name, variant)])) as Instances;
  bytes.fill(0, 0, layout.placed[0]!.weights);
  bytes.fill(0xff, layout.placed[0]!.weights);
  layout.writeBlocks(new DataView(memory.buffer));
  const packer = {
    memory: new Float32Array(memory.buffer),
    staging: layout.staging,
    // Of a network with none of its kernels there is no such module.
    get pack() {
      return exportOf(bound, "product", "pack");
    },
  };
  for (const [index, { weights }] of pieces.entries()) {
    const { lowered, weights: at } = layout.placed[index + 1]!;
    if (weights !== undefined) packAll(lowered.weights, packer, at, weights);
  }
  bytes.fill(0xff, program.scratch);
  const arena = new Float32Array(memory.buffer, layout.arena, bytesTaken / 4);
  for (const [index, input] of inputs.entries()) arena.set(input, offsetOf(given[index]!));
  const constant = bytes.slice(0, program.scratch);

  const find = (module: string, entry: string) => exportOf(bound, module, entry);
  const walkers = Array.from({ length: threads }, (_, thread) => bindThread(program, find, thread));
  for (const stage of program.stages.keys()) for (const walk of walkers) walk(stage, batch);

  expect(Buffer.compare(constant, bytes.subarray(0, program.scratch)), "words or weights are written").toBe(0);
  for (const [index, input] of inputs.entries()) {
    const offset = offsetOf(given[index]!);
    expect(sameBits(arena.subarray(offset, offset + input.length), input), "the input is written").toBe(true);
  }
  const last = pieces.at(-1)!.outputElements;
  const at = offsetOf(outputs.at(-1)!);
  const behind = arena.subarray(at + batch * last, at + align(last * laidOutFor));
  expect(behind.every(Number.isNaN), "memory behind the output is written").toBe(true);
  return arena.slice(at, at + batch * last);
}

/** A step that computes nothing, in front, with weights that fill the memory up. */
function unused(channels: number): Step {
  return {
    name: "unused",
    layers: [],
    call: { kernel: "scaleShift", pixels: 0, channels, activation: "linear" },
    reads: ["input0"],
    writes: ["input0"],
    multAdds: 0,
  };
}

/** The same numbers to the bit; one NaN is as good as another. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  return firstDifference(a, b) === -1;
}

export function firstDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}
