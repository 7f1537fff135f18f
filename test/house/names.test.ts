/** One word for one thing: what a file exports has its name to itself. */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../../src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

/** An operation has one name wherever it is defined, built, called or emitted. */
const ROOMS_OF_OPERATIONS =
  /^(operations|layers|eager|kernels|train\/gradients|understand\/graph)\/|^classify\/best\.ts$/;
const OPERATIONS = [
  ...["activation", "add", "averagePool", "batchNorm", "conv2d", "convolution", "dense", "depthwise"],
  ...["depthwiseConvolution", "dropout", "elementwise", "flatten", "globalAveragePool", "globalMaxPool", "maxPool"],
  ...[
    "multiply",
    "pointwise",
    "pointwiseConvolution",
    "pool",
    "reshape",
    "scaleShift",
    "softmax",
    "softmaxCrossEntropy",
  ],
  ...["softmaxGradient"],
];

/** The same thing in several files, and why it stands there more than once. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  cifar10: "public: the data set behind one door, the network that learnt from it behind another",
  read: "a row of the table of formats: each has its reader",
  step: "public: a schedule of the learning rate; and what builds a graph of a file, node by node",
  Progress: "public: bytes of a load behind one door, images of a folder behind another",
};

interface Declared {
  readonly file: string;
  readonly isExported: boolean;
  readonly isType: boolean;
}

const declared = new Map<string, Declared[]>();
for (const file of files) {
  const text = readFileSync(resolve(src, file), "utf8");
  const pattern =
    /^(export )?(?:declare )?(?:abstract )?(async function\*?|function\*?|const|let|type|interface|class) (\w+)/gm;
  const seen = new Set<string>();
  for (const [, exported, kind = "", name = ""] of text.matchAll(pattern)) {
    // Overloads, and a type beside the value it is named after, are one thing.
    if (seen.has(name)) continue;
    seen.add(name);
    const isType = /^(type|interface|class)$/.test(kind);
    declared.set(name, [...(declared.get(name) ?? []), { file, isExported: exported !== undefined, isType }]);
  }
}

it("no two files export one name for different things", () => {
  const twice = [...declared].flatMap(([name, places]) => {
    const exporting = places.filter(({ isExported }) => isExported).map(({ file }) => file);
    const isOperation = OPERATIONS.includes(name) && exporting.every((file) => ROOMS_OF_OPERATIONS.test(file));
    return exporting.length < 2 || isOperation || name in EXCEPTIONS ? [] : [`${name}: ${exporting.join(", ")}`];
  });
  expect(twice).toEqual([]);
});

it("no file has a type of its own under the name of one that another file exports", () => {
  const shadowed = [...declared].flatMap(([name, places]) => {
    const types = places.filter(({ isType }) => isType);
    const exporting = types.filter(({ isExported }) => isExported);
    const own = types.filter(({ isExported }) => !isExported).map(({ file }) => file);
    return exporting.length === 0 || own.length === 0 ? [] : [`${name} of ${exporting[0]?.file}: ${own.join(", ")}`];
  });
  expect(shadowed).toEqual([]);
});

it("names an exception only where there is one", () => {
  const exportedTwice = (name: string) => (declared.get(name) ?? []).filter(({ isExported }) => isExported).length > 1;
  expect([...OPERATIONS, ...Object.keys(EXCEPTIONS)].filter((name) => !exportedTwice(name))).toEqual([]);
});
