/** Tensors of 8-bit integers and their scales, as float32. Loaded when a file has some. */

import { damaged, fileError, quoted } from "../core/file-error.ts";
import { elementCount, type Shape, sameShape, shapeText } from "../core/tensor.ts";
import { isEightBit, scaleName, scaleShape, zeroPointName } from "../formats/eight-bit.ts";
import type { TensorContent } from "../formats/model-file.ts";
import { type StoredDType, type StoredTensor, toFloat32 } from "../formats/stored-tensor.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";

const SCALE_DTYPES: readonly StoredDType[] = ["F32", "F16", "BF16"];

/**
 * The same tensors under the same names, in the same order, without the scales (NAME_scale) and zero points
 * (NAME_zero_point) beside those of 8-bit integers: `toFloats` multiplies them in, or refuses integers that have none,
 * of whichever tensor a network needs. What nobody needs, such as a counter, needs no scale.
 */
export function withScales(content: TensorContent, file: string, budget: DecodedBudget): TensorContent {
  const { tensors } = content;
  const integers = [...tensors.values()].filter(isEightBit);
  const beside = new Set(integers.flatMap(({ name }) => [scaleName(name), zeroPointName(name)]));
  return {
    ...content,
    tensors: new Map([...tensors].filter(([name]) => !beside.has(name))),
    toFloats: (stored) => (isEightBit(stored) ? dequantized(stored, tensors, file, budget) : toFloat32(stored)),
  };
}

/**
 * @throws {DepthwiseError} `FILE_CORRUPT` for integers without scales that fit; `DTYPE_MISMATCH` for zero points other
 *         than 0; `FILE_TOO_LARGE`
 */
function dequantized(
  stored: StoredTensor,
  tensors: TensorContent["tensors"],
  file: string,
  budget: DecodedBudget,
): Float32Array {
  const scale = scaleOf(stored, tensors, file);
  const zeroPoint = tensors.get(zeroPointName(stored.name));
  if (zeroPoint?.bytes.some((byte) => byte !== 0)) throw asymmetric(stored, zeroPoint, file);
  budget.charge(file, 4 * elementCount(scale.shape), `tensor ${quoted(stored.name)}`);
  const values = toFloat32(stored);
  multiply(stored, values, scale, file);
  return values;
}

/** The scales beside a tensor, of a type and a shape that fit: the shape is the one that broadcasts. */
function scaleOf({ name, shape }: StoredTensor, tensors: TensorContent["tensors"], file: string): StoredTensor {
  const beside = scaleName(name);
  const scale = tensors.get(beside);
  const fitting = fittingShapes(shape);
  const found = fitting.find((each) => scale !== undefined && sameShape(each.stored, scale.shape));
  if (scale !== undefined && SCALE_DTYPES.includes(scale.dtype)) {
    if (found !== undefined) return { ...scale, shape: found.broadcast };
    if (elementCount(scale.shape) === 1) return { ...scale, shape: [] };
  }
  const shapes = [...fitting.map((each) => shapeText(each.stored)), "one number"].join(" or ");
  throw damaged(file, `tensor ${quoted(name)} ${shapeText(shape)} of 8-bit integers`, {
    expected: `its scales beside it, as ${quoted(beside)} ${shapes} of ${SCALE_DTYPES.join(", ")}`,
    found: scale === undefined ? "none" : `${shapeText(scale.shape)} of ${scale.dtype}`,
    advice: ADVICE,
    fields: { tensor: name, scale: beside },
  });
}

const ADVICE = "Write the file again with a scale a channel, or fetch it again.";

interface ScaleShape {
  readonly stored: Shape;
  /** As many axes as the tensor has, 1 long where they are not the channels'. */
  readonly broadcast: Shape;
}

/** By where the output channels may be: the last axis, the last two of a depthwise kernel, or PyTorch's first. */
function fittingShapes(shape: Shape): readonly ScaleShape[] {
  const first = shape.map((side, axis) => (axis === 0 ? side : 1));
  const shapes = [scaleShape(shape, 1), scaleShape(shape, shape.length === 4 ? 2 : 1), first];
  const asTheyAre = shapes.map((each) => ({ stored: each, broadcast: each }));
  // compressed-tensors writes [out, 1] whatever rank the kernel has: as arrays broadcast that is the last axis but one.
  const [channels = 1] = shape;
  const isClear = shape.length > 2 && channels !== shape.at(-2);
  const all = [...asTheyAre, ...(isClear ? [{ stored: [channels, 1], broadcast: first }] : [])];
  return all.filter(({ stored }, i) => all.findIndex((other) => sameShape(stored, other.stored)) === i);
}

/** Sound where it was written, and not damaged. */
function asymmetric({ name, shape }: StoredTensor, zeroPoint: StoredTensor, file: string): Error {
  const what = `tensor ${quoted(name)} ${shapeText(shape)} of 8-bit integers`;
  return fileError("DTYPE_MISMATCH", file, what, "Write the file again with symmetric scales, or as F16.", {
    expected: "zero points of 0: others are not read here",
    found: `others, in ${quoted(zeroPoint.name)}`,
    fields: { tensor: name, zeroPoint: zeroPoint.name },
  });
}

/** Multiplies in place: so many neighbours share a scale as the axes behind the channels have. */
function multiply({ name, shape }: StoredTensor, values: Float32Array, scale: StoredTensor, file: string): void {
  const scales = toFloat32(scale);
  const run = elementCount(shape.slice(scale.shape.findLastIndex((side) => side > 1) + 1));
  for (let i = 0; i < values.length; i++) {
    const channel = Math.floor(i / run) % scales.length;
    const [integer, factor] = [values[i] as number, scales[channel] as number];
    if (!(factor > 0 && factor < Infinity) && !(factor === 0 && integer === 0)) {
      throw damaged(file, `tensor ${quoted(scale.name)}, element ${channel}`, {
        expected: `a finite number above 0, or 0 where all of ${quoted(name)} is 0`,
        found: String(factor),
        advice: ADVICE,
        fields: { tensor: name, scale: scale.name, index: channel, value: factor },
      });
    }
    values[i] = integer * factor;
  }
}
