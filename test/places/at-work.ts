/** Programs of a place that go on while the test looks, and those among them that are at a shard. */

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Project, placeEnvironment } from "./project.ts";

const LOOK_MS = 20;
const PATIENCE_MS = 240_000;
const FAREWELL_MS = 20_000;
/** Told to all that a place starts, and inherited: by it what is left is known. */
const MARK = "DEPTHWISE_PLACE";

const moment = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/**
 * Looks again and again.
 *
 * @param told what to say beside what was waited for, where it is in vain
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false,
  told: () => string = () => "",
): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await moment(LOOK_MS)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain for ${what}: ${told()}`);
}

export interface Program {
  readonly pid: number;
  /** The exit code, or the signal. */
  readonly ended: Promise<number | string>;
  /** Of both streams, until now. */
  output(): string;
  /** SIGTERM, and if that is not heard SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function startProgram(
  project: Project,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Program {
  const [file = "", ...args] = command;
  const env = { ...placeEnvironment(), ...environment, [MARK]: project.path };
  const child = spawn(file, args, { cwd: project.path, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += stripVTControlCharacters(String(chunk));
    });
  }
  const ended = new Promise<number | string>((done) => {
    child.once("error", ({ message }) => done(message));
    child.once("exit", (code, signal) => done(code ?? signal ?? "gone"));
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), FAREWELL_MS);
    const code = await ended;
    clearTimeout(timer);
    return code;
  };
  return {
    ...{ pid: child.pid ?? -1, ended, output: () => output, stop },
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Numbers of the shards whose parts are there. */
export function partsIn(out: string): readonly number[] {
  if (!existsSync(out)) return [];
  return readdirSync(out).flatMap((name) => {
    const [, shard] = /^part-(\d+)-of-\d+\.stats\.json$/.exec(name) ?? [];
    return shard === undefined ? [] : [Number(shard)];
  });
}

const processes = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

/** What a process has open, or nothing if it is gone. */
function openFiles(pid: string): readonly string[] {
  try {
    const folder = join("/proc", pid, "fd");
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/**
 * Sends a signal to a process that is in the middle of a shard: it holds a file of a part that is not there, and is stopped
 * while that is looked at.
 *
 * @param after so many parts are there first
 * @returns the shard
 */
export function signalOneAtWork(out: string, after: number, signal: NodeJS.Signals) {
  return until(`a process at a shard of ${out}`, () => {
    if (partsIn(out).length < after) return undefined;
    for (const pid of processes()) {
      const held = openFiles(pid).find((path) => path.startsWith(join(out, ".part-")));
      if (held === undefined) continue;
      process.kill(Number(pid), "SIGSTOP");
      const shard = Number(/\.part-(\d+)/.exec(held)?.[1]);
      const isAtIt = openFiles(pid).includes(held) && !partsIn(out).includes(shard);
      if (isAtIt) process.kill(Number(pid), signal);
      process.kill(Number(pid), "SIGCONT");
      if (isAtIt) return { shard, pid: Number(pid) };
    }
    return undefined;
  });
}

/** Programs that a place started, or that those started, and that go on. */
export function processesOf(project: Project): readonly number[] {
  return processes().flatMap((pid) => {
    try {
      const variables = readFileSync(join("/proc", pid, "environ"), "utf8").split("\0");
      return variables.includes(`${MARK}=${project.path}`) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** Ports of loopback that nobody has. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((done) => server.once("listening", done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
