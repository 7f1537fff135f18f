/** Runs the built command as a user does, in a process of its own. */

import { execFile, spawn } from "node:child_process";
import { resolve } from "node:path";

export const command = resolve(import.meta.dirname, "../../dist/cli/depthwise.js");

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `flags` go to Node itself. */
export function run(
  args: readonly string[],
  {
    cwd,
    flags = [],
    env = {},
  }: { readonly cwd?: string; readonly flags?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  return new Promise((done) => {
    const options = { cwd, maxBuffer: 1e8, env: { ...process.env, ...env } };
    execFile(process.execPath, [...flags, command, ...args], options, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Runs it by a shell: `script` has it as `"$@"`. */
export function shell(script: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((done) => {
    const all = ["-c", script, "sh", process.execPath, command, ...args];
    execFile("sh", all, { cwd, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Sends SIGINT as soon as `when` says so of what was printed; asks every 10 ms too. Ends when the process has. */
export function interrupt(
  args: readonly string[],
  {
    cwd,
    when,
    env = {},
  }: { readonly cwd: string; readonly when: (stdout: string) => boolean; readonly env?: NodeJS.ProcessEnv },
): Promise<Outcome & { readonly signal: string | null }> {
  const child = spawn(process.execPath, [command, ...args], { cwd, env: { ...process.env, ...env } });
  let [stdout, stderr] = ["", ""];
  let isSent = false;
  const ask = () => {
    if (isSent || !when(stdout)) return;
    isSent = true;
    child.kill("SIGINT");
  };
  const timer = setInterval(ask, 10);
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8");
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    ask();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((done) => {
    child.on("close", (code, signal) => {
      clearInterval(timer);
      done({ code: code ?? -1, signal, stdout, stderr });
    });
  });
}
