/** The options by which commands say how a network runs; each has the name it has in `compile`. */

import { type Command, InvalidArgumentError } from "commander";
import type { CompileOptions } from "../session/index.ts";
import { choice, under } from "./flags.ts";
import { withoutUndefined } from "./network-options.ts";
import { toNumber } from "./numbers.ts";

export type SessionFlags = Pick<CompileOptions, "backend" | "threads" | "simd" | "batch">;

/** What is run with where nobody says, in the words of the help. */
export interface SessionDefaults {
  readonly threads: string;
  readonly batch: string;
}

export function addSessionOptions(
  command: Command,
  { threads, batch }: SessionDefaults = { threads: "1", batch: "1" },
): Command {
  return under("Running:", command, (group) => addGroup(group, { threads, batch }));
}

function addGroup(command: Command, usual: SessionDefaults): Command {
  return addBatchOption(
    addComputingOptions(command, {
      backends: ["auto", "wasm", "plain", "reference"],
      backend: "default auto: wasm where it can run, else plain",
      threads: `threads of the wasm backend: a number, or auto for one a core and at most 8 (default ${usual.threads})`,
      simd: "instructions of the wasm backend (default auto: relaxed where the engine has them); wide, nearly twice as fast in Node 24 and later, turns on an experimental switch of V8",
    }),
    `images in one run (default ${usual.batch})`,
  );
}

/** What the flags say of themselves, which is not the same for running and for training. */
interface ComputingWords {
  readonly backends: readonly string[];
  readonly backend: string;
  readonly threads: string;
  readonly simd: string;
}

/** What computes, on how many threads, by which instructions. */
export function addComputingOptions(command: Command, words: ComputingWords): Command {
  return command
    .addOption(choice("--backend <name>", `what computes (${words.backend})`, words.backends))
    .option("--threads <count>", words.threads, toThreads)
    .addOption(choice("--simd <kind>", words.simd, ["auto", "relaxed", "plain", "wide"]));
}

export function addBatchOption(command: Command, words: string): Command {
  return command.option("--batch <count>", words, toNumber);
}

/** The options for `compile` that were given. */
export function sessionOptions({ backend, threads, simd, batch }: SessionFlags): CompileOptions {
  return withoutUndefined({ backend, threads, simd, batch });
}

/** A number of threads, or `auto`. */
function toThreads(text: string): number | "auto" {
  if (text === "auto") return text;
  const count = Number(text);
  if (text.trim() === "" || Number.isNaN(count)) throw new InvalidArgumentError("It is neither a number nor auto.");
  return count;
}
