/** The command `depthwise`. One file a command; here they are put together and errors become exit codes. */

import { Command, CommanderError } from "commander";
import { DepthwiseError, isDepthwiseError } from "../core/errors.ts";
import { batchCommand } from "./batch.ts";
import { endsForGood, FINAL_EXIT } from "./batch-exit.ts";
import { WorkerFault } from "./batch-workers.ts";
import { budgetCommand } from "./budget.ts";
import { cacheCommand } from "./cache.ts";
import { classifyCommand } from "./classify.ts";
import { convertCommand } from "./convert.ts";
import { costCommand } from "./cost.ts";
import { doctorCommand } from "./doctor.ts";
import { drawCommand } from "./draw.ts";
import { evaluateCommand } from "./evaluate.ts";
import { examplesOf } from "./examples.ts";
import { inspectCommand } from "./inspect.ts";
import { nearestCommand } from "./nearest.ts";
import { paperCommand } from "./paper.ts";
import { clearInterrupt, complain, parserOutput, printAside, watchOutput } from "./print.ts";
import { profileCommand } from "./profile.ts";
import { summaryCommand } from "./summary.ts";
import { trainCommand } from "./train.ts";
import { verifyCommand } from "./verify.ts";
import { version } from "./version.ts";

/** 0 done, 1 something failed, 2 the command line was wrong, 130 interrupted, 143 terminated. Of `batch` 42: see there. */
const EXIT = { failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** If it is set, errors come with the place they came from. */
const DEBUG = "DEPTHWISE_DEBUG";

/** How long after an interruption what was printed may wait for a reader. */
const UNREAD_MS = 1000;

const program = new Command("depthwise")
  .description("MobileNets: what they cost, and what they say about a picture.")
  .version(version);
const groups: Readonly<Record<string, readonly (() => Command)[]>> = {
  "Count what a network costs:": [summaryCommand, costCommand, paperCommand, budgetCommand, drawCommand],
  "Run one:": [classifyCommand, batchCommand, nearestCommand, profileCommand],
  "Train one:": [trainCommand, evaluateCommand],
  "Files of weights:": [inspectCommand, convertCommand, verifyCommand, cacheCommand],
  "This machine:": [doctorCommand],
};
for (const [heading, commands] of Object.entries(groups)) {
  program.commandsGroup(heading);
  for (const make of commands) program.addCommand(make());
}
program.commandsGroup("Help:").helpCommand(true);
settle(program, program.name());

/** A command does not inherit from the one it is added to. `path` is its name behind that of the command it belongs to. */
function settle(command: Command, path: string): void {
  command.addHelpText("after", examplesOf(path));
  command.exitOverride().showHelpAfterError("(add --help for the options)").configureOutput(parserOutput);
  // Descriptions of few letters a line still stand in their column.
  command.configureHelp({ minWidthToWrap: 15 });
  for (const each of command.commands) settle(each, command === program ? each.name() : `${path} ${each.name()}`);
}

const interrupt = new AbortController();
let interruptedExit: number = EXIT.interrupted;
// Once: a second one ends the process at once, whatever it is doing.
process.once("SIGINT", () => {
  clearInterrupt();
  interrupt.abort(new Error("interrupted"));
});
// Schedulers end a task so.
process.once("SIGTERM", () => {
  clearInterrupt();
  interruptedExit = EXIT.terminated;
  interrupt.abort(new Error("terminated"));
});
program.hook("preAction", (_program, command) => {
  command.setOptionValue("signal", interrupt.signal);
});

/** Its exit codes are for schedulers. */
const isBatch = process.argv[2] === "batch";
/** Of output that could not be written, it beats every other. */
let brokenExit: number | undefined;
watchOutput((error) => {
  // A reader that closes early (`| head`) ends the program; it is no error.
  brokenExit = error.code === "EPIPE" ? 0 : EXIT.failed;
  if (brokenExit !== 0) report(unwritable(error));
  interrupt.abort(error);
});
process.on("uncaughtException", (error) => {
  report(error);
  process.exit(EXIT.failed);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : isBatch ? FINAL_EXIT : EXIT.usage;
  } else if (!interrupt.signal.aborted) {
    process.exitCode = exitOf(error);
    report(error);
  }
}
if (interrupt.signal.aborted) leave();
else interrupt.signal.addEventListener("abort", leave);

function exitOf(error: unknown): number {
  if (isBatch) return endsForGood(error) ? FINAL_EXIT : EXIT.failed;
  return isDepthwiseError(error) && error.code === "OPTION_INVALID" ? EXIT.usage : EXIT.failed;
}

/** Broken off: what was printed and nobody reads would keep the process alive. */
function leave(): void {
  process.exitCode = brokenExit ?? interruptedExit;
  setTimeout(() => process.exit(), UNREAD_MS).unref();
}

function unwritable(cause: NodeJS.ErrnoException): DepthwiseError {
  return new DepthwiseError("FILE_UNREADABLE", {
    what: `standard output: it cannot be written (${cause.code ?? cause.message})`,
    advice: "Check where it leads, and that there is room.",
    cause,
  });
}

/** One line. Where an error came from is for those who look for it in here. */
function report(error: unknown): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const bug = "This is a bug in depthwise, please report it";
  if (isDepthwiseError(error) || error instanceof WorkerFault) complain(`${error.code ?? name}: ${message}`);
  else
    complain(
      `${name}: ${message.replace(/\.$/, "")}. ${message.includes(bug) ? "" : `${bug}. `}${DEBUG}=1 shows where.`,
    );
  if (process.env[DEBUG]) printAside((stack ?? "").split("\n"));
}
