/** Random networks that can be trained, and what training one says. */

import fc from "fast-check";
import { mulberry32 } from "../../src/core/random.ts";
import { tensor } from "../../src/core/tensor.ts";
import { type Network, network } from "../../src/layers/network.ts";
import type { NodeDefinition } from "../../src/layers/node.ts";
import { createTrainer } from "../../src/train/create-trainer.ts";
import { sgd } from "../../src/train/optimizers.ts";
import { constant } from "../../src/train/schedules.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { recipe } from "../golden/vectors.ts";

const TYPES = [
  ...(["conv2d", "depthwiseConv2d", "depthwiseConv2d", "pointwiseConv2d", "pointwiseConv2d", "batchNorm"] as const),
  ...(["batchNorm", "activation", "activation", "add", "multiply", "maxPool", "averagePool", "reshape"] as const),
  ...(["dropout", "softmax", "squeeze"] as const),
];

interface Gene {
  readonly type: (typeof TYPES)[number];
  /** How many layers back its input lies; 0 is the layer before. */
  readonly back: number;
  /** Which of the fitting layers is the second input. */
  readonly other: number;
  readonly filters: number;
  readonly kernel: readonly [number, number];
  readonly stride: number | readonly [number, number];
  readonly dilation: number;
  readonly padding: unknown;
  readonly multiplier: number;
  readonly function: string;
  readonly bias: boolean;
  readonly scale: boolean;
  /** Whether a batch norm and a clamp follow at once, as in most networks. */
  readonly block: boolean;
}

export interface TrainingCase {
  readonly inputShape: readonly number[];
  readonly genes: readonly Gene[];
  readonly head: "flatten" | "average" | "max" | "pointwise";
  /** What comes behind the last layer with a kernel. */
  readonly tail: "none" | "batchNorm" | "relu6" | "leakyRelu" | "both" | "dropout";
  readonly classes: number;
  readonly batch: number;
  /** Examples of the last step. */
  readonly last: number;
  readonly accumulate: number;
  readonly isFrozen: boolean;
  readonly variance: "biased" | "unbiased";
  /** Parameters that are trained: of 8, one bit each. */
  readonly trained: number;
  readonly seed: number;
}

const gene: fc.Arbitrary<Gene> = fc.record({
  type: fc.constantFrom(...TYPES),
  back: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 4 })),
  other: fc.integer({ min: 0, max: 20 }),
  filters: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(4, 8, 16, 24, 33)),
  kernel: fc.oneof(
    fc.constant([3, 3] as const),
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  ),
  stride: fc.constantFrom(1, 1, 2, 3, [1, 2] as const),
  dilation: fc.constantFrom(1, 1, 1, 2, 3),
  padding: fc.constantFrom<unknown>("same", "same", "valid", [
    [0, 1],
    [2, 0],
  ]),
  multiplier: fc.constantFrom(1, 1, 1, 2, 3),
  function: fc.constantFrom("relu", "relu6", "relu6", "hardSwish", "hardSigmoid", "leakyRelu", "linear"),
  bias: fc.boolean(),
  scale: fc.constantFrom(true, true, true, false),
  block: fc.boolean(),
});

/** For rows so long that images are cut into chunks of a few: mostly windows, over what is normalised on the way. */
const longGene: fc.Arbitrary<Gene> = fc
  .tuple(
    gene,
    fc.constantFrom(
      ...(["depthwiseConv2d", "depthwiseConv2d", "depthwiseConv2d", "conv2d", "conv2d", "pointwiseConv2d"] as const),
      ...(["batchNorm", "activation", "add", "maxPool"] as const),
    ),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(([one, type, other]) => ({
    ...one,
    type,
    filters: type === "conv2d" ? 1 + (one.filters % 8) : 24 + (one.filters % 13),
    stride: other === 0 ? one.stride : 1,
    multiplier: 1,
    block: other !== 1,
  }));

const side = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(7, 9, 17, 33));

const common = {
  head: fc.constantFrom("flatten" as const, "average" as const, "max" as const, "pointwise" as const),
  tail: fc.constantFrom("none", "none", "none", "batchNorm", "relu6", "leakyRelu", "both", "dropout" as const),
  classes: fc.integer({ min: 2, max: 11 }),
  // Beyond 8, several images count as one.
  batch: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 17, 25, 40)),
  last: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })),
  accumulate: fc.constantFrom(1, 1, 1, 2, 3),
  isFrozen: fc.constantFrom(false, false, false, true),
  variance: fc.constantFrom("biased" as const, "unbiased" as const),
  trained: fc.oneof(fc.constant(255), fc.constant(255), fc.integer({ min: 1, max: 255 })),
  seed: fc.nat({ max: 100_000 }),
};

const fitted = (one: TrainingCase): TrainingCase => ({
  ...one,
  last: Math.min(one.last, one.batch),
  accumulate: Math.min(one.accumulate, one.batch),
});

export const trainingCase: fc.Arbitrary<TrainingCase> = fc
  .record({
    ...common,
    inputShape: fc.tuple(side, side, fc.integer({ min: 1, max: 9 })),
    genes: fc.array(gene, { minLength: 1, maxLength: 9 }),
  })
  .map(fitted);

export const longCase: fc.Arbitrary<TrainingCase> = fc
  .record({
    ...common,
    head: fc.constantFrom("average" as const, "max" as const, "pointwise" as const),
    inputShape: fc.tuple(
      fc.integer({ min: 5, max: 16 }),
      fc.integer({ min: 180, max: 320 }),
      fc.integer({ min: 1, max: 4 }),
    ),
    genes: fc
      .tuple(longGene, fc.array(longGene, { minLength: 1, maxLength: 3 }))
      .map(([first, others]) => [
        { ...first, type: "pointwiseConv2d" as const, filters: 24 + (first.filters % 13) },
        ...others,
      ]),
    batch: fc.integer({ min: 1, max: 2 }),
  })
  .map(fitted);

/** A window between two pointwise layers, each with a batch norm and a clamp, over rows that are cut into chunks. */
export function longRows(
  type: "conv2d" | "depthwiseConv2d",
  window: { readonly kernel: number; readonly stride: number; readonly dilation: number; readonly padding: string },
): TrainingCase {
  const { kernel } = window;
  const common = { back: 0, other: 0, multiplier: 1, function: "relu6", bias: false, scale: true, block: true };
  const one: Gene = { ...common, ...window, type: "pointwiseConv2d", filters: 24, kernel: [kernel, kernel] };
  const filters = type === "conv2d" ? 8 : 24;
  return {
    inputShape: [13, 250, 3],
    genes: [one, { ...one, type, filters }, { ...one, filters }],
    head: "average",
    tail: "none",
    classes: 5,
    batch: 2,
    last: 1,
    accumulate: 1,
    isFrozen: false,
    variance: "biased",
    trained: 255,
    seed: 11,
  };
}

function attributesOf(one: Gene, shape: readonly number[]): Readonly<Record<string, unknown>> {
  const { filters, kernel, stride, dilation, padding, multiplier, bias } = one;
  const window = { kernel, stride, dilation, padding };
  switch (one.type) {
    case "conv2d":
      return { ...window, filters, bias };
    case "depthwiseConv2d":
      return { ...window, multiplier, bias };
    case "pointwiseConv2d":
      return { filters, bias };
    case "batchNorm":
      return { scale: one.scale, center: bias };
    case "activation":
      return { function: one.function, ...(one.function === "leakyRelu" ? { slope: filters / 50 } : {}) };
    case "maxPool":
    case "averagePool":
      return window;
    case "reshape": {
      // The same numbers as other pixels, or as other channels.
      const [height = 1, width = 1, channels = 1] = shape;
      return one.bias ? { shape: [width, height, channels] } : { shape: [height, 1, width * channels] };
    }
    case "dropout":
      return { rate: 0.3 };
    default:
      return {};
  }
}

/** The network of the genes; those that do not fit are left out. */
export function networkOf({ inputShape, genes, head, tail, classes, seed }: TrainingCase): Network<"logits"> {
  const layers: NodeDefinition[] = [];
  let shapes: Network["shapes"] = new Map([["input", inputShape]]);
  const add = (...more: NodeDefinition[]): void => {
    try {
      ({ shapes } = network({ inputShape, layers: [...layers, ...more], outputs: {} }));
      layers.push(...more);
    } catch {
      // A window that sees nothing: of no use here.
    }
  };
  for (const [index, one] of genes.entries()) {
    const names = [...shapes.keys()].filter((name) => shapes.get(name)?.length === 3);
    const from = names[Math.max(0, names.length - 1 - one.back)]!;
    const name = `n${index}`;
    if (one.type === "squeeze") {
      // A factor for each channel, as squeeze and excite has it.
      const filters = shapes.get(from)![2]!;
      add(
        { name: `${name}_mean`, type: "globalAveragePool", inputs: [from], attributes: { keepDims: true } },
        { name: `${name}_fc`, type: "pointwiseConv2d", attributes: { filters, bias: one.bias } },
        { name: `${name}_gate`, type: "activation", attributes: { function: "hardSigmoid" } },
        { name, type: "multiply", inputs: [from, `${name}_gate`] },
      );
      continue;
    }
    const alike = names.filter((other) => String(shapes.get(other)) === String(shapes.get(from)));
    const takesTwo = one.type === "add" || one.type === "multiply";
    const inputs = takesTwo ? [from, alike[one.other % alike.length]!] : [from];
    const node = { name, type: one.type, inputs, attributes: attributesOf(one, shapes.get(from)!) };
    const follow = [
      { name: `${name}_bn`, type: "batchNorm" },
      {
        name: `${name}_clamp`,
        type: "activation",
        attributes: { function: one.function === "relu" ? "relu" : "relu6" },
      },
    ];
    if (one.block && (/conv/i.test(one.type) || takesTwo)) add(node, ...(takesTwo ? follow.slice(1) : follow));
    else add(node);
  }
  let last = [...shapes.keys()].at(-1)!;
  // What nobody reads yet is joined, so that values have several readers.
  const read = new Set(layers.flatMap(({ inputs }, index) => inputs ?? [layers[index - 1]?.name ?? "input"]));
  for (const { name } of layers.filter((layer) => !read.has(layer.name) && layer.name !== last).slice(-2)) {
    add(
      { name: `${name}_pool`, type: "globalAveragePool", inputs: [name], attributes: { keepDims: true } },
      { name: `${name}_join`, type: "pointwiseConv2d", attributes: { filters: shapes.get(last)![2]! } },
      { name: `${name}_sum`, type: "add", inputs: [last, `${name}_join`] },
    );
    last = `${name}_sum`;
  }
  const pool = head === "max" ? "globalMaxPool" : "globalAveragePool";
  if (head === "flatten") layers.push({ name: "head", type: "flatten", inputs: [last] });
  else layers.push({ name: "head", type: pool, inputs: [last], attributes: { keepDims: head === "pointwise" } });
  const type = head === "pointwise" ? "pointwiseConv2d" : "dense";
  layers.push({ name: "logits", type, attributes: { filters: classes } });
  if (tail === "batchNorm" || tail === "both") layers.push({ name: "tail_bn", type: "batchNorm" });
  if (tail === "dropout") layers.push({ name: "tail", type: "dropout", attributes: { rate: 0.3 } });
  const clamp = tail === "both" ? "relu6" : tail;
  if (clamp === "relu6" || clamp === "leakyRelu") {
    layers.push({ name: "tail", type: "activation", attributes: { function: clamp } });
  }
  const model = network({ inputShape, layers, outputs: { logits: layers.at(-1)!.name }, seed });
  let own = seed;
  for (const { name, role, shape } of model.parameterInfo.values()) {
    if (role === "kernel") continue;
    // Nothing begins at a kink: shifts and means are numbers like any other.
    const [low, high] = role === "gamma" || role === "variance" ? [0.5, 1.5] : [-0.5, 0.5];
    model.parameters.set(name, recipe(shape, ++own, low, high));
  }
  return model;
}

/** Whether some batch norm that normalises by the batch would see one value a channel. */
function hasLoneValues({ batch, last, accumulate }: TrainingCase, model: Network): boolean {
  const part = (examples: number) => {
    const most = Math.ceil(examples / accumulate);
    return examples % most === 0 ? most : examples % most;
  };
  const least = Math.min(part(batch), part(last));
  return model.layers.some(({ name, type }) => {
    const shape = model.shapes.get(name) ?? [];
    return type === "batchNorm" && shape.slice(0, -1).reduce((a, b) => a * b, least) < 2;
  });
}

export const RATE = 0.05;
export const STEPS = 3;

export interface Outcome {
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  /** How far each parameter went. */
  readonly moves: ReadonlyMap<string, Float32Array>;
}

/**
 * Three steps, the last one short. `nudge`: the input and all parameters are off by a few units in the last place, drawn
 * from that seed.
 */
export async function trained(
  one: TrainingCase,
  options: Pick<TrainerOptions, "backend" | "simd" | "threads" | "worker">,
  nudge = 0,
): Promise<Outcome> {
  const model = networkOf(one);
  const random = mulberry32(nudge);
  const nudged = (data: Float32Array) => data.map((value) => value * (1 + (2 * random() - 1) * 2 ** -21));
  if (nudge !== 0) {
    for (const [name, { data, shape }] of model.parameters) model.parameters.set(name, tensor(nudged(data), shape));
  }
  const names = [...model.parameterInfo.values()].filter((info) => info.trainable).map(({ name }) => name);
  // At least one that is on the way to the logits.
  const chosen = names.filter((name, index) => name === "logits/bias" || (one.trained >> (index % 8)) & 1);
  const isFrozen = one.isFrozen || hasLoneValues(one, model);
  using trainer = await createTrainer(model, {
    batch: one.batch,
    accumulate: one.accumulate,
    optimizer: sgd({ momentum: 0.9 }),
    schedule: constant({ rate: RATE }),
    // Products of products would else run away.
    clipNorm: 1,
    train: chosen,
    batchNorm: { variance: one.variance, mode: isFrozen ? "frozen" : "auto" },
    seed: one.seed,
    ...options,
  });
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const examples = step === STEPS - 1 ? one.last : one.batch;
    const x = recipe([examples, ...one.inputShape], one.seed + 1 + step, -1, 1);
    const labels = Array.from({ length: examples }, (_, n) => (one.seed + 7 * n + step) % one.classes);
    const { loss, gradientNorm } = await trainer.step(nudge === 0 ? x.data : nudged(x.data), labels);
    losses.push(loss);
    norms.push(gradientNorm);
  }
  const parameters = await trainer.parameters();
  const moves = [...parameters].map(([name, { data }]) => {
    const before = model.parameters.get(name)!.data;
    return [name, data.map((value, i) => value - before[i]!)] as const;
  });
  return { losses, norms, moves: new Map(moves) };
}
