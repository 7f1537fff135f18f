/**
 * Networks from networks: another classifier on the same features, more classes beside those there are, the features
 * alone. Layers that stay keep their parameters: the tensors are shared, not copied.
 */

import { DepthwiseError } from "../core/errors.ts";
import { checkKnownOptions, optionError, positiveInteger, stringsOf } from "../core/options.ts";
import { type FloatTensor, tensor } from "../core/tensor.ts";
import { checkParameterBytes, initialise } from "../layers/initialise.ts";
import { checkNetwork, checkParameters, type Network } from "../layers/network.ts";
import { builtBy } from "../understand/architecture.ts";
import { BUILDERS } from "../understand/architectures/table.ts";
import { completed, rebuilt } from "./carried-over.ts";
import { findHead, upTo, withFilters } from "./head.ts";

/** The new classifier of `replaceHead`. */
export interface HeadOptions {
  /** Number of outputs. Default the number of labels. */
  readonly classes?: number;
  /** Names of the classes, one for each output. */
  readonly labels?: readonly string[];
  /** Whether output 0 is "background". Default false. */
  readonly background?: boolean;
  /** Seed of the new parameters. Default 1. */
  readonly seed?: number;
  /** Of MobileNet V1: share of features dropped in training before the classifier. Default as it was. */
  readonly dropout?: number;
}

/** What a run gives with a new head: a MobileNet V1 without a top gets the outputs of one with a top. */
export type HeadedOutput<Output extends string> =
  | Exclude<Output, "features">
  | (Output extends "features" | "embedding" ? "logits" | "probabilities" | "embedding" : never);

/**
 * The same features under a new classifier, which starts from random numbers. A MobileNet V1 without a top gets one; of
 * other networks the layer that makes the logits is replaced.
 *
 *     const model = replaceHead(await loadModel("mobilenet.safetensors"), { labels: ["cat", "dog"] });
 *
 * Preprocessing stays, labels are those given or none. `describe` says what was decided here.
 *
 * @param options `classes` or `labels`, or both if they agree; `background` default false, `seed` default 1
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network, or has no classifier to replace; `OPTION_INVALID`;
 *         `CLASSES_MISMATCH` unless there is a label for each class; `MEMORY_EXCEEDED` for more classes than fit
 */
export function replaceHead<Output extends string>(
  model: Network<Output>,
  options: HeadOptions,
): Network<HeadedOutput<Output>> {
  const owner = "replaceHead";
  checkNetwork(owner, model);
  checkKnownOptions(owner, options, ["classes", "labels", "background", "seed", "dropout"]);
  const classes = countOf(owner, options);
  const { labels, background = false, dropout } = options;
  if (typeof background !== "boolean") throw optionError(owner, "background", "true or false", background);
  const seed = seedOf(owner, options.seed);
  const able = BUILDERS.filter(({ options: known }) => known.includes("dropout"));
  if (dropout !== undefined && !able.some((builder) => builder === builtBy(model, BUILDERS))) {
    const expected = `none for a network that is no ${able.map(({ title }) => title).join(" or ")}`;
    throw optionError(owner, "dropout", expected, dropout, "It keeps its layers.");
  }
  const changed = { includeTop: true, pooling: null, classes, ...(dropout === undefined ? {} : { dropout }) };
  const built = rebuilt(model, changed) ?? withFilters(model, findHead(owner, model), classes);
  checkParameterBytes(`${owner}: ${built.name}`, built.parameterInfo.values());
  const head = findHead(owner, built).name;
  const fresh = initialise([...built.parameterInfo.values()].filter(isOf(head)), seed);
  const about = { ...(labels === undefined ? {} : { labels }), background };
  const decisions = { ...changed, pooling: undefined, labels, background };
  return completed(owner, model, built, fresh, about, decisions) as Network<HeadedOutput<Output>>;
}

/** What `addClasses` adds. */
export interface MoreClasses {
  /** How many classes are added. Default the number of labels. */
  readonly classes?: number;
  /** Names of the new classes: needed if the old ones have names. */
  readonly labels?: readonly string[];
  /** Seed of the new parameters. Default 1. */
  readonly seed?: number;
}

/**
 * The same network with more classes behind those it has, whose logits stay exactly what they were; the new ones start
 * from random numbers.
 *
 *     const model = addClasses(await loadModel("mobilenet.safetensors"), { classes: 2 });
 *
 * @param options `classes` or `labels`, or both if they agree: of the new classes alone; `seed` default 1
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network, or has no classifier; `OPTION_INVALID`;
 *         `CLASSES_MISMATCH` unless there is a label for each new class; `LABELS_MISSING` if only the old or only the
 *         new classes would have labels; `MEMORY_EXCEEDED` for more classes than fit
 */
export function addClasses<Output extends string>(model: Network<Output>, options: MoreClasses): Network<Output> {
  const owner = "addClasses";
  checkNetwork(owner, model);
  checkKnownOptions(owner, options, ["classes", "labels", "seed"]);
  const added = countOf(owner, options);
  const labels = joinedLabels(owner, model.info.labels, options.labels);
  const seed = seedOf(owner, options.seed);
  const head = findHead(owner, model);
  const classes = head.attributes.filters + added;
  const built = rebuilt(model, { classes }) ?? withFilters(model, head, classes);
  checkParameterBytes(`${owner}: ${built.name}`, built.parameterInfo.values());
  checkParameters(model, model.parameters, owner);
  const infos = [...model.parameterInfo.values()].filter(isOf(head.name));
  // The new columns alone, as if they were a classifier of their own.
  const columns = initialise(
    infos.map((info) => ({ ...info, shape: [...info.shape.slice(0, -1), added] })),
    seed,
  );
  const widened = new Map<string, FloatTensor>();
  for (const { name } of infos) widened.set(name, sideBySide(model.parameters.get(name), columns.get(name)));
  const { background } = model.info;
  const about = { ...(labels === undefined ? {} : { labels }), ...(background === undefined ? {} : { background }) };
  return completed(owner, model, built, widened, about, { classes, labels }) as Network<Output>;
}

/**
 * The network up to its features: a run gives `embedding` alone, the same bits that the whole network gives. Of a
 * MobileNet V1 these are the features averaged over the image, `[1024 · alpha]` numbers; another network must have an
 * output called `embedding`. Labels go, preprocessing stays.
 *
 *     const features = embeddingModel(await loadModel("mobilenet.safetensors"));
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network, or has no output `embedding`
 */
export function embeddingModel(model: Network): Network<"embedding"> {
  const owner = "embeddingModel";
  checkNetwork(owner, model);
  if (Object.keys(model.outputs).join() === "embedding") return model as Network<"embedding">;
  const changed = { includeTop: false, pooling: "avg" } as const;
  const built = rebuilt(model, changed) ?? upTo(owner, model, "embedding");
  const decisions = { ...changed, classes: undefined, labels: undefined, background: undefined, dropout: undefined };
  return completed(owner, model, built, new Map(), {}, decisions) as Network<"embedding">;
}

const isOf =
  (node: string) =>
  (info: { readonly node: string }): boolean =>
    info.node === node;

/** How many classes are asked for, by number, by names, or by both. */
function countOf(owner: string, { classes, labels }: MoreClasses): number {
  if (labels === undefined) return positiveInteger(owner, "classes", classes);
  stringsOf(owner, "labels", labels);
  const count = positiveInteger(owner, "classes", classes ?? labels.length);
  if (count === labels.length) return count;
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `${owner}: labels`,
    expected: `${count} labels, one for each class`,
    found: `${labels.length}`,
    advice: "Leave classes out, or pass as many labels.",
    fields: { classes: count, labels: labels.length },
  });
}

function seedOf(owner: string, seed: unknown = 1): number {
  if (typeof seed === "number" && Number.isSafeInteger(seed)) return seed;
  throw optionError(owner, "seed", "an integer", seed);
}

function joinedLabels(
  owner: string,
  old: readonly string[] | undefined,
  added: readonly string[] | undefined,
): readonly string[] | undefined {
  if (old !== undefined && added !== undefined) return [...old, ...added];
  if (old === undefined && added === undefined) return undefined;
  throw new DepthwiseError("LABELS_MISSING", {
    what: `${owner}: labels`,
    expected: old === undefined ? "none, since the classes there are have no labels" : "a label for each new class",
    found: old === undefined ? "some" : "none",
    advice: old === undefined ? "Give the model labels first, with withInfo, or pass classes alone." : "Pass labels.",
  });
}

/** The columns of two tensors in one: both end in an axis of outputs. */
function sideBySide(left: FloatTensor | undefined, right: FloatTensor | undefined): FloatTensor {
  const [a = 0, b = 0] = [left?.shape.at(-1), right?.shape.at(-1)];
  const shape = [...(left?.shape.slice(0, -1) ?? []), a + b];
  const rows = a === 0 ? 0 : (left?.data.length ?? 0) / a;
  const data = new Float32Array(rows * (a + b));
  for (let row = 0; row < rows; row++) {
    data.set(left?.data.subarray(row * a, (row + 1) * a) ?? [], row * (a + b));
    data.set(right?.data.subarray(row * b, (row + 1) * b) ?? [], row * (a + b) + a);
  }
  return tensor(data, shape);
}
