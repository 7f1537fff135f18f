/** `depthwise train`: pictures in, a network that knows them out. */

import { Command, InvalidArgumentError } from "commander";
import { addSizeOptions, outOption, under } from "./flags.ts";
import { toNumber } from "./numbers.ts";
import { addBatchOption, addComputingOptions } from "./session-options.ts";
import type { TrainFlags } from "./training-options.ts";

export function trainCommand(): Command {
  const command = new Command("train")
    .description("train a MobileNet on pictures")
    .argument(
      "[data...]",
      "a folder with a folder of pictures for each class; MNIST's four files (a folder) or a pair of IDX files; CIFAR-10's binary files or a folder with them",
    )
    .addOption(
      outOption(
        "directory",
        "where model.safetensors, report.html, history.jsonl, options.json and the checkpoint go",
      ).makeOptionMandatory(),
    )
    .option("--resume", "go on with the run in --out; its options are those it began with");
  under("Network:", command, (group) =>
    addSizeOptions(
      group,
      "default 0.25",
      "default that of the pictures, of folders 128; up to 64 pixels the first strides are 1",
    ).option(
      "--from <weights>",
      "fine-tune a trained network in place of a new one: digits, cifar10, a file, an address, keras:… or hf:…; for one epoch its new classifier learns alone",
    ),
  );
  under("Training:", command, (group) =>
    addBatchOption(group, "pictures in an update (default 64, of tune 32, of little data fewer)")
      .option(
        "--recipe <name>",
        "fast (default), paper, tune (default with --from), or a JSON file such as the options.json of a run",
      )
      .option(
        "--epochs <count>",
        "how often each picture is seen (default 10); with --from once more before, by the new classifier alone",
        toNumber,
      )
      .option(
        "--rate <number>",
        "the highest learning rate (default by recipe and batch); with --from the new classifier learns alone at twice that",
        toNumber,
      )
      .option(
        "--validation <what>",
        "a share of the pictures, other data, or none (default the data's own validation or test part, else 0.1)",
        toValidation,
      )
      .option("--seed <number>", "of the first weights, shuffling and augmentation (default 1)", toNumber),
  );
  return under("Running:", command, (group) =>
    addComputingOptions(group, {
      backends: ["auto", "wasm", "reference"],
      backend: "default auto: wasm where it can run",
      threads: "a number, or auto for one a core (default auto): the numbers come out the same",
      simd: "instructions (default auto: relaxed where the engine has them)",
    }),
  ).action(async (paths: readonly string[], flags: TrainFlags) => {
    // What trains is loaded when it is asked for: other commands start without it.
    const { runTraining } = await import("./training-run.ts");
    await runTraining(paths, flags);
  });
}

/** A share, `none` as 0, or a path. */
function toValidation(text: string): number | string {
  if (text === "none") return 0;
  const share = Number(text);
  if (text.trim() === "" || Number.isNaN(share)) return text;
  if (share > 0 && share < 1) return share;
  throw new InvalidArgumentError("It is neither a share above 0 and below 1, nor none, nor a path.");
}
