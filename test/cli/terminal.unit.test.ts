/** The command in a terminal of its own (util-linux's `script`): what a person sees. */

import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import stringWidth from "string-width";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cost, formatCost, formatPaper, paper } from "../../src/cost/index.ts";
import { loadModel, mobileNetV1, saveModel } from "../../src/index.ts";
import { describe as describeModel, formatDescription } from "../../src/weights/index.ts";
import { command, run } from "./command.ts";
import { writePictures } from "./tiny-data.ts";

let folder = "";
const ESCAPE = "\u001b";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-terminal-"));
  const labels = ["cat", "dog"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels }), join(folder, "tiny.safetensors"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  await sharp({ create }).png().toFile(join(folder, "a.png"));
  mkdirSync(join(folder, "cat"));
  copyFileSync(join(folder, "a.png"), join(folder, "cat", "a.png"));
  await writePictures(join(folder, "pets"));
  copyFileSync(join(folder, "tiny.safetensors"), join(folder, "very-long-and-very-telling-name.safetensors"));
  const long = ["long ".repeat(20), "long ".repeat(21)];
  await saveModel(
    mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels: long }),
    join(folder, "long.safetensors"),
  );
  for (let i = 0; i < 300; i++) copyFileSync(join(folder, "a.png"), join(folder, `many-${i}.png`));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a line of shell, in which `depthwise` is the command; types Ctrl-C once `when` says so of what is shown. */
function typed(line: string, columns: number, when = (_shown: string) => false, env = {}): Promise<string> {
  const name = `depthwise() { "${process.execPath}" "${command}" "$@"; }`;
  const script = `stty cols ${columns}; trap : INT; ${name}; ${line}; echo "[$?]"`;
  // A terminal of a CI has no colours either.
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, ...rest } = process.env;
  const child = spawn("script", ["-qec", script, "/dev/null"], {
    cwd: folder,
    env: { ...rest, TERM: "xterm", SHELL: "/bin/sh", ...env },
  });
  let shown = "";
  let isTyped = false;
  // Characters of several bytes may come in two parts.
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (part) => {
    shown += part;
    if (isTyped || !when(shown)) return;
    isTyped = true;
    child.stdin.write("\u0003");
  });
  return new Promise((done) => child.on("close", () => done(shown.replaceAll("\r\n", "\n"))));
}

describe("in a terminal", () => {
  it("train has a line for each epoch and a bar, and after Ctrl-C says how to go on", async () => {
    const line = "depthwise train pets --alpha 0.1 --resolution 24 --epochs 200 --batch 4 --out run";
    const shown = await typed(line, 80, (text) => text.includes("epoch   2/200"));
    expect(shown).toMatch(/epoch {3}1\/200 {2}loss [\d.]+ +[\d.]+ % {2}validation [\d.]+ +[\d.]+ % {2}\*/);
    expect(shown).toMatch(/[=-]{40} \d+ % {2}\d+\/200 {2}loss [\d.]+ {2}\d+ (s|min|h) left/);
    expect(shown).toMatch(/interrupted in epoch \d+ of 200; go on: depthwise train --resume --out run\n\[130\]/);
    for (const epoch of shown.split("\n").filter((text) => text.startsWith("epoch "))) {
      expect(stringWidth(epoch)).toBeLessThanOrEqual(80);
    }
  });

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

  it("a terminal made narrower under a bar keeps its lines", async () => {
    // The window shrinks once answers come; the bar still has most of its pictures to go.
    const shrink = "(until [ -s answers.txt ]; do sleep 0.02; done; stty cols 30 < /dev/tty) &";
    const line = `${shrink} depthwise classify many-*.png --backend reference --weights tiny.safetensors > answers.txt`;
    const shown = await typed(`rm -f answers.txt; ${line}`, 80);
    // What is cleared below once the window is another: what the terminal has broken of a longer bar.
    const [before = "", after = "", ...others] = shown.split(`${ESCAPE}[0J`);
    expect([others, shown.slice(-4)]).toEqual([[], "[0]\n"]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is tested
    const frames = /\u001b\[\?7l\u001b\[1G([^\u001b]*)\u001b\[0K\u001b\[\?7h\u001b\[1G/g;
    const widths = (text: string) => [...text.matchAll(frames)].map(([, bar = ""]) => bar.length);
    expect(Math.max(...widths(before))).toBeGreaterThan(40);
    expect(Math.max(...widths(after))).toBe(30);
    // Outside of frames nothing is drawn, and no line is begun but by the shell.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is tested
    expect(shown.replaceAll(frames, "").replaceAll(/\u001b(\[\d*[GKJ]|[78])/g, "")).toBe("[0]\n");
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

it("Ctrl-C beats the end of a pipe whose writer it ends too, each time", async () => {
  const listening = "if(process.listenerCount('SIGINT')===0)return;clearInterval(timer);process.stderr.write('ready')";
  const flag = `data:text/javascript,const timer=setInterval(()=>{${listening}},5)`;
  const line = "sleep 100 | depthwise classify - --weights tiny.safetensors --json";
  for (let time = 0; time < 8; time++) {
    const shown = await typed(line, 80, (text) => text.includes("ready"), { NODE_OPTIONS: `--import "${flag}"` });
    // Without a look at the signals, half of them took the end for an empty picture.
    expect(shown.replace(/ready|\^C/g, "").replace(`\r${ESCAPE}[K`, "")).toBe("[130]\n");
  }
});

it("a picture is not written to a terminal: it asks for a file", async () => {
  for (const out of ["", " --out -"]) {
    const shown = await typed(`depthwise draw cost${out}`, 200);
    expect(shown).toContain("draw: --out: expected a file");
    expect(shown).toContain('found "a terminal". Pass a file: --out picture.svg');
    expect(shown).toMatch(/\[2\]\n$/);
  }
});

it("bars of costs fit the terminal, and have colours where it has them", async () => {
  const barsIn = (shown: string) => shown.split("\n").filter((line) => line.includes("█"));
  const line = "depthwise cost --chart --alpha 0.25 --resolution 128";
  for (const columns of [40, 60, 100]) {
    const bars = barsIn(await typed(line, columns, undefined, { NO_COLOR: "1" }));
    expect(bars.length).toBeGreaterThan(20);
    for (const bar of bars)
      expect([columns, stringWidth(bar), bar.includes(ESCAPE)]).toEqual([columns, columns, false]);
  }
  expect(barsIn(await typed(line, 60)).every((bar) => bar.includes(`${ESCAPE}[`))).toBe(true);
});

describe("standard input that is", () => {
  it.each([
    "inspect -",
    "convert - out.safetensors",
    "verify - --images a.png",
    "classify --weights - a.png",
    "cost --weights -",
  ])("a terminal is refused at once: %s", async (args) => {
    const shown = await typed(`depthwise ${args}`, 200);
    expect(shown).toContain("expected weights on standard input, found a terminal");
    expect(shown.endsWith("[2]\n")).toBe(true);
  });

  it("a pipe on which nothing comes is left at Ctrl-C, without a word", async () => {
    const line = "(sleep 6; echo ready >&2; exec sleep 100) | depthwise inspect -";
    const shown = await typed(line, 80, (text) => text.includes("ready"));
    expect(shown).toMatch(/^ready\n(\^C)?[^\n]*\[130\]\n$/);
  });
});

/** Every command with a table, and which of its columns have no room at 60 columns. */
const TABLES = [
  ["depthwise cost", "kind, share, input, output bytes, of standard"],
  ["depthwise summary", "type"],
  [
    "depthwise paper",
    "Filter Shape, Input Size, Parameters, Million Parameters, ImageNet Accuracy, Top-1 Accuracy, Mean AP, 1e-4 Accuracy, Top-1 / Top-5",
  ],
  ["depthwise budget --mult-adds 60M", "parameters"],
  ["depthwise profile --alpha 1 --resolution 32 --runs 1", "kernel"],
  ["depthwise doctor", ""],
  ["depthwise inspect tiny.safetensors", ""],
  ["depthwise verify tiny.safetensors --images cat --against very-long-and-very-telling-name.safetensors", ""],
] as const;

describe("a table", () => {
  it.each(TABLES)(
    "fits terminals of 80, 60 and 40 columns, and says what has no room: %s",
    { timeout: 600_000 },
    async (line, leftOut) => {
      for (const columns of [80, 60, 40]) {
        const shown = await typed(line, columns, undefined, { NO_COLOR: "1" });
        const longest = shown.split("\n").reduce((a, b) => (stringWidth(b) > stringWidth(a) ? b : a), "");
        expect([columns, longest.length <= columns ? "fits" : longest, shown.slice(-4)]).toEqual([
          columns,
          "fits",
          "[0]\n",
        ]);
        if (columns !== 60) continue;
        const note = /Left out to fit 60 columns: ([^.]*)\. A wider terminal, a pipe or --json has all\./;
        expect(note.exec(shown.replaceAll("\n", " "))?.[1] ?? "").toBe(leftOut);
      }
    },
  );

  it("in a pipe is whole, as the library prints it", async () => {
    const network = mobileNetV1();
    expect((await run(["cost"])).stdout).toBe(`${formatCost(cost(network))}\n`);
    expect((await run(["cost", "--markdown"])).stdout).toBe(`${formatCost(cost(network), "markdown")}\n`);
    expect((await run(["paper"])).stdout).toBe(`${formatPaper(paper())}\n`);
    const model = describeModel(await loadModel(join(folder, "tiny.safetensors")));
    const inspected = await run(["inspect", "--no-tensors", "tiny.safetensors"], { cwd: folder });
    expect(inspected.stdout).toContain(formatDescription(model).split("\n").slice(1).join("\n"));
  });

  it("in Markdown is whole on a terminal too", async () => {
    const shown = await typed("depthwise cost --markdown", 60, undefined, { NO_COLOR: "1" });
    // No line of it is broken: a terminal that has no room for one goes on in the next itself.
    const lines = shown.split(/\r?\n/);
    for (const line of formatCost(cost(mobileNetV1()), "markdown").split("\n")) expect(lines).toContain(line);
  });

  it("and answers keep to one line each: names of files are cut in the middle, labels at their end", async () => {
    const long = `${"o".repeat(60)}ng.png`;
    copyFileSync(join(folder, "a.png"), join(folder, long));
    const line = `depthwise classify ${long} --top-k 1 --weights long.safetensors`;
    const [name = "", answer = ""] = (await typed(line, 40, undefined, { NO_COLOR: "1" })).split("\n");
    expect(name).toMatch(/^o+…o+ng\.png$/);
    expect(answer).toMatch(/^ {2}[ \d]{3}\.\d % {2}(long )+l?o?n?g?… \(\d\)$/);
    expect([name.length, answer.length]).toEqual([40, 40]);
    const piped = await run(["classify", long, "--top-k", "1", "--weights", "long.safetensors"], { cwd: folder });
    expect(piped.stdout).toMatch(new RegExp(`^${long}\n.*(long ){20}`));
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
