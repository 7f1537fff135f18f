/** `depthwise doctor`: what this machine and engine allow, and what would allow more. */

import { Command } from "commander";
import { type Diagnosis, doctor } from "../session/doctor.ts";
import { jsonOption } from "./flags.ts";
import { type Mark, print, printJson } from "./print.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("what makes networks fast here: what is on, what is off and why, and what would turn it on")
    .addOption(jsonOption("print the object of doctor()"))
    .action(({ json }: { readonly json?: boolean }) => {
      const diagnosis = doctor();
      if (json === true) printJson(diagnosis, 2);
      else print(formatDiagnosis(diagnosis).split("\n"), MARKS);
    });
}

const MARKS: readonly Mark[] = [
  [/^ {2}on (?= {2})/, "green"],
  [/^ {2}off(?= {2})/, "yellow"],
];

const TITLES = {
  wasm: "WebAssembly",
  simd: "SIMD",
  relaxed: "relaxed SIMD",
  shared: "shared memory",
  wide: "wide registers",
} as const satisfies Record<Diagnosis["features"][number]["name"], string>;

export function formatDiagnosis({ engine, cores, features, chosen }: Diagnosis): string {
  const lines = features.flatMap(({ name, on, reason, advice }) => [
    `  ${on ? "on " : "off"}  ${TITLES[name]}${reason === undefined ? "" : `: ${reason}`}`,
    ...(advice === undefined ? [] : [`       ${advice}`]),
  ]);
  const { defaults, autoThreads } = chosen;
  return [
    `${engine}, ${counted(cores, "core")}`,
    "",
    ...lines,
    "",
    `compile(network) takes:                      ${describe(defaults)}`,
    `compile(network, { threads: "auto" }) takes: ${describe(autoThreads)}`,
    ...[...new Set([...defaults.reasons, ...autoThreads.reasons])].map((reason) => `  ${reason}`),
  ].join("\n");
}

function describe({ backend, simd, threads, tiles }: Diagnosis["chosen"]["defaults"]): string {
  const how = simd === "none" ? "" : `, ${simd} SIMD, ${tiles} tiles`;
  return `${backend}${how}, ${counted(threads, "thread")}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
