/** Tensors of unknown names in groups: a kernel with its bias, the vectors of a batch norm; and the orders of these. */

import { quoted } from "../../../../core/file-error.ts";
import { type Shape, shapeText } from "../../../../core/tensor.ts";

/** What the last word of a name says; `weight` is a kernel's or a batch norm's, `bias` a kernel's or a batch norm's. */
export type NameHint = "gamma" | "beta" | "mean" | "variance" | "weight" | "bias";

export interface Part {
  readonly name: string;
  readonly shape: Shape;
  readonly hint: NameHint | undefined;
}

export interface TensorGroup {
  /** By which groups are sorted: what its parts' names have in common, or the name of the only part. */
  readonly key: string;
  readonly kernel: Part | undefined;
  /** In the order of the file. */
  readonly vectors: readonly Part[];
}

export interface TensorGroups {
  /** In the order of the file. */
  readonly groups: readonly TensorGroup[];
  /** Names of counters. */
  readonly ignored: readonly string[];
}

/** Vectors of a convolution with bias and batch norm. */
const MOST_VECTORS = 5;

const HINTS: readonly (readonly [words: RegExp, hint: NameHint])[] = [
  [/(?:^|[./_])gamma$/, "gamma"],
  [/(?:^|[./_])beta$/, "beta"],
  [/(?:^|[./_])(?:(?:moving|running)_)?mean$/, "mean"],
  [/(?:^|[./_])(?:(?:moving|running)_)?var(?:iance)?$/, "variance"],
  [/(?:^|[./_])(?:(?:depthwise|pointwise)_)?(?:kernel|weights?)$/, "weight"],
  [/(?:^|[./_])(?:bias|biases)$/, "bias"],
];
const COUNTERS =
  /(?:^|[./_])(?:num_batches_tracked|iterations?|step|global_step|learning_rate|epoch|seed_generator_state)$/;
const TRAINING = /^(?:optimizer(?:_weights)?|training)[./_]/;

/** Groups the tensors by what their names have in common, where that makes a layer; else each stands alone. */
export function groupsOf(
  tensors: ReadonlyMap<string, { readonly shape: Shape }>,
): TensorGroups | { readonly reason: string } {
  const ignored: string[] = [];
  const groups = new Map<string, Part[]>();
  for (const [name, { shape }] of tensors) {
    const plain = name.replace(/:0$/, "").toLowerCase();
    if (shape.length === 0 || COUNTERS.test(plain) || TRAINING.test(plain)) {
      ignored.push(name);
      continue;
    }
    if (shape.length === 3 || shape.length > 4 || shape.includes(0)) {
      return { reason: `${quoted(name)} of shape ${shapeText(shape)} is of no layer of a MobileNet V1` };
    }
    const { layer, hint } = parse(plain);
    const group = groups.get(layer) ?? [];
    group.push({ name, shape, hint });
    groups.set(layer, group);
  }
  return {
    groups: inFileOrder(
      [...groups].flatMap(([key, parts]) => toGroups(key, parts)),
      tensors,
    ),
    ignored,
  };
}

/** By the numbers in their names, and by the letters between. */
export function sortedByName(groups: readonly TensorGroup[]): readonly TensorGroup[] {
  const keyed = groups.map((group) => ({ group, key: chunks(group.key) }));
  keyed.sort((a, b) => compareChunks(a.key, b.key));
  return keyed.map(({ group: { key, kernel, vectors } }) => ({ key, kernel, vectors: sortedVectors(vectors) }));
}

/** A name without its numbers: what is left is the same for layers that only numbers tell apart. */
export function withoutNumbers(name: string): string {
  return name.replace(/\d+/g, "#");
}

function parse(name: string): { readonly layer: string; readonly hint: NameHint | undefined } {
  for (const [words, hint] of HINTS) {
    const match = words.exec(name);
    if (match !== null && match.index > 0) return { layer: name.slice(0, match.index), hint };
  }
  const end = Math.max(name.lastIndexOf("/"), name.lastIndexOf("."));
  return { layer: end > 0 ? name.slice(0, end) : name, hint: undefined };
}

function toGroups(key: string, parts: readonly Part[]): TensorGroup[] {
  const kernels = parts.filter(isKernel);
  const vectors = parts.filter((part) => !isKernel(part));
  if (kernels.length <= 1 && vectors.length <= MOST_VECTORS) return [{ key, kernel: kernels[0], vectors }];
  return parts.map((part) => ({
    key: part.name,
    kernel: isKernel(part) ? part : undefined,
    vectors: isKernel(part) ? [] : [part],
  }));
}

function isKernel({ shape }: Part): boolean {
  return shape.length === 2 || shape.length === 4;
}

function inFileOrder(groups: readonly TensorGroup[], tensors: ReadonlyMap<string, unknown>): readonly TensorGroup[] {
  const places = new Map([...tensors.keys()].map((name, place) => [name, place]));
  const first = ({ kernel, vectors }: TensorGroup) =>
    Math.min(...[...vectors, ...(kernel === undefined ? [] : [kernel])].map(({ name }) => places.get(name) ?? 0));
  return groups
    .map((group) => ({ group, place: first(group) }))
    .sort((a, b) => a.place - b.place)
    .map(({ group }) => group);
}

function sortedVectors(vectors: readonly Part[]): readonly Part[] {
  return vectors
    .map((part) => ({ part, key: chunks(part.name) }))
    .sort((a, b) => compareChunks(a.key, b.key))
    .map(({ part }) => part);
}

/** Text and numbers in turn. */
function chunks(name: string): readonly string[] {
  return name.split(/(\d+)/);
}

function compareChunks(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left = "", right = ""] = [a[i], b[i]];
    if (left === right) continue;
    const difference = i % 2 === 1 ? Number(left) - Number(right) : 0;
    if (difference !== 0) return difference;
    return left < right ? -1 : 1;
  }
  return 0;
}
