/** Networks whose names say little or nothing: every tensor at its place, or the reason why not. */

import { describe, expect, it } from "vitest";
import { expectedLayers } from "../../src/understand/architectures/mobilenet-v1/expected.ts";
import { sequenceByShape } from "../../src/understand/architectures/mobilenet-v1/names/by-order.ts";

type Tensors = Map<string, { shape: number[] }>;
type Entry = readonly [theirs: string, shape: number[], ours: string, layout?: string];

const FILTERS = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
const SHALLOW = [...FILTERS.slice(0, 6), ...FILTERS.slice(11)];
const search = { known: {}, layersOf: expectedLayers };
const NORM = ["gamma", "beta", "moving_mean", "moving_variance"];

interface Style {
  /** Names of the stem, and of each block's depthwise (2i) and pointwise (2i + 1) layer; then the classifier. */
  readonly kernel: (layer: number) => string;
  readonly bias?: (layer: number) => string;
  /** Of gamma, beta, mean and variance. */
  readonly norm?: (layer: number, value: number) => string;
  readonly classifier?: readonly [kernel: string, bias: string];
  readonly torch: boolean;
  readonly dense?: boolean;
  readonly alpha?: number;
  readonly filters?: readonly number[];
  readonly classes?: number;
  readonly input?: number;
}

/** A network in the order of its layers. Layer 0 is the stem, 2i − 1 the depthwise of block i, 2i its pointwise. */
function network(style: Style): Entry[] {
  const {
    kernel,
    bias,
    norm,
    classifier,
    torch,
    dense,
    alpha = 0.25,
    filters = FILTERS,
    classes = 7,
    input = 3,
  } = style;
  const entries: Entry[] = [];
  const layer = (i: number, ours: string, parameter: string, shape: number[], layout: string, outputs: number) => {
    entries.push([kernel(i), shape, `${ours}/${parameter}`, layout]);
    if (bias !== undefined) entries.push([bias(i), [outputs], `${ours}/bias`]);
    for (const [value, name] of norm === undefined ? [] : NORM.entries()) {
      entries.push([norm?.(i, value) ?? "", [outputs], `${ours}_bn/${name}`]);
    }
  };
  let channels = 32 * alpha;
  const stem = torch ? [channels, input, 3, 3] : [3, 3, input, channels];
  layer(0, "conv1", "kernel", stem, torch ? "oihw" : "as-is", channels);
  for (const [i, full] of filters.entries()) {
    const outputs = full * alpha;
    const depthwise = torch ? [channels, 1, 3, 3] : [3, 3, channels, 1];
    const layout = torch ? "depthwise-oihw" : "as-is";
    layer(2 * i + 1, `conv_dw_${i + 1}`, "depthwise_kernel", depthwise, layout, channels);
    const pointwise = torch ? [outputs, channels, 1, 1] : [1, 1, channels, outputs];
    layer(2 * i + 2, `conv_pw_${i + 1}`, "kernel", pointwise, torch ? "oihw" : "as-is", outputs);
    channels = outputs;
  }
  if (classifier === undefined) return entries;
  const matrix = torch ? [classes, channels] : [channels, classes];
  const convolution = torch ? [...matrix, 1, 1] : [1, 1, ...matrix];
  const layout = dense === false ? (torch ? "oihw" : "as-is") : torch ? "linear" : "dense";
  entries.push([classifier[0], dense === false ? convolution : matrix, "conv_preds/kernel", layout]);
  return [...entries, [classifier[1], [classes], "conv_preds/bias"]];
}

const tensors = (entries: readonly Entry[]): Tensors => new Map(entries.map(([name, shape]) => [name, { shape }]));

function expectPlaced(entries: readonly Entry[], isOrdered: boolean, order = entries) {
  const found = sequenceByShape(tensors(order), isOrdered, search);
  if ("reason" in found) throw new Error(found.reason);
  expect(Object.fromEntries(found.targets)).toEqual(
    Object.fromEntries(entries.map(([theirs, , ours, layout = "as-is"]) => [theirs, { name: ours, layout }])),
  );
  return found;
}

function reason(entries: readonly Entry[], isOrdered = true): string {
  const found = sequenceByShape(tensors(entries), isOrdered, search);
  if ("targets" in found) throw new Error("All tensors were placed.");
  return found.reason;
}

const sorted = (entries: readonly Entry[]) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
const TORCH_NORM = ["weight", "bias", "running_mean", "running_var"];
const anything = (() => {
  let count = 0;
  return () => `t${count++}`;
})();

/** As a copy of torchvision's V2 would name it: pairs of layers in places 0 to 5. */
const torchvision: Style = {
  torch: true,
  kernel: (i) => (i === 0 ? "features.0.0.weight" : `features.${(i + 1) >> 1}.${i % 2 === 1 ? 0 : 3}.weight`),
  norm: (i, value) => `features.${(i + 1) >> 1}.${i === 0 || i % 2 === 1 ? 1 : 4}.${TORCH_NORM[value]}`,
  classifier: ["classifier.1.weight", "classifier.1.bias"],
};

const numbered = (name: string, i: number) => (i === 0 ? name : `${name}_${i}`);
/** As Keras names layers that were given no name: by class and number. */
const keras: Style = {
  torch: false,
  kernel: (i) =>
    i % 2 === 1
      ? `${numbered("depthwise_conv2d", i >> 1)}/depthwise_kernel:0`
      : `${numbered("conv2d", i / 2)}/kernel:0`,
  norm: (i, value) => `${numbered("batch_normalization", i)}/${NORM[value]}:0`,
  classifier: ["dense/kernel:0", "dense/bias:0"],
};

describe("a state dict in its order", () => {
  it("of torchvision's kind is placed", () => {
    const found = expectPlaced(network(torchvision), true);
    expect(found.layout).toBe("PyTorch");
    expect(found.defaults).toMatchObject({ padding: "symmetric", epsilon: 1e-5, activation: "relu" });
    expect(found.defaults.why).toMatch(/^as most PyTorch code/);
  });

  it("without any sense in its names is placed by order alone", () => {
    const names = { kernel: anything, norm: anything, classifier: [anything(), anything()] as const };
    for (const bias of [undefined, anything]) {
      for (const torch of [true, false]) {
        expectPlaced(network({ ...names, torch, ...(bias === undefined ? {} : { bias }) }), true);
      }
    }
  });

  it("with biases that say so, and batch norms that say nothing, is placed by order", () => {
    const kernel = (i: number) => `l${i}.weight`;
    expectPlaced(network({ torch: true, kernel, bias: (i) => `l${i}.bias`, norm: anything }), true);
    const wrong = network({ torch: true, kernel, bias: (i) => `l${i}.gamma`, norm: anything });
    expect(reason(wrong)).toMatch(/the 5 vectors after "l0\.weight" are neither/);
  });

  it("of other widths, classes, depths, heads and inputs is placed", () => {
    const names = { kernel: anything, norm: anything };
    for (const torch of [true, false]) {
      expectPlaced(network({ ...names, torch, alpha: 1, classifier: [anything(), anything()], classes: 1001 }), true);
      expectPlaced(network({ ...names, torch }), true);
      expectPlaced(network({ ...names, torch, filters: SHALLOW, classifier: [anything(), anything()] }), true);
      expectPlaced(network({ ...names, torch, dense: false, classifier: [anything(), anything()] }), true);
      expectPlaced(network({ ...names, torch, input: 1 }), true);
      // As many classes as channels: the layout of the other kernels decides.
      expectPlaced(network({ ...names, torch, classifier: [anything(), anything()], classes: 256 }), true);
    }
  });

  it("that was folded has biases", () => {
    for (const torch of [true, false]) {
      expectPlaced(network({ torch, kernel: anything, bias: anything, classifier: [anything(), anything()] }), true);
    }
    expectPlaced(network({ ...torchvision, bias: (i) => torchvision.kernel(i).replace("weight", "bias") }), true);
  });

  it("with counters has them ignored", () => {
    const entries = network(torchvision);
    const counters = ["features.0.1.num_batches_tracked", "optimizer.step", "iterations"];
    const all = tensors(entries);
    for (const name of counters) all.set(name, { shape: [] });
    all.set("bn.num_batches_tracked", { shape: [1] });
    const found = sequenceByShape(all, true, search);
    if ("reason" in found) throw new Error(found.reason);
    expect([...counters, "bn.num_batches_tracked"].map((name) => found.targets.get(name))).toEqual(
      Array(4).fill("ignored"),
    );
    expect(found.targets.size).toBe(entries.length + 4);
  });

  it("whose convolutions all stand before its batch norms is placed by kinds", () => {
    const entries = network({ ...torchvision, norm: (i, value) => `bns.${i}.${TORCH_NORM[value]}` });
    const norms = entries.filter(([name]) => name.startsWith("bns"));
    expectPlaced(entries, true, [...entries.filter((entry) => !norms.includes(entry)), ...norms]);
  });

  it("has the vectors of a batch norm told by their names, whatever their order", () => {
    const swapped = [2, 3, 1, 0];
    const entries = network(torchvision);
    const order = entries.map((entry, i) => {
      const place = i % 5 === 0 || i >= 135 ? undefined : (i % 5) - 1;
      return place === undefined ? entry : (entries[i - place + (swapped[place] ?? 0)] ?? entry);
    });
    expect(new Set(order).size).toBe(entries.length);
    expectPlaced(entries, true, order);
  });
});

describe("tensors in no order", () => {
  it("of torchvision's kind are placed by the numbers in their names", () => {
    expectPlaced(network(torchvision), false, sorted(network(torchvision)));
  });

  it("of Keras layers without names are placed by class and number", () => {
    const found = expectPlaced(network(keras), false, sorted(network(keras)));
    expect(found.layout).toBe("Keras");
    expect(found.defaults).toMatchObject({ padding: "same", epsilon: 1e-3, activation: "relu6" });
  });

  it("numbered from anywhere are placed", () => {
    const shift = (name: string) => name.replace(/(?:_(\d+))?\//, (_, digits = "0") => `_${Number(digits) + 95}/`);
    const later: Style = {
      ...keras,
      kernel: (i) => shift(keras.kernel(i)),
      norm: (i, value) => shift(keras.norm?.(i, value) ?? ""),
    };
    expectPlaced(network(later), false, sorted(network(later)));
  });

  it("of Keras 3, numbered by position, are placed", () => {
    const position: Style = {
      torch: false,
      kernel: (i) =>
        i % 2 === 1
          ? `layers/${numbered("depthwise_conv2d", i >> 1)}/vars/0`
          : `layers/${numbered("conv2d", i / 2)}/vars/0`,
      norm: (i, value) => `layers/${numbered("batch_normalization", i)}/vars/${value}`,
      classifier: ["layers/dense/vars/0", "layers/dense/vars/1"],
    };
    expectPlaced(network(position), false, sorted(network(position)));
  });

  it("with bias and batch norm, layers by number, are placed", () => {
    const both: Style = { ...keras, bias: (i) => keras.kernel(i).replace(/(?:depthwise_)?kernel/, "bias") };
    expectPlaced(network(both), false, sorted(network(both)));
  });

  it("with the stem's batch norm outside the blocks are placed", () => {
    const style: Style = {
      torch: true,
      kernel: (i) => (i === 0 ? "stem.weight" : `blocks.${(i + 1) >> 1}.${i % 2 === 1 ? "dw" : "pw"}.weight`),
      norm: (i, value) =>
        (i === 0 ? "last" : `blocks.${(i + 1) >> 1}.${i % 2 === 1 ? "n1" : "n2"}`).concat(`.${TORCH_NORM[value]}`),
      classifier: ["fc.weight", "fc.bias"],
    };
    expectPlaced(network(style), false, sorted(network(style)));
  });

  it("are refused if equal layers are told apart by words", () => {
    const words = [
      "zero",
      "one",
      "two",
      "three",
      "four",
      "five",
      "six",
      "seven",
      "eight",
      "nine",
      "ten",
      "eleven",
      "twelve",
    ];
    // Alphabetical order happens to fit the channels, and would swap the equal blocks.
    const alphabet = "abcdefghijklmn";
    const named = (i: number) =>
      `${alphabet[(i + 1) >> 1]}${words[(i + 1) >> 1] ?? "last"}.${i % 2 === 1 ? "a" : i === 0 ? "" : "b"}`;
    const style: Style = {
      torch: true,
      kernel: (i) => `${named(i)}conv.weight`,
      norm: (i, value) => `${named(i)}norm.${TORCH_NORM[value]}`,
    };
    expectPlaced(network(style), true);
    expect(reason(network(style), false)).toMatch(/equal layers are told apart by neither/);
  });

  it("without words or numbers for what they are, are refused", () => {
    let count = 0;
    const letters = () =>
      [17576, 676, 26, 1].map((n) => String.fromCharCode(97 + (Math.floor(count / n) % 26))).join("");
    const next = () => [letters(), count++][0] as string;
    const entries = network({ torch: true, kernel: next, norm: next });
    expectPlaced(entries, true);
    expect(reason(entries, false)).toMatch(/equal layers are told apart by neither/);
  });
});

describe("the reason for a refusal", () => {
  const entries = network(torchvision);
  const without = (name: string) => entries.filter(([theirs]) => theirs !== name);
  const changed = (name: string, shape: number[]) =>
    entries.map((entry): Entry => (entry[0] === name ? [name, shape, entry[2]] : entry));

  it.each<[string, Entry[], RegExp]>([
    ["nothing at all", [], /no kernel/],
    ["no kernel", [["a", [5], ""]], /"a" stands before the first kernel/],
    ["a layer left out", without("features.5.3.weight"), /the 8 vectors after "features\.5\.0\.weight" are neither/],
    [
      "a block too few",
      entries.filter(([name]) => !name.startsWith("features.13.")),
      /dense kernel, where that of conv_dw_13/,
    ],
    [
      "other channels",
      changed("features.5.3.weight", [64, 32, 1, 1]),
      /"features\.5\.3\.weight" takes 32 channels, where the layer before gives 64/,
    ],
    [
      "another classifier",
      changed("classifier.1.weight", [7, 12544]),
      /takes 12544 channels, where the layer before gives 256/,
    ],
    [
      "a variance left out",
      without("features.5.4.running_var"),
      /the 3 vectors after "features\.5\.3\.weight" are neither/,
    ],
    [
      "a vector too long",
      changed("features.5.4.running_var", [65]),
      /has 65 values, where "features\.5\.3\.weight" has 64/,
    ],
    [
      "a kernel of 5 × 5",
      changed("features.5.0.weight", [64, 1, 5, 5]),
      /"features\.5\.0\.weight" of shape \[64, 1, 5, 5\] is no kernel/,
    ],
    ["a tensor of rank 3", changed("features.5.0.weight", [64, 3, 3]), /is of no layer/],
    ["a side of 0", changed("features.5.0.weight", [0, 1, 3, 3]), /is of no layer/],
    ["a layer more", [...entries, ["head.weight", [5, 7], ""]], /nothing more was expected/],
    [
      "no batch norm once",
      entries.filter(([name]) => !name.startsWith("features.5.4.")),
      /"features\.5\.3\.weight" has no vector beside it, unlike/,
    ],
  ])("is given for %s", (_, list, message) => {
    expect(reason(list)).toMatch(message);
  });

  it("is given for a plain network, and for more tensors than there can be", () => {
    const plain: Entry[] = [
      ["conv1.weight", [32, 3, 3, 3], ""],
      ["conv1.bias", [32], ""],
      ["conv2.weight", [64, 32, 3, 3], ""],
      ["conv2.bias", [64], ""],
      ["fc.weight", [10, 64], ""],
      ["fc.bias", [10], ""],
    ];
    expect(reason(plain)).toMatch(/"conv2\.weight" is a 3 × 3 kernel, where that of conv_dw_1 was expected/);
    const many = Array.from({ length: 1001 }, (_, i): Entry => [`t${i}`, [1], ""]);
    expect(reason(many)).toMatch(/1001 tensors/);
  });
});
