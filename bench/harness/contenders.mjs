/**
 * Who can be measured. A contender's key is `name:threads`; its process gets `{ key, adapter, threads, options }`,
 * and Node the `switches`.
 */

import { findTorch, hasRelaxedSimd, hasWideSimd, WIDE_SWITCH } from "./features.mjs";

const CONTENDERS = {
  depthwise: { adapter: "depthwise", threads: [1, 2], options: { backend: "wasm" } },
  "depthwise-relaxed": { adapter: "depthwise", threads: [1, 2], options: { backend: "wasm", simd: "relaxed" } },
  // An experimental switch of V8, which it turns on for its process.
  "depthwise-wide": { adapter: "depthwise", threads: [1, 2], options: { backend: "wasm", simd: "wide" } },
  "depthwise-simd": { adapter: "depthwise", threads: [1, 2], options: { backend: "wasm", simd: "plain" } },
  "depthwise-plain": { adapter: "depthwise", threads: [1], options: { backend: "plain" } },
  // Threads want relaxed SIMD: the library has no threaded build without it.
  litert: { adapter: "litert", threads: hasRelaxedSimd ? [1, 2] : [1], options: {} },
  "onnxruntime-web": { adapter: "onnxruntime-web", threads: [1, 2], options: {} },
  // The library switches its threads off in Node.
  "tfjs-wasm": { adapter: "tfjs-wasm", threads: [1], options: {} },
  "tfjs-cpu": { adapter: "tfjs-cpu", threads: [1], options: {} },
  // Native code.
  "onnxruntime-node": { adapter: "onnxruntime-node", threads: [1, 2], options: {} },
  pytorch: { adapter: "pytorch", threads: [1], options: {} },
  // V8's switch joins vectors of others' code too.
  "litert-wide": { adapter: "litert", threads: [1, 2], options: {}, switches: [WIDE_SWITCH] },
  "onnxruntime-web-wide": { adapter: "onnxruntime-web", threads: [1, 2], options: {}, switches: [WIDE_SWITCH] },
  "tfjs-wasm-wide": { adapter: "tfjs-wasm", threads: [1], options: {}, switches: [WIDE_SWITCH] },
  "limit-wide": { adapter: "limit", threads: [1, 2], options: { simd: "wide" } },
  "limit-relaxed": { adapter: "limit", threads: [1, 2], options: { simd: "relaxed" } },
  "limit-simd": { adapter: "limit", threads: [1, 2], options: { simd: "plain" } },
};

/** Who can take training steps. PyTorch in both of its layouts: which is the better depends on the network. */
const TRAINERS = {
  depthwise: { ...CONTENDERS.depthwise, adapter: "train-depthwise" },
  "depthwise-wide": { ...CONTENDERS["depthwise-wide"], adapter: "train-depthwise" },
  "pytorch-contiguous": { adapter: "train-pytorch", threads: [1, 2], options: { isChannelsLast: false } },
  "pytorch-channels-last": { adapter: "train-pytorch", threads: [1, 2], options: { isChannelsLast: true } },
  "tfjs-cpu": { adapter: "train-tfjs-cpu", threads: [1], options: {} },
  "jax-js": { adapter: "train-jax-js", threads: [1], options: {} },
  "limit-wide": CONTENDERS["limit-wide"],
  "limit-relaxed": CONTENDERS["limit-relaxed"],
  "limit-simd": CONTENDERS["limit-simd"],
};

/** The limit that a network's speed is a share of: the most this engine's SIMD can do. */
export const LIMIT = hasRelaxedSimd ? "limit-relaxed" : "limit-simd";

/** Peers to race against, and ourselves. */
export const OURS = "depthwise";
export const WASM_RIVALS = ["litert", "onnxruntime-web", "tfjs-wasm"];

/**
 * Contenders by their keys, without those that this engine cannot run.
 *
 * @param backend for depthwise instead of `wasm`: how the benches themselves are tried out
 */
export const contenders = (keys, settings) => chosen(CONTENDERS, keys, settings);

/** The same of those that train. */
export const trainers = (keys, settings) => chosen(TRAINERS, keys, settings);

function chosen(table, keys, { backend } = {}) {
  return keys.flatMap((key) => {
    const [name, threads = "1"] = key.split(":");
    const row = table[name];
    if (row === undefined) throw new Error(`No contender "${name}": choose from ${Object.keys(table).join(", ")}.`);
    if (!row.threads.includes(Number(threads)) || !canRun(row)) return [];
    const isOurs = row.adapter.endsWith("depthwise");
    const options = isOurs && backend !== undefined ? { backend } : { ...row.options, ...foundOptions(row) };
    return [
      {
        key: `${name}:${threads}`,
        adapter: row.adapter,
        threads: Number(threads),
        options,
        switches: row.switches ?? [],
      },
    ];
  });
}

const isTorch = ({ adapter }) => adapter.endsWith("pytorch");

function canRun({ adapter, options: { simd }, switches }) {
  if (isTorch({ adapter })) return findTorch() !== undefined;
  return simd === "wide" || switches !== undefined ? hasWideSimd : simd !== "relaxed" || hasRelaxedSimd;
}

const foundOptions = (row) => (isTorch(row) ? { python: findTorch().python } : {});

/** What an adapter needs done once, before any process is timed. */
export async function setUp(list) {
  for (const { adapter } of list) {
    const { setUp: once } = await import(`../adapters/${adapter}.mjs`);
    await once?.();
  }
}
