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
  tensor,
} from "depthwise";
import { completePreprocessing, decodeImage, preprocess, toPixels } from "depthwise/images";
import { builtIn } from "./built-in.ts";
import type { Answer, Given, Shown } from "./messages.ts";
import { shownMaps } from "./shown-maps.ts";

interface Looked {
  readonly model: Network<string>;
  readonly classifier: Classifier;
}

let looked: Looked | undefined;

export async function open({ source }: Given<"open">): Promise<Answer<"open">> {
  const model = await modelOf(source);
  const classifier = await createClassifier(model, { threads: 1, ...labelsOf(model) });
  // The one before is let go when another is there, not before: what fails leaves the page as it was.
  looked?.classifier.close();
  looked = { model, classifier };
  const description = describe(model);
  return {
    name: model.name,
    inputShape: [...model.inputShape],
    description,
    text: formatDescription(description),
    layers: [...model.shapes].flatMap(([name, shape]) => (shape.length === 3 ? [name] : [])),
    hasAttention: attentionLayer(model) !== undefined,
    labels: classifier.labels,
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

async function modelOf(source: Given<"open">["source"]): Promise<Network<string>> {
  if (typeof source === "string") return builtIn(source);
  return loadModel(source.length === 1 ? (source[0] as File) : [...source]);
}

/** The clock of a page has steps of 0.1 ms: so long runs go on that their mean says more. */
const ENOUGH_MS = 60;
const MOST_RUNS = 100;

export async function classify({ picture, topK }: Given<"classify">): Promise<Answer<"classify">> {
  const { classifier, model } = ready();
  const predictions = await classifier.classify(picture, { topK });
  const { backend, simd, threads, reasons } = classifier.explain();
  const session = await compile(model, { threads: 1 });
  try {
    const milliseconds = await timeOf(() => session.run(new Float32Array(session.plan.inputShape.reduce(product, 1))));
    return { predictions, milliseconds, backend, simd, threads, reasons };
  } finally {
    session.close();
  }
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

export async function maps({ picture, layer }: Given<"maps">): Promise<Answer<"maps">> {
  const { data, shape } = await tapped(layer, await inputOf(picture));
  return shownMaps(data, shape);
}

/** How much each place of the last map speaks for a class: Zhou et al. 2016, the class activation map. */
export async function attention({ picture, index }: Given<"attention">): Promise<Answer<"attention">> {
  const { model } = ready();
  const layer = attentionLayer(model);
  if (layer === undefined) throw new Error("This network has no last map to look at.");
  const features = await tapped(layer.map, await inputOf(picture));
  const [height, width, channels] = features.shape;
  const { data, shape } = layer.kernel;
  const classes = shape.at(-1) ?? 1;
  const column = Float32Array.from({ length: channels }, (_, c) => data[c * classes + index] ?? 0);
  const map = tensor(features.data, [1, height, width, channels]);
  const scores = pointwiseConv2d(map, tensor(column, [1, 1, channels, 1]));
  return shownMaps(scores.data, [height, width, 1]);
}

function ready(): Looked {
  if (looked === undefined) throw new Error("No network is open.");
  return looked;
}

async function inputOf(picture: Shown): Promise<Float32Array> {
  const { model } = ready();
  const pixels = picture instanceof Blob ? await decodeImage(picture) : toPixels(picture);
  return preprocess(pixels, completePreprocessing(model.inputShape, model.info.preprocessing));
}

interface Tapped {
  readonly data: Float32Array;
  readonly shape: readonly [height: number, width: number, channels: number];
}

async function tapped(layer: string, x: Float32Array): Promise<Tapped> {
  const { model } = ready();
  const session = await compile(model, { threads: 1, taps: [layer] });
  try {
    const { taps } = await session.run(x);
    const found = taps[layer];
    const [, height = 1, width = 1, channels = 1] = found?.shape ?? [];
    return { data: found?.data ?? new Float32Array(), shape: [height, width, channels] };
  } finally {
    session.close();
  }
}

/** The map before the global pool, and the kernel behind it, where a network ends so. */
function attentionLayer(model: Network<string>) {
  const { layers, shapes, parameterInfo, parameters } = model;
  const pool = layers.findLast(({ type }) => type === "globalAveragePool");
  const [map] = pool?.inputs ?? [];
  const info = [...parameterInfo.values()].findLast(({ role }) => role === "kernel");
  const kernel = info && parameters.get(info.name);
  const channels = map === undefined ? undefined : shapes.get(map)?.[2];
  if (map === undefined || kernel === undefined || kernel.shape.at(-2) !== channels) return undefined;
  return { map, kernel };
}
