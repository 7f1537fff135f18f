/** The network that is looked at: one at a time, opened, asked, and looked into. */

import {
  type Classifier,
  compile,
  createClassifier,
  describe,
  formatDescription,
  loadModel,
  type Network,
  pointwiseConv2d,
  type Session,
  tensor,
} from "depthwise";
import {
  type CompletePreprocessing,
  completePreprocessing,
  cropAndResize,
  decodeImage,
  preprocess,
  toPixels,
} from "depthwise/images";
import { ComputeError } from "../fault.ts";
import { builtIn } from "./built-in.ts";
import type { Answer, ClassActivation, Given, Maps } from "./messages.ts";
import { shownMaps } from "./shown-maps.ts";

interface Looked {
  readonly model: Network<string>;
  readonly classifier: Classifier;
  /** As the network runs when nobody looks into it: for its time. */
  readonly timed: Session<string>;
}

/** A session out of which the values of some layers come. */
interface Tapped {
  readonly layers: readonly string[];
  readonly session: Session<string, string>;
}

let looked: Looked | undefined;
/** Kept from picture to picture, until another layer is looked at. */
let tapped: Tapped | undefined;

export async function open({ source }: Given<"open">, signal: AbortSignal): Promise<Answer<"open">> {
  const model = await modelOf(source, signal);
  const timed = await compile(model, { threads: 1, signal });
  const classifier = await createClassifier(model, { threads: 1, ...labelsOf(model) });
  if (signal.aborted) {
    timed.close();
    classifier.close();
    throw signal.reason;
  }
  // The one before is let go when another is there, not before: what fails leaves the page as it was.
  looked?.classifier.close();
  looked?.timed.close();
  untap();
  looked = { model, classifier, timed };
  return {
    text: formatDescription(describe(model)),
    layers: [...model.shapes].flatMap(([name, shape]) => (shape.length === 3 ? [name] : [])),
  };
}

/** Of a file that names no classes, their places: whoever brought it knows them. ImageNet's the library has. */
function labelsOf({ info, outputs, shapes }: Network<string>): { readonly labels?: readonly string[] } {
  const found = outputs["probabilities"] ?? outputs["logits"];
  const shape = (found !== undefined && shapes.get(found)) || [];
  const [classes = 0] = shape;
  if (info.labels !== undefined || shape.length !== 1 || classes === 1000 || classes === 1001) return {};
  return { labels: Array.from({ length: classes }, (_, place) => String(place)) };
}

async function modelOf(source: Given<"open">["source"], signal: AbortSignal): Promise<Network<string>> {
  if (typeof source === "string") return builtIn(source);
  return loadModel(source.length === 1 ? (source[0] as File) : [...source], { signal });
}

/** The clock of a page has steps of 0.1 ms: so long runs go on that their mean says more. */
const ENOUGH_MS = 60;
const MOST_RUNS = 100;

export async function classify({ picture, topK }: Given<"classify">, signal: AbortSignal): Promise<Answer<"classify">> {
  const { classifier, timed } = ready();
  const predictions = await classifier.classify(picture, { topK, signal });
  const { backend, simd, threads, reasons } = classifier.explain();
  const input = new Float32Array(timed.plan.inputShape.reduce(product, 1));
  const milliseconds = await timeOf(() => timed.run(input, { signal }));
  return { predictions, milliseconds, backend, simd, threads, reasons };
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  // The first one is slower than all others will be.
  await run();
  const start = performance.now();
  let runs = 0;
  while (runs === 0 || (runs < MOST_RUNS && performance.now() - start < ENOUGH_MS)) {
    await run();
    runs++;
  }
  return (performance.now() - start) / runs;
}

function product(whole: number, side: number): number {
  return whole * side;
}

export async function look({ picture, layer, index }: Given<"look">, signal: AbortSignal): Promise<Answer<"look">> {
  const { model } = ready();
  const pixels = picture instanceof Blob ? await decodeImage(picture, { signal }) : toPixels(picture);
  const description = completePreprocessing(model.inputShape, model.info.preprocessing);
  const head = headOf(model);
  const session = await tap(head === undefined ? [layer] : [layer, head.map]);
  const { taps } = await session.run(preprocess(pixels, description), { signal });
  const maps = shownMaps(mapsOf(taps[layer]));
  if (head === undefined) return { maps };
  const photo = mapsOf(largeCrop(pixels, description));
  const map = shownMaps(activationOf(mapsOf(taps[head.map]), head.kernel, index));
  return { maps, classActivation: { map, photo } };
}

function ready(): Looked {
  // No words of its own: the page has them in its language.
  if (looked === undefined) throw new ComputeError({ code: "NOT_OPEN", message: "" });
  return looked;
}

async function tap(layers: readonly string[]): Promise<Tapped["session"]> {
  if (tapped === undefined || tapped.layers.join("\n") !== layers.join("\n")) {
    untap();
    tapped = { layers, session: await compile(ready().model, { threads: 1, taps: [...new Set(layers)] }) };
  }
  return tapped.session;
}

function untap(): void {
  tapped?.session.close();
  tapped = undefined;
}

interface Held {
  readonly shape: readonly number[];
  readonly data: Maps["data"];
}

function mapsOf(held: Held | undefined): Maps {
  const [, height = 1, width = 1, channels = 1] = held?.shape ?? [];
  const data = held?.data ?? new Float32Array();
  return { height, width, channels, size: [height, width, channels], data };
}

/** Pixels of the longer side of a picture under a map. */
const PHOTO_SIDE = 224;

/** What the network sees of a picture, in more pixels than it has. */
function largeCrop(pixels: Parameters<typeof cropAndResize>[0], description: CompletePreprocessing): Held {
  const [height, width, channels] = description.inputShape;
  const scale = PHOTO_SIDE / Math.max(height, width);
  const inputShape = [Math.round(scale * height), Math.round(scale * width), channels] as const;
  return { shape: [1, ...inputShape], data: cropAndResize(pixels, { ...description, inputShape }) };
}

/** What each place of the last map adds to the logit of a class: Zhou et al. 2016, the class activation map. */
function activationOf(features: Maps, kernel: Held, index: number): ClassActivation["map"] {
  const { height, width, channels } = features;
  const classes = kernel.shape.at(-1) ?? 1;
  const column = Float32Array.from({ length: channels }, (_, c) => kernel.data[c * classes + index] ?? 0);
  const map = tensor(features.data, [1, height, width, channels]);
  return mapsOf(pointwiseConv2d(map, tensor(column, [1, 1, channels, 1])));
}

/** The map before the global pool, and the kernel behind it, where a network ends so. */
function headOf(model: Network<string>) {
  const { layers, shapes, parameterInfo, parameters } = model;
  const pool = layers.findLast(({ type }) => type === "globalAveragePool");
  const [map] = pool?.inputs ?? [];
  const info = [...parameterInfo.values()].findLast(({ role }) => role === "kernel");
  const kernel = info && parameters.get(info.name);
  const channels = map === undefined ? undefined : shapes.get(map)?.[2];
  if (map === undefined || kernel === undefined || kernel.shape.at(-2) !== channels) return undefined;
  return { map, kernel };
}
