/** What `fit` says of a step whose numbers are not finite: its caller has a run and no trainer to restore. */

import { DepthwiseError, isDepthwiseError } from "../../core/errors.ts";
import type { Network } from "../../layers/network.ts";
import type { RunningTrainer } from "./epochs.ts";

/** @param error of a step; any other stays as it is */
export function stepFault(error: unknown, { run, trainer, checkpoints }: RunningTrainer): unknown {
  if (!isDepthwiseError(error) || error.code !== "VALUES_NOT_FINITE") return error;
  const { layer, place, found, update, learningRate } = error.fields;
  if (typeof place !== "string") return error;
  const advice =
    layer === trainer.plan.input
      ? "Look at the data: an example holds what is no number."
      : isWhole(run.model)
        ? `Train anew with a lower learning rate (${learningRate} now), or pass clipNorm.`
        : "The network held such numbers before the run: load it anew.";
  return new DepthwiseError("VALUES_NOT_FINITE", {
    what: `fit: ${run.model.name}: update ${update}: ${place}`,
    expected: "finite numbers",
    found: String(found),
    advice: `${advice}${checkpoints?.kept ?? ""}`,
    fields: error.fields,
    cause: error,
  });
}

function isWhole({ parameters }: Network): boolean {
  return [...parameters.values()].every(({ data }) => data.every(Number.isFinite));
}
