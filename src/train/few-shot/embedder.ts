/** From images to embeddings of length 1: some are read and decoded while the network runs on others. */

import type { ImageOptions, ImageSource } from "../../classify/image-options.ts";
import { inOrder } from "../../classify/in-order.ts";
import { Breath } from "../../core/breath.ts";
import { DepthwiseError } from "../../core/errors.ts";
import { allocated } from "../../core/memory.ts";
import { optionError } from "../../core/options.ts";
import type { PlatformFileList } from "../../core/platform-types.ts";
import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import { className } from "../../core/realms.ts";
import { elementCount, type Shape, tensor } from "../../core/tensor.ts";
import { untilAborted } from "../../core/until-aborted.ts";
import { decodeHeld, heldSource } from "../../images/decode.ts";
import { isPageSource, takePixels } from "../../images/page-source.ts";
import { PIXELS_AT_ONCE, type PixelBudget, pixelBudget } from "../../images/pixel-budget.ts";
import { copiedImage, type ImageDataLike, MAX_PIXELS, overwritten, toPixels } from "../../images/pixels.ts";
import { preprocess } from "../../images/preprocess.ts";
import type { Network } from "../../layers/network.ts";
import { type CompileOptions, compile } from "../../session/compile.ts";
import type { Session } from "../../session/session.ts";
import { isImageFault } from "../image-fault.ts";
import { toUnitLength } from "./unit-rows.ts";

/** Images as `add` takes them: one, a list, or what yields them. */
export type ImageSources = ImageSource | Iterable<ImageSource> | AsyncIterable<ImageSource> | PlatformFileList;

/** An image that is nobody else's: makes the network's input of it when its turn comes. */
type MakeInput = (options: ImageOptions) => Promise<Float32Array>;

/** Images that were read at the call, or a source that is read as it yields. */
export interface HeldImages {
  readonly isList: boolean;
  readonly total: number | undefined;
  readonly source: Iterable<MakeInput> | AsyncIterable<MakeInput>;
  /** Lets go what was not read: a server still sends the bodies that nobody will read. */
  release(): void;
}

/** One of them: its embedding, or why there is none. */
export type Embedded = { readonly index: number } & ({ readonly row: Float32Array } | { readonly error: unknown });

/** How many numbers an embedding has. */
export function widthOf(network: Network<"embedding">): number {
  return elementCount(network.shapes.get(network.outputs.embedding) ?? []);
}

export class Embedder {
  readonly preprocessing: CompletePreprocessing;
  /** Features of an embedding. */
  readonly width: number;
  readonly #session: Session<"embedding">;
  readonly #inputShape: Shape;
  readonly #budget: PixelBudget = pixelBudget(PIXELS_AT_ONCE);

  private constructor(session: Session<"embedding">, network: Network<"embedding">, complete: CompletePreprocessing) {
    this.#session = session;
    this.#inputShape = network.inputShape;
    this.preprocessing = complete;
    this.width = widthOf(network);
  }

  /** @param network with an output `embedding` and no other */
  static async of(
    network: Network<"embedding">,
    preprocessing: CompletePreprocessing,
    options: CompileOptions,
  ): Promise<Embedder> {
    return new Embedder(await compile(network, options), network, preprocessing);
  }

  close(): void {
    this.#session.close();
  }

  /**
   * Reads what can be read now: a caller may write to its pixels and bytes when the call returns. The first pixels become
   * inputs at once, for 40 ms; the others are copied. Of an iterable each image is read as it is yielded.
   */
  hold(owner: string, images: unknown, options: ImageOptions): HeldImages {
    const one = (image: ImageSource, mayWork: boolean) => this.#holdOne(image, options, mayWork);
    if (!Array.isArray(images) && className(images) !== "FileList" && isIterable(images)) {
      return { isList: true, total: undefined, source: mapped(images, (image) => one(image, true)), release() {} };
    }
    const isList = Array.isArray(images) || className(images) === "FileList";
    if (images === undefined || images === null) {
      throw optionError(owner, "images", "an image, or an array or iterable of images", images);
    }
    const breath = new Breath(performance.now());
    const all = isList ? Array.from(images as ArrayLike<ImageSource>) : [images as ImageSource];
    const held = all.map((image) => one(image, !breath.isDue));
    const source = (function* () {
      for (let next = held.shift(); next !== undefined; next = held.shift()) yield next;
    })();
    const release = () => {
      for (const rest of held.splice(0)) rest({ signal: AbortSignal.abort() }).catch(() => undefined);
    };
    return { isList, total: all.length, source, release };
  }

  /** The embeddings in order. */
  async *embed(
    { source }: HeldImages,
    options: ImageOptions,
    given: { readonly concurrency: number; readonly keepsFaults: boolean },
  ): AsyncGenerator<Embedded, void, undefined> {
    const work = {
      concurrency: given.concurrency,
      batch: this.#session.batch,
      prepare: (make: MakeInput, signal: AbortSignal) => make({ ...options, signal }),
      run: (inputs: readonly Float32Array[], signal: AbortSignal) => this.#run(inputs, signal),
      isKept: (error: unknown) => given.keepsFaults && isImageFault(error),
    };
    for await (const { index, ...became } of inOrder(source, work, options.signal ?? undefined)) {
      if ("error" in became) yield { index, error: became.error };
      else if (toUnitLength(became.result)) yield { index, row: became.result };
      else yield { index, error: notFinite(index) };
    }
  }

  async #run(inputs: readonly Float32Array[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    const each = elementCount(this.#inputShape);
    const advice = "Pass a smaller batch to fewShot.";
    const joined = allocated("few-shot: the inputs of a batch", 4 * each * inputs.length, advice, () => {
      return new Float32Array(each * inputs.length);
    });
    for (const [place, input] of inputs.entries()) joined.set(input, place * each);
    const shape = [inputs.length, ...this.#inputShape];
    const { embedding } = await this.#session.run(tensor(joined, shape), { signal });
    return inputs.map((_, place) => embedding.data.slice(place * this.width, (place + 1) * this.width));
  }

  /** What is wrong with it is heard when its turn comes. */
  #holdOne(image: ImageSource, given: ImageOptions, mayWork: boolean): MakeInput {
    try {
      return this.#readNow(image, given, mayWork);
    } catch (error) {
      return async () => {
        throw error;
      };
    }
  }

  #readNow(image: ImageSource, given: ImageOptions, mayWork: boolean): MakeInput {
    const toValues = (pixels: ImageDataLike) => preprocess(overwritten(pixels), this.preprocessing);
    const made = (own: ImageDataLike): MakeInput => {
      if (!mayWork) return async () => toValues(own);
      const input = toValues(own);
      return async () => input;
    };
    if (isPageSource(image)) {
      const taken = takePixels(image, given.maxPixels ?? MAX_PIXELS);
      if (!(taken instanceof Promise)) return made(taken);
      const input = taken.then(toValues);
      input.catch(() => undefined);
      return ({ signal }) => untilAborted(input, signal);
    }
    if (isPixels(image)) {
      if (!mayWork) return made(copiedImage(image));
      const input = preprocess(toPixels(image), this.preprocessing);
      return async () => input;
    }
    const source = heldSource(image);
    return (options) =>
      decodeHeld(source, { ...given, ...options }, (pixels) => preprocess(pixels, this.preprocessing), this.#budget);
  }
}

function isPixels(image: ImageSource): image is ImageDataLike {
  return typeof image === "object" && image !== null && "width" in image && "height" in image && "data" in image;
}

/** A path and bytes can be iterated too, but are one image. */
function isIterable(images: unknown): images is Iterable<ImageSource> | AsyncIterable<ImageSource> {
  if (typeof images !== "object" || images === null || ArrayBuffer.isView(images)) return false;
  return Symbol.asyncIterator in images || Symbol.iterator in images;
}

function mapped<From, To>(
  source: Iterable<From> | AsyncIterable<From>,
  change: (item: From) => To,
): Iterable<To> | AsyncIterable<To> {
  if (Symbol.asyncIterator in source) {
    return (async function* () {
      for await (const item of source) yield change(item);
    })();
  }
  return (function* () {
    for (const item of source) yield change(item);
  })();
}

function notFinite(index: number): DepthwiseError {
  return new DepthwiseError("VALUES_NOT_FINITE", {
    what: `few-shot: the embedding of image ${index}`,
    expected: "finite numbers",
    found: "NaN or infinity",
    advice: "Look at the parameters of the network: verify or session.run shows where they begin.",
    fields: { index },
  });
}

/** Named by its file, or by where it stood among the images. */
export function namedFault(owner: string, cause: unknown, index: number): unknown {
  if (!isImageFault(cause)) return cause;
  return new DepthwiseError(cause.code, {
    what: `${owner}: image ${index}: ${cause.message.replace(/\.$/, "")}`,
    fields: { ...cause.fields, index },
    cause,
  });
}
