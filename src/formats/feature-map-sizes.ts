/** Heights and widths of the values of a graph, followed from its inputs on, as far as the file states them. */

import type { Shape } from "../core/tensor.ts";
import { layWindow, type Padding } from "../core/window.ts";
import type { GraphInput, GraphNode, GraphOperation, KernelLayout, Pair } from "./graph.ts";

export interface FeatureMapSizes {
  of(value: string): Pair | undefined;
  /** Undefined: not known, whatever was known before. */
  set(value: string, size: Pair | undefined): void;
  addInput(input: GraphInput): void;
  /** Derives the size of a node's result from those of its inputs. */
  follow(node: GraphNode): void;
}

/** Axes of height and width. */
const KERNEL_AXES = {
  HWIO: [0, 1],
  HWIM: [0, 1],
  OHWI: [1, 2],
  "1HWC": [1, 2],
  OIHW: [2, 3],
} as const satisfies Record<KernelLayout, Pair>;

/** @param shapeOf the shape of a constant */
export function featureMapSizes(shapeOf: (value: string) => Shape | undefined): FeatureMapSizes {
  const sizes = new Map<string, Pair>();
  const of = (value: string | undefined) => sizes.get(value ?? "");
  const set = (value: string, size: Pair | undefined) => {
    if (size === undefined) sizes.delete(value);
    else sizes.set(value, size);
  };
  /** A constant along one axis at most is the same number all over an image, or does not fit it. */
  const operand = (value: string | undefined): Pair | undefined => {
    const isVector = (shapeOf(value ?? "")?.filter((side) => side !== 1).length ?? 2) <= 1;
    return of(value) ?? (isVector ? [1, 1] : undefined);
  };
  const after = ({ name, operation, inputs }: GraphNode): Pair | undefined => {
    const size = of(inputs[0]);
    switch (operation.type) {
      case "convolution": {
        const kernel = kernelSize(shapeOf(inputs[1] ?? ""), operation.layout);
        return kernel && windowOutput(name, size, { ...operation, kernel });
      }
      case "pool":
        return windowOutput(name, size, { ...operation, dilations: [1, 1] });
      case "pad": {
        const [[top, bottom], [left, right]] = operation.padding;
        return size && [size[0] + top + bottom, size[1] + left + right];
      }
      case "globalPool":
        return operation.keepDims ? [1, 1] : undefined;
      case "add":
      case "subtract":
      case "multiply":
      case "divide": {
        const [height, width] = broadcastSides(operand(inputs[0]) ?? [], operand(inputs[1]) ?? []);
        return height === undefined || width === undefined ? undefined : [height, width];
      }
      case "rsqrt":
        return operand(inputs[0]);
      case "batchNorm":
      case "activation":
      case "softmax":
      case "identity":
        return size;
      default:
        return undefined;
    }
  };
  return {
    of,
    set,
    addInput({ name, shape }) {
      const [height, width] = shape?.length === 3 ? shape : [];
      if (height !== undefined && width !== undefined) set(name, [height, width]);
    },
    follow: (node) => set(node.outputs[0] ?? "", after(node)),
  };
}

type OpenSides = readonly (number | undefined)[];

/**
 * Sides of a sum or product of two values of as many, by the rule of numpy: a side of 1 is broadcast, and a longer one
 * beside one that is not known stays, as nothing else fits it.
 *
 * @returns undefined for what is not known, or fits nothing
 */
export function broadcastSides(a: OpenSides, b: OpenSides): OpenSides {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, axis) => {
    const [one, other] = [a[axis], b[axis]];
    if (one === other || other === 1) return one;
    if (one === 1) return other;
    return one === undefined ? other : other === undefined ? one : undefined;
  });
}

/**
 * The pooling of a window, or of the whole image where the window is known to cover just that.
 *
 * @param size of the image
 */
export function poolOperation(
  name: string,
  pool: Extract<GraphOperation, { readonly type: "pool" }>,
  size: Pair | undefined,
): GraphOperation {
  const window = windowOver(name, size, { ...pool, dilations: [1, 1] });
  const isWhole =
    window?.padding.flat().every((side) => side === 0) === true &&
    window.output.every((side) => side === 1) &&
    window.kernel.every((side, axis) => side === window.input[axis]);
  return isWhole ? { type: "globalPool", kind: pool.kind, keepDims: true } : pool;
}

export interface WindowOperation {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

/** Height and width after a window; undefined if they are not known before, or nothing is left of the image. */
export function windowOutput(name: string, size: Pair | undefined, operation: WindowOperation): Pair | undefined {
  return windowOver(name, size, operation)?.output;
}

function windowOver(name: string, size: Pair | undefined, { kernel, strides, dilations, padding }: WindowOperation) {
  if (size === undefined) return undefined;
  try {
    return layWindow(name, { kernel, stride: strides, dilation: dilations, padding }, size);
  } catch {
    // Nothing is left of the image: whoever builds the network reports that, with the layer's name.
    return undefined;
  }
}

function kernelSize(shape: Shape | undefined, layout: KernelLayout): Pair | undefined {
  const [vertical, horizontal] = KERNEL_AXES[layout];
  const [kh, kw] = [shape?.[vertical], shape?.[horizontal]];
  return kh === undefined || kw === undefined ? undefined : [kh, kw];
}
