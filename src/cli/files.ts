/** File arguments: names, addresses and globs. A shell has spread its globs already, so a name is a name first. */

import { lstatSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";

/**
 * What exists is that file, whatever characters it has; only what does not is tried as a glob, whose matches come in
 * order. What matches nothing stays as it is, so that a missing file is reported. A name that was given is never left out, so
 * that there is an answer for each; a match that stands there already is.
 */
export async function expandFiles(patterns: readonly string[], separator: string = sep): Promise<readonly string[]> {
  const files: string[] = [];
  const known = new Set<string>();
  for (const pattern of patterns) {
    const isName = /^(https?|file):\/\//i.test(pattern) || exists(pattern);
    const found = isName ? [] : await matches(pattern, separator);
    // A name that begins like an address is still a name.
    const name = exists(pattern) && /^(https?|file|blob|data):/i.test(pattern) ? `./${pattern}` : pattern;
    const fresh = found.length === 0 ? [name] : found.filter((file) => !known.has(resolve(file)));
    for (const file of fresh) known.add(resolve(file));
    files.push(...fresh);
  }
  return files;
}

/** Standard input, as a file. */
export const STANDARD_INPUT = "-";

const PICTURES = "**/*.{jpg,jpeg,png,webp,gif,tif,tiff,avif}";

/** The pictures in each folder among `files`, its sub-folders too, in order; all else stays as it is. */
export async function picturesIn(files: readonly string[]): Promise<readonly string[]> {
  const lists = files.map(async (file) => {
    if (!isFolder(file)) return [file];
    const found = await glob(PICTURES, { cwd: resolve(file), dot: false, caseSensitiveMatch: false });
    // One without pictures stays, so that there is an answer for it.
    return found.length === 0 ? [file] : found.sort().map((name) => join(file, name));
  });
  return (await Promise.all(lists)).flat();
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
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
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
