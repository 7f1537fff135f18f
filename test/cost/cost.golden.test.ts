import { expect, it } from "vitest";
import { CONVENTIONS, type ConventionName, cost, paper } from "../../src/cost/index.ts";
import { type MobileNetV1Options, mobileNetV1 } from "../../src/models/index.ts";
import { readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface CountedLayer {
  readonly name: string;
  readonly kernel: readonly number[];
  readonly stride: number;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly multAdds: number;
  readonly weights: number;
  readonly bias: number;
  readonly bnTrainable: number;
  readonly bnMoving: number;
  readonly outputBytes: number;
}

interface Totals {
  readonly multAdds: number;
  readonly bodyMultAdds: number;
  readonly weights: number;
  readonly bodyWeights: number;
  readonly parameters: number;
  readonly trainable: number;
  readonly withMoving: number;
}

interface Paper {
  readonly counted: {
    readonly layers: Record<string, readonly CountedLayer[]>;
    readonly grid: Record<
      string,
      { readonly 1000: Totals; readonly 1001: Totals; readonly largestPair: { readonly bytes: number } }
    >;
    readonly fullConvolution: Totals;
    readonly shallow: Totals;
    readonly minDepth16: Record<string, Totals>;
    readonly table3: Record<string, { readonly multAdds: number; readonly weights: number }>;
    readonly conventions: Record<
      string,
      Record<string, { readonly ops: number | null; readonly params: number | null; readonly trainable?: number }>
    >;
  };
  readonly errata: readonly {
    readonly number: number;
    readonly kind: string;
    readonly confidence: string;
    readonly countedRounded?: string;
  }[];
  readonly slim: {
    readonly checkpoints: readonly {
      readonly name: string;
      readonly macs: string;
      readonly countedMacs1001: number;
      readonly countedParams1001: number;
    }[];
    readonly macsThatDiffer: Record<string, string>;
  };
}

const none = { counted: { layers: {}, grid: {}, minDepth16: {}, table3: {}, conventions: {} }, errata: [] };

describeShared("counts, to the digit", () => {
  const golden = (sharedRoot === undefined ? none : readJson<Paper>("paper.json")) as Paper;
  const optionsOf = (name: string): MobileNetV1Options => {
    const [alpha = "", resolution = ""] = name.split("-");
    return { alpha: Number(alpha), resolution: Number(resolution) };
  };

  it.each(Object.entries(golden.counted.layers))("every layer of %s", (name, expected) => {
    const keras = new Map(
      cost(mobileNetV1(optionsOf(name)), { convention: "keras" }).layers.map((layer) => [layer.name, layer]),
    );
    const layers = cost(mobileNetV1(optionsOf(name))).layers.filter(({ multAdds }) => multAdds !== 0);
    expect(layers.map((layer) => layer.name)).toEqual(expected.map((layer) => layer.name));
    for (const [i, layer] of layers.entries()) {
      const { input, output, multAdds, weights, bias, bnTrainable, bnMoving, outputBytes, kernel, stride } =
        expected[i]!;
      expect(layer).toMatchObject({
        inputShape: input,
        outputShape: output,
        multAdds,
        parameters: weights,
        activationBytes: outputBytes,
      });
      if (layer.kernel !== undefined) expect([layer.kernel, layer.stride]).toEqual([kernel, [stride, stride]]);
      expect(keras.get(layer.name)?.parameters).toBe(weights + bias + bnTrainable + bnMoving);
      expect(keras.get(layer.name)?.trainableParameters).toBe(weights + bias + bnTrainable);
    }
  });

  const check = (options: MobileNetV1Options, expected: Totals) => {
    const body = { ...options, includeTop: false } as const;
    expect(cost(mobileNetV1<MobileNetV1Options>(options)).totals).toMatchObject({
      multAdds: expected.multAdds,
      parameters: expected.weights,
    });
    expect(cost(mobileNetV1<MobileNetV1Options>(body)).totals).toMatchObject({
      multAdds: expected.bodyMultAdds,
      parameters: expected.bodyWeights,
    });
    expect(cost(mobileNetV1<MobileNetV1Options>(options), { convention: "keras" }).totals).toMatchObject({
      multAdds: null,
      parameters: expected.withMoving,
      trainableParameters: expected.trainable,
    });
  };

  it.each(Object.entries(golden.counted.grid))(
    "totals of %s with 1000 and 1001 classes, body, peak",
    (name, expected) => {
      check(optionsOf(name), expected[1000]);
      check({ ...optionsOf(name), classes: 1001 }, expected[1001]);
      expect(cost(mobileNetV1(optionsOf(name))).totals.peakActivationBytes).toBe(expected.largestPair.bytes);
    },
  );

  it("totals of the twin, the shallow network and a floor of 16 channels", () => {
    check({ standardConvolution: true }, golden.counted.fullConvolution);
    check({ shallow: true }, golden.counted.shallow);
    for (const [resolution, expected] of Object.entries(golden.counted.minDepth16)) {
      check({ alpha: 0.25, resolution: Number(resolution), channelRounding: "floor", minDepth: 16 }, expected);
    }
  });

  it("the single layers of table 3", () => {
    const rows = paper().tables.find(({ name }) => name === "Table 3")!.rows;
    const counted = Object.fromEntries(
      rows.map(({ label, cells }) => [label, { multAdds: cells[0]!.counted, weights: cells[1]!.counted }]),
    );
    expect(counted).toEqual(golden.counted.table3);
  });

  /** The reference names versions; the first version of a tool has the plain name here. */
  const OURS: Record<string, ConventionName> = {
    "thop-0.1.1": "thop",
    "thop-0.1.1-fixed-pool": "thop-fixed-pool",
    "ptflops-0.7.6": "ptflops",
    "ptflops-0.7.6-relu": "ptflops-relu",
    "ptflops-0.7.6-no-functional": "ptflops-no-functional",
    "ptflops-0.7.6-aten": "ptflops-aten",
    "fvcore-0.1.6": "fvcore",
    "fvcore-0.1.6-fixed-pool": "fvcore-fixed-pool",
  };

  it.each(Object.entries(golden.counted.conventions))("all conventions on %s", (name, expected) => {
    for (const [theirs, { ops, params, trainable }] of Object.entries(expected)) {
      const convention = OURS[theirs] ?? (theirs as ConventionName);
      const { totals } = cost(mobileNetV1(optionsOf(name)), { convention });
      expect([convention, totals.multAdds]).toEqual([convention, ops]);
      if (params !== null) expect([convention, totals.parameters]).toEqual([convention, params]);
      if (trainable !== undefined) expect(totals.trainableParameters).toBe(trainable);
    }
    expect(Object.keys(CONVENTIONS).sort()).toEqual(
      Object.keys(expected)
        .map((key) => OURS[key] ?? key)
        .sort(),
    );
  });

  it("errata: the same numbers and confidences, the same rounded counts", () => {
    const report = paper();
    expect(report.errata.map(({ number, confidence }) => [number, confidence])).toEqual(
      golden.errata.map(({ number, confidence }) => [number, confidence]),
    );
    const cells = report.tables.flatMap(({ rows }) => rows.flatMap((row) => row.cells));
    const differing = cells.filter(({ agrees, erratum }) => agrees === false && erratum !== undefined && erratum > 1);
    expect(
      differing.map(({ erratum, rounded }) => [erratum, rounded]).sort(([a], [b]) => Number(a) - Number(b)),
    ).toEqual(
      golden.errata
        .filter(({ kind }) => kind === "figure")
        .map(({ number, countedRounded }) => [number, countedRounded]),
    );
    expect(report.summary).toEqual({ recounted: 68, agree: 56, differ: 12 });
  });

  it("TF-slim's sixteen checkpoints", () => {
    const { rows } = paper().tables.find(({ name }) => name === "TF-slim checkpoints")!;
    const byName = new Map(rows.map((row) => [row.label, row.cells]));
    for (const { name, countedMacs1001, countedParams1001 } of golden.slim.checkpoints) {
      const [macs, parameters] = byName.get(name)!;
      expect(macs).toMatchObject({ counted: countedMacs1001, agrees: !(name in golden.slim.macsThatDiffer) });
      expect(parameters).toMatchObject({ counted: countedParams1001, agrees: true });
    }
    expect(rows).toHaveLength(16);
  });
});
