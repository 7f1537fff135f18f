/** `depthwise classify`: what a model says about pictures. A bad file is reported and the others go on. */

import { Command } from "commander";
import { type Classifier, createClassifier, type Prediction } from "../classify/index.ts";
import { shownAddress } from "../core/address.ts";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import type { LoadedModel } from "../weights/load-model.ts";
import { expandFiles, picturesIn, STANDARD_INPUT } from "./files.ts";
import { addLoadOptions, type LoadFlags, loadFrom } from "./load.ts";
import { toNumber } from "./network-options.ts";
import { complain, drained, print, printAside, printJson, progressBar } from "./print.ts";
import { addSessionOptions, type SessionFlags, sessionOptions } from "./session-options.ts";

interface Flags extends SessionFlags, LoadFlags {
  readonly weights?: string;
  readonly topK: number;
  readonly concurrency?: number;
  readonly json?: boolean;
}

/** What is taken where nobody says, 17 MB: the network of the paper, trained on ImageNet. */
const USUAL = "keras:mobilenet_1_0_224_tf";

/** As for any other picture. */
const MOST_INPUT = 2 ** 29;

export function classifyCommand(): Command {
  const command = new Command("classify")
    .description("name what is in pictures")
    .argument("<files...>", "image files, folders of them, globs such as 'photos/*.jpg', or - for standard input")
    .option(
      "--weights <file>",
      `a MobileNet's weights in any format: file, directory, address, keras:name, hf:owner/name (default ${USUAL}, 17 MB, kept)`,
    )
    .option("--top-k <count>", "how many predictions", toNumber, 5);
  return addLoadOptions(addSessionOptions(command))
    .option("--concurrency <count>", "files that are read and decoded at once (default 4)", toNumber)
    .option("--json", "print one line of JSON a file")
    .action(async (patterns: readonly string[], flags: Flags) => {
      const files = await picturesIn(await expandFiles(patterns));
      const classifier = await createClassifier(await weightsOf(flags), sessionOptions(flags));
      try {
        await classifyFiles(files, classifier, flags);
      } finally {
        classifier.close();
      }
    });
}

async function weightsOf(flags: Flags): Promise<LoadedModel> {
  if (flags.weights !== undefined) return loadFrom([flags.weights], flags);
  printAside([`No --weights given: taking ${USUAL} (17 MB, fetched once and kept).`]);
  try {
    return await loadFrom([USUAL], flags);
  } catch (cause) {
    if (flags.signal.aborted || !isDepthwiseError(cause)) throw cause;
    throw new DepthwiseError(cause.code, {
      what: `the usual weights cannot be had: ${cause.message.replace(/\.$/, "")}`,
      advice: "Pass --weights FILE, or an address, keras:name or hf:owner/name.",
      cause,
    });
  }
}

async function classifyFiles(files: readonly string[], classifier: Classifier, flags: Flags): Promise<void> {
  const { topK, concurrency, json, signal } = flags;
  const bar = files.length > 1 ? progressBar("{bar} {value}/{total}") : undefined;
  bar?.update(0, files.length);
  let failed = 0;
  let before = performance.now();
  try {
    const sources = files.map((file) => (file === STANDARD_INPUT ? standardInput() : file));
    const results = classifier.classifyAll(await Promise.all(sources), {
      topK,
      ...(concurrency === undefined ? {} : { concurrency }),
      signal,
      onError: "yield",
      onProgress: ({ done }) => bar?.update(done, files.length),
    });
    for await (const { image, predictions, error } of results) {
      const file = typeof image === "string" ? shownAddress(image) : STANDARD_INPUT;
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

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MOST_INPUT) {
      throw new DepthwiseError("FILE_TOO_LARGE", {
        what: `standard input: more than ${MOST_INPUT} bytes`,
        advice: "Pass a smaller picture.",
        fields: { maxBytes: MOST_INPUT },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function describe(file: string, predictions: readonly Prediction[]): readonly string[] {
  const lines = predictions.map(
    ({ probability, label, index }) =>
      `  ${(100 * probability).toFixed(1).padStart(5)} %  ${visible(label)} (${index})`,
  );
  return [visible(file), ...lines];
}
