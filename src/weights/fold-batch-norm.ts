/** Batch norm folded away: what converters do before they write a network that only runs. */

import { checkNetwork, checkParameters, type Network, network } from "../layers/network.ts";
import { type Folding, foldedParameters, foldings } from "../plan/fold.ts";
import { completed, rebuilt } from "./carried-over.ts";

/**
 * The same network with each batch norm that alone reads a convolution or dense layer in that layer's kernel and bias:
 * it gives the same outputs, to float32 rounding, and has that much less to store. A MobileNet V1 becomes one with
 * `batchNorm: false`; another network has its layers without those, and what was the batch norm's value, of an output
 * or by another name, is the layer's. A batch norm that follows something else stays, and so does one whose layer is
 * read by another, or is an output itself. A network with none to fold comes back as it is.
 *
 *     await saveModel(foldBatchNorm(model), "mobilenet.safetensors", { dtype: "I8" });
 *
 * It is for running: to train on, keep the batch norms. `compile` folds by itself, and `describe` says of a loaded model
 * that it was done here. Source of the formula: Jacob et al. 2018, equation 14.
 *
 * @throws {DepthwiseError} `NETWORK_INVALID` for what is no network; `PARAMETERS_MISMATCH` if a parameter was replaced
 *         by one that does not fit
 */
export function foldBatchNorm<Output extends string>(model: Network<Output>): Network<Output> {
  const owner = "foldBatchNorm";
  checkNetwork(owner, model);
  const folded = foldings(model);
  if (folded.length === 0) return model;
  checkParameters(model, model.parameters, owner);
  const changed = { batchNorm: false, convolutionBias: true };
  const again = rebuilt(model, changed);
  const { labels, background } = model.info;
  const about = { ...(labels === undefined ? {} : { labels }), ...(background === undefined ? {} : { background }) };
  const built = again ?? withoutNorms(model, folded);
  const decisions = again === undefined ? {} : changed;
  const made = completed(owner, model, built, foldedParameters(model, folded), about, decisions);
  // Of two in a row the second alone reads the layer now.
  return foldBatchNorm(made as Network<Output>);
}

/** The layers without the batch norms; who read one reads the layer that took it in. */
function withoutNorms({ name, inputShape, layers, outputs, aliases }: Network, folded: readonly Folding[]): Network {
  const taken = new Map(folded.map(({ lead, batchNorm }) => [batchNorm.name, lead.name]));
  const leads = new Set(taken.values());
  const place = (node: string) => taken.get(node) ?? node;
  const moved = (names: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(names).map(([own, node]) => [own, place(node)]));
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
    outputs: moved(outputs),
    aliases: moved(aliases),
  });
}
