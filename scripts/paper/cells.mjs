/**
 * What is trained: a cell is a network and a recipe, and is trained once a seed. And what is compared with what.
 *
 * Everything else is the same for all: CIFAR-10's 50,000 pictures in the order of the seed, the number of epochs, and what
 * `COMMON` says of the network. The stem has stride 1, as is usual for pictures of 32 pixels.
 */

/** Of every run. */
export const EPOCHS = 12;
/** Pictures that are trained on: all. */
export const EXAMPLES = 50_000;
/** Pictures an update. Of the paper's recipe TF-slim's, for which its rate was found. */
export const BATCH = { fast: 128, paper: 64 };

const COMMON = {
  classes: 10,
  stem: { stride: 1, filters: 32 },
  dropout: 0,
  preprocessing: { range: [-1, 1], cropFraction: 1 },
};

/** α 1 takes longer than a quarter of an hour. */
const THREE = [1, 2, 3];
const ONE = [1];

/**
 * @typedef {object} Cell
 * @property {string} name       α and the side of the input, then what else is different
 * @property {object} network    what it differs in: options of `mobileNetV1`
 * @property {"fast" | "paper"} arm  the recipe
 * @property {readonly number[]} seeds
 */

/** @type {readonly Cell[]} */
export const CELLS = [
  { name: "1.0-32", network: { alpha: 1, resolution: 32 }, arm: "fast", seeds: ONE },
  { name: "0.75-32", network: { alpha: 0.75, resolution: 32 }, arm: "fast", seeds: THREE },
  { name: "0.5-32", network: { alpha: 0.5, resolution: 32 }, arm: "fast", seeds: THREE },
  { name: "0.25-32", network: { alpha: 0.25, resolution: 32 }, arm: "fast", seeds: THREE },
  { name: "0.5-24", network: { alpha: 0.5, resolution: 24 }, arm: "fast", seeds: THREE },
  { name: "0.5-16", network: { alpha: 0.5, resolution: 16 }, arm: "fast", seeds: THREE },
  {
    name: "0.25-32-standard",
    network: { alpha: 0.25, resolution: 32, standardConvolution: true },
    arm: "fast",
    seeds: THREE,
  },
  { name: "0.5-32-shallow", network: { alpha: 0.5, resolution: 32, shallow: true }, arm: "fast", seeds: THREE },
  // 6,770,616 mult-adds beside 6,739,968 of the shallow one.
  { name: "0.37-32", network: { alpha: 0.37, resolution: 32 }, arm: "fast", seeds: THREE },
  { name: "0.5-32-paper", network: { alpha: 0.5, resolution: 32 }, arm: "paper", seeds: THREE },
];

/** @param {Cell} cell @returns what `mobileNetV1` takes, but for the seed */
export function optionsOf({ network }) {
  return { ...network, ...COMMON };
}

/**
 * Tables of the paper, each row with the cell that stands for it here. `printed` is the row's label in the paper. Of
 * table 7 the cells' ρ are 1, 0.75 and 0.5, the paper's 1, 0.857, 0.714 and 0.571: the nearest stand side by side.
 */
export const TABLES = [
  {
    number: 4,
    rows: [
      { cell: "0.25-32-standard", printed: "Conv MobileNet" },
      { cell: "0.25-32", printed: "MobileNet" },
    ],
  },
  {
    number: 5,
    rows: [
      { cell: "0.37-32", printed: "0.75 MobileNet" },
      { cell: "0.5-32-shallow", printed: "Shallow MobileNet" },
    ],
  },
  {
    number: 6,
    rows: [
      { cell: "1.0-32", printed: "1.0 MobileNet-224" },
      { cell: "0.75-32", printed: "0.75 MobileNet-224" },
      { cell: "0.5-32", printed: "0.5 MobileNet-224" },
      { cell: "0.25-32", printed: "0.25 MobileNet-224" },
    ],
  },
  {
    number: 7,
    rows: [
      { cell: "0.5-32", printed: "1.0 MobileNet-224" },
      { printed: "1.0 MobileNet-192" },
      { cell: "0.5-24", printed: "1.0 MobileNet-160" },
      { cell: "0.5-16", printed: "1.0 MobileNet-128" },
    ],
  },
];

/** Pairs that are tested: neighbours in a table, the one first that the paper has ahead; and the two recipes. */
export const COMPARISONS = [
  { table: 4, first: "0.25-32-standard", second: "0.25-32" },
  { table: 5, first: "0.37-32", second: "0.5-32-shallow" },
  { table: 6, first: "1.0-32", second: "0.75-32" },
  { table: 6, first: "0.75-32", second: "0.5-32" },
  { table: 6, first: "0.5-32", second: "0.25-32" },
  { table: 7, first: "0.5-32", second: "0.5-24" },
  { table: 7, first: "0.5-24", second: "0.5-16" },
  { first: "0.5-32", second: "0.5-32-paper" },
];
