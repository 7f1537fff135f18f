/** Networks that pictures are drawn of: random ones, and one with the branches of MobileNet V2 and V3. */

import fc from "fast-check";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  depthwise,
  globalAveragePool,
  type Layer,
  maxPool,
  type Network,
  type NodeDefinition,
  network,
  pointwise,
  sequential,
} from "../../src/layers/index.ts";

const filters = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 2000 }) },
  fc.integer({ min: 1, max: 1e12 }),
);
/** Letters of all widths, what nobody sees, and markup. */
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).map((text) => text.replaceAll("/", "-"));

const layer: fc.Arbitrary<readonly Layer[]> = fc.oneof(
  fc.record({ filters, stride: fc.integer({ min: 1, max: 3 }) }).map((options) => [conv2d({ kernel: 3, ...options })]),
  fc.integer({ min: 1, max: 2 }).map((stride) => [depthwise({ kernel: 3, stride })]),
  fc.record({ filters }).map((options) => [pointwise(options)]),
  fc
    .record({ filters, stride: fc.integer({ min: 1, max: 2 }) })
    .map(({ stride, filters: count }) => [
      depthwise({ kernel: 5, stride }),
      batchNorm(),
      pointwise({ filters: count }),
    ]),
  fc.constant([maxPool({ kernel: 2, stride: 2 })]),
  fc.constant([activation("relu6")]),
);

/** A row of layers, with names of any letters; a classifier behind some. */
export const randomNetwork: fc.Arbitrary<Network> = fc
  .record({
    side: fc.integer({ min: 1, max: 300 }),
    channels: fc.integer({ min: 1, max: 4 }),
    layers: fc.array(layer, { minLength: 1, maxLength: 24 }),
    names: fc.uniqueArray(name, { minLength: 80, maxLength: 80 }),
    hasNames: fc.boolean(),
    hasTop: fc.boolean(),
    title: name,
  })
  .map(({ side, channels, layers, names, hasNames, hasTop, title }) => {
    const top = hasTop ? [globalAveragePool(), dense({ filters: 1000 })] : [];
    const all = [...layers.flat(), ...top].map((each, index) => {
      const given = names[index];
      return hasNames && given !== undefined && given !== "input" ? { ...each, name: given } : each;
    });
    return sequential({ inputShape: [side, side, channels], name: title }, all);
  });

/** Inverted residuals with squeeze and excitation: a small MobileNet V3. */
export function branching(): Network {
  const layers: NodeDefinition[] = [
    { name: "stem", type: "conv2d", attributes: { filters: 16, kernel: 3, stride: 2, bias: false } },
    { name: "stem_act", type: "activation", attributes: { function: "hardSwish" } },
  ];
  for (let block = 0; block < 4; block++) {
    const before = layers.at(-1)?.name ?? "";
    const named = (part: string) => `block_${block}_${part}`;
    layers.push(
      { name: named("expand"), type: "pointwiseConv2d", attributes: { filters: 64 } },
      { name: named("dw"), type: "depthwiseConv2d", attributes: { kernel: 5, stride: block === 0 ? 2 : 1 } },
      { name: named("act"), type: "activation", attributes: { function: "hardSwish" } },
      { name: named("pool"), type: "globalAveragePool", attributes: { keepDims: true } },
      { name: named("reduce"), type: "pointwiseConv2d", attributes: { filters: 16 } },
      { name: named("relu"), type: "activation", attributes: { function: "relu" } },
      { name: named("excite"), type: "pointwiseConv2d", attributes: { filters: 64 } },
      { name: named("gate"), type: "activation", attributes: { function: "hardSigmoid" } },
      { name: named("scale"), type: "multiply", inputs: [named("act"), named("gate")] },
      { name: named("project"), type: "pointwiseConv2d", attributes: { filters: 16 } },
    );
    if (block > 0) layers.push({ name: named("add"), type: "add", inputs: [named("project"), before] });
  }
  layers.push(
    { name: "pool", type: "globalAveragePool" },
    { name: "logits", type: "dense", attributes: { filters: 1000 } },
  );
  return network({ name: "small-v3", inputShape: [96, 96, 3], layers, outputs: { logits: "logits" } });
}
