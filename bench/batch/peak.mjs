/** Loaded before a program: prints its peak of resident memory when it ends, in bytes. */

import { readFileSync } from "node:fs";

process.on("exit", () => {
  const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  process.stderr.write(`peak ${Number(kibibytes) * 1024}\n`);
});
