/** File arguments: names, addresses and globs. A shell has spread its globs already, so a name is a name first. */

import { lstatSync } from "node:fs";
import { resolve, sep } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";

/**
 * What exists is that file, whatever characters it has; only what does not is tried as a glob, whose matches come in
 * order. What matches nothing stays as it is, so that a missing file is reported. Two spellings of a path are one file.
 */
export async function expandFiles(patterns: readonly string[], separator: string = sep): Promise<readonly string[]> {
  const files = new Map<string, string>();
  for (const pattern of patterns) {
    const isAddress = /^(https?|file):\/\//i.test(pattern);
    for (const file of isAddress || exists(pattern) ? [pattern] : await matches(pattern, separator)) {
      const key = isAddress ? file : resolve(file);
      if (!files.has(key)) files.set(key, file);
    }
  }
  return [...files.values()];
}

async function matches(pattern: string, separator: string): Promise<readonly string[]> {
  const path = pattern.replaceAll(separator, "/");
  // Folders that exist are meant as they are spelled too: `photos (1)/*.jpg` where no shell spreads it.
  let folder = "";
  for (let at = path.indexOf("/"); at >= 0 && exists(path.slice(0, at + 1)); at = path.indexOf("/", at + 1)) {
    folder = path.slice(0, at + 1);
  }
  // In front it would mean all but what follows.
  const rest = path.slice(folder.length).replace(/^!(?!\()/, "\\!");
  if (!isDynamicPattern(rest)) return [pattern];
  const options = { cwd: resolve(folder), dot: false, expandDirectories: false };
  // What is too long for a glob is refused there; as a file it is missing.
  const found = await glob(rest, options).catch(() => []);
  return found.length === 0 ? [pattern] : found.sort().map((file) => folder + file);
}

/** A link that leads nowhere exists: it was meant, and reading it says what is wrong. */
function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
