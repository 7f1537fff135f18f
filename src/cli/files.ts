/** File arguments: names, folders, addresses, globs and standard input. A shell has spread its globs already, so a name is a name first. */

import { existsSync, fstatSync, lstatSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { addAbortSignal } from "node:stream";
import { glob, isDynamicPattern } from "tinyglobby";
import { shownAddress } from "../core/address.ts";
import { DepthwiseError } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { visible } from "../core/visible.ts";
import type { ModelSource } from "../sources/index.ts";
import { isPretrained, PRETRAINED_NAMES, pretrainedFile } from "./pretrained.ts";

/** Stands for standard input among pictures and as weights; a file of that name is `./-`. */
const INPUT = "-";

/** What an image file's name ends in, as far as a folder is searched for them. */
const IMAGES = "**/*.{jpg,jpeg,png,webp,gif,avif,tif,tiff}";

/** The largest picture that is read. */
const MOST_INPUT = 2 ** 29;

/**
 * What exists is that file, or a folder's image files, whatever characters it has; only what does not is tried as a glob, whose matches come in
 * order. What matches nothing stays as it is, so that a missing file is reported. A name that was given is never left out, so
 * that there is an answer for each; a match that stands there already is.
 */
export async function expandFiles(patterns: readonly string[], separator: string = sep): Promise<readonly string[]> {
  const files: string[] = [];
  const known = new Set<string>();
  for (const pattern of patterns) {
    const isName = /^(https?|file):\/\//i.test(pattern) || exists(pattern);
    const found = isFolder(pattern) ? await imagesIn(pattern) : isName ? [] : await matches(pattern, separator);
    // A name that begins like an address is still a name.
    const name = exists(pattern) && /^(https?|file|blob|data):/i.test(pattern) ? `./${pattern}` : pattern;
    const fresh = found.length === 0 ? [name] : found.filter((file) => !known.has(resolve(file)));
    for (const file of fresh) known.add(resolve(file));
    files.push(...fresh);
  }
  return files;
}

/** Image files in a folder and those within it, links to folders left out; in order. */
async function imagesIn(folder: string): Promise<readonly string[]> {
  const options = { cwd: resolve(folder), dot: false, caseSensitiveMatch: false, followSymbolicLinks: false };
  const found = await glob(IMAGES, options);
  return found.sort().map((file) => (/[\\/]$/.test(folder) ? folder : `${folder}/`) + file);
}

/** What is wrong with a folder that stayed one, since nothing in it is called like an image; nothing for the rest. */
export function noImages(file: string): DepthwiseError | undefined {
  if (!isFolder(file)) return undefined;
  return new DepthwiseError("FILE_UNREADABLE", {
    what: `${file}: a folder in which there are no image files`,
    advice: "Pass a folder with .jpg, .png, .webp, .gif, .avif or .tif files, or files by their names.",
  });
}

/** Names with what stands on standard input, read once, in place of each `-`. */
export async function withInput(
  files: readonly string[],
  signal: AbortSignal,
): Promise<readonly (string | Uint8Array)[]> {
  if (!files.includes(INPUT)) return files;
  input ??= readInput(signal);
  const bytes = await input;
  return files.map((file) => (file === INPUT ? bytes : file));
}

let input: Promise<Uint8Array> | undefined;

async function readInput(signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let count = 0;
  for await (const chunk of openInput("a picture", "classify - < photo.jpg", signal)) {
    chunks.push(chunk);
    count += chunk.length;
    if (count <= MOST_INPUT) continue;
    throw new DepthwiseError("FILE_TOO_LARGE", {
      what: "standard input",
      expected: `at most ${MOST_INPUT} bytes`,
      found: "more",
      advice: "Pass a single picture.",
    });
  }
  return Buffer.concat(chunks);
}

/**
 * A source of weights: in place of `-` what stands on standard input, which the load reads and limits, in place of a name
 * of the package's own networks that network.
 */
export async function weightsFrom(file: string, signal: AbortSignal): Promise<ModelSource> {
  if (isPretrained(file)) return pretrainedFile(file);
  const near = nearestName(file, PRETRAINED_NAMES);
  if (near !== undefined && !existsSync(file)) {
    throw new DepthwiseError("FILE_NOT_FOUND", {
      what: visible(file),
      expected: "a file, or a network of the package",
      found: "no file of that name",
      advice: `Did you mean "${near}"?`,
      fields: { file },
    });
  }
  return file === INPUT ? openInput("weights", "inspect - < mobilenet.safetensors", signal) : file;
}

/** Standard input can be read once: refuses two that want it, before anything is read. */
export function checkOneStdin(weights: readonly string[], images: readonly string[] = []): void {
  const isImage = images.includes(INPUT);
  const wanted = weights.filter((file) => file === INPUT).length + (isImage ? 1 : 0);
  if (wanted < 2) return;
  throw new DepthwiseError("OPTION_INVALID", {
    what: "files: -",
    expected: "standard input for one thing",
    found: isImage ? "weights and pictures from it" : "weights from it twice",
    advice: "Pass a file for one of them.",
  });
}

/** How weights are called in what is printed. */
export function shownWeights(file: string): string {
  return file === INPUT ? "standard input" : shownAddress(file);
}

/** What stands on standard input, in pieces. */
export function openInput(wanted: string, example: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { stdin } = process;
  if (stdin.isTTY || isDirectory(stdin.fd)) {
    throw new DepthwiseError("OPTION_INVALID", {
      what: "files: -",
      expected: `${wanted} on standard input`,
      found: stdin.isTTY ? "a terminal" : "a directory",
      advice: `Redirect a file into it: depthwise ${example}`,
    });
  }
  return untilEnd(addAbortSignal(signal, stdin), signal);
}

/** Node reads one to its end, and finds nothing in it. */
function isDirectory(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isDirectory();
  } catch {
    return false;
  }
}

async function* untilEnd(parts: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* parts;
  // Ctrl-C ends what writes into a pipe too, and the end may be seen before the signal is. The first turn ends the look
  // around in which the end was seen, the second is a whole one.
  for (let turn = 0; turn < 2; turn++) await new Promise((done) => setImmediate(done));
  signal.throwIfAborted();
}

/** Files that a glob matches; none for what is no glob. */
async function matches(pattern: string, separator: string): Promise<readonly string[]> {
  const path = pattern.replaceAll(separator, "/");
  // Folders that exist are meant as they are spelled too: `photos (1)/*.jpg` where no shell spreads it.
  let folder = "";
  for (let at = path.indexOf("/"); at >= 0 && exists(path.slice(0, at + 1)); at = path.indexOf("/", at + 1)) {
    folder = path.slice(0, at + 1);
  }
  // In front it would mean all but what follows.
  const rest = path.slice(folder.length).replace(/^!(?!\()/, "\\!");
  if (!isDynamicPattern(rest)) return [];
  const options = { cwd: resolve(folder), dot: false, expandDirectories: false };
  // What is too long for a glob is refused there; as a file it is missing.
  const found = await glob(rest, options).catch(() => []);
  return found.sort().map((file) => folder + file);
}

function isFolder(path: string): boolean {
  try {
    return path !== INPUT && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** A link that leads nowhere exists: it was meant, and reading it says what is wrong. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
