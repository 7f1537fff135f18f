/**
 * MobileNet V1 under names that nobody knows: told by the order and the shapes of its tensors.
 *
 * A stem, as many times as there are blocks a depthwise and a pointwise convolution, each with a batch norm or a bias or both, and maybe
 * a classifier. Either all tensors have their place and the channels of each layer fit the next, or a reason is given.
 * What shapes cannot tell apart (scale and shift, mean and variance, the equal blocks in the middle) is told by the
 * names where they say so, and by the order of the file where that means something.
 */

import { quoted } from "../../../../core/file-error.ts";
import type { Shape } from "../../../../core/tensor.ts";
import type { Renaming } from "../../../renamed.ts";
import type { ExpectedLayer } from "../expected.ts";
import { fittingLayers, type LayerSearch } from "../fitting.ts";
import type { FamilyDefaults } from "../name-map.ts";
import { groupsOf, sortedByName, withoutNumbers } from "./by-order-groups.ts";
import { bySlots, byStreams, type KernelOrder, type Misfit, type Slot } from "./by-order-slots.ts";
import { placeVectors, type Vectors } from "./by-order-vectors.ts";
import { IMAGENET } from "./imagenet.ts";

export interface Sequence {
  /** Our name and the layout, by the name in the file; `"ignored"` for counters. */
  readonly targets: ReadonlyMap<string, Renaming | "ignored">;
  /** Whose layout the kernels have. */
  readonly layout: KernelOrder;
  readonly defaults: FamilyDefaults;
}

/** Several times what a MobileNet V1 has, with biases and counters. */
const MOST_TENSORS = 1000;

const DEFAULTS: Readonly<Record<KernelOrder, FamilyDefaults>> = {
  PyTorch: {
    padding: "symmetric",
    epsilon: 1e-5,
    activation: "relu",
    channelRounding: "truncate",
    preprocessing: IMAGENET,
    why: "as most PyTorch code builds it; this file's names are not known",
  },
  Keras: {
    padding: "same",
    epsilon: 1e-3,
    activation: "relu6",
    channelRounding: "truncate",
    preprocessing: {},
    why: "as Keras builds it; this file's names are not known",
  },
};

/**
 * Our names for all tensors, or the reason why not.
 *
 * @param isOrdered whether the order of `tensors` is that of the network's layers; else the numbers in the names are
 * @param search    where the layers of the network are asked for
 */
export function sequenceByShape(
  tensors: ReadonlyMap<string, { readonly shape: Shape }>,
  isOrdered: boolean,
  search: LayerSearch,
): Sequence | { readonly reason: string } {
  if (tensors.size > MOST_TENSORS) return { reason: `${tensors.size} tensors, more than a MobileNet V1 has` };
  const found = groupsOf(tensors);
  if ("reason" in found) return found;
  const orders = [
    ...(isOrdered ? [{ groups: found.groups, isByName: false }] : []),
    { groups: sortedByName(found.groups), isByName: true },
  ];
  let best: Misfit = { reason: "no kernel of rank 4 among the tensors", placed: -1 };
  for (const layout of ["PyTorch", "Keras"] as const) {
    for (const { groups, isByName } of orders) {
      for (const [attempt, slots] of [bySlots(groups, layout), ...byStreams(groups, layout)].entries()) {
        const result = "reason" in slots ? slots : placeAll(slots.slots, isByName, search);
        if ("targets" in result) {
          for (const name of found.ignored) result.targets.set(name, "ignored");
          return { targets: result.targets, layout, defaults: DEFAULTS[layout] };
        }
        // By kind a wrong layer shows far from where it stands: such a reason is second best.
        if (result.placed > best.placed && (attempt === 0 || best.placed <= 0)) best = result;
      }
    }
  }
  return { reason: best.reason };
}

type Targets = Map<string, Renaming | "ignored">;

function placeAll(
  slots: readonly Slot[],
  isByName: boolean,
  search: LayerSearch,
): { readonly targets: Targets } | Misfit {
  const expected = fittingLayers(search, (layers) => countDepthwise(layers) === countDepthwise(slots));
  const targets: Targets = new Map();
  const besideAll = new Set<string>();
  for (const [placed, slot] of slots.entries()) {
    const layer = expected[placed];
    const misfit = kernelMisfit(slot, layer, slots[placed - 1]);
    if (layer === undefined || misfit !== undefined) return { reason: misfit ?? "", placed };
    const vectors = placeVectors(slot.kernel, slot.own, slot.following, slot.outputs);
    if ("reason" in vectors) return { ...vectors, placed };
    const beside = [...vectors.keys()].sort().join(", ");
    if (layer.kind !== "classifier") besideAll.add(beside);
    if (layer.kind === "classifier" ? beside !== "" && beside !== "bias" : besideAll.size > 1) {
      const reason = `${quoted(slot.kernel.name)} has ${beside || "no vector"} beside it, unlike the layers before`;
      return { reason, placed };
    }
    place(targets, slot, layer, vectors);
  }
  const placed = slots.length;
  const least = expected.filter(({ kind }) => kind !== "classifier").length;
  if (placed < least)
    return { reason: `${placed} layers, where a MobileNet V1 has ${least} before its classifier`, placed };
  if (!isByName || numbersTellApart(slots)) return { targets };
  return { reason: "equal layers are told apart by neither the order of the file nor numbers in their names", placed };
}

function countDepthwise(layers: readonly { readonly kind: string }[]): number {
  return layers.filter(({ kind }) => kind === "depthwise").length;
}

/** How the kernel of a layer looks. */
const KERNELS: Readonly<Record<ExpectedLayer["kind"], readonly Slot["kind"][]>> = {
  stem: ["3 × 3"],
  full: ["3 × 3"],
  depthwise: ["depthwise"],
  pointwise: ["1 × 1"],
  classifier: ["1 × 1", "dense"],
};

function kernelMisfit(slot: Slot, layer: ExpectedLayer | undefined, before: Slot | undefined): string | undefined {
  const name = quoted(slot.kernel.name);
  if (layer === undefined || !KERNELS[layer.kind].includes(slot.kind)) {
    return `${name} is a ${slot.kind} kernel, where ${layer === undefined ? "nothing more" : `that of ${layer.name}`} was expected`;
  }
  if (before === undefined || before.outputs === slot.inputs) return undefined;
  return `${name} takes ${slot.inputs} channels, where the layer before gives ${before.outputs}`;
}

function place(targets: Targets, { kernel, layout }: Slot, { parameters }: ExpectedLayer, vectors: Vectors): void {
  targets.set(kernel.name, { name: parameters.get("kernel") ?? "", layout });
  for (const [role, part] of vectors) targets.set(part.name, { name: parameters.get(role) ?? "", layout: "as-is" });
}

/** Whether layers of one kind and shape, which could be swapped unnoticed, have names that only numbers tell apart. */
function numbersTellApart(slots: readonly Slot[]): boolean {
  const names = ({ kernel, own, following }: Slot) =>
    // Keras leaves the number of the first out.
    [kernel, ...own, ...following].map(({ name }) => withoutNumbers(name).replaceAll("_#", "")).join("\n");
  return slots.every((slot, i) => {
    const next = slots[i + 2];
    const isEqual =
      next !== undefined && next.kind === slot.kind && String(next.kernel.shape) === String(slot.kernel.shape);
    return !isEqual || names(next) === names(slot);
  });
}
