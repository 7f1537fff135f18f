/**
 * Few-shot learning: classes of one's own from a few images of each, on the features of a network that stays as it is.
 *
 *     const shots = await fewShot(await loadModel("mobilenet.safetensors"));
 *     await shots.add("cup", ["cup1.jpg", "cup2.jpg"]);
 *     await shots.add("pen", ["pen1.jpg", "pen2.jpg"]);
 *     const [best] = await shots.classify("what.jpg");
 */

import { best, type Prediction } from "../../classify/best.ts";
import type { ClassifyOptions, ImageSource } from "../../classify/image-options.ts";
import { READING } from "../../classify/reading.ts";
import { Breath } from "../../core/breath.ts";
import { DepthwiseError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { checkKnownOptions, optionError, positiveInteger, signalOption } from "../../core/options.ts";
import type { PlatformFileList } from "../../core/platform-types.ts";
import { type CompletePreprocessing, completePreprocessing } from "../../core/preprocessing.ts";
import { checkNetwork, type Network } from "../../layers/network.ts";
import { Turns } from "../../session/turns.ts";
import { embeddingModel } from "../../weights/index.ts";
import { closedForTraining } from "../closed.ts";
import { isImageFault } from "../image-fault.ts";
import { Embedder, type ImageSources, namedFault, widthOf } from "./embedder.ts";
import { ExampleStore } from "./example-store.ts";
import {
  type AddedImages,
  type AddOptions,
  type CheckedFewShotOptions,
  checkAddOptions,
  checkedReading,
  checkFewShotOptions,
  type FewShotMethod,
  type FewShotOptions,
  METHODS,
  type ShotsTraining,
} from "./few-shot-options.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { fitProbe, type LinearProbe, probeProbabilities } from "./linear-probe.ts";
import { indexNeighbours, type NeighbourIndex, nearestProbabilities } from "./nearest-examples.ts";
import { decodeShots, encodeShots, type Shots } from "./saved-shots.ts";
import { Pause } from "./unit-rows.ts";

/** Made by `fewShot`. Calls are answered one after the other, in their order. */
export class FewShot {
  readonly method: FewShotMethod;
  readonly preprocessing: CompletePreprocessing;
  readonly #model: Network<"embedding">;
  readonly #embedder: Embedder;
  readonly #neighbours: number;
  readonly #penalty: number;
  readonly #fingerprint: string;
  readonly #turns = new Turns();
  #store: ExampleStore;
  #labels: string[];
  /** What was made of the examples as they are; undefined since one came or went. */
  #probe: LinearProbe | undefined;
  #index: NeighbourIndex | undefined;
  #isClosed = false;

  /** `using shots = …` calls this. Set in the constructor: not every engine has the symbol. */
  declare readonly [Symbol.dispose]: () => void;

  /** @internal */
  constructor(
    model: Network<"embedding">,
    embedder: Embedder,
    fingerprint: string,
    kept: Shots | undefined,
    options: CheckedFewShotOptions,
  ) {
    this.#model = model;
    this.#embedder = embedder;
    this.preprocessing = embedder.preprocessing;
    this.#fingerprint = fingerprint;
    this.#store = kept?.store ?? new ExampleStore(embedder.width);
    this.#labels = [...(kept?.labels ?? [])];
    this.#probe = kept?.probe;
    const known = METHODS.find((method) => method === kept?.method);
    this.method = options.method ?? known ?? "linear";
    this.#neighbours = options.neighbours;
    this.#penalty = options.penalty;
    const dispose: symbol = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    Object.defineProperty(this, dispose, { value: () => this.close() });
  }

  /** Classes in the order in which they came, and how many examples each has. */
  get classes(): readonly { readonly label: string; readonly examples: number }[] {
    const counts = this.#store.countClasses(this.#labels.length);
    return this.#labels.map((label, at) => ({ label, examples: counts[at] ?? 0 }));
  }

  /** Bytes that the examples take. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /**
   * Adds examples of a class, which is new or one there is. Pixels, bytes and lists are read at the call. Calls are
   * answered one after the other: an iterable that awaits another call of the same object waits until the signal ends it.
   *
   * @param images as `classify` of a classifier takes them: one, a list, or an iterable, of which each is read as it is
   *               yielded
   * @throws {DepthwiseError} `OPTION_INVALID` for no image or a label that is none; what reading an image throws, its place
   *         among the images named; `VALUES_NOT_FINITE`; `SESSION_CLOSED`; `signal.reason`. Nothing was added then
   */
  async add(label: string, images: ImageSources, options: AddOptions = {}): Promise<AddedImages> {
    const { reading, skips, concurrency, onProgress } = checkAddOptions(label, options);
    const held = this.#embedder.hold("add", images, reading);
    const work = async (): Promise<AddedImages> => {
      const before = this.#store.count;
      const own = this.#labels.indexOf(label);
      const kind = own < 0 ? this.#labels.length : own;
      const skipped: { index: number; error: DepthwiseError }[] = [];
      let done = 0;
      try {
        const faults = { concurrency, keepsFaults: true };
        for await (const embedded of this.#embedder.embed(held, reading, faults)) {
          if ("row" in embedded) this.#store.append(embedded.row, kind);
          else {
            const error = namedFault(`add: "${label}"`, embedded.error, embedded.index);
            if (!skips || !isImageFault(error)) throw error;
            skipped.push({ index: embedded.index, error });
          }
          done++;
          onProgress?.({ done, ...(held.total === undefined ? {} : { total: held.total }) });
        }
        if (done === 0) throw optionError("add", "images", "at least one image", []);
      } catch (error) {
        this.#store.truncate(before);
        throw error;
      }
      const added = this.#store.count - before;
      if (added > 0) {
        if (own < 0) this.#labels.push(label);
        this.#forget();
      }
      return { label, added, skipped };
    };
    try {
      return await this.#turn(work, reading.signal);
    } finally {
      held.release();
    }
  }

  /**
   * Forgets a class and its examples; the indices of those behind it move down.
   *
   * @returns how many examples it had
   * @throws {DepthwiseError} `NAME_UNKNOWN`
   */
  async remove(label: string): Promise<number> {
    return this.#turn(async () => {
      const kind = this.#labels.indexOf(label);
      if (kind < 0) throw unknownClass(label, this.#labels);
      this.#labels.splice(kind, 1);
      this.#forget();
      return this.#store.removeClass(kind);
    });
  }

  /**
   * Makes ready what `classify` needs of the examples as they are. `classify` does it itself if it was not done; here it
   * can be waited for, and tells how it went. The same examples in the same order give the same bits, on every machine.
   *
   * @throws {DepthwiseError} `CLASSES_MISMATCH` for fewer than two classes; `VALUES_NOT_FINITE`; `SESSION_CLOSED`;
   *         `signal.reason`: what was there before still is
   */
  async train(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ShotsTraining> {
    checkKnownOptions("train", options, ["signal"]);
    const signal = signalOption("train", options.signal);
    signal?.throwIfAborted();
    return this.#turn(() => this.#train("train", signal), signal);
  }

  /**
   * The most probable classes of an image, best first. After a change of the examples the first call trains.
   *
   * @param options `topK`, default 5
   * @throws {DepthwiseError} `CLASSES_MISMATCH` for fewer than two classes; what reading an image throws; `SESSION_CLOSED`
   */
  classify(image: ImageSource, options?: ClassifyOptions): Promise<readonly Prediction[]>;
  classify(
    images: Iterable<ImageSource> | AsyncIterable<ImageSource> | PlatformFileList,
    options?: ClassifyOptions,
  ): Promise<readonly (readonly Prediction[])[]>;
  async classify(
    images: ImageSources,
    options: ClassifyOptions = {},
  ): Promise<readonly Prediction[] | readonly (readonly Prediction[])[]> {
    const owner = "classify";
    checkKnownOptions(owner, options, ["topK", ...READING]);
    const topK = positiveInteger(owner, "topK", options.topK ?? 5);
    const reading = checkedReading(owner, options);
    const held = this.#embedder.hold(owner, images, reading);
    try {
      const rows = await this.#turn(async () => {
        await this.#ready(owner, reading.signal);
        const predictions: (readonly Prediction[])[] = [];
        for await (const embedded of this.#embedder.embed(held, reading, { concurrency: 4, keepsFaults: false })) {
          if ("error" in embedded) throw embedded.error;
          predictions.push(best(this.#probabilities(embedded.row), this.#labels, topK));
        }
        return predictions;
      }, reading.signal);
      return held.isList ? rows : (rows[0] ?? []);
    } finally {
      held.release();
    }
  }

  /**
   * Classes, examples and what was trained, as the bytes of a safetensors file: `fewShot(model, { from: bytes })` goes on
   * from there.
   */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#turn(async () => {
      const shots = { labels: this.#labels, store: this.#store, probe: this.#probe, method: this.method };
      return encodeShots(shots, this.#fingerprint);
    });
  }

  /** Frees the memory. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#embedder.close();
    this.#store = new ExampleStore(this.#store.width);
    this.#labels = [];
    this.#forget();
  }

  #turn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#turns.take(async () => {
      if (this.#isClosed) throw closedForTraining("fewShot", this.#model.name);
      return work();
    }, signal);
  }

  #forget(): void {
    this.#probe = undefined;
    this.#index = undefined;
  }

  async #ready(owner: string, signal: AbortSignal | undefined): Promise<void> {
    const isReady = this.method === "linear" ? this.#probe !== undefined : this.#index !== undefined;
    if (!isReady) await this.#train(owner, signal);
  }

  async #train(owner: string, signal: AbortSignal | undefined): Promise<ShotsTraining> {
    const classes = this.#labels.length;
    const examples = this.#store.count;
    if (classes < 2) {
      throw new DepthwiseError("CLASSES_MISMATCH", {
        what: `${owner}: classes`,
        expected: "two or more, between which there is something to tell",
        found: classes === 0 ? "none" : `one, "${this.#labels[0] ?? ""}"`,
        advice: "Add images of another class.",
        fields: { classes },
      });
    }
    const pause = new Pause(new Breath(performance.now()), signal);
    const { method } = this;
    const store = this.#store;
    if (method === "nearest") {
      this.#index = await indexNeighbours(store, pause);
      return { method, classes, examples, iterations: 0, multAdds: 2 * examples * store.width };
    }
    const { probe, ...told } = await fitProbe(store, classes, this.#penalty, pause);
    this.#probe = probe;
    return { method, classes, examples, ...told };
  }

  #probabilities(row: Float32Array): Float32Array {
    if (this.method === "linear" && this.#probe !== undefined) return probeProbabilities(this.#probe, row);
    if (this.#index === undefined) return new Float32Array(this.#labels.length);
    const voting = { classes: this.#labels.length, neighbours: this.#neighbours };
    return nearestProbabilities(this.#store, this.#index, row, voting);
  }
}

/**
 * Few-shot learning on the features of a network. Close it when done.
 *
 * @param model one with an `embedding`: a MobileNet V1, or a network with an output of that name. It stays as it is
 * @throws {DepthwiseError} `NETWORK_INVALID` if it has none; `OPTION_INVALID`; of `from`: `PARAMETERS_MISMATCH` for examples
 *         of another network, `FORMAT_UNKNOWN`, `FILE_CORRUPT`, `FILE_TRUNCATED`
 */
export async function fewShot(model: Network, options: FewShotOptions = {}): Promise<FewShot> {
  checkNetwork("fewShot", model);
  const checked = checkFewShotOptions(options);
  const network = embeddingModel(model);
  const preprocessing = completePreprocessing(network.inputShape, checked.preprocessing ?? network.info.preprocessing);
  const fingerprint = fingerprintOf(network, preprocessing);
  // Before anything is waited for: the bytes are the caller's again when the call returns.
  const kept = checked.from === undefined ? undefined : decodeShots(checked.from, widthOf(network), fingerprint);
  const embedder = await Embedder.of(network, preprocessing, checked.compile);
  return new FewShot(network, embedder, fingerprint, kept, checked);
}

function unknownClass(label: string, known: readonly string[]): DepthwiseError {
  const hint = didYouMean(String(label), known);
  return new DepthwiseError("NAME_UNKNOWN", {
    what: `remove: there is no class "${String(label)}"`,
    advice: hint === "" ? `Classes are: ${known.join(", ") || "none yet"}.` : hint,
    fields: { label, known },
  });
}
