/** `depthwise cache`: what was downloaded and kept. */

import { Command } from "commander";
import { visible } from "../core/visible.ts";
import { clearCache, listCache } from "../weights/sources/index.ts";
import { print, printJson } from "./print.ts";

export function cacheCommand(): Command {
  const cache = new Command("cache").description("list or remove downloaded files");
  cache
    .command("ls")
    .description("what is kept, and where it came from")
    .option("--json", "print a list of { url, bytes, sha256, path, savedAt }")
    .action(async ({ json }: { readonly json?: boolean }) => {
      const entries = await listCache();
      if (json === true) return printJson(entries, 2);
      const lines = entries.map(({ url, bytes, savedAt }) => `${megabytes(bytes)}  ${visible(`${savedAt}  ${url}`)}`);
      const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      print([...lines, `${megabytes(total)} in ${entries.length === 1 ? "1 file" : `${entries.length} files`}`]);
    });
  cache
    .command("clear")
    .description("remove all of it")
    .action(async () => {
      const entries = await listCache();
      await clearCache();
      print([`removed ${entries.length === 1 ? "1 file" : `${entries.length} files`}`]);
    });
  return cache;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(8)} MB`;
}
