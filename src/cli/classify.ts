/** `depthwise classify`: what a model says about pictures. A bad file is reported and the others go on. */

import { Command } from "commander";
import { type Classifier, createClassifier, type Prediction } from "../classify/index.ts";
import { shownAddress } from "../core/address.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { listCache } from "../sources/index.ts";
import type { LoadedModel } from "../weights/load-model.ts";
import { checkOneStdin, expandFiles, noImages, withInput } from "./files.ts";
import { concurrencyOption, jsonOption, maxPixelsOption, topKOption, weightsOption } from "./flags.ts";
import { addLoadOptions, type LoadFlags, loadFrom } from "./load.ts";
import { withoutUndefined } from "./network-options.ts";
import { complain, drained, isTerminal, print, printJson, progressBar, terminalWidth } from "./print.ts";
import { addSessionOptions, type SessionFlags, sessionOptions } from "./session-options.ts";
import { cut } from "./table.ts";

/** What is taken where nothing is said, and how much is downloaded for it. */
const DEFAULT = { weights: "keras:mobilenet_1_0_224_tf", size: "17 MB" } as const;

interface Flags extends LoadFlags, SessionFlags {
  readonly weights?: string;
  readonly topK: number;
  readonly concurrency?: number;
  readonly maxPixels?: number;
  readonly json?: boolean;
}

export function classifyCommand(): Command {
  const command = new Command("classify")
    .description("name what is in pictures")
    .argument("<files...>", "image files, folders, globs such as 'photos/*.jpg', or - for standard input")
    .addOption(weightsOption(`default ${DEFAULT.weights}, ${DEFAULT.size}`))
    .addOption(topKOption("how many predictions").default(5));
  command.addOption(jsonOption("print one line of JSON a file"));
  addLoadOptions(command).addOption(maxPixelsOption());
  return addSessionOptions(command)
    .addOption(concurrencyOption())
    .action(async (patterns: readonly string[], flags: Flags) => {
      const files = await expandFiles(patterns);
      checkOneStdin([flags.weights ?? ""], files);
      const classifier = await createClassifier(await modelOf(flags), sessionOptions(flags));
      try {
        await classifyFiles(files, classifier, flags);
      } finally {
        classifier.close();
      }
    });
}

async function modelOf({ weights, ...flags }: Flags): Promise<LoadedModel> {
  if (weights !== undefined) return loadFrom([weights], flags);
  complain(`no --weights given, so it takes ${DEFAULT.weights} (${DEFAULT.size}${await whence(flags)})`);
  try {
    return await loadFrom([DEFAULT.weights], flags);
  } catch (cause) {
    if (!isDepthwiseError(cause) || !/^FILE_(NOT_FOUND|UNREADABLE|TRUNCATED)$/.test(cause.code)) throw cause;
    throw new DepthwiseError(cause.code, {
      what: `classify: the default weights cannot be had: ${cause.message.replace(/\.$/, "")}`,
      advice: "Pass others: --weights FILE, --weights keras:NAME or --weights hf:owner/name.",
      cause,
    });
  }
}

/** Where the default weights come from: said before they are there, since a download takes its time. */
async function whence({ cache, refresh, offline }: Omit<Flags, "weights">): Promise<string> {
  if (cache === false) return offline === true ? "" : ", downloaded and not kept";
  // A cache that cannot be read is none, here as in the load.
  const entries = await listCache().catch(() => []);
  const isKept = entries.some(({ url }) => url.endsWith(`/${DEFAULT.weights.replace("keras:", "")}.h5`));
  if (isKept && refresh === true && offline !== true) return ", kept, and its server asked whether it changed";
  if (isKept) return ", kept by an earlier run";
  return offline === true ? "" : ", downloaded now and kept";
}

async function classifyFiles(files: readonly string[], classifier: Classifier, flags: Flags): Promise<void> {
  const { topK, concurrency, maxPixels, json, signal } = flags;
  // Answers that a person reads as they come say how far it is.
  const bar = files.length > 1 && !isTerminal() ? progressBar("{bar} {value}/{total}") : undefined;
  bar?.update(0, files.length);
  let failed = 0;
  let before = performance.now();
  try {
    const results = classifier.classifyAll(await withInput(files, signal), {
      topK,
      ...withoutUndefined({ concurrency, maxPixels }),
      signal,
      onError: "yield",
      onProgress: ({ done }) => bar?.update(done, files.length),
    });
    for await (const { index, predictions, error } of results) {
      const file = shownAddress(files[index] ?? "");
      if (error === undefined) {
        const now = performance.now();
        const milliseconds = Math.round((now - before) * 10) / 10;
        before = now;
        if (json === true) printJson({ file, predictions, milliseconds });
        else print(describe(file, predictions));
      } else {
        failed++;
        const { code: name, message } = noImages(files[index] ?? "") ?? error;
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

/** A terminal has a line for each: of names both ends are kept, of labels the beginning. */
function describe(file: string, predictions: readonly Prediction[]): readonly string[] {
  const width = terminalWidth();
  const lines = predictions.map(({ probability, label, index }) => {
    const share = `  ${(100 * probability).toFixed(1).padStart(5)} %  `;
    const number = ` (${index})`;
    return share + cut(visible(label), width - share.length - number.length) + number;
  });
  return [cut(visible(file), width, 1 / 2), ...lines];
}
