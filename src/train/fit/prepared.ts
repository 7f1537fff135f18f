/** What a run is made of, before anything of it is allocated. */

import { DepthwiseError } from "../../core/errors.ts";
import type { Network } from "../../layers/network.ts";
import { checkLabelled, splitOf } from "../data/check-dataset.ts";
import type { Awaitable } from "../data/dataset.ts";
import { checkTrainable, type Dataset, dataset, type Examples } from "../data/index.ts";
import { withSteps } from "../rates.ts";
import type { Schedule } from "../schedules.ts";
import { type CheckedFitOptions, checkClasses } from "./fit-options.ts";

export interface PreparedRun {
  readonly model: Network;
  readonly options: CheckedFitOptions;
  readonly data: Dataset;
  readonly validation: Dataset | undefined;
  readonly batch: number;
  readonly stepsPerEpoch: number;
  /** With the `steps` of the run, where it says none itself. */
  readonly schedule: Schedule;
}

/**
 * @throws {DepthwiseError} `OPTION_INVALID`, `CLASSES_MISMATCH` for data that cannot be trained on; what `dataset`
 *         throws; `signal.reason`
 */
export async function prepareRun(
  model: Network,
  given: Awaitable<Dataset | Examples>,
  options: CheckedFitOptions,
  signal: AbortSignal,
): Promise<PreparedRun> {
  const all = await dataset(given, { signal });
  checkLabelled(all);
  checkClasses("data", model, options.classes, all);
  const { validation } = options;
  const [data, held] =
    typeof validation === "number" ? splitOf(all, 1 - validation, options.trainer.seed) : ([all, validation] as const);
  if (data !== all) checkLabelled(data);
  if (held !== undefined) checkLabelled(held);
  if (held !== undefined) checkClasses("validation", model, options.classes, held, all);
  if (held?.size === 0) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "fit: validation",
      expected: "at least one example",
      found: `none: ${validation} of ${all.size} examples`,
      advice: "Pass a larger share, or a data set.",
      fields: { owner: "fit", option: "validation" },
    });
  }
  const batch = options.isBatchGiven ? options.trainer.batch : Math.max(1, Math.min(options.trainer.batch, data.size));
  checkTrainable(data, batch);
  const stepsPerEpoch = Math.ceil(data.size / batch);
  return {
    model,
    options,
    data,
    validation: held,
    batch,
    stepsPerEpoch,
    schedule: withSteps(options.trainer.schedule, stepsPerEpoch * options.epochs),
  };
}
