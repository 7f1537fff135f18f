/** `depthwise classify`: what a model says about pictures. A bad file is reported and the others go on. */

import { Command } from "commander";
import { type Classifier, createClassifier, type Prediction } from "../classify/index.ts";
import { shownAddress } from "../core/address.ts";
import { visible } from "../core/visible.ts";
import { loadModel } from "../weights/load-model.ts";
import { expandFiles } from "./files.ts";
import { toNumber } from "./network-options.ts";
import { complain, drained, print, printJson, progressBar } from "./print.ts";
import { addSessionOptions, type SessionFlags, sessionOptions } from "./session-options.ts";

interface Flags extends SessionFlags {
  readonly weights: string;
  readonly topK: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly signal: AbortSignal;
}

export function classifyCommand(): Command {
  const command = new Command("classify")
    .description("name what is in pictures")
    .argument("<files...>", "image files or globs, such as 'photos/*.jpg'")
    .requiredOption("--weights <file>", "file, directory or address of a MobileNet's weights, in any format")
    .option("--top-k <count>", "how many predictions", toNumber, 5);
  return addSessionOptions(command)
    .option("--concurrency <count>", "files that are read and decoded at once (default 4)", toNumber)
    .option("--json", "print one line of JSON a file")
    .action(async (patterns: readonly string[], flags: Flags) => {
      const files = await expandFiles(patterns);
      const classifier = await createClassifier(
        await loadModel(flags.weights, { signal: flags.signal }),
        sessionOptions(flags),
      );
      try {
        await classifyFiles(files, classifier, flags);
      } finally {
        classifier.close();
      }
    });
}

async function classifyFiles(files: readonly string[], classifier: Classifier, flags: Flags): Promise<void> {
  const { topK, concurrency, json, signal } = flags;
  const bar = files.length > 1 ? progressBar("{bar} {value}/{total}") : undefined;
  bar?.update(0, files.length);
  let failed = 0;
  let before = performance.now();
  try {
    const results = classifier.classifyAll(files, {
      topK,
      ...(concurrency === undefined ? {} : { concurrency }),
      signal,
      onError: "yield",
      onProgress: ({ done }) => bar?.update(done, files.length),
    });
    for await (const { image, predictions, error } of results) {
      const file = shownAddress(image);
      if (error === undefined) {
        const now = performance.now();
        const milliseconds = Math.round((now - before) * 10) / 10;
        before = now;
        if (json === true) printJson({ file, predictions, milliseconds });
        else print(describe(file, predictions));
      } else {
        failed++;
        const { code: name, message } = error;
        if (json === true) printJson({ file, error: { name, message } });
        else complain(`${name}: ${message}`);
      }
      await drained(signal);
    }
  } finally {
    bar?.stop();
  }
  if (failed > 0) process.exitCode = 1;
}

function describe(file: string, predictions: readonly Prediction[]): readonly string[] {
  const lines = predictions.map(
    ({ probability, label, index }) =>
      `  ${(100 * probability).toFixed(1).padStart(5)} %  ${visible(label)} (${index})`,
  );
  return [visible(file), ...lines];
}
