/** A data set of whatever gives examples one after another. */

import { bytesOf } from "../../core/buffers.ts";
import { DepthwiseError } from "../../core/errors.ts";
import { grouped } from "../../core/file-error.ts";
import { optionError, positiveInteger, signalOption } from "../../core/options.ts";
import type { PlatformFile } from "../../core/platform-types.ts";
import { isArrayBuffer, isURL, typedArray } from "../../core/realms.ts";
import { untilAborted } from "../../core/until-aborted.ts";
import { decodeImage } from "../../images/decode.ts";
import { isPageSource, type PageSource } from "../../images/page-source.ts";
import { type Awaitable, type ClassOptions, checkClassOptions, type Dataset, datasetOf, isDataset } from "./dataset.ts";
import { checkImage, type ExampleImage, isPixelImage, nameOf } from "./example.ts";
import { classNames, labelsOf } from "./labels.ts";

/** What an iterable gives. */
export interface GivenExample {
  /** Pixels, an image file (path, URL, Blob, bytes), or what a page shows (`<img>`, `<video>`, canvas, ImageBitmap). */
  readonly image: ExampleImage | PageSource | PlatformFile;
  /** A class index, the name of a class, or the share of each class; of one kind throughout. */
  readonly label: number | string | readonly number[] | Float32Array;
  readonly name?: string;
}

/** What a data set can be made of. */
export type Examples = Iterable<GivenExample> | AsyncIterable<GivenExample>;

/** How a data set is made of an iterable. */
export interface DatasetOptions extends ClassOptions {
  /** Most bytes that the examples of an iterable may take in memory. Default 1 GiB. */
  readonly maxBytes?: number;
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** What an example costs besides its bytes: so an iterable of paths that never ends is refused too. */
const EXAMPLE_COST = 256;

/**
 * A data set of a data set (which it is), of a promise of one, or of an iterable, sync or async, of `{ image, label }`.
 *
 * An iterable is read to its end and held in memory, since an epoch is shuffled as a whole, a part of it is split off by
 * class, and training is resumed in its middle: image files as their bytes, not decoded; paths, URLs and Blobs as they
 * are; pixels as pixels. Bytes, pixels and shares are copied. For more than memory holds, give paths or Blobs.
 *
 * @throws {DepthwiseError} `MEMORY_EXCEEDED` beyond `maxBytes`, after which the iterable is left; `OPTION_INVALID` for
 *         what is no example, with its position; `CLASSES_MISMATCH`; what the iterable throws; `signal.reason`
 */
export async function dataset(data: Awaitable<Dataset | Examples>, options: DatasetOptions = {}): Promise<Dataset> {
  checkClassOptions("dataset", options, ["maxBytes", "signal"]);
  const signal = signalOption("dataset", options.signal);
  const maxBytes = positiveInteger("dataset", "maxBytes", options.maxBytes ?? 2 ** 30);
  const named = options.classes === undefined ? undefined : classNames("dataset", options.classes, 0);
  signal?.throwIfAborted();
  const source = await untilAborted(Promise.resolve(data), signal);
  if (isDataset(source)) return source;
  const { images, labels: given, names } = await readAll(source, maxBytes, signal);
  const { labels, classes } = labelsOf("dataset", given, named);
  return datasetOf({
    classes,
    labels,
    imageAt: (index) => images[index] ?? "",
    nameAt: (index) => names[index] ?? "",
  });
}

async function readAll(source: Examples, maxBytes: number, signal: AbortSignal | undefined) {
  const images: ExampleImage[] = [];
  const labels: GivenExample["label"][] = [];
  const names: string[] = [];
  let bytes = 0;
  for await (const example of abortable(iteratorOf(source), signal)) {
    const owner = `example ${grouped(images.length)}`;
    if (typeof example !== "object" || example === null || !("image" in example) || !("label" in example)) {
      throw optionError("dataset", owner, "{ image, label }", example);
    }
    const { image, label, name } = example;
    const own = heldLabel(label, maxBytes - bytes);
    bytes += EXAMPLE_COST + own.bytes;
    const held = await heldImage(`dataset: ${owner}`, image, maxBytes - bytes, signal);
    bytes += held.bytes;
    if (bytes > maxBytes) throw tooMuch(images.length, maxBytes);
    names.push(typeof name === "string" ? name : nameOf(held.image, images.length));
    images.push(held.image);
    labels.push(own.label);
  }
  return { images, labels, names };
}

function iteratorOf(source: unknown): AsyncIterator<GivenExample> | Iterator<GivenExample> {
  if (typeof source === "object" && source !== null && !ArrayBuffer.isView(source)) {
    if (Symbol.asyncIterator in source) return (source as AsyncIterable<GivenExample>)[Symbol.asyncIterator]();
    if (Symbol.iterator in source) return (source as Iterable<GivenExample>)[Symbol.iterator]();
  }
  const expected = "a data set, or an iterable or async iterable of { image, label }";
  throw optionError("dataset", "data", expected, source, "Make one with imageFolder, idx, cifar10 or arrays.");
}

/** Gives up waiting when the signal says so. The iterable's `return()` is called, and not waited for where it hangs. */
async function* abortable(
  iterator: AsyncIterator<GivenExample> | Iterator<GivenExample>,
  signal: AbortSignal | undefined,
): AsyncGenerator<GivenExample, void, undefined> {
  let isOver = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const pulled = Promise.resolve(iterator.next());
      const { done, value } = await untilAborted(pulled, signal).catch((cause: unknown) => {
        isOver = signal?.aborted !== true;
        throw cause;
      });
      if (done === true) {
        isOver = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!isOver) {
      const farewell = (async () => iterator.return?.())().catch(() => undefined);
      if (signal?.aborted !== true) await farewell;
    }
  }
}

interface Held {
  readonly image: ExampleImage;
  readonly bytes: number;
}

/** A copy of what the caller may write to; it is counted before. */
async function heldImage(
  owner: string,
  image: GivenExample["image"],
  left: number,
  signal: AbortSignal | undefined,
): Promise<Held> {
  if (isPageSource(image)) {
    const pixels = await decodeImage(image as PageSource, { signal });
    return { image: { ...pixels, channels: 3 }, bytes: pixels.data.length };
  }
  checkImage(owner, image);
  if (isPixelImage(image)) {
    const { width, height, data } = image;
    if (data.byteLength > left) return { image, bytes: data.byteLength };
    const channels = image.channels ?? data.length / (width * height);
    return { image: { width, height, channels, data: data.slice() }, bytes: data.byteLength };
  }
  if (isURL(image)) return { image: new URL(image.href), bytes: 0 };
  if (!ArrayBuffer.isView(image) && !isArrayBuffer(image)) return { image, bytes: 0 };
  const bytes = bytesOf(owner, image);
  return { image: bytes.length > left ? bytes : new Uint8Array(bytes), bytes: bytes.length };
}

/** A copy of a row of shares, numbers of at most 8 bytes; it is counted before. */
function heldLabel(
  label: GivenExample["label"],
  left: number,
): { readonly label: GivenExample["label"]; readonly bytes: number } {
  if (typeof label !== "object" || !(Array.isArray(label) || typedArray(label))) return { label, bytes: 0 };
  const bytes = 8 * label.length;
  return { label: bytes > left ? label : label.slice(), bytes };
}

function tooMuch(count: number, maxBytes: number): DepthwiseError {
  return new DepthwiseError("MEMORY_EXCEEDED", {
    what: `dataset: ${grouped(count + 1)} examples`,
    expected: `at most ${grouped(maxBytes)} bytes in memory, as maxBytes says`,
    found: "more",
    advice: "Give paths, URLs or Blobs in place of bytes or pixels, fewer examples, or a larger maxBytes.",
    fields: { examples: count, maxBytes },
  });
}
