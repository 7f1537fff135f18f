/** From an image to labels: decode, preprocess, run, name. `createClassifier` owns the whole way. */

import { Breath } from "../core/breath.ts";
import { DepthwiseError, listed } from "../core/errors.ts";
import { allocated } from "../core/memory.ts";
import { checkKnownOptions, positiveInteger, signalOption } from "../core/options.ts";
import type { PlatformFileList } from "../core/platform-types.ts";
import { type CompletePreprocessing, completePreprocessing, type Preprocessing } from "../core/preprocessing.ts";
import { className } from "../core/realms.ts";
import { elementCount, type FloatTensor, tensor } from "../core/tensor.ts";
import { untilAborted } from "../core/until-aborted.ts";
import { decodeHeld, heldSource } from "../images/decode.ts";
import { isPageSource, takePixels } from "../images/page-source.ts";
import { pixelBudget } from "../images/pixel-budget.ts";
import { copiedImage, type ImageDataLike, MAX_PIXELS, overwritten, type Pixels, toPixels } from "../images/pixels.ts";
import { preprocess } from "../images/preprocess.ts";
import { checkNetwork, type Network } from "../layers/network.ts";
import { type CompileOptions, compile } from "../session/compile.ts";
import type { Explanation, Session } from "../session/session.ts";
import { best, type Prediction, softmax } from "./best.ts";
import { type ClassifiedImage, type ClassifyAllOptions, classifyAll, type UnreadableImage } from "./classify-all.ts";
import type { ClassifyOptions, ImageOptions, ImageSource } from "./image-options.ts";
import { knownLabels, rankedOutput, statedLabels } from "./ranked.ts";
import { READING, readingOf } from "./reading.ts";

/** Options that go to `compile`. */
const COMPILED = ["backend", "threads", "simd", "worker", "inWorker", "modules", "batch"] as const;

export type { Prediction };

/** `backend`, `threads`, `simd`, `worker`, `inWorker`, `modules` and `batch` (how many images run together) are those of `compile`. */
export interface ClassifierOptions extends Pick<CompileOptions, (typeof COMPILED)[number]> {
  /** How images become the input. Default: the model's own description, else the library's defaults. */
  readonly preprocessing?: Preprocessing;
  /** One name for each output. Default: the model's own, else ImageNet's for 1000 and 1001 outputs. */
  readonly labels?: readonly string[];
  /**
   * Most pixels that are decoded at once, in all calls together; an image waits until there is room, and a larger one
   * until it is alone. A pixel is 3 bytes: one that takes more memory (alpha, WebP, a turned or progressive JPEG, any in
   * a browser) counts for as many as it takes; what a page shows is an input at once, and for none. Default 16383²,
   * 0.8 GB of memory.
   */
  readonly maxPixelsInFlight?: number;
}

export interface Classifier {
  /** What happens to an image before the network sees it. */
  readonly preprocessing: CompletePreprocessing;
  readonly labels: readonly string[];
  /** The best `topK` classes of an image, best first. Pixels, bytes and lists are read at the call. */
  classify(image: ImageSource, options?: ClassifyOptions): Promise<readonly Prediction[]>;
  /**
   * The same for several images, each on its own: images in a batch never see each other. Of pixels the first are made
   * into inputs within the call, for 40 ms; the others are copied there, each until its turn, with the event loop's turn
   * and a look at the signal between them. So a list may take as much memory again as its pixels: of more, use
   * `classifyAll`.
   */
  classify(
    images: readonly ImageSource[] | PlatformFileList,
    options?: ClassifyOptions,
  ): Promise<readonly (readonly Prediction[])[]>;
  /**
   * The same for many images, in order: some are read and decoded while the network runs, `batch` at a time. At most
   * `concurrency + batch` images are in flight, so a source may be longer than memory. A slow source is waited for
   * until a batch is full. Pixels and bytes are read when the source yields them, so it may refill one buffer. Leaving
   * the loop early, an abort and an error end everything and call the source's `return()`.
   *
   *     for await (const { image, predictions } of classifier.classifyAll(files, { concurrency: 8 })) { … }
   *
   * @throws {DepthwiseError} `OPTION_INVALID` at the call; in an image's turn what `classify` throws for it, unless
   *         `onError` is `yield`; what the source throws, after the images before it
   */
  classifyAll<Source extends ImageSource>(
    images: Iterable<Source> | AsyncIterable<Source>,
    options?: ClassifyAllOptions & { readonly onError?: "reject" },
  ): AsyncGenerator<ClassifiedImage<Source>, void, undefined>;
  /** With `onError: "yield"` an image that cannot be read is yielded with its error, and the rest goes on. */
  classifyAll<Source extends ImageSource>(
    images: Iterable<Source> | AsyncIterable<Source>,
    options: ClassifyAllOptions,
  ): AsyncGenerator<ClassifiedImage<Source> | UnreadableImage<Source>, void, undefined>;
  /** The pooled features of an image, `[channels]`. */
  embed(image: ImageSource, options?: ImageOptions): Promise<FloatTensor>;
  /** What runs here and why; see `Session.explain`. */
  explain(): Explanation;
  /** Frees the memory. May be called twice. */
  close(): void;
  /** `using classifier = …` calls this: `close`. */
  [Symbol.dispose](): void;
}

/**
 * Makes a classifier of a model; one without a top, but pooled, can still `embed`. Of a row of `logits` without
 * `probabilities` it takes the softmax itself.
 *
 *     using classifier = await createClassifier(await loadModel("mobilenet.safetensors"));
 *     const [best] = await classifier.classify("cat.jpg", { topK: 3 });
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` if the model gives neither probabilities, nor logits, nor an embedding, or
 *         probabilities that are no row (of a network that answers for each pixel);
 *         `LABELS_MISSING` if it classifies but has neither labels nor 1000 or 1001 outputs; `CLASSES_MISMATCH` if
 *         labels and outputs differ in number
 */
export async function createClassifier(model: Network, options: ClassifierOptions = {}): Promise<Classifier> {
  checkNetwork("createClassifier", model);
  checkKnownOptions("createClassifier", options, [...COMPILED, "preprocessing", "labels", "maxPixelsInFlight"]);
  const { maxPixelsInFlight = MAX_PIXELS } = options;
  const inFlight = pixelBudget(positiveInteger("createClassifier", "maxPixelsInFlight", maxPixelsInFlight));
  const ranked = rankedOutput("createClassifier", model);
  if (ranked === undefined) requireEmbedding(model, "Build or load it with includeTop: true, or with pooling.");
  const described = options.preprocessing === undefined ? model.info.preprocessing : options.preprocessing;
  const preprocessing = completePreprocessing(model.inputShape, described);
  const stated = ranked !== undefined ? statedLabels("createClassifier", model, options.labels) : [];
  const compileOptions = Object.fromEntries(
    COMPILED.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined),
  );
  const session: Session<string> = await compile(model as Network<string>, compileOptions);
  const { batch } = session;
  let labels: readonly string[];
  try {
    labels = stated ?? (await knownLabels(model));
  } catch (error) {
    session.close();
    throw error;
  }

  const toValues = (pixels: Pixels) => preprocess(pixels, preprocessing);
  /** The input of pixels that are nobody else's, made at once or in its turn. */
  const madeOf = (own: ImageDataLike, atOnce: boolean) => {
    if (!atOnce) {
      return async ({ signal }: ImageOptions) => {
        signal?.throwIfAborted();
        return toValues(overwritten(own));
      };
    }
    const input = toValues(overwritten(own));
    return async () => input;
  };
  /** Reads an image, of pixels or bytes, as it is now; what it gives makes the input of it, now or later. */
  const hold = (
    image: ImageSource,
    given: ImageOptions,
    mayWork = true,
  ): ((options: ImageOptions) => Promise<Float32Array>) => {
    if (isPageSource(image)) {
      const maxPixels = positiveInteger("classify", "maxPixels", given.maxPixels ?? MAX_PIXELS);
      const taken = takePixels(image, maxPixels);
      if (!(taken instanceof Promise)) return madeOf(taken, mayWork);
      const input = taken.then(overwritten).then(toValues);
      // Heard when its turn comes.
      input.catch(() => undefined);
      return ({ signal }) => untilAborted(input, signal);
    }
    if (isPixels(image)) {
      if (!mayWork) return madeOf(copiedImage(image), false);
      const input = toValues(toPixels(image));
      return async () => input;
    }
    const source = heldSource(image);
    return (imageOptions) => decodeHeld(source, readingOf(imageOptions), toValues, inFlight);
  };
  /** One row of an output for each input; at most `batch` of them. */
  const run = async (
    inputs: readonly Float32Array[],
    output: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly FloatTensor[]> => {
    const count = inputs.length * elements(model);
    const advice = "Make the classifier with a smaller batch.";
    const joined = allocated("classify: the inputs of a batch", 4 * count, advice, () => new Float32Array(count));
    for (const [place, input] of inputs.entries()) joined.set(input, place * input.length);
    const result = await session.run(joined, signal === undefined ? {} : { signal });
    const { data } = result[output] as FloatTensor;
    const width = data.length / inputs.length;
    return inputs.map((_, place) => tensor(data.slice(place * width, (place + 1) * width), [width]));
  };
  const runAll = async <Row>(
    images: readonly ImageSource[],
    output: string,
    given: ImageOptions,
    finish: (row: FloatTensor) => Row,
  ): Promise<readonly Row[]> => {
    const signal = signalOption("classify", given.signal);
    signal?.throwIfAborted();
    const imageOptions = readingOf({ ...given, signal });
    const rows: Row[] = [];
    const breath = new Breath(performance.now());
    const held: ReturnType<typeof hold>[] = [];
    try {
      // Holes too, which are no images.
      for (const image of images) held.push(hold(image, imageOptions, !breath.isDue));
      while (held.length > 0) {
        const inputs: Float32Array[] = [];
        while (inputs.length < batch && held.length > 0) {
          if (breath.isDue) await breath.take();
          signal?.throwIfAborted();
          const toInput = held.shift();
          if (toInput !== undefined) inputs.push(await toInput(imageOptions));
        }
        for (const row of await run(inputs, output, signal)) rows.push(finish(row));
      }
      return rows;
    } finally {
      // A server still sends the bodies that nobody will read.
      for (const rest of held) rest({ signal: AbortSignal.abort() }).catch(() => undefined);
    }
  };

  const rank = ({ data }: FloatTensor, topK: number) => best(ranked === "logits" ? softmax(data) : data, labels, topK);
  const requireRanked = (): string =>
    ranked ?? refuse(model, "probabilities", "Build or load it with includeTop: true.");
  const classify = async (
    given: ImageSource | readonly ImageSource[] | PlatformFileList,
    classifyOptions: ClassifyOptions = {},
  ) => {
    checkKnownOptions("classify", classifyOptions, ["topK", ...READING]);
    const output = requireRanked();
    const topK = positiveInteger("classify", "topK", classifyOptions.topK ?? 5);
    const isList = Array.isArray(given) || className(given) === "FileList";
    const images = isList ? Array.from(given as ArrayLike<ImageSource>) : [given as ImageSource];
    const predictions = await runAll(images, output, classifyOptions, (row) => rank(row, topK));
    return isList ? predictions : (predictions[0] ?? []);
  };
  const close = () => session.close();
  const dispose: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  return Object.defineProperty(
    {
      preprocessing,
      labels,
      classify: classify as Classifier["classify"],
      classifyAll(images: Iterable<ImageSource>, allOptions: ClassifyAllOptions = {}) {
        const output = requireRanked();
        return classifyAll(images, allOptions, {
          batch,
          // Up to its first await within the pull: a source may refill one buffer again and again.
          decode: async (image, imageOptions) => hold(image, imageOptions)(imageOptions),
          classify: async (inputs, topK, signal) => (await run(inputs, output, signal)).map((row) => rank(row, topK)),
        });
      },
      async embed(image: ImageSource, imageOptions: ImageOptions = {}) {
        checkKnownOptions("embed", imageOptions, READING);
        requireEmbedding(model, "Give the network an output called embedding.");
        const [row] = await runAll([image], "embedding", imageOptions, (each) => each);
        return row ?? tensor([], [0]);
      },
      explain: () => session.explain(),
      close,
    } as Classifier,
    dispose,
    { value: close },
  );
}

function requireEmbedding(model: Network, advice: string): void {
  if (model.outputs["embedding"] === undefined) refuse(model, "embedding", advice);
}

function refuse(model: Network, output: string, advice: string): never {
  throw new DepthwiseError("NETWORK_INVALID", {
    what: model.name,
    expected: `a network that gives ${output}`,
    found: `outputs ${listed(Object.keys(model.outputs))}`,
    advice,
    fields: { outputs: model.outputs },
  });
}

function isPixels(image: ImageSource): image is ImageDataLike {
  return typeof image === "object" && image !== null && "width" in image && "height" in image && "data" in image;
}

function elements(model: Network): number {
  return elementCount(model.inputShape);
}
