import { describe, expect, it } from "vitest";
import { Breath } from "../../../src/core/breath.ts";
import { ExampleStore } from "../../../src/train/few-shot/example-store.ts";
import { fitProbe, probeProbabilities } from "../../../src/train/few-shot/linear-probe.ts";
import { minimise } from "../../../src/train/few-shot/minimise.ts";
import { indexNeighbours, nearestProbabilities } from "../../../src/train/few-shot/nearest-examples.ts";
import { centreOf, Pause, toUnitLength } from "../../../src/train/few-shot/unit-rows.ts";
import { counted } from "./shapes.ts";

const pause = () => new Pause(new Breath(performance.now()), undefined);

/** Rows of length 1 around a centre for each class. */
function clouds(examples: number, width: number, classes: number, noise = 1, seed = 1): ExampleStore {
  const next = counted(seed);
  const centres = Array.from({ length: classes }, () => Array.from({ length: width }, next));
  const store = new ExampleStore(width);
  for (let i = 0; i < examples; i++) {
    const row = Float32Array.from(centres[i % classes]!, (value) => value + noise * (next() - 0.5));
    toUnitLength(row);
    store.append(row, i % classes);
  }
  return store;
}

const rowsOf = (store: ExampleStore) =>
  [...store.blocks()].flatMap(({ rows, classes, count }) =>
    Array.from({ length: count }, (_, i) => ({
      row: rows.slice(i * store.width, (i + 1) * store.width),
      kind: classes[i]!,
    })),
  );

describe("the linear probe", () => {
  it("ends where every derivative of the loss is nearly 0, those by differences too", async () => {
    const [width, classes, penalty] = [7, 5, 0.01];
    const store = clouds(40, width, classes, 2);
    const { probe } = await fitProbe(store, classes, penalty, pause());
    const { spread, mean } = await centreOf(store, pause());
    const all = rowsOf(store);
    /** The loss as the formula says it, of V = kernel · spread and b = bias + kernel · mean. */
    const loss = (v: Float64Array): number => {
      let sum = 0;
      for (const { row, kind } of all) {
        const z = Array.from({ length: classes }, (_, c) => {
          let value = v[classes * width + c]!;
          for (let i = 0; i < width; i++) value += (v[c * width + i]! * (row[i]! - mean[i]!)) / spread;
          return value;
        });
        sum += Math.log(z.reduce((all, value) => all + Math.exp(value), 0)) - z[kind]!;
      }
      const squares = v.subarray(0, classes * width).reduce((all, value) => all + value * value, 0);
      return sum / all.length + (penalty / 2) * squares;
    };
    const v = new Float64Array(classes * width + classes);
    for (let c = 0; c < classes; c++) {
      let ofMean = 0;
      for (let i = 0; i < width; i++) {
        v[c * width + i] = probe.kernel[c * width + i]! * spread;
        ofMean += probe.kernel[c * width + i]! * mean[i]!;
      }
      v[classes * width + c] = probe.bias[c]! + ofMean;
    }
    const step = 1e-5;
    for (let i = 0; i < v.length; i++) {
      const derivative = [1, -1].map((sign) => {
        const moved = v.slice();
        moved[i]! += sign * step;
        return loss(moved);
      });
      expect(Math.abs((derivative[0]! - derivative[1]!) / (2 * step))).toBeLessThan(4e-4);
    }
  });

  it("gives the bits that it gave when this was written", async () => {
    const { probe, iterations } = await fitProbe(clouds(60, 9, 6), 6, 0.001, pause());
    const words = new Int32Array(probe.kernel.buffer);
    expect([iterations, words.reduce((hash, word) => Math.imul(hash ^ word, 0x01000193), 1)]).toMatchInlineSnapshot(`
      [
        24,
        75798305,
      ]
    `);
  });

  it("trains a hundred examples of 1,024 features and ten classes with less than 0.1 G products", async () => {
    const store = clouds(100, 1024, 10, 2);
    const { accuracy, multAdds, iterations } = await fitProbe(store, 10, 0.001, pause());
    expect(accuracy).toBe(1);
    expect(iterations).toBeGreaterThan(3);
    expect(multAdds).toBeLessThan(1e8);
  });

  it("trains to the end where classes are alike, or all examples are one", async () => {
    const store = new ExampleStore(4);
    for (let i = 0; i < 6; i++) store.append(Float32Array.of(0.5, 0.5, 0.5, 0.5), i % 2);
    const { probe, loss } = await fitProbe(store, 2, 0.001, pause());
    expect(loss).toBeCloseTo(Math.log(2), 6);
    expect([...probeProbabilities(probe, Float32Array.of(1, 0, 0, 0))]).toEqual([0.5, 0.5]);
    const lopsided = new ExampleStore(2);
    for (let i = 0; i < 10; i++) lopsided.append(Float32Array.of(0, 0), i === 0 ? 1 : 0);
    const told = await fitProbe(lopsided, 2, 0.001, pause());
    expect(probeProbabilities(told.probe, Float32Array.of(0, 0))[1]).toBeCloseTo(0.1, 3);
  });

  it("hears of an abort in the middle", async () => {
    const aborting = new AbortController();
    const breath = { isDue: true, take: async () => aborting.abort("stop") };
    const work = fitProbe(clouds(50, 8, 2), 2, 0.001, new Pause(breath as unknown as Breath, aborting.signal));
    await expect(work).rejects.toBe("stop");
  });
});

describe("minimise", () => {
  it("finds the least value of a long valley", async () => {
    const scales = Float64Array.from({ length: 20 }, (_, i) => 10 ** (i / 10));
    const found = await minimise(
      async (at, gradient) => {
        let value = 0;
        for (const [i, scale] of scales.entries()) {
          const distance = at[i]! - i;
          value += (scale * distance * distance) / 2;
          gradient[i] = scale * distance;
        }
        return value;
      },
      new Float64Array(20),
      { tolerance: 1e-8, maxIterations: 500 },
    );
    expect(found).toMatchObject({ hasConverged: true });
    for (const [i, value] of found.at.entries()) expect(value).toBeCloseTo(i, 6);
    expect(found.iterations).toBeLessThan(90);
  });

  it("ends where no number comes back, and where it may go no further", async () => {
    const start = new Float64Array(2);
    const options = { tolerance: 1e-8, maxIterations: 5 };
    const downhill = (valueAt: (at: Float64Array) => number) => async (at: Float64Array, gradient: Float64Array) => {
      gradient.fill(1);
      return valueAt(at);
    };
    const nowhere = await minimise(
      downhill(() => NaN),
      start,
      options,
    );
    expect([nowhere.iterations, nowhere.hasConverged]).toEqual([0, false]);
    const endless = await minimise(
      downhill((at) => at[0]! + at[1]!),
      start,
      options,
    );
    expect([endless.iterations, endless.hasConverged]).toEqual([5, false]);
  });
});

describe("nearest neighbours", () => {
  it("votes as the formula says, for every number of neighbours", async () => {
    const [width, classes] = [6, 4];
    const store = clouds(30, width, classes, 3);
    const index = await indexNeighbours(store, pause());
    const [query] = rowsOf(clouds(1, width, 1, 3, 9));
    const { mean } = await centreOf(store, pause());
    const away = (row: Float32Array) => {
      const moved = [...row].map((value, i) => value - mean[i]!);
      const length = Math.hypot(...moved);
      return moved.map((value) => value / length);
    };
    const own = away(query!.row);
    const cosines = rowsOf(store).map(({ row, kind }) => ({
      kind,
      cosine: away(row).reduce((sum, value, i) => sum + value * own[i]!, 0),
    }));
    cosines.sort((a, b) => b.cosine - a.cosine);
    for (const neighbours of [1, 5, 30, 100]) {
      const votes = new Array(classes).fill(0);
      for (const { kind, cosine } of cosines.slice(0, neighbours)) votes[kind] += Math.exp(cosine / 0.2);
      const all = votes.reduce((sum, vote) => sum + vote, 0);
      const found = nearestProbabilities(store, index, query!.row, { classes, neighbours });
      expect([...found]).toEqual(votes.map((vote) => expect.closeTo(vote / all, 5)));
    }
  });

  it("lets equals vote equally, and examples that are the mean of all", async () => {
    const store = new ExampleStore(2);
    for (let i = 0; i < 4; i++) store.append(Float32Array.of(1, 0), i % 2);
    const index = await indexNeighbours(store, pause());
    const found = nearestProbabilities(store, index, Float32Array.of(0, 1), { classes: 2, neighbours: 10 });
    expect([...found]).toEqual([0.5, 0.5]);
  });
});
