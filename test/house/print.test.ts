/** One module of the command prints, and it escapes: what stands in files cannot get around it. */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const cli = resolve(import.meta.dirname, "../../src/cli");
const files = readdirSync(cli).filter((file) => file !== "print.ts");

describe("src/cli", () => {
  it.each(files)("%s prints through print.ts alone", (file) => {
    const text = readFileSync(resolve(cli, file), "utf8");
    expect(text).not.toMatch(/\b(stdout|stderr|console)\b|writeSync|from "cli-progress"/);
  });
});
