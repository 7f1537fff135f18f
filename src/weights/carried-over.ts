/** What all that make networks of networks have in common: build again, and carry over what stays. */

import type { FloatTensor } from "../core/tensor.ts";
import type { Fact } from "../formats/fact.ts";
import { type Network, type NetworkInfo, withInfo, withParameters } from "../layers/network.ts";
import { builtBy, type Options } from "../understand/architecture.ts";
import { BUILDERS } from "../understand/architectures/table.ts";
import { provenanceOf } from "../understand/provenance.ts";

/** A network built again with other options, if its architecture has them. */
export function rebuilt(model: Network, changed: Options): Network | undefined {
  const architecture = builtBy(model, BUILDERS);
  const has = (option: string) => architecture?.options.includes(option);
  return Object.keys(changed).every(has) ? architecture?.build({ ...model.info.options, ...changed }) : undefined;
}

/** Puts parameters and facts where they belong: new ones first, then those of the old network. */
export function completed(
  owner: string,
  model: Network,
  built: Network,
  fresh: ReadonlyMap<string, FloatTensor>,
  about: Partial<NetworkInfo>,
  decisions: Readonly<Record<string, unknown>>,
): Network {
  const parameters = new Map<string, FloatTensor>();
  for (const name of built.parameterInfo.keys()) {
    const value = fresh.get(name) ?? model.parameters.get(name);
    if (value !== undefined) parameters.set(name, value);
  }
  const { labels: _labels, background: _background, options: _options, ...kept } = model.info;
  const { options } = built.info;
  const provenance = amendedProvenance(owner, model, built, fresh, decisions);
  const info = {
    ...kept,
    ...(options === undefined ? {} : { options }),
    ...(provenance === undefined ? {} : { provenance }),
    ...about,
  };
  return withInfo(withParameters(built, parameters, owner), info);
}

/** Where the model came from, with what was decided here: an option that is undefined is no longer one of the model. */
function amendedProvenance(
  owner: string,
  model: Network,
  built: Network,
  fresh: ReadonlyMap<string, FloatTensor>,
  changed: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const provenance = provenanceOf(model);
  if (provenance === undefined) return undefined;
  const decisions = new Map<string, Fact<unknown>>(Object.entries(provenance.decisions));
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) decisions.delete(name);
    else decisions.set(name, { value, basis: "given", from: `the call of ${owner}` });
  }
  const { quantization, ...others } = provenance;
  const isNew = new Set([...fresh.keys()].map((name) => built.parameterInfo.get(name)?.node));
  // What the network gives has another scale, and so have the numbers of a layer that is new.
  const still = Object.entries(quantization ?? {}).filter(([layer]) => built.shapes.has(layer) && !isNew.has(layer));
  return {
    ...others,
    decisions: Object.fromEntries(decisions),
    ...(quantization === undefined ? {} : { quantization: Object.fromEntries(still) }),
  };
}
