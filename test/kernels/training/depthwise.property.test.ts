/**
 * The emitted kernels of depthwise layers in training against plain float64 loops, over random geometry: from memory and
 * from rows in scratch, in chunks of a few rows and of several images, on every form of SIMD.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lowerDepthwise } from "../../../src/kernels/wasm/depthwise.ts";
import { emitModule, packAll, probeFeatures, TILES } from "../../../src/kernels/wasm/index.ts";
import { groupPacking, writeSlots } from "../../../src/kernels/wasm/pack.ts";
import { firstDifference } from "../on-wasm.ts";
import { type Case, cases, FIXED, overTaps, prepare, Sums } from "./depthwise-cases.ts";
import { type Form, forward, inputGradient, packed, weightGradient } from "./depthwise-chunks.ts";
import { perImageOf, sharesOf } from "./depthwise-shares.ts";

const SEED = 20170417;
const FORMS: readonly Form[] = [false, ...(probeFeatures().relaxed ? [true] : [])].flatMap((relaxed) => [
  { relaxed, lanes: 4 },
  { relaxed, lanes: 8 },
  { relaxed, lanes: 4, general: true },
]);

/** On every form: the results are right, and all forms of one rounding give the same bits. */
function onEveryForm(run: (form: Form) => Float32Array, check: (result: Float32Array) => void): void {
  const first = new Map<boolean, Float32Array>();
  for (const form of FORMS) {
    const result = run(form);
    const same = first.get(form.relaxed);
    if (same === undefined) {
      check(result);
      first.set(form.relaxed, result);
    } else {
      const at = firstDifference(result, same);
      if (at !== -1) expect.fail(`${JSON.stringify(form)} at ${at}: ${result[at]}, expected the bits of ${same[at]}`);
    }
  }
}

/** Over random cases, and in the end over the fixed ones. */
function overCases(count: number, check: (one: Case) => void): void {
  fc.assert(fc.property(cases, check), runs(count));
  for (const one of FIXED) check(one);
}

const runs = (count: number) => ({
  numRuns: count * Math.max(1, Number(process.env["DEPTHWISE_FUZZ"] ?? 1)),
  seed: SEED,
});

describe("depthwise layers in training", () => {
  it("weights are packed as for a run, and in reverse for the input gradient", () => {
    overCases(60, (one) => {
      const run = prepare(one);
      const { layer, operands } = run;
      const taps = layer.window.kernel[0] * layer.window.kernel[1];
      const channels = layer.channels * layer.multiplier;
      for (const form of FORMS) {
        const packing = groupPacking(taps, channels, form.lanes);
        const expected = new Float32Array(packing.floats);
        writeSlots(packing.kernel, expected, 0, operands.kernel);
        writeSlots(packing.bias, expected, 0, operands.bias);
        expect(firstDifference(packed({ ...run, form }, false), expected)).toBe(-1);
        const reversed = operands.kernel.map(
          (_, i) => operands.kernel[(taps - 1 - Math.floor(i / channels)) * channels + (i % channels)]!,
        );
        writeSlots(packing.kernel, expected, 0, reversed);
        writeSlots(packing.bias, expected, 0);
        expect(firstDifference(packed({ ...run, form }, true), expected)).toBe(-1);
      }
    });
  });

  it("forward gives the bits of inference", () => {
    overCases(250, (one) => {
      const run = prepare(one);
      onEveryForm(
        (form) => {
          const result = forward({ ...run, form });
          const expected = inferred(one, form);
          const at = firstDifference(result.subarray(0, expected.length), expected);
          if (at !== -1) expect.fail(`at ${at}: ${result[at]}, expected the bits of ${expected[at]}`);
          expect(result.subarray(expected.length).every(Number.isNaN)).toBe(true);
          return result;
        },
        () => undefined,
      );
    });
  });

  it("the input gradient is that of plain loops", () => {
    overCases(250, (one) => {
      const run = prepare(one);
      const { layer, cutting, operands } = run;
      const sums = new Sums(operands.x.length);
      overTaps(layer, 0, cutting.batch * layer.window.output[0], (x, w, z) =>
        sums.add(x, operands.dz[z]! * operands.kernel[w]!),
      );
      onEveryForm(
        (form) => inputGradient({ ...run, form, activation: "linear" }),
        (result) => {
          sums.check(result);
          expect(result.subarray(sums.sum.length).every(Number.isNaN)).toBe(true);
        },
      );
    });
  });

  it("the weight gradient is that of plain loops, in partial sums of groups of chunks", () => {
    overCases(250, (one) => {
      const run = prepare(one);
      const { layer, cutting, operands } = run;
      const shares = sharesOf(layer, cutting);
      const groups = Array.from({ length: Math.ceil(shares.length / cutting.per) }, (_, group) => {
        const own = shares.slice(group * cutting.per, (group + 1) * cutting.per);
        const sums = new Sums(operands.kernel.length);
        for (const { start, end } of own)
          overTaps(layer, start, end, (x, w, z) => sums.add(w, operands.x[x]! * operands.dz[z]!));
        return { sums, hasBegun: own.some(({ start, end }) => start < end) };
      });
      const inOrder = { ...run, cutting: { ...cutting, shuffled: 0 } };
      onEveryForm(
        (form) => {
          const result = weightGradient({ ...run, form });
          const at = firstDifference(result, weightGradient({ ...inOrder, form }));
          expect(at, "another order of groups gives other bits").toBe(-1);
          return result;
        },
        (result) => {
          for (const [group, { sums, hasBegun }] of groups.entries()) {
            const from = group * operands.kernel.length;
            if (hasBegun) sums.check(result, from);
            else expect(result.subarray(from, from + operands.kernel.length).every(Number.isNaN)).toBe(true);
          }
        },
      );
    });
  });

  it("chunks cover all rows of both sides once", () => {
    fc.assert(
      fc.property(cases, ({ layer, cutting }) => {
        const { input, output } = layer.window;
        const shares = sharesOf(layer, cutting);
        const rows = (of: (share: (typeof shares)[number]) => readonly [number, number]) =>
          shares.map(of).flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
        const all = (height: number) => Array.from({ length: cutting.batch * height }, (_, i) => i);
        expect(rows(({ start, end }) => [start, end])).toEqual(all(output[0]));
        expect(rows(({ firstRow, endRow }) => [firstRow, endRow])).toEqual(all(input[0]));
        expect(perImageOf(layer, cutting)).toBeGreaterThan(0);
      }),
      runs(200),
    );
  });
});

const ofInference = new Map<string, WebAssembly.Module>();

/** The same layer on the kernel of inference. */
function inferred(one: Case, { relaxed, lanes }: Form): Float32Array {
  const { layer, cutting, operands, activation } = prepare(one);
  const { window, channels, multiplier } = layer;
  const tile = lanes === 4 ? TILES.relaxed : TILES.wide;
  const lowered = lowerDepthwise({ kernel: "depthwiseConv2d", window, channels, multiplier, activation }, tile);
  const block = 64;
  const zeros = block + lowered.blockBytes;
  const weights = zeros + lowered.zeroBytes;
  const input = weights + 4 * lowered.weights.floats;
  const output = input + operands.x.byteLength;
  const length = operands.dz.length;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((output + 4 * length) / 65_536), maximum: 65_536 });
  const floats = new Float32Array(memory.buffer);
  packAll(lowered.weights, { memory: floats, staging: 0, pack: () => undefined }, weights, {
    kernel: operands.kernel,
    bias: operands.bias,
  });
  floats.set(operands.x, input / 4);
  lowered.write(new DataView(memory.buffer), block, { inputs: [input], output, weights, zeros });
  const key = `${lowered.module} ${relaxed} ${lanes}`;
  const module =
    ofInference.get(key) ?? new WebAssembly.Module(emitModule(lowered.module, { relaxed, shared: false }, tile));
  ofInference.set(key, module);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  (exports["depthwise"] as (...words: number[]) => void)(block, 0, cutting.batch * window.output[0], cutting.batch, 0);
  return floats.slice(output / 4, output / 4 + length);
}
