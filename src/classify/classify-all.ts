/** Many images in a row: some are read and decoded while the network runs on others, and results come in order. */

import { shownAddress } from "../core/address.ts";
import { DepthwiseError, InternalError, isDepthwiseError } from "../core/errors.ts";
import { checkKnownOptions, oneOf, optionError, positiveInteger, signalOption } from "../core/options.ts";
import { paceOf } from "../core/stall-watch.ts";
import type { Prediction } from "./best.ts";
import type { ClassifyOptions, ImageOptions, ImageSource } from "./image-options.ts";
import { inOrder } from "./in-order.ts";
import { READING, readingOf } from "./reading.ts";

export interface Progress {
  /** Images handed over, this one included. */
  readonly done: number;
  /** Known where the images have a `length` or a `size`. */
  readonly total?: number;
}

export interface ClassifyAllOptions extends ClassifyOptions {
  /** How many images are read and decoded at once, ahead of the network. Default 4. */
  readonly concurrency?: number;
  /** Called before each result is handed over. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * What becomes of an image that cannot be read: `reject` (default) throws its error in its turn, `yield` hands over
   * `{ index, image, error }` and goes on. What is not the image's fault is thrown: a lost worker, a missing package.
   */
  readonly onError?: "reject" | "yield";
}

export interface ClassifiedImage<Source = ImageSource> {
  /** Position among the images. */
  readonly index: number;
  readonly image: Source;
  /** Best first. */
  readonly predictions: readonly Prediction[];
  readonly error?: undefined;
}

export interface UnreadableImage<Source = ImageSource> {
  readonly index: number;
  readonly image: Source;
  readonly predictions?: undefined;
  readonly error: DepthwiseError;
}

/** What a classifier lends. */
export interface Classifying {
  /** Most images in one run. */
  readonly batch: number;
  /** From a file or pixels to the network's input. */
  decode(image: ImageSource, options: ImageOptions): Promise<Float32Array>;
  classify(
    inputs: readonly Float32Array[],
    topK: number,
    signal: AbortSignal,
  ): Promise<readonly (readonly Prediction[])[]>;
}

type Images<Source> = Iterable<Source> | AsyncIterable<Source>;
type Results<Source> = AsyncGenerator<ClassifiedImage<Source> | UnreadableImage<Source>, void, undefined>;

/** Checks its arguments at once; the first image is pulled when the first result is asked for. */
export function classifyAll<Source extends ImageSource>(
  images: Images<Source>,
  options: ClassifyAllOptions,
  { batch, decode, classify }: Classifying,
): Results<Source> {
  checkKnownOptions("classifyAll", options, ["topK", ...READING, "concurrency", "onProgress", "onError"]);
  checkIterable(images);
  const topK = positiveInteger("classifyAll", "topK", options.topK ?? 5);
  const concurrency = positiveInteger("classifyAll", "concurrency", options.concurrency ?? 4);
  const onError = oneOf("classifyAll", "onError", options.onError ?? "reject", ["reject", "yield"]);
  const { maxPixels, onProgress } = options;
  const signal = signalOption("classifyAll", options.signal);
  paceOf("classifyAll", options);
  if (maxPixels !== undefined) positiveInteger("classifyAll", "maxPixels", maxPixels);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw optionError("classifyAll", "onProgress", "a function", onProgress);
  }
  // Read once: the object is the caller's.
  const reading = readingOf(options);
  const work = {
    concurrency,
    batch,
    prepare: (image: Source, stop: AbortSignal) => decode(image, { ...reading, signal: stop }),
    run: (inputs: readonly Float32Array[], stop: AbortSignal) => classify(inputs, topK, stop),
    isKept: (error: unknown) => onError === "yield" && isOfImage(error),
  };
  return (async function* results(): Results<Source> {
    const total = countOf(images);
    for await (const { index, item: image, ...became } of inOrder(images, work, signal)) {
      onProgress?.({ done: index + 1, ...(total === undefined ? {} : { total }) });
      if ("error" in became) yield { index, image, error: typed(became.error, image, index) };
      else yield { index, image, predictions: became.result };
    }
  })();
}

/** Not a package that no image could be read with, nor a fault of our own. */
function isOfImage(error: unknown): boolean {
  return !(error instanceof InternalError || (isDepthwiseError(error) && error.code === "PACKAGE_MISSING"));
}

/** Whatever reading one image throws is about that image: an address that is none, a fault of a decoder. */
function typed(cause: unknown, image: ImageSource, index: number): DepthwiseError {
  if (isDepthwiseError(cause)) return cause;
  const name = typeof image === "string" ? shownAddress(image) : `image ${index}`;
  return new DepthwiseError("IMAGE_UNREADABLE", {
    what: `${name}: it cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
    advice: "Pass a path, a URL, a Blob or bytes of an image file.",
    fields: { index },
    cause,
  });
}

/** A path and bytes can be iterated too, but are one image. */
function checkIterable(images: unknown): void {
  const isObject = typeof images === "object" && images !== null && !ArrayBuffer.isView(images);
  if (isObject && (Symbol.asyncIterator in images || Symbol.iterator in images)) return;
  throw optionError(
    "classifyAll",
    "images",
    "an array, an iterable or an async iterable of images",
    images,
    "Put a single image into an array, or pass it to classify.",
  );
}

function countOf(images: object): number | undefined {
  if ("length" in images && typeof images.length === "number") return images.length;
  return "size" in images && typeof images.size === "number" ? images.size : undefined;
}
