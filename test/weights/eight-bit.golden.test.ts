/** @slow: it takes 20 seconds. */

/**
 * Real networks with kernels in 8-bit integers, batch norm folded away, on the reference's photographs: the same label
 * where the first is ten times as probable as the second, and how far the logits move.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { Network } from "../../src/layers/index.ts";
import { compile } from "../../src/session/compile.ts";
import { foldBatchNorm } from "../../src/weights/fold-batch-norm.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const root = sharedRoot ?? "";

/** Logits of all the reference's pictures, one row each. */
async function logitsOf(model: Network): Promise<readonly Float32Array[]> {
  const [side = 0] = model.inputShape;
  const bytes = readFileSync(join(root, "reference", `inputs-${side}.bin`));
  const size = side * side * 3;
  const session = await compile(model, { backend: "wasm", threads: 1 });
  const rows: Float32Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const { logits } = await session.run(Float32Array.from(bytes.subarray(at, at + size), (byte) => byte / 127.5 - 1));
    rows.push(logits!.data);
  }
  session.close();
  return rows;
}

/** The label, and how many times as probable it is as the next. */
function best(row: Float32Array) {
  const [first = 0, second = 0] = [...row].sort((a, b) => b - a);
  return { label: row.indexOf(first), lead: Math.exp(first - second) };
}

function difference(a: readonly Float32Array[], b: readonly Float32Array[]) {
  const all = a.flatMap((row, p) => Array.from(row, (value, i) => Math.abs(value - b[p]![i]!)));
  const largest = all.reduce((most, value) => Math.max(most, value), 0);
  return { largest, mean: all.reduce((sum, value) => sum + value, 0) / all.length };
}

/** Networks, how many pictures they are sure of, and how far the mean logit may move: what was measured, rounded up. */
const NETWORKS = [
  ["mobilenet_v1_0.25_128", 3, 0.3],
  ["mobilenet_v1_0.25_224_f16", 7, 0.8],
  ["mobilenet_v1_0.25_224_unfolded", 8, 0.7],
  ["mobilenet_v1_1.0_224_f16", 9, 0.3],
] as const;

describeShared("real networks stored in I8", () => {
  const table: string[] = [];
  afterAll(() => console.log(table.join("\n")));

  it.each(NETWORKS)("%s sees what it saw where it was sure", async (name, sure, mean) => {
    const model = await loadModel(join(root, "derived", `${name}.safetensors`));
    const bytes = encodeModel(foldBatchNorm(model), { dtype: "I8" });
    const [before, after] = [await logitsOf(model), await logitsOf(await loadModel(bytes))];
    const moved = difference(before, after);
    const isSame = before.map((row, p) => best(row).label === best(after[p]!).label);
    const clear = before.flatMap((row, p) => (best(row).lead > 10 ? [p] : []));
    table.push(
      `${name}: ${bytes.length.toLocaleString("en-US")} bytes; logits move ${moved.mean.toFixed(3)} in the mean, ${moved.largest.toFixed(2)} at most; the same label on ${isSame.filter(Boolean).length} of ${isSame.length} photographs, of which ${clear.length} are clear`,
    );
    expect(clear.length).toBeGreaterThanOrEqual(sure);
    expect(clear.filter((p) => !isSame[p])).toEqual([]);
    expect(moved.mean).toBeLessThan(mean);
  });

  it("batch norm folded away moves logits by rounding alone", async () => {
    const model = await loadModel(join(root, "derived", "mobilenet_v1_0.25_224_unfolded.safetensors"));
    const folded = foldBatchNorm(model);
    expect(folded.parameterInfo.size).toBeLessThan(model.parameterInfo.size);
    expect(difference(await logitsOf(model), await logitsOf(folded)).largest).toBeLessThan(1e-4);
  });
});
