/** Arrangements of a file's groups of tensors as layers one after another. */

import { quoted } from "../../../../core/file-error.ts";
import { shapeText } from "../../../../core/tensor.ts";
import type { WeightLayout } from "../../../../formats/transpose.ts";
import type { Part, TensorGroup } from "./by-order-groups.ts";

/** Whose layout kernels have: `[out, in, kh, kw]`, or `[kh, kw, in, out]`. */
export type KernelOrder = "PyTorch" | "Keras";

/** A kernel and the vectors beside it. */
export interface Slot {
  readonly kernel: Part;
  readonly kind: "3 × 3" | "depthwise" | "1 × 1" | "dense";
  readonly inputs: number;
  readonly outputs: number;
  readonly layout: WeightLayout;
  /** Vectors that share the kernel's name. */
  readonly own: readonly Part[];
  /** Vectors of the groups that follow. */
  readonly following: readonly Part[];
}

/** Why an arrangement does not fit, and how many layers did. */
export interface Misfit {
  readonly reason: string;
  readonly placed: number;
}

export type Arrangement = { readonly slots: readonly Slot[] } | Misfit;

/** Each kernel, then the vectors that belong to it, as the layers follow one another. */
export function bySlots(groups: readonly TensorGroup[], layout: KernelOrder): Arrangement {
  const slots: Slot[] = [];
  for (const { kernel, vectors } of groups) {
    if (kernel !== undefined) {
      const slot = slotOf(kernel, vectors, layout);
      if ("reason" in slot) return { ...slot, placed: slots.length };
      slots.push(slot);
      continue;
    }
    const last = slots.pop();
    if (last === undefined) {
      return { reason: `${quoted(vectors[0]?.name ?? "")} stands before the first kernel`, placed: 0 };
    }
    slots.push({ ...last, following: [...last.following, ...vectors] });
  }
  return slots.length === 0 ? { reason: "there is no kernel", placed: 0 } : { slots: ordered(withGreyStem(slots)) };
}

/**
 * Kernels of each kind, and batch norms, in an order of their own each, as when they are numbered by kind
 * (`conv2d_4`, `depthwise_conv2d_3`, `batch_normalization_7`): one of each in turn. The stem's batch norm may come
 * last, as the only one outside the blocks.
 */
export function byStreams(groups: readonly TensorGroup[], layout: KernelOrder): readonly Arrangement[] {
  const slots: Slot[] = [];
  for (const { kernel, vectors } of groups) {
    if (kernel === undefined) continue;
    const slot = slotOf(kernel, vectors, layout);
    if ("reason" in slot) return [];
    slots.push(slot);
  }
  const ofKind = (wanted: Slot["kind"]) => withGreyStem(slots).filter(({ kind }) => kind === wanted);
  const depthwise = ofKind("depthwise");
  const stems = ofKind("3 × 3");
  const pointwise = ofKind("1 × 1");
  const blocks = depthwise.flatMap((slot, i) => [slot, ...pointwise.slice(i, i + 1)]);
  const line = [...stems, ...blocks, ...pointwise.slice(depthwise.length), ...ofKind("dense")];
  const norms = groups.filter(({ kernel }) => kernel === undefined).map(({ vectors }) => vectors);
  if (norms.length !== 0 && norms.length !== 2 * depthwise.length + 1) return [];
  return [norms, [...norms.slice(-1), ...norms.slice(0, -1)]].map((order) => ({
    slots: line.map((slot, i) => ({ ...slot, following: order[i] ?? [] })),
  }));
}

/** PyTorch's `[out, 1, 3, 3]` for grey pictures looks like a depthwise kernel; the first one is none. */
function withGreyStem(slots: readonly Slot[]): readonly Slot[] {
  const slot = slots.find(({ kind }) => kind === "depthwise");
  if (slot?.layout !== "depthwise-oihw" || slots.some(({ kind }) => kind === "3 × 3")) return slots;
  return slots.map((other) => (other === slot ? { ...slot, kind: "3 × 3", inputs: 1, layout: "oihw" } : other));
}

/** A classifier sorts anywhere by its name; in a network it is the last. */
function ordered(slots: readonly Slot[]): readonly Slot[] {
  const dense = slots.filter(({ kind }) => kind === "dense");
  const others = slots.filter(({ kind }) => kind !== "dense");
  const [first, ...rest] = others;
  return first?.kind === "1 × 1" && dense.length === 0 ? [...rest, first] : [...others, ...dense];
}

function slotOf(kernel: Part, own: readonly Part[], layout: KernelOrder): Slot | { readonly reason: string } {
  const sides = layout === "PyTorch" ? torchKernel(kernel) : kerasKernel(kernel);
  if (sides !== undefined) return { kernel, own, following: [], ...sides };
  const shape = shapeText(kernel.shape);
  return { reason: `${quoted(kernel.name)} of shape ${shape} is no kernel of a MobileNet V1` };
}

type Sides = Pick<Slot, "kind" | "inputs" | "outputs" | "layout">;

function torchKernel({ shape }: Part): Sides | undefined {
  const [outputs = 0, inputs = 0, height, width] = shape;
  if (shape.length === 2) return { kind: "dense", inputs, outputs, layout: "linear" };
  if (height === 1 && width === 1) return { kind: "1 × 1", inputs, outputs, layout: "oihw" };
  if (height !== 3 || width !== 3) return undefined;
  if (inputs === 1) return { kind: "depthwise", inputs: outputs, outputs, layout: "depthwise-oihw" };
  return { kind: "3 × 3", inputs, outputs, layout: "oihw" };
}

function kerasKernel({ shape }: Part): Sides | undefined {
  if (shape.length === 2) return { kind: "dense", inputs: shape[0] ?? 0, outputs: shape[1] ?? 0, layout: "dense" };
  const [height, width, inputs = 0, outputs = 0] = shape;
  if (height === 1 && width === 1) return { kind: "1 × 1", inputs, outputs, layout: "as-is" };
  if (height !== 3 || width !== 3) return undefined;
  if (outputs === 1) return { kind: "depthwise", inputs, outputs: inputs, layout: "as-is" };
  return { kind: "3 × 3", inputs, outputs, layout: "as-is" };
}
