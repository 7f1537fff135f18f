/** What a network's outputs say of classes: which of them are ranked, and what they are called. */

import { DepthwiseError } from "../core/errors.ts";
import { stringsOf } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { elementCount, shapeText } from "../core/tensor.ts";
import type { Network } from "../layers/network.ts";

/** The output of which classes are ranked: probabilities, or a row of logits; undefined if there is none. */
export function rankedOutput(owner: string, model: Network): "probabilities" | "logits" | undefined {
  const { probabilities, logits } = model.outputs;
  const isRow = (node: string) => elementCount(model.shapes.get(node) ?? []) === model.shapes.get(node)?.at(-1);
  if (probabilities === undefined) return logits !== undefined && isRow(logits) ? "logits" : undefined;
  if (isRow(probabilities)) return "probabilities";
  throw new DepthwiseError("NETWORK_INVALID", {
    what: `${owner}: ${model.name}`,
    expected: "probabilities of one row, a number for each class",
    found: shapeText(model.shapes.get(probabilities) ?? []),
    advice: "It does not answer for a picture as a whole: compile it, and read what a run gives.",
    fields: { shape: model.shapes.get(probabilities) },
  });
}

/** The labels given, or the model's own, copied; undefined if they are ImageNet's, which are yet to be loaded. */
export function statedLabels(
  owner: string,
  model: Network,
  given: readonly string[] | undefined,
): readonly string[] | undefined {
  const classes = classesOf(model);
  const stated = given === undefined ? model.info.labels : given;
  if (stated === undefined) {
    if (classes === 1000 || classes === 1001) return undefined;
    throw new DepthwiseError("LABELS_MISSING", {
      what: `${owner}: ${model.name} has ${classes} outputs and no labels`,
      advice: "Pass labels, one for each output.",
      fields: { classes },
    });
  }
  if (stringsOf(owner, "labels", stated).length === classes) return [...stated];
  throw new DepthwiseError("CLASSES_MISMATCH", {
    what: `${owner}: labels`,
    expected: `${classes}, one for each output of ${model.name}`,
    found: `${stated.length}`,
    advice:
      classes === stated.length + 1
        ? 'The network has a background class: put "background" in front.'
        : "Pass the labels of this network.",
    fields: { classes, labels: stated.length },
  });
}

/** A file of its own: 10 KB that a page with labels of its own does not fetch. */
export async function knownLabels(model: Network): Promise<readonly string[]> {
  const { imagenetLabels } = await ownPart("ImageNet's labels", () => import("./imagenet-labels.ts"));
  return imagenetLabels(classesOf(model) === 1001);
}

function classesOf(model: Network): number {
  const { probabilities, logits } = model.outputs;
  return model.shapes.get(probabilities ?? logits ?? "")?.at(-1) ?? 0;
}
