/** The network that a run gives. */

import type { FloatTensor } from "../../core/tensor.ts";
import { type Network, withInfo, withParameters } from "../../layers/network.ts";
import type { Dataset } from "../data/index.ts";

/** The network with what it has learnt, and the names of the classes if it had none. */
export function trainedModel(
  model: Network,
  parameters: ReadonlyMap<string, FloatTensor>,
  { classes }: Pick<Dataset, "classes">,
): Network {
  const learnt = withParameters(model, parameters);
  return model.info.labels === undefined ? withInfo(learnt, { labels: classes }) : learnt;
}
