/** Bars of what layers cost: numbers are those of `cost`, lengths are to scale. */

import { describe, expect, it } from "vitest";
import { type Convention, cost } from "../../src/cost/index.ts";
import { drawCost } from "../../src/draw/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { activation, conv2d, pointwise, sequential } from "../../src/layers/index.ts";
import { contentOf, shapesOf } from "./texts.ts";

/** Bars: rectangles with something to say. */
const barsOf = (picture: ReturnType<typeof drawCost>) =>
  shapesOf(picture).filter(({ tag, children }) => tag === "rect" && children.length > 0);
const saidIn = (picture: ReturnType<typeof drawCost>) =>
  shapesOf(picture)
    .filter(({ tag }) => tag === "text")
    .map(contentOf);

const model = mobileNetV1({ alpha: 0.5, resolution: 160 });
const counted = cost(model);
const costing = counted.layers.filter(({ parameters }) => parameters > 0);

describe("a picture of costs", () => {
  const picture = drawCost(model);

  it("has a row a layer that costs something, with the numbers of the count", () => {
    expect(picture.table.rows.map(([name]) => name)).toEqual(costing.map(({ name }) => name));
    const count = (value: number | null) => value?.toLocaleString("en-US");
    expect(picture.table.rows.map((row) => [row[2], row[4]])).toEqual(
      costing.map(({ multAdds, parameters }) => [count(multAdds), count(parameters)]),
    );
    expect(saidIn(picture)).toContain(
      `${count(counted.totals.multAdds)} mult-adds, ${count(counted.totals.parameters)} parameters`,
    );
    expect(saidIn(picture)).toContain("Not shown: 2 layers without a cost by this convention.");
  });

  it("has bars as long as they cost, in the colour of their kind", () => {
    const bars = barsOf(picture);
    expect(bars).toHaveLength(2 * costing.length);
    const most = Math.max(...costing.map(({ multAdds }) => multAdds ?? 0));
    const longest = Math.max(
      ...bars.filter((_, index) => index % 2 === 0).map(({ attributes }) => Number(attributes["width"])),
    );
    for (const [index, layer] of costing.entries()) {
      const { width, class: look } = bars[2 * index]!.attributes;
      const expected = Math.max(1, (longest * (layer.multAdds ?? 0)) / most);
      expect(Math.abs(Number(width) - expected)).toBeLessThanOrEqual(0.1);
      const kind = { conv2d: "standard", depthwiseConv2d: "depthwise", pointwiseConv2d: "pointwise" }[
        layer.type as string
      ];
      expect(look).toBe(layer.name === "conv_preds" ? "dense" : kind);
    }
  });

  it("says what each kind costs together", () => {
    const said = saidIn(picture);
    const share = (value: number | null | undefined) => `${(100 * (value ?? 0)).toFixed(1)} %`;
    const { "Conv 1x1": ofPointwise } = counted.byType;
    expect(said.some((text) => text.endsWith(` · ${share(ofPointwise?.multAddsShare)}`))).toBe(true);
    expect(said.some((text) => text.endsWith(` · ${share(ofPointwise?.parametersShare)}`))).toBe(true);
  });

  it("of a convention that counts no operation shows parameters alone", () => {
    const keras = drawCost(model, { convention: "keras" });
    expect(keras.table.titles).toEqual(["layer", "kind", "parameters", "share"]);
    expect(barsOf(keras)).toHaveLength(costing.length);
    expect(saidIn(keras)).toContain(
      "1,330,856 parameters (the convention counts no operations)".replace(
        "1,330,856",
        cost(model, { convention: "keras" }).totals.parameters.toLocaleString("en-US"),
      ),
    );
    expect(saidIn(keras).filter((text) => text.includes("mult-adds"))).toEqual([]);
  });

  it("names operations as the convention does, one of one's own too", () => {
    expect(saidIn(drawCost(model, { convention: "thop" }))).toContain("MACs");
    const own: Convention = {
      ...{ name: "mine", word: "steps", source: "here", parameters: {} },
      operations: { conv2d: () => -5, pointwiseConv2d: () => 7 },
    };
    const picture = drawCost(model, { convention: own, language: "ko" });
    expect(saidIn(picture)).toContain("steps");
    // What is below nothing has no bar.
    expect(barsOf(picture).every(({ attributes }) => Number(attributes["width"]) > 0)).toBe(true);
  });

  it("of a network of one layer, and of one that costs nothing, is whole", () => {
    const one = drawCost(sequential({ inputShape: [8, 8, 3] }, [conv2d({ filters: 2, kernel: 3 })]));
    expect(one.table.rows).toHaveLength(1);
    const none = drawCost(sequential({ inputShape: [8, 8, 3] }, [activation("relu")]));
    expect(none.table.rows).toEqual([]);
    expect(saidIn(none)).toContain("No layer costs anything by this convention.");
  });

  it("of more than 200 layers has those that cost most, and the rest in one row", () => {
    const layers = Array.from({ length: 230 }, (_, index) =>
      pointwise({ filters: 8 + (index % 40), name: `layer_${index}` }),
    );
    const long = sequential({ inputShape: [4, 4, 8] }, layers);
    const picture = drawCost(long);
    const bars = barsOf(picture);
    expect(bars).toHaveLength(400);
    expect(picture.table.rows).toHaveLength(230);
    expect(saidIn(picture).filter((text) => text === "31 layers that cost less")).toHaveLength(1);
    const smallest = [...cost(long).layers].sort((a, b) => (a.multAdds ?? 0) - (b.multAdds ?? 0)).slice(0, 31);
    const rest = smallest.reduce((sum, { multAdds }) => sum + (multAdds ?? 0), 0);
    expect(saidIn(picture).some((text) => text.startsWith(`${(rest / 1e3).toPrecision(3)} k · `))).toBe(true);
  });

  it("writes names without what all begin with", () => {
    const named = ["first", "second"].map((name) => pointwise({ filters: 4, name: `MobilenetV1_${name}` }));
    const picture = drawCost(sequential({ inputShape: [4, 4, 3] }, named));
    expect(saidIn(picture)).toEqual(expect.arrayContaining(["…first", "…second"]));
    expect(picture.table.rows.map(([name]) => name)).toEqual(["MobilenetV1_first", "MobilenetV1_second"]);
  });
});

it("refuses a convention and an option that are not there", () => {
  expect(() => drawCost(model, { convention: "papre" as never })).toThrow(/convention.*Did you mean "paper"/s);
  expect(() => drawCost(model, { languages: "en" } as never)).toThrow(/drawCost: unknown option "languages"/);
});
