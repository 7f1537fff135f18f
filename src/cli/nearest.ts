/** `depthwise nearest`: pictures of a run that look alike to its network. */

import { Command } from "commander";
import { batchStatus, checkModelOfRun, nearest } from "../batch/index.ts";
import { createClassifier } from "../classify/index.ts";
import { optionError } from "../core/options.ts";
import { visible } from "../core/visible.ts";
import { embeddingModel } from "../weights/index.ts";
import { withInput } from "./files.ts";
import { jsonOption, maxPixelsOption, preprocessingOf, topKOption, weightsOption } from "./flags.ts";
import { addLoadOptions, type LoadFlags, loadFrom } from "./load.ts";
import { withoutUndefined } from "./network-options.ts";
import { print, printJson } from "./print.ts";
import { addSessionOptions, type SessionFlags, sessionOptions } from "./session-options.ts";

interface Flags extends LoadFlags, SessionFlags {
  readonly weights?: string;
  readonly topK: number;
  readonly maxPixels?: number;
  readonly json?: boolean;
}

export function nearestCommand(): Command {
  const command = new Command("nearest")
    .description("pictures of a run of batch that look most alike to one, to its network")
    .argument("<directory>", "parts that batch wrote, of --task embeddings or both and --format npy or parquet")
    .argument("<picture>", "an image file, or - for standard input")
    .addOption(weightsOption("those that the parts were made with"))
    .addOption(topKOption("how many").default(10));
  command.addOption(jsonOption("print one line of JSON a picture"));
  addLoadOptions(command).addOption(maxPixelsOption());
  return addSessionOptions(command).action(async (directory: string, picture: string, flags: Flags) => {
    const { weights, signal, topK, maxPixels } = flags;
    if (weights === undefined) throw optionError("nearest", "weights", "a network: --weights FILE", weights);
    const { run } = await batchStatus(directory);
    const model = await loadFrom([weights], flags);
    // Of preprocessing in flags alone: what a file says of its own is no wish of who asks.
    const preprocessing = checkModelOfRun(run, model, preprocessingOf(flags));
    const classifier = await createClassifier(embeddingModel(model), { ...sessionOptions(flags), preprocessing });
    let query: Float32Array;
    try {
      const [image = picture] = await withInput([picture], signal);
      query = (await classifier.embed(image, { signal, ...withoutUndefined({ maxPixels }) })).data;
    } finally {
      classifier.close();
    }
    for (const { index, id = String(index), similarity } of await nearest(directory, query, topK, { signal })) {
      if (flags.json === true) printJson({ id, index, similarity });
      else print([`${similarity.toFixed(4).padStart(7)}  ${visible(id)}`]);
    }
  });
}
