#!/usr/bin/env node
/** The command `depthwise`. One file a command; here they are put together and errors become exit codes. */

import { Command, CommanderError } from "commander";
import { isDepthwiseError } from "../core/errors.ts";
import { budgetCommand } from "./budget.ts";
import { cacheCommand } from "./cache.ts";
import { classifyCommand } from "./classify.ts";
import { convertCommand } from "./convert.ts";
import { costCommand } from "./cost.ts";
import { doctorCommand } from "./doctor.ts";
import { inspectCommand } from "./inspect.ts";
import { paperCommand } from "./paper.ts";
import { profileCommand } from "./profile.ts";
import { summaryCommand } from "./summary.ts";
import { verifyCommand } from "./verify.ts";
import { version } from "./version.ts";

/** 0 done, 1 something failed, 2 the command line was wrong, 130 interrupted. */
const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;

const program = new Command("depthwise")
  .description("MobileNets: what they cost, and what they say about a picture.")
  .version(version)
  .showHelpAfterError("(add --help for the options)")
  .exitOverride();
const commands = [
  summaryCommand,
  costCommand,
  paperCommand,
  budgetCommand,
  classifyCommand,
  inspectCommand,
  convertCommand,
  verifyCommand,
  cacheCommand,
  profileCommand,
  doctorCommand,
];
for (const make of commands) {
  program.addCommand(make().exitOverride().showHelpAfterError("(add --help for the options)"));
}

// A reader that closes early (`| head`) ends the program; it is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const interrupt = new AbortController();
process.once("SIGINT", () => {
  process.exitCode = EXIT.interrupted;
  interrupt.abort(new Error("interrupted"));
});
program.hook("preAction", (_program, command) => {
  command.setOptionValue("signal", interrupt.signal);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  } else if (interrupt.signal.aborted) {
    process.exitCode = EXIT.interrupted;
  } else {
    process.exitCode = isDepthwiseError(error) && error.code === "OPTION_INVALID" ? EXIT.usage : EXIT.failed;
    process.stderr.write(
      `depthwise: ${isDepthwiseError(error) ? `${error.code}: ${error.message}` : describe(error)}\n`,
    );
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
