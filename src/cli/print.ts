/**
 * All that the command prints: nothing else in this room knows stdout, stderr or the console. Whatever comes here,
 * names and labels out of files among it, reaches the terminal as text and nothing else.
 */

import { once } from "node:events";
import { fstatSync, writeSync } from "node:fs";
import { clearScreenDown, cursorTo } from "node:readline";
import { styleText } from "node:util";
import { SingleBar } from "cli-progress";
import { harmless, UNSEEN, visible } from "../core/visible.ts";
import { type Page, wrapLine } from "./table.ts";

/** What came of stdout: an error after which nothing more is written. */
let broken: NodeJS.ErrnoException | undefined;
let onBroken = (_error: NodeJS.ErrnoException): void => undefined;

/** What of a line has a colour where there are any: what the pattern matches. */
export type Mark = readonly [pattern: RegExp, style: "blue" | "bold" | "green" | "magenta" | "red" | "yellow"];

/** The first line of tables. */
const HEADINGS: readonly Mark[] = [[/^(layer|kind|step|pictures fed) {2,}\S.*/, "bold"]];

/**
 * Prints lines; a line break within one is written out. Fields out of files go through `visible` first. What a terminal
 * has no room for is broken at words.
 */
export function print(lines: readonly string[], marks: readonly Mark[] = HEADINGS): void {
  const width = terminalWidth();
  printWhole(
    lines.flatMap((line) => wrapLine(harmless(line), width)),
    marks,
  );
}

/** Prints lines as they are, however long: those of Markdown are copied elsewhere. */
export function printWhole(lines: readonly string[], marks: readonly Mark[] = []): void {
  withoutBar(() => send(`${lines.map((line) => coloured(line, marks, process.stdout)).join("\n")}\n`));
}

/** A line as text, with the colours that the stream's reader sees: a terminal that has them, or who asks for them. */
function coloured(line: string, marks: readonly Mark[], stream: NodeJS.WriteStream): string {
  const text = harmless(line);
  if (!hasColours(stream)) return text;
  // Never of NO_COLOR or the stream: that was asked here, and Node 20 does not ask.
  const painted = (style: Mark[1]) => (part: string) => styleText(style, part, { validateStream: false });
  return marks.reduce((result, [pattern, style]) => result.replace(pattern, painted(style)), text);
}

/** By https://no-color.org and https://force-color.org; of both the latter, as in Node. */
function hasColours(stream: NodeJS.WriteStream): boolean {
  const { FORCE_COLOR, NO_COLOR } = process.env;
  if (FORCE_COLOR !== undefined) return !/^(0|false)$/.test(FORCE_COLOR);
  // Of a terminal alone there is the method, which knows those without.
  return stream.isTTY && !NO_COLOR && stream.hasColors?.() === true;
}

/** Prints JSON that a parser reads as it was, and a terminal as text. */
export function printJson(value: unknown, indent?: number): void {
  const escaped = (text: string) => (text === "\n" ? text : text.split("").map(unit).join(""));
  withoutBar(() => send(`${JSON.stringify(value, null, indent).replaceAll(UNSEEN, escaped)}\n`));
}

const unit = (half: string) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Writes a file to stdout, which then takes nothing else. */
export async function printBytes(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    send(bytes, resolve);
  });
  signal.throwIfAborted();
}

/** Waits for a slow reader: what it does not take is held in memory. */
export async function drained(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (process.stdout.writableNeedDrain) await once(process.stdout, "drain", { signal });
}

/** Prints lines beside the results: errors, and what would be in the way of a file on stdout. */
export function printAside(lines: readonly string[], marks: readonly Mark[] = ERRORS): void {
  besideBar(() => process.stderr.write(`${lines.map((line) => coloured(line, marks, process.stderr)).join("\n")}\n`));
}

const ERRORS: readonly Mark[] = [[/^(depthwise(: [A-Z_]+)?|error):/, "red"]];

/** One line about what went wrong. */
export function complain(message: string): void {
  printAside([`depthwise: ${visible(message)}`]);
}

export function isTerminal(): boolean {
  return process.stdout.isTTY === true;
}

/** Whether a bar is seen: it goes beside results. */
export function canDrawBars(): boolean {
  return process.stderr.isTTY === true;
}

/** Columns of the terminal that results go to; Infinity where there is none, or it does not say. */
export function terminalWidth(): number {
  return (isTerminal() && process.stdout.columns) || Number.POSITIVE_INFINITY;
}

/** A page on which nothing stands yet. */
export function newPage(): Page {
  return { width: terminalWidth(), leftOut: new Set() };
}

/** Calls back once if stdout cannot be written. Errors of stderr have nowhere to go. */
export function watchOutput(callback: (error: NodeJS.ErrnoException) => void): void {
  onBroken = callback;
  process.stdout.on("error", breakOff);
  process.stderr.on("error", () => undefined);
}

const HELP: readonly Mark[] = [[/^[A-Z][\w ,]*:/, "bold"]];

/** For the parser, which writes help in many lines, and in an error, which is one, what it was given. */
export const parserOutput = {
  getOutHelpWidth: () => Math.min(80, terminalWidth()),
  writeOut: (text: string) => print(text.replace(/\n$/, "").split("\n"), HELP),
  writeErr: (text: string) => printAside(text.replace(/\n$/, "").split("\n"), HELP),
  outputError: (text: string) => {
    const [, line = "", suggestion = ""] = /^(.*?)(\n\(Did you mean [^\n]*\?\))?\n?$/s.exec(text) ?? [];
    printAside([visible(line), ...suggestion.split("\n").slice(1)]);
  },
};

export interface Bar {
  /** Draws it when first called. */
  update(done: number, total: number, name?: string): void;
  stop(): void;
}

/** A terminal writes ^C where the cursor is, and the prompt would come behind it. */
export function clearInterrupt(): void {
  if (process.stderr.isTTY) process.stderr.write(process.env["TERM"] === "dumb" ? "\n" : "\r\u001b[K");
}

let drawn: { readonly hide: () => void; readonly show: () => void } | undefined;

/** A bar on stderr, if that is a terminal. What is printed meanwhile, errors first of all, goes above it. */
export function progressBar(format: string): Bar {
  // Lines that wrap are cut, and forbidden only while one is drawn: a process that is killed leaves the terminal as it was.
  const options = { format, stream: process.stderr, clearOnComplete: true, linewrap: true };
  const bar = new SingleBar(options);
  // A terminal made narrower may hear of it before this process does: until then what is too long must not go on to the
  // next line. It breaks what stands there in two, and the cursor, at its start and not its end, stays with it; so what
  // is drawn is written at once.
  bar.on("redraw-pre", () => {
    process.stderr.cork();
    process.stderr.write("\u001b[?7l");
  });
  bar.on("redraw-post", () => {
    process.stderr.write("\u001b[?7h");
    cursorTo(process.stderr, 0);
    process.stderr.uncork();
  });
  const hide = () => {
    process.stderr.cork();
    // Where it goes back to is where it stands: the place where it began may be another since.
    if (bar.isActive) process.stderr.write("\u001b7");
    bar.stop();
    process.stderr.uncork();
  };
  const resized = () => {
    if (!bar.isActive) return;
    clearScreenDown(process.stderr);
    drawn?.hide();
    drawn?.show();
  };
  let isOver = !process.stderr.isTTY;
  return {
    update(done, total, name = "") {
      // One that would begin full, of a file on disk, would only flash.
      if (isOver || (!bar.isActive && done >= total)) return;
      const show = () => bar.start(total, done, { name: visible(name) });
      if (!bar.isActive) {
        show();
        process.stderr.on("resize", resized);
      }
      drawn = { hide, show };
      bar.setTotal(total);
      bar.update(done, { name: visible(name) });
    },
    stop() {
      isOver = true;
      drawn = undefined;
      process.stderr.off("resize", resized);
      hide();
    },
  };
}

/** What goes into a file or a pipe does not meet it. */
function withoutBar(write: () => void): void {
  if (isTerminal()) besideBar(write);
  else write();
}

function besideBar(write: () => void): void {
  drawn?.hide();
  write();
  drawn?.show();
}

function send(data: string | Uint8Array, done = (): void => undefined): void {
  if (broken !== undefined) return;
  if (!isFile()) {
    process.stdout.write(data, (error) => {
      if (error instanceof Error) breakOff(error);
      done();
    });
    return;
  }
  // A full disk takes a part of a write and says so in the count alone; the stream does not look at it.
  try {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
    done();
  } catch (error) {
    breakOff(error as NodeJS.ErrnoException);
  }
}

/** Whether stdout is a file or a device, which is written at once: no terminal, no pipe. */
function isFile(): boolean {
  if (isTerminal()) return false;
  const stats = fstatSync(1);
  return !stats.isFIFO() && !stats.isSocket();
}

function breakOff(error: NodeJS.ErrnoException): void {
  if (broken !== undefined) return;
  broken = error;
  onBroken(error);
}
