/** `depthwise cache`: what was downloaded and kept. */

import { Command } from "commander";
import { visible } from "../core/visible.ts";
import { clearCache, listCache } from "../sources/index.ts";
import { jsonOption } from "./flags.ts";
import { print, printJson } from "./print.ts";

export function cacheCommand(): Command {
  const cache = new Command("cache").description("list or remove downloaded files");
  cache
    .command("ls")
    .description("what is kept, and where it came from")
    .addOption(jsonOption("print a list of { url, bytes, sha256, path, savedAt }"))
    .action(async ({ json }: { readonly json?: boolean }) => {
      const entries = await listCache();
      if (json === true) return printJson(entries, 2);
      const lines = entries.map(({ url, bytes, savedAt }) => `${megabytes(bytes)}  ${visible(`${savedAt}  ${url}`)}`);
      const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      print([...lines, `${megabytes(total)} in ${counted(entries.length, "file")}`]);
    });
  cache
    .command("clear")
    .description("remove all of it")
    .action(async () => {
      const { entries, unfinished } = await clearCache();
      const parts = unfinished === 0 ? "" : ` and ${counted(unfinished, "unfinished download")}`;
      print([`removed ${counted(entries, "file")}${parts}`]);
    });
  return cache;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(8)} MB`;
}
