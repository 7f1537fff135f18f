/** What PyTorch calls the parameters of a layer, the same in every family that was trained with it. */

import type { WeightLayout } from "../../../../formats/transpose.ts";
import type { Renaming } from "../../../renamed.ts";
import type { ExpectedLayer } from "../expected.ts";
import type { LayerSearch } from "../fitting.ts";
import type { NameMap } from "../name-map.ts";

const WORDS = {
  kernel: "weight",
  bias: "bias",
  gamma: "weight",
  beta: "bias",
  mean: "running_mean",
  variance: "running_var",
} as const;

const KERNELS: Readonly<Partial<Record<ExpectedLayer["kind"], WeightLayout>>> = {
  depthwise: "depthwise-oihw",
  classifier: "linear",
};

/** What a family calls a layer and the batch norm behind it, without the parameters. */
export type Named = (layer: ExpectedLayer) => readonly [layer: string, batchNorm?: string];

/** The same of all layers of a network: some names follow from what stands before. */
type Naming = (layers: readonly ExpectedLayer[]) => Named;

/** Of a group of places 0 and 1, or 3 and 4 for the pointwise one, as `conv_bn` and `conv_dw` make it. */
export function inGroup(kind: ExpectedLayer["kind"], group: string): ReturnType<Named> {
  if (kind === "classifier") return ["fc"];
  return kind === "pointwise" ? [`${group}.3`, `${group}.4`] : [`${group}.0`, `${group}.1`];
}

/**
 * All names of a family with what they are to us; the counts of batches seen are ignored.
 *
 * @param naming of the layers of a network
 * @param prefix what some files have before all names
 */
export function torchRenamer(naming: Naming, prefix = ""): NameMap["renamer"] {
  const plain = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return (names, search) => {
    const there = new Set([...names].map(plain));
    const { layers, named } = likeliest(naming, search, (name) => there.has(`${name}.${WORDS.kernel}`));
    const all = new Map<string, Renaming | "ignored">();
    for (const layer of layers) {
      const [own, batchNorm] = named(layer);
      for (const [role, name] of layer.parameters) {
        const isOwn = role === "kernel" || role === "bias";
        const layout = role === "kernel" ? (KERNELS[layer.kind] ?? "oihw") : "as-is";
        all.set(`${isOwn ? own : batchNorm}.${WORDS[role]}`, { name, layout });
      }
      if (batchNorm !== undefined) all.set(`${batchNorm}.num_batches_tracked`, "ignored");
    }
    return (name) => all.get(plain(name));
  };
}

/**
 * The network and the naming of which most kernels are there: of the whole one, of the shallow one, or of the one known
 * under the paper's numbers, as code that is told other strides keeps them.
 */
function likeliest(naming: Naming, { known, layersOf }: LayerSearch, isThere: (name: string) => boolean) {
  const short = { ...known, shallow: known.shallow ?? true };
  let best: { readonly layers: readonly ExpectedLayer[]; readonly named: Named } | undefined;
  let most = -1;
  for (const [variant, numbered] of [
    [known, known],
    [short, short],
    [known, {}],
  ] as const) {
    const layers = layersOf(variant);
    const named = naming(layersOf(numbered));
    const body = layers.slice(0, -1);
    const count = body.filter((layer) => isThere(named(layer)[0])).length;
    if (count > most) [best, most] = [{ layers, named }, count];
    if (count === body.length) break;
  }
  return best ?? { layers: [], named: naming([]) };
}

/**
 * `stage.place` of each block, where blocks stand in stages.
 *
 * @param first  stage and place of the first block
 * @param begins whether a stage begins with a block that makes the image smaller
 */
export function stagePlaces(
  layers: readonly ExpectedLayer[],
  first: readonly [stage: number, place: number],
  begins: (block: number, outputStride: number) => boolean,
): ReadonlyMap<number, string> {
  const places = new Map<number, string>();
  let [stage, place] = first;
  let outputStride = 1;
  for (const { block, stride } of layers) {
    outputStride *= stride;
    if (block === 0 || places.has(block)) continue;
    if (stride > 1 && begins(block, outputStride)) [stage, place] = [stage + 1, 0];
    places.set(block, `${stage}.${place++}`);
  }
  return places;
}
