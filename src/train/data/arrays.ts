/** A data set of two arrays: pictures, and what they show. */

import { DepthwiseError } from "../../core/errors.ts";
import { optionError } from "../../core/options.ts";
import { isFloat32Array, isUint8Array, typedArray } from "../../core/realms.ts";
import { shapeText, type Tensor, tensor } from "../../core/tensor.ts";
import { type ClassOptions, checkClassOptions, type Dataset, datasetOf } from "./dataset.ts";
import type { PixelImage } from "./example.ts";
import { checkShares, classesIn, classNames, type DatasetLabels, indicesOf, namesOfShares } from "./labels.ts";

/**
 * @param x uint8 `[count, height, width, 1 to 4]` for pictures, which become the network's input as its preprocessing
 *          says; float32 `[count, height, width, channels]` for what is its input already. Kept, as tensors are, and
 *          never written.
 * @param y class indices, one a picture; or a float32 tensor of shares, `[count, classes]`, each row adding to 1. Copied.
 * @throws {DepthwiseError} `SHAPE_MISMATCH` if the two do not belong together; `DTYPE_MISMATCH`; `OPTION_INVALID` for what
 *         is no label; `CLASSES_MISMATCH` for one beyond the classes
 */
export function arrays(x: Tensor, y: ArrayLike<number> | Tensor, options: ClassOptions = {}): Dataset {
  checkClassOptions("arrays", options);
  const { data, shape } = picturesOf(x);
  const [count = 0, height = 0, width = 0, channels = 0] = shape;
  const { labels, classes } = isTensor(y) ? sharesOf(y, options, count) : numbersOf(y, options, count);
  const each = height * width * channels;
  return datasetOf({
    classes,
    labels,
    imageAt: (index): PixelImage => {
      if (data.length < each * count) {
        throw new DepthwiseError("SHAPE_MISMATCH", {
          what: "arrays: x",
          expected: shapeText(shape),
          found: `${data.length} values: its buffer was transferred or resized`,
        });
      }
      return { width, height, channels, data: data.subarray(each * index, each * (index + 1)) };
    },
  });
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "shape" in value && "data" in value;
}

function picturesOf(x: unknown): { readonly data: Uint8Array | Float32Array; readonly shape: readonly number[] } {
  const expected = "a uint8 or float32 tensor [count, height, width, channels]";
  if (!isTensor(x)) throw optionError("arrays", "x", expected, x, "Make one with tensor(data, shape).");
  const { data, shape } = tensor(x.data, x.shape);
  if (!isUint8Array(data) && !isFloat32Array(data)) {
    throw new DepthwiseError("DTYPE_MISMATCH", { what: "arrays: x", expected, found: "int32" });
  }
  const isPicture = shape.length === 4 && !shape.includes(0) && (isFloat32Array(data) || (shape[3] ?? 0) <= 4);
  if (isPicture) return { data, shape };
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: "arrays: x",
    expected: `${expected}, of bytes 1 to 4 channels, and at least one picture`,
    found: shapeText(shape),
    advice: "Give grey pictures a last axis of 1.",
    fields: { shape },
  });
}

interface Labelled {
  readonly labels: DatasetLabels;
  readonly classes: readonly string[];
}

function numbersOf(y: unknown, options: ClassOptions, count: number): Labelled {
  if (!Array.isArray(y) && typedArray(y) === undefined) {
    throw optionError("arrays", "y", "class indices, or a float32 tensor [count, classes] of shares", y);
  }
  checkLabelCount((y as ArrayLike<number>).length, count);
  const data = indicesOf("arrays", y as ArrayLike<number>);
  return { labels: { type: "indices", data }, classes: classNames("arrays", options.classes, classesIn(data)) };
}

function sharesOf(y: Tensor, options: ClassOptions, count: number): Labelled {
  const { data, shape } = tensor(y.data, y.shape);
  if (shape.length === 1) return numbersOf(data, options, count);
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || columns === 0 || !isFloat32Array(data)) {
    throw new DepthwiseError("SHAPE_MISMATCH", {
      what: "arrays: y",
      expected: "class indices, or a float32 tensor [count, classes] of shares",
      found: shapeText(shape),
      advice: "Pass one row for each picture.",
      fields: { shape },
    });
  }
  checkLabelCount(rows, count);
  for (let row = 0; row < rows; row++) checkShares("arrays", row, data.subarray(columns * row, columns * (row + 1)));
  const classes = namesOfShares("arrays", options.classes, columns);
  return { labels: { type: "shares", data: new Float32Array(data) }, classes };
}

function checkLabelCount(found: number, expected: number): void {
  if (found === expected) return;
  throw new DepthwiseError("SHAPE_MISMATCH", {
    what: "arrays: y",
    expected: `${expected} labels, one for each picture of x`,
    found: `${found}`,
    advice: "Pass pictures and labels that belong together.",
    fields: { pictures: expected, labels: found },
  });
}
