/** Widths that no alpha gives, as blocks of the network's own; and the scales of a quantized graph by our layers. */

import { describe, expect, it } from "vitest";
import type { GraphNode, ModelGraph, ValueQuantization } from "../../src/formats/graph.ts";
import type { MobileNetV1Options } from "../../src/models/index.ts";
import { decodedBudget } from "../../src/sources/decoded-budget.ts";
import { decide, optionsOf } from "../../src/understand/architectures/mobilenet-v1/decide.ts";
import { understandGraph } from "../../src/understand/architectures/mobilenet-v1/from-graph.ts";
import type { FamilyDefaults } from "../../src/understand/architectures/mobilenet-v1/name-map.ts";
import { ownWidthFacts } from "../../src/understand/architectures/mobilenet-v1/own-blocks.ts";
import { layerQuantization } from "../../src/understand/graph/layer-quantization.ts";
import { type GraphOptions, mobileNetGraph, withSize } from "../fixtures/graphs.ts";

const DEFAULTS: FamilyDefaults = {
  ...{ padding: "same", epsilon: 1e-3, activation: "relu6", channelRounding: "truncate", preprocessing: {} },
  why: "the test's",
};

function decided(graph: GraphOptions, options: MobileNetV1Options = {}, hasOwnWidths = true) {
  const found = understandGraph(withSize(mobileNetGraph(graph)), "test", decodedBudget());
  if (typeof found === "string") throw new Error(found);
  return decide(
    found.parameters,
    options,
    found.facts,
    { ...DEFAULTS, ...(hasOwnWidths && { ownWidths: ownWidthFacts }) },
    "test",
  );
}

const OWN = [20, 36, 40, 52, 64, 100, 104, 108, 112, 116, 120, 200, 220];
const STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];

describe("widths that no alpha gives", () => {
  const inferred = (value: unknown) => ({ value, basis: "inferred", from: "widths of the layers" });
  const own = { alpha: 1, filters: OWN };

  it("are the network's own blocks, with the strides that are there", () => {
    const facts = decided(own);
    expect(facts).toMatchObject({
      ...{ alpha: inferred(1), channelRounding: inferred("truncate"), stem: inferred({ stride: 2, filters: 32 }) },
      blocks: inferred(OWN.map((filters, i) => ({ stride: STRIDES[i], filters }))),
    });
    expect(facts).not.toHaveProperty("shallow");
  });

  it("are not asked for where an alpha gives them", () => {
    for (const alpha of [0.25, 0.33, 1]) {
      const facts = decided({ alpha });
      expect(facts.alpha?.value).toBe(alpha);
      for (const name of ["blocks", "stem"]) expect(facts).not.toHaveProperty(name);
    }
  });

  it("are those of the alpha that fits most layers, where the file or the caller says how widths are made", () => {
    for (const facts of [
      decided(own, {}, false),
      decided(own, { channelRounding: "floor" }),
      decided(own, { minDepth: 8 }),
    ]) {
      for (const name of ["blocks", "stem"]) expect(facts).not.toHaveProperty(name);
    }
    expect(decided(own, { channelRounding: "floor" }).channelRounding).toMatchObject({
      value: "floor",
      basis: "given",
    });
  });

  it("are looked for under the rounding that is said alone", () => {
    expect(decided({ alpha: 0.3 }).alpha?.value).toBe(0.3);
    expect(decided({ alpha: 0.3 }, { channelRounding: "divisible8" }).alpha?.value).toBe(1);
  });

  it("of eight blocks are no shallow network any more, unless the caller says that it is one", () => {
    const short = { alpha: 1, blocks: 8, strides: [1, 2, 1, 2, 1, 2, 2, 1], filters: OWN.slice(0, 8) };
    const facts = decided(short);
    expect(facts.shallow).toEqual(inferred(false));
    expect(facts.blocks?.value).toHaveLength(8);
    const paper = { ...short, alpha: 0.25, filters: [64, 128, 128, 256, 256, 512, 1024, 1024] };
    expect(optionsOf(decided(paper))).toMatchObject({ shallow: true, alpha: 0.25 });
    const asked = decided(short, { shallow: true });
    expect(asked.shallow).toMatchObject({ value: true, basis: "given" });
    expect(asked.blocks?.value).toHaveLength(13);
  });
});

describe("scales of a quantized graph", () => {
  const scale = (value: number): ValueQuantization => ({ dtype: "uint8", scale: [value], zeroPoint: [0] });
  const node = (name: string, ...inputs: string[]): GraphNode => {
    return { name, operation: { type: "identity" }, inputs, outputs: [name] };
  };
  const graph = (values: Readonly<Record<string, ValueQuantization>>, outputs = ["b"]): ModelGraph => ({
    ...{ kind: "graph", inputs: [{ name: "x" }], constants: new Map(), outputs },
    nodes: [node("a", "x", "w", "v"), node("b", "a", "u")],
    quantization: new Map(Object.entries(values)),
  });
  const names = new Map([
    ["conv1", "a"],
    ["conv2", "b"],
    ["conv3", "c"],
  ]);

  it("are the input's, kernel's and bias's of each layer, and the result's", () => {
    const values = { x: scale(1), w: scale(2), v: scale(3), a: scale(4), u: scale(5), b: scale(6) };
    expect(layerQuantization(graph(values), names)).toStrictEqual({
      conv1: { input: scale(1), kernel: scale(2), bias: scale(3) },
      conv2: { input: scale(4), kernel: scale(5) },
      conv3: {},
      result: scale(6),
    });
    expect(layerQuantization(graph({ w: scale(2) }), names)).toStrictEqual({
      ...{ conv1: { kernel: scale(2) }, conv2: {}, conv3: {} },
    });
    expect(layerQuantization(graph(values))).toStrictEqual({ result: scale(6) });
    expect(layerQuantization(graph({ w: scale(2) }, []), new Map())).toStrictEqual({});
  });

  it("are none of a graph that has none", () => {
    expect(layerQuantization(graph({}), names)).toBeUndefined();
    const { quantization: _none, ...plain } = graph({});
    expect(layerQuantization(plain, names)).toBeUndefined();
  });
});
