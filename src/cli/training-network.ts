/** The network that `train` makes for its data: as wide as asked for, with strides that suit the size of the pictures. */

import { optionError } from "../core/options.ts";
import { visible } from "../core/visible.ts";
import { cost } from "../cost/index.ts";
import type { Network } from "../layers/index.ts";
import { type Block, MOBILENET_V1_BLOCKS, MOBILENET_V1_STEM, mobileNetV1 } from "../models/index.ts";
import type { Dataset } from "../train/index.ts";
import { loadFrom } from "./load.ts";
import type { DataKind } from "./training-data.ts";

/** For data in folders, whose pictures have any size: what trains in minutes on a plain machine. */
const USUAL = { alpha: 0.25, resolution: 128 } as const;

/**
 * Up to so many pixels a side as many strides in front are 1 as it takes that 4 × 4 pixels or more reach the last layers;
 * of the paper's 224 it is 7 × 7. With 2 × 2 of CIFAR-10's 32, 72 % of the mult-adds were saved and eight points of
 * accuracy lost, after 10 epochs of α 0.25, one seed (bench/results/recipes-10-epochs-node24.md). Larger pictures keep
 * the paper's strides: 3 × 3 and more reach the last layers then, and one stride less would be four times the work.
 */
const SMALL = 64;
const LEAST_SIDE = 4;

/** What a network is made for. */
export interface NetworkPlan {
  readonly alpha: number;
  readonly resolution: number;
  readonly inputChannels: 1 | 3;
}

/** What is taken where nothing is said: the size and the channels of the pictures, where all have the same. */
export async function networkPlan(
  kind: DataKind,
  data: Dataset,
  { alpha, resolution }: { readonly alpha?: number | undefined; readonly resolution?: number | undefined },
): Promise<NetworkPlan> {
  const { image } = await data.at(0);
  const own = typeof image === "object" && "width" in image ? Math.max(image.width, image.height) : undefined;
  return {
    alpha: alpha ?? USUAL.alpha,
    resolution: resolution ?? own ?? USUAL.resolution,
    inputChannels: kind === "idx" ? 1 : 3,
  };
}

/**
 * Builds it. Small pictures are stretched to the input, not cropped: nothing of them is to spare.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`
 */
export function networkOf({ alpha, resolution, inputChannels }: NetworkPlan, data: Dataset, seed: number): Network {
  const front = frontOf(resolution);
  return mobileNetV1({
    ...{ alpha, resolution, inputChannels, seed, ...front },
    classes: data.classes.length,
    labels: data.classes,
    ...(front === undefined ? {} : { preprocessing: { range: [-1, 1], resize: "stretch" } }),
  });
}

/** Stem and blocks for small pictures; undefined where the paper's do. */
function frontOf(resolution: number): { readonly stem: Block; readonly blocks: readonly Block[] } | undefined {
  if (resolution > SMALL) return undefined;
  const twos = MOBILENET_V1_BLOCKS.filter(({ stride }) => stride > 1).length + 1;
  let kept = 0;
  // Each stride of 2 leaves half, rounded up.
  while (kept < twos && Math.ceil(resolution / 2 ** (kept + 1)) >= LEAST_SIDE) kept++;
  let left = twos - kept - 1;
  const blocks = MOBILENET_V1_BLOCKS.map((block) => (block.stride > 1 && left-- > 0 ? { ...block, stride: 1 } : block));
  return { stem: { ...MOBILENET_V1_STEM, stride: 1 }, blocks };
}

/**
 * A network that was trained before, of which what it knows is kept. Its size is its own.
 *
 * @throws {DepthwiseError} `OPTION_INVALID` for another alpha; what loading throws
 */
export async function loadedNetwork(
  from: string,
  { alpha, resolution }: { readonly alpha?: number | undefined; readonly resolution?: number | undefined },
  signal: AbortSignal,
): Promise<Network> {
  if (alpha !== undefined) {
    const advice = "Leave it out: the width is that of the weights.";
    throw optionError("train", "--alpha with --from", "one of the two", alpha, advice);
  }
  return loadFrom([from], { signal, ...(resolution === undefined ? {} : { resolution }) });
}

/** The network in a line. */
export function networkWords(model: Network): string {
  const { totals } = cost(model, {});
  const [height = 0, width = 0, channels = 0] = model.inputShape;
  const front = frontWords(model);
  const input = `${height} × ${width}, ${channels === 1 ? "grey" : "colour"}`;
  const multAdds = totals.multAdds === null ? "" : `, ${totals.multAdds.toLocaleString("en-US")} mult-adds`;
  const size = `${totals.parameters.toLocaleString("en-US")} parameters${multAdds}`;
  return visible(`${model.name}: input ${input}; ${size}${front}`);
}

/** Which strides are 1 that the paper has as 2: what the network was made with, whoever made it. */
function frontWords({ info: { options } }: Network): string {
  const { stem = MOBILENET_V1_STEM, blocks = MOBILENET_V1_BLOCKS } = stridesIn(options);
  // Another table has no places in common with the paper's.
  if (blocks.length !== MOBILENET_V1_BLOCKS.length) return "";
  const usual = [MOBILENET_V1_STEM, ...MOBILENET_V1_BLOCKS];
  const places = [stem, ...blocks].flatMap(({ stride }, place) =>
    stride === 1 && usual[place]?.stride === 2 ? [place] : [],
  );
  const [first, ...rest] = places.map((place) => (place === 0 ? "the stem" : `block ${place}`));
  if (first === undefined) return "";
  if (rest.length === 0) return `; ${first} has stride 1`;
  return `; ${[first, ...rest.slice(0, -1)].join(", ")} and ${rest.at(-1)} have stride 1`;
}

/** Of a builder's options as `info` has them: they were checked when the network was built. */
function stridesIn(options: unknown): { readonly stem?: Block; readonly blocks?: readonly Block[] } {
  return options ?? {};
}
