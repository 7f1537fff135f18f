/** Runs in the browser, bundled by its test: several networks in one page, and the kernels' weights packed many times. */

import { compile, loadModel, mobileNetV1 } from "depthwise";
import { groupPacking, packAll } from "../../src/kernels/wasm/pack.ts";
import { type Answer, type NetworkSpec, runSeveral, type Variant } from "../session/several-networks.ts";

export interface PackingReport {
  /** Calls that wrote elsewhere or other numbers, and the first of them, from 1 on. */
  readonly wrong: number;
  readonly first: number | undefined;
}

declare global {
  interface Window {
    /** Runs networks; their files lie under `files/`. */
    runSeveral(asked: {
      readonly specs: readonly NetworkSpec[];
      readonly variant: Variant;
    }): Promise<readonly Answer[]>;
    /** Packs depthwise weights `calls` times, each time elsewhere, and looks where they lie. */
    packMany(asked: { readonly calls: number; readonly shared: boolean }): PackingReport;
    /** The same, of the expression whose value Firefox takes for the whole array. */
    fillMany(calls: number): PackingReport;
  }
}

const worker = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const library = { compile, loadModel, mobileNetV1 };

window.runSeveral = ({ specs, variant }) =>
  runSeveral(specs, variant, {
    library,
    worker,
    read: async (file) => new Uint8Array(await (await fetch(`files/${file}`)).arrayBuffer()),
  });

const PAGES = 1;
const MARK = 3;

/** Calls `write` with a memory and a place, and looks whether what it wrote lies there and nothing else was touched. */
function look(calls: number, memory: Float32Array, length: number, write: (from: number) => void): PackingReport {
  let wrong = 0;
  let first: number | undefined;
  for (let call = 1; call <= calls; call++) {
    memory.fill(MARK);
    const from = 32 * (1 + ((call * 37) % 500));
    write(from);
    const isWritten = (i: number) => i >= from && i < from + length;
    if (memory.every((value, i) => value === (isWritten(i) ? 1 + i - from : MARK))) continue;
    wrong++;
    first ??= call;
  }
  return { wrong, first };
}

window.packMany = ({ calls, shared }) => {
  const memory = new Float32Array(new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared }).buffer);
  const packer = { memory, staging: 0, pack: () => undefined };
  const channels = 8;
  const taps = 9;
  // The float at i of the groups is i + 1.
  const at = (c: number, row: number) => 1 + 4 * ((c >> 2) * (1 + taps) + row) + (c & 3);
  const bias = Float32Array.from({ length: channels }, (_, c) => at(c, 0));
  const kernel = Float32Array.from({ length: channels * taps }, (_, i) =>
    at(i % channels, 1 + Math.floor(i / channels)),
  );
  const scale = new Float64Array(channels).fill(1);
  const packing = groupPacking(taps, channels, 4);
  return look(calls, memory, packing.floats, (from) =>
    packAll(packing, packer, 4 * from, from % 64 === 0 ? { kernel, scale, bias } : { kernel, bias }),
  );
};

window.fillMany = (calls) => {
  const memory = new Float32Array(new WebAssembly.Memory({ initial: PAGES, maximum: PAGES }).buffer);
  const length = 40;
  const write = (from: number) => {
    const target = memory.subarray(from, from + length).fill(0);
    for (let i = 0; i < length; i++) target[i] = 1 + i;
  };
  return look(calls, memory, length, write);
};
