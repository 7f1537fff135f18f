/** Tensors of 8-bit integers and their scales, as float32. Loaded when a file has some. */

import { damaged, quoted } from "../core/file-error.ts";
import { elementCount, type Shape, sameShape, shapeText } from "../core/tensor.ts";
import { isEightBit, scaleName, scaleShape } from "../formats/eight-bit.ts";
import type { TensorContent } from "../formats/model-file.ts";
import { type StoredDType, type StoredTensor, toFloat32 } from "../formats/stored-tensor.ts";
import type { DecodedBudget } from "../sources/decoded-budget.ts";

const SCALE_DTYPES: readonly StoredDType[] = ["F32", "F16", "BF16"];

/**
 * The same tensors under the same names, in the same order: those of 8-bit integers multiplied by what lies beside them
 * as NAME_scale, and without that.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT` for integers without a scale for each channel; `FILE_TOO_LARGE`
 */
export function dequantized(
  { tensors, ...content }: TensorContent,
  file: string,
  budget: DecodedBudget,
): TensorContent {
  const plain = new Map(tensors);
  for (const stored of tensors.values()) {
    if (!isEightBit(stored)) continue;
    const scale = scaleOf(stored, tensors, file);
    const count = elementCount(stored.shape);
    budget.charge(file, 4 * (count + elementCount(scale.shape)), `tensor ${quoted(stored.name)}`);
    const values = toFloat32(stored);
    multiply(stored, values, scale, file);
    plain.delete(scale.name);
    plain.set(stored.name, { ...stored, dtype: "F32", bytes: new Uint8Array(values.buffer) });
  }
  return { ...content, tensors: plain };
}

/** The scales beside a tensor, of a shape and a type that fit. */
function scaleOf({ name, shape }: StoredTensor, tensors: TensorContent["tensors"], file: string): StoredTensor {
  const beside = scaleName(name);
  const scale = tensors.get(beside);
  const shapes = shapesOf(shape);
  const isSound = scale !== undefined && SCALE_DTYPES.includes(scale.dtype);
  if (isSound && shapes.some((each) => sameShape(each, scale.shape))) return scale;
  const expected = `${shapes.map(shapeText).join(" or ")} of ${SCALE_DTYPES.join(", ")}`;
  throw damaged(file, `tensor ${quoted(name)} ${shapeText(shape)} of 8-bit integers`, {
    expected: `its scales beside it, as ${quoted(beside)} ${expected}`,
    found: scale === undefined ? "none" : `${shapeText(scale.shape)} of ${scale.dtype}`,
    advice: ADVICE,
    fields: { tensor: name, scale: beside },
  });
}

const ADVICE = "Write the file again with a scale a channel, or fetch it again.";

/** By where the output channels may be: the last axis, the last two of a depthwise kernel, or PyTorch's first. */
function shapesOf(shape: Shape): readonly Shape[] {
  const shapes = [scaleShape(shape, 1), scaleShape(shape, shape.length === 4 ? 2 : 1)];
  const first = shape.map((side, axis) => (axis === 0 ? side : 1));
  return [...shapes, first].filter((each, i, all) => all.findIndex((other) => sameShape(each, other)) === i);
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
