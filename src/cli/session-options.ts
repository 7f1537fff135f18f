/** The options by which commands say how a network runs; each has the name it has in `compile`. */

import { type Command, InvalidArgumentError } from "commander";
import type { CompileOptions } from "../session/index.ts";
import { choice, under } from "./flags.ts";
import { withoutUndefined } from "./network-options.ts";
import { toNumber } from "./numbers.ts";

export type SessionFlags = Pick<CompileOptions, "backend" | "threads" | "simd" | "batch">;

export function addSessionOptions(command: Command): Command {
  return under("Running:", command, addGroup);
}

function addGroup(command: Command): Command {
  return command
    .addOption(
      choice("--backend <name>", "what computes (default auto: wasm where it can run, else plain)", [
        "auto",
        "wasm",
        "plain",
        "reference",
      ]),
    )
    .option(
      "--threads <count>",
      "threads of the wasm backend: a number, or auto for one a core and at most 8 (default 1)",
      toThreads,
    )
    .addOption(
      choice(
        "--simd <kind>",
        "instructions of the wasm backend (default auto: relaxed where the engine has them); wide, nearly twice as fast in Node 24 and later, turns on an experimental switch of V8",
        ["auto", "relaxed", "plain", "wide"],
      ),
    )
    .option("--batch <count>", "images in one run (default 1)", toNumber);
}

/** The options for `compile` that were given. */
export function sessionOptions({ backend, threads, simd, batch }: SessionFlags): CompileOptions {
  return withoutUndefined({ backend, threads, simd, batch });
}

/** A number of threads, or `auto`. */
export function toThreads(text: string): number | "auto" {
  if (text === "auto") return text;
  const count = Number(text);
  if (text.trim() === "" || Number.isNaN(count)) throw new InvalidArgumentError("It is neither a number nor auto.");
  return count;
}
