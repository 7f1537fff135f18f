/** File arguments: names and globs. */

import { glob, isDynamicPattern } from "tinyglobby";

/** Globs become the files they match, in order; anything else stays as it is, so that a missing file is reported. */
export async function expandFiles(patterns: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const pattern of patterns) {
    const matches = isDynamicPattern(pattern) ? (await glob(pattern, { dot: false })).sort() : [];
    files.push(...(matches.length > 0 ? matches : [pattern]));
  }
  return [...new Set(files)];
}
