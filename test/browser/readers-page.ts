/** Runs in the browser, bundled by its tests: loads what was picked or stands at an address, and runs it. */

import {
  compile,
  describe,
  isDepthwiseError,
  type LoadedModel,
  type LoadOptions,
  loadModel,
  type ModelDescription,
} from "depthwise";
import { withParameters } from "depthwise/layers";
import { type CacheEntry, clearCache, listCache, type Progress } from "depthwise/weights";

/** How a byte of a picture becomes the input. */
export type Feed = "signed" | "unit" | "imagenet";

export interface LoadRequest {
  /** What was picked: one file, both halves of a network, a list of files; or an address. */
  readonly source: "file" | "pair" | "list" | { readonly url: string };
  readonly options?: Omit<LoadOptions, "signal" | "onProgress">;
  /** Aborts when so many bytes have come. */
  readonly abortAt?: number;
  /** Tells the test when so many bytes have come; see `reached` in the tests. */
  readonly tellAt?: number;
}

export interface Failure {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly package: unknown;
}

export interface Loading {
  readonly description?: ModelDescription;
  readonly failure?: Failure;
  readonly progress: readonly Progress[];
}

export interface RunRequest {
  readonly feed: Feed;
  readonly pictures: number;
  readonly backend: "wasm" | "plain";
  readonly output?: "logits" | "embedding";
}

declare global {
  interface Window {
    /** Loads a model and keeps it for the other functions. */
    load(request: LoadRequest): Promise<Loading>;
    /** One row a picture, of the pictures picked, on one thread. */
    run(request: RunRequest): Promise<readonly (readonly number[])[]>;
    /** Puts the kernels that were rounded to float16 (a file picked as `other`) in place of the model's; the parameters that are not those. */
    round(): Promise<readonly string[]>;
    listCache(): Promise<readonly CacheEntry[]>;
    clearCache: typeof clearCache;
    reached?(received: number): Promise<void>;
  }
}

let model: LoadedModel | undefined;

window.listCache = () => listCache();
window.clearCache = clearCache;

window.load = async ({ source, options = {}, abortAt, tellAt }) => {
  const progress: Progress[] = [];
  const controller = new AbortController();
  const onProgress = (step: Progress) => {
    progress.push(step);
    if (step.received === abortAt) controller.abort(new DOMException("enough", "AbortError"));
    if (step.received === tellAt) void window.reached?.(step.received);
  };
  model = undefined;
  try {
    model = await loadModel(sourceOf(source), { ...options, onProgress, signal: controller.signal });
    return { description: describe(model), progress };
  } catch (error) {
    return { failure: failureOf(error), progress };
  }
};

window.run = async ({ feed, pictures, backend, output = "logits" }) => {
  const network = loaded();
  const length = network.inputShape.reduce((product, side) => product * side, 1);
  const bytes = new Uint8Array(await only("pictures").arrayBuffer());
  const session = await compile(network, { backend, threads: 1 });
  const rows: number[][] = [];
  for (let p = 0; p < pictures; p++) {
    const picture = bytes.subarray(p * length, (p + 1) * length);
    const { [output]: row } = await session.run(Float32Array.from(picture, (byte, i) => FEEDS[feed](byte, i % 3)));
    rows.push([...row!.data]);
  }
  session.close();
  return rows;
};

window.round = async () => {
  const network = loaded();
  const { parameters } = await loadModel(only("other"));
  const wrong: string[] = [];
  for (const [name, { data }] of network.parameters) {
    const other = parameters.get(name)?.data;
    const half = name.endsWith("kernel") ? 2 ** -11 : 0;
    const isClose = (value: number, i: number) =>
      Math.abs(value - (other?.[i] ?? Number.NaN)) <= half * Math.abs(value) * 1.001 + half * 2 ** -14;
    if (!data.every(isClose)) wrong.push(name);
  }
  model = withParameters(network, parameters);
  return wrong;
};

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];
const FEEDS = {
  signed: (byte) => byte / 127.5 - 1,
  unit: (byte) => byte / 255,
  imagenet: (byte, channel) => (byte / 255 - (MEAN[channel] ?? 0)) / (DEVIATION[channel] ?? 1),
} satisfies Record<Feed, (byte: number, channel: number) => number>;

function sourceOf(source: LoadRequest["source"]) {
  if (typeof source !== "string") return source.url;
  if (source === "file") return only("model");
  const files = picked("model");
  // A `FileList` as it is, and two Files in an array.
  return source === "list" ? files : ([...files] as [File, File]);
}

function picked(id: string): FileList {
  const { files } = document.getElementById(id) as HTMLInputElement;
  if (files === null) throw new Error(`Nothing was picked for ${id}.`);
  return files;
}

function only(id: string): File {
  const [file, another] = picked(id);
  if (file === undefined || another !== undefined) throw new Error(`Pick one file for ${id}.`);
  return file;
}

function loaded(): LoadedModel {
  if (model === undefined) throw new Error("Load a model first.");
  return model;
}

function failureOf(error: unknown): Failure {
  const { name, message } = error as Error;
  const { code, fields } = isDepthwiseError(error) ? error : {};
  return { name, code, message, package: fields?.["package"] };
}
