/** The command in a terminal of its own (util-linux's `script`): what a person sees. */

import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { command, run } from "./command.ts";

let folder = "";
const ESCAPE = "\u001b";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-terminal-"));
  const labels = ["cat", "dog"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels }), join(folder, "tiny.safetensors"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  await sharp({ create }).png().toFile(join(folder, "a.png"));
  for (let i = 0; i < 300; i++) copyFileSync(join(folder, "a.png"), join(folder, `many-${i}.png`));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a line of shell, in which `depthwise` is the command; types Ctrl-C once `when` says so of what is shown. */
function typed(line: string, columns: number, when = (_shown: string) => false, env = {}): Promise<string> {
  const name = `depthwise() { "${process.execPath}" "${command}" "$@"; }`;
  const script = `stty cols ${columns}; trap : INT; ${name}; ${line}; echo "[$?]"`;
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  const child = spawn("script", ["-qec", script, "/dev/null"], {
    cwd: folder,
    env: { ...rest, TERM: "xterm", SHELL: "/bin/sh", ...env },
  });
  let shown = "";
  let isTyped = false;
  child.stdout.on("data", (part) => {
    shown += part;
    if (isTyped || !when(shown)) return;
    isTyped = true;
    child.stdin.write("\u0003");
  });
  return new Promise((done) => child.on("close", () => done(shown.replaceAll("\r\n", "\n"))));
}

describe("in a terminal", () => {
  it.each([40, 80])(
    "of %i columns answers stand alone: no bar is drawn over them, no line is lost",
    async (columns) => {
      const line = "depthwise classify a.png none.png many-1.png --top-k 1 --weights tiny.safetensors";
      const shown = await typed(line, columns, undefined, { NO_COLOR: "1" });
      const answer = (name: string) => `${name}\n  [ \\d]{3}\\.\\d %  (cat|dog) \\(\\d\\)\n`;
      const error = "depthwise: FILE_NOT_FOUND: none\\.png: there is no such file\\. Check the path\\.\n";
      expect(shown).toMatch(new RegExp(`^${answer("a.png")}${error}${answer("many-1.png")}\\[1\\]\n$`));
    },
  );

  it("a bar beside answers that go elsewhere is cleared at the end", async () => {
    const line = "depthwise classify many-1*.png --weights tiny.safetensors > answers.txt";
    const shown = await typed(line, 40);
    expect(shown).toContain("=");
    expect(shown.endsWith(`${ESCAPE}[2K[0]\n`)).toBe(true);
  });

  it("Ctrl-C leaves whole answers and a clean line for the prompt", async () => {
    const line = "depthwise classify many-*.png --weights tiny.safetensors";
    const shown = await typed(line, 80, (text) => text.includes("%"));
    // Answers that were on their way may come behind what the terminal echoes.
    expect(shown.endsWith(`\r${ESCAPE}[K[130]\n`)).toBe(true);
    const answers = shown.slice(0, shown.lastIndexOf("\r")).replace("^C", "");
    expect(answers).toMatch(/^(many-\d+\.png\n( {2}[ \d]{3}\.\d % {2}(cat|dog) \(\d\)\n){2})+$/);
  });
});

describe("colour", () => {
  const cases = [
    ["depthwise doctor", `${ESCAPE}[32m  on ${ESCAPE}[39m  WebAssembly`],
    ["depthwise cost --help", `${ESCAPE}[1mUsage:${ESCAPE}[22m depthwise cost`],
    ["depthwise inspect none", `${ESCAPE}[31mdepthwise: FILE_NOT_FOUND:${ESCAPE}[39m none`],
    ["depthwise cost --alpha 0.25", `${ESCAPE}[1mlayer `],
  ] as const;

  it.each(cases)("is there in a terminal, and not where it is not wanted: %s", async (line, expected) => {
    expect(await typed(line, 80)).toContain(expected);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }, { FORCE_COLOR: "0" }]) {
      expect([env, await typed(line, 80, undefined, env)]).toEqual([env, expect.not.stringContaining(ESCAPE)]);
    }
  });

  it("goes into no pipe, but for FORCE_COLOR, and never into JSON", async () => {
    const shown = async (args: readonly string[], env = {}) => (await run(args, { env })).stdout;
    expect(await shown(["doctor"])).not.toContain(ESCAPE);
    expect(await shown(["doctor"], { FORCE_COLOR: "1" })).toContain(ESCAPE);
    expect(await shown(["doctor", "--json"], { FORCE_COLOR: "1" })).not.toContain(ESCAPE);
    expect(await typed("depthwise doctor --json", 80)).not.toContain(ESCAPE);
  });
});
