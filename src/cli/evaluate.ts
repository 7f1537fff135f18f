/** `depthwise evaluate`: how often a model is right about pictures whose classes are known. */

import { Command } from "commander";
import { visible } from "../core/visible.ts";
import type { EvaluateFlags } from "./evaluation.ts";
import { jsonOption, maxPixelsOption } from "./flags.ts";
import { addLoadOptions } from "./load.ts";
import { addSessionOptions } from "./session-options.ts";

export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .description("how often a model is right about pictures whose classes are known")
    .argument(
      "<model>",
      "digits, cifar10, a file, a directory, an address, keras:mobilenet_1_0_224_tf or hf:owner/name",
    )
    .argument(
      "<data...>",
      "as for train; of data with a test part that part: a folder with a folder of pictures for each class, MNIST's files or a pair of IDX files, CIFAR-10's binary files",
    );
  command.addOption(jsonOption("print one object: loss, accuracy, top5, classes and confusion"));
  addLoadOptions(command).addOption(maxPixelsOption());
  return addSessionOptions(command).action(async (model: string, data: readonly string[], flags: EvaluateFlags) => {
    const { runEvaluation } = await import("./evaluation.ts");
    await runEvaluation(visible(model), data, flags);
  });
}
