/** Batch norm folded away: what converters do before they write a network that only runs. */

import { DepthwiseError } from "../core/errors.ts";
import { checkNetwork, checkParameters, type Network, network } from "../layers/network.ts";
import { type Folding, foldedParameters, foldings } from "../plan/fold.ts";
import { completed, rebuilt } from "./carried-over.ts";

/** What a builder is told to make the same network without batch norms. */
const FOLDED = { batchNorm: false, convolutionBias: true } as const;

/**
 * The same network with each batch norm that alone reads a convolution or dense layer in that layer's kernel and bias,
 * several in a row too: it gives the same outputs, to float32 rounding, and has that much less to store. A MobileNet V1
 * becomes one with `batchNorm: false`, unless layers, outputs or names of it were changed; another network has its layers
 * without those, and an output that was the batch norm's is the layer's. A batch norm that follows something else stays,
 * and so does one whose layer is read by another, or is an output itself, and one that is tapped by another name. A
 * network with none to fold comes back as it is.
 *
 *     await saveModel(foldBatchNorm(model), "mobilenet.safetensors", { dtype: "I8" });
 *
 * It is for running: to train on, keep the batch norms. `compile` folds by itself. `describe` says of a loaded
 * MobileNet V1 that it was done here; for another network it has no such line. Source of the formula: Jacob et al. 2018,
 * equation 14.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network; `PARAMETERS_MISMATCH` if a parameter was replaced
 *         by one that does not fit; `VALUES_NOT_FINITE` if a number of these layers is none, a variance is below −ε, or a
 *         folded number is too large for float32;
 *         `OPTION_INVALID` if `info.options` are none of the builder's
 */
export function foldBatchNorm<Output extends string>(model: Network<Output>): Network<Output> {
  const owner = "foldBatchNorm";
  checkNetwork(owner, model);
  const folded = foldings(model);
  if (folded.length === 0) return model;
  checkParameters(model, model.parameters, owner);
  const plain = withoutNorms(model, folded);
  const again = rebuilt(model, FOLDED);
  const isAgain = again !== undefined && structureOf(again) === structureOf(plain);
  const { labels, background, options } = model.info;
  const about = {
    // The builder would make another network of these options.
    ...(isAgain || options === undefined ? {} : { architecture: plain.info.architecture }),
    ...(labels === undefined ? {} : { labels }),
    ...(background === undefined ? {} : { background }),
  };
  checkNumbers(owner, model, folded);
  const fresh = foldedParameters(model, folded);
  for (const [parameter, { data }] of fresh) {
    const [expected, advice] = ["a finite float32", "Keep the batch norms of this network."];
    checkAll(owner, `"${parameter}" with its batch norm in it`, data, Number.isFinite, { parameter, expected, advice });
  }
  const made = completed(owner, model, isAgain ? again : plain, fresh, about, isAgain ? FOLDED : {});
  return made as Network<Output>;
}

/** Of the numbers that go in: what is wrong is named where it lies. */
function checkNumbers(owner: string, { parameterInfo, parameters }: Network, folded: readonly Folding[]): void {
  const epsilons = new Map(
    folded.flatMap(({ lead, batchNorms }) => [
      [lead.name, 0] as const,
      ...batchNorms.map(({ name, attributes }) => [name, attributes.epsilon] as const),
    ]),
  );
  for (const [parameter, { node, role }] of parameterInfo) {
    const epsilon = epsilons.get(node);
    const data = parameters.get(parameter)?.data;
    if (epsilon === undefined || data === undefined) continue;
    const isVariance = role === "variance";
    const expected = isVariance ? `a variance, finite and above −${epsilon}` : "a finite float32";
    const isFine = (value: number) => Number.isFinite(value) && (!isVariance || value + epsilon > 0);
    checkAll(owner, `"${parameter}"`, data, isFine, {
      parameter,
      expected,
      advice: "Look where the number comes from.",
    });
  }
}

function checkAll(
  owner: string,
  what: string,
  data: Float32Array,
  isFine: (value: number) => boolean,
  { parameter, expected, advice }: Readonly<Record<"parameter" | "expected" | "advice", string>>,
): void {
  const index = data.findIndex((value) => !isFine(value));
  if (index < 0) return;
  throw new DepthwiseError("VALUES_NOT_FINITE", {
    what: `${owner}: ${what}, element ${index}`,
    expected,
    found: String(data[index]),
    advice,
    fields: { parameter, index, value: data[index] },
  });
}

/** All by which a network runs, as text to be compared. */
function structureOf({ inputShape, layers, outputs, aliases }: Network): string {
  return JSON.stringify({ inputShape, layers, outputs, aliases });
}

/** The layers without the batch norms: what has read one of them reads the layer that took it in. */
function withoutNorms({ name, inputShape, layers, outputs, aliases }: Network, folded: readonly Folding[]): Network {
  const taken = new Map(folded.flatMap(({ lead, batchNorms }) => batchNorms.map(({ name: own }) => [own, lead.name])));
  const leads = new Set(taken.values());
  const place = (node: string) => taken.get(node) ?? node;
  return network({
    name,
    inputShape,
    layers: layers
      .filter((node) => !taken.has(node.name))
      .map((node) => ({
        name: node.name,
        type: node.type,
        inputs: node.inputs.map(place),
        attributes: { ...node.attributes, ...(leads.has(node.name) ? { bias: true } : {}) },
      })),
    outputs: Object.fromEntries(Object.entries<string>(outputs).map(([own, node]) => [own, place(node)])),
    aliases,
  });
}
