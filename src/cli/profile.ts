/** `depthwise profile`: the time of each step of a network, as a table and as a trace. */

import { Command } from "commander";
import { shorten } from "../core/errors.ts";
import { elementCount } from "../core/tensor.ts";
import { visible } from "../core/visible.ts";
import { compile, type Profile } from "../session/index.ts";
import { jsonOption } from "./flags.ts";
import { addNetworkOptions, type NetworkFlags, networkFrom } from "./network-options.ts";
import { toNumber } from "./numbers.ts";
import { newPage, print, printJson } from "./print.ts";
import { addSessionOptions, type SessionFlags, sessionOptions } from "./session-options.ts";
import { called, ENDLESS, layTable, leftOutNote, type Page } from "./table.ts";
import { tracePlace, writeTrace } from "./trace.ts";

interface Flags extends NetworkFlags, SessionFlags {
  readonly runs?: number;
  readonly json?: boolean;
  readonly trace?: string;
  readonly signal: AbortSignal;
}

export function profileCommand(): Command {
  return addSessionOptions(addNetworkOptions(new Command("profile")))
    .description("time each step of a network, beside its mult-adds and the most that this machine can do")
    .option("--runs <count>", "measured runs, after as many to warm up (default 10)", toNumber)
    .addOption(jsonOption("print the object of session.profile()"))
    .option("--trace <file>", "write a trace that chrome://tracing and ui.perfetto.dev open")
    .action(async (flags: Flags) => {
      const { runs, json, signal } = flags;
      const trace = flags.trace === undefined ? undefined : tracePlace(flags.trace);
      const session = await compile(await networkFrom(flags), { ...sessionOptions(flags), signal });
      try {
        const { batch, plan } = session;
        const numbers = batch * elementCount(plan.inputShape);
        const profile = await session.profile(new Float32Array(numbers).fill(0.5), {
          ...(runs === undefined ? {} : { runs }),
          signal,
        });
        if (trace !== undefined) await writeTrace(trace, profile, signal);
        if (json === true) printJson(profile, 2);
        else print(formatProfile(profile, newPage()).split("\n"));
      } finally {
        session.close();
      }
    });
}

const COLUMNS = ["step", "kernel", "mult-adds", "ms", "GFLOP/s", "of limit"] as const;
/** What a person asks last, first. */
const LEAST = ["kernel", "mult-adds", "of limit", "GFLOP/s"];

/** What a row of it shows. */
type Row = Omit<Profile["steps"][number], "bytes">;

/** A profile as lines, of a table that fits the page. */
export function formatProfile(profile: Profile, page: Page = ENDLESS): string {
  const { network, backend, simd, threads, runs, statistic, steps, totalMs, gflops, limitGflops } = profile;
  const multAdds = steps.reduce((sum, step) => sum + step.multAdds, 0);
  const total = {
    name: "total",
    kernel: "",
    multAdds,
    timeMs: totalMs,
    gflops,
    ...(limitGflops === undefined ? {} : { share: gflops / limitGflops / threads }),
  };
  const rows = [COLUMNS, ...[...steps, total].map(cells)];
  const lines = layTable(page, rows, { isRight: (column) => column >= 2, least: called(COLUMNS, LEAST) });
  const how = [
    backend,
    ...(simd === "none" ? [] : [`${simd} SIMD`]),
    threads === 1 ? "1 thread" : `${threads} threads`,
  ];
  return [
    `${visible(network)}: ${how.join(", ")}; ${statistic}s of ${runs} runs`,
    "",
    ...lines,
    "",
    limitGflops === undefined
      ? "No limit: it is measured in WebAssembly."
      : `The limit is what ${threads === 1 ? "a thread multiplies" : `${threads} threads multiply`} over registers alone: ${(limitGflops * threads).toFixed(1)} GFLOP/s.`,
    ...leftOutNote(page),
  ].join("\n");
}

function cells({ name, kernel, multAdds, timeMs, gflops, share }: Row): readonly string[] {
  return [
    visible(shorten(name, 200)),
    kernel,
    multAdds.toLocaleString("en-US"),
    timeMs.toFixed(3),
    multAdds === 0 ? "" : gflops.toFixed(1),
    share === undefined ? "" : `${(100 * share).toFixed(1)} %`,
  ];
}
