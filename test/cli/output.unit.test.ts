/** Where output goes: full disks, readers that leave, dawdle or never read, a file on standard output. */

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, mobileNetV1, saveModel } from "../../src/index.ts";
import { encodeModel } from "../../src/weights/index.ts";
import { command, type Outcome, run, shell } from "./command.ts";

let folder = "";
let server: Server;
let picture = "";
let asked = 0;

/** A line of JSON about a picture is some 30 KB, so that few of them fill a pipe. */
const LABELS = ["cat", "dog"].map((name) => name.repeat(5000));
const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels: LABELS });
const STACK = / at .+:\d+:\d+/;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-output-"));
  await saveModel(model, join(folder, "tiny.safetensors"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  const png = await sharp({ create }).png().toFile(join(folder, "a.png"));
  expect(png.size).toBeGreaterThan(0);
  const bytes = readFileSync(join(folder, "a.png"));
  server = createServer((_request, response) => {
    asked++;
    response.end(bytes);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  picture = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.png`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const pictures = (count: number) => Array.from({ length: count }, (_, i) => `${picture}?${i}`);
const CLASSIFY = ["classify", "--weights", "tiny.safetensors", "--json"];
const at = (...args: readonly string[]) => run(args, { cwd: folder });

describe("output that cannot be written", () => {
  it.each([
    [["--version"]],
    [["--help"]],
    [["cost", "--help"]],
    [["summary"]],
    [["cost", "--json"]],
    [["paper"]],
    [["budget", "--mult-adds", "1e9"]],
    [["doctor"]],
    [["cache", "ls"]],
    [["inspect", "tiny.safetensors"]],
    [["verify", "tiny.safetensors", "--images", "a.png"]],
    [["profile", "--weights", "tiny.safetensors", "--runs", "1"]],
    [["convert", "tiny.safetensors", "copy.safetensors"]],
    [["convert", "tiny.safetensors", "-"]],
    [[...CLASSIFY, "--threads", "2", "a.png", "./a.png", "none.png"]],
  ])("%j > /dev/full says so in a line, and ends with 1", async (args) => {
    const before = readdirSync(folder).filter((file) => file !== "copy.safetensors");
    const { code, stderr } = await shell('"$@" > /dev/full', args, folder);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^depthwise: FILE_UNREADABLE: standard output: it cannot be written \(ENOSPC\).*\n$/),
    ]);
    expect(readdirSync(folder).filter((file) => file !== "copy.safetensors")).toEqual(before);
  });

  it("does not go on with files whose results have nowhere to go", async () => {
    asked = 0;
    const { code } = await shell('"$@" > /dev/full', [...CLASSIFY, ...pictures(100)], folder);
    expect(code).toBe(1);
    expect(asked).toBeLessThan(20);
  });

  it.each([[["summary", "--json"]], [["convert", "tiny.safetensors", "-"]]])(
    "does not pass for whole where a disk took a part of it: %j",
    async (args) => {
      // Blocks of 512 bytes, so half of it or less fits.
      const script = 'ulimit -f 40; trap "" XFSZ; "$@" > part';
      const { code, stderr } = await shell(script, args, folder);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^depthwise: FILE_UNREADABLE: .+\(EFBIG\).*\n$/)]);
      rmSync(join(folder, "part"));
    },
  );

  it("keeps the exit code where errors cannot be written", async () => {
    for (const [args, expected] of [
      [["cost", "--alpha", "x"], 2],
      [["inspect", "none"], 1],
      [[...CLASSIFY, "none.png", "a.png"], 1],
      [["convert", "tiny.safetensors", "-"], 0],
    ] as const) {
      const { code, stderr } = await shell('"$@" 2> /dev/full', args, folder);
      expect([args, code, stderr]).toEqual([args, expected, ""]);
    }
  });

  it.each([">&-", "2>&-", ">&- 2>&-", "<&-", "> /dev/full 2> /dev/full"])("ends with %s", async (closed) => {
    const { code } = await shell(`"$@" ${closed}`, [...CLASSIFY, "a.png"], folder);
    expect(code).toBe(closed.includes("full") ? 1 : 0);
  });
});

/** Starts the command and leaves its pipes alone. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [command, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<{ code: number | null; signal: string | null }>((done) => {
    child.on("exit", (code, signal) => done({ code, signal }));
  });
  return { child, ended };
}

/** Until nothing moves any more. */
async function untilFull(): Promise<void> {
  for (let before = -1; asked === 0 || before !== asked; ) {
    before = asked;
    await new Promise((done) => setTimeout(done, 1000));
  }
}

async function all(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const part of stream) text += part;
  return text;
}

describe("a reader", () => {
  it.each([
    [["summary", "--json"]],
    [["inspect", "tiny.safetensors"]],
    [["convert", "tiny.safetensors", "-"]],
    [[...CLASSIFY, "--threads", "2", "a.png", "none.png"]],
  ])("that leaves at once ends %j with 0 and without a word", async (args) => {
    const { child, ended } = start(args);
    child.stdout.destroy();
    expect([await all(child.stderr), await ended]).toEqual(["", { code: 0, signal: null }]);
  });

  it("that leaves after the first line ends it soon, with 0", async () => {
    asked = 0;
    const { child, ended } = start([...CLASSIFY, "--threads", "2", ...pictures(300)]);
    child.stdout.once("data", () => child.stdout.destroy());
    expect([await all(child.stderr), await ended]).toEqual(["", { code: 0, signal: null }]);
    expect(asked).toBeLessThan(300);
  });

  it("of errors that leaves changes nothing else", async () => {
    const { child, ended } = start(["classify", "--weights", "tiny.safetensors", "none.png", "a.png", "none2.png"]);
    child.stderr.destroy();
    const stdout = await all(child.stdout);
    expect([stdout.split("\n")[0], await ended]).toEqual(["a.png", { code: 1, signal: null }]);
  });

  it("that is slow gets everything, and what it has not read is not computed ahead", async () => {
    asked = 0;
    const { child, ended } = start([...CLASSIFY, ...pictures(200)]);
    const errors = all(child.stderr);
    await untilFull();
    expect(asked).toBeLessThan(60);
    const lines = (await all(child.stdout)).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).file)).toEqual(pictures(200));
    expect([await errors, await ended]).toEqual(["", { code: 0, signal: null }]);
  });

  it("that never reads does not keep the command from ending when interrupted", async () => {
    asked = 0;
    const { child, ended } = start([...CLASSIFY, ...pictures(200)]);
    await untilFull();
    child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    expect(await ended).toEqual({ code: 130, signal: null });
    clearTimeout(late);
  });
});

describe("convert to -", () => {
  it("writes the file and nothing else; what it was goes to standard error", async () => {
    const { code, stderr } = await shell('"$@" | cat > piped.safetensors', convert("-"), folder);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^standard output: .+ from safetensors\n/)]);
    expect(await shell('"$@" > direct.safetensors', convert("-"), folder)).toMatchObject({ code: 0 });
    expect((await at(...convert("saved.safetensors"))).code).toBe(0);
    const [piped, direct, saved] = ["piped", "direct", "saved"].map((name) =>
      readFileSync(join(folder, `${name}.safetensors`)),
    );
    expect(piped?.equals(saved!)).toBe(true);
    expect(direct?.equals(saved!)).toBe(true);
    expect((await loadModel(new Uint8Array(piped!))).info.labels).toEqual(LABELS);
    expect(piped!.length).toBeLessThan(encodeModel(model).length);
  });

  it.each<[string, readonly string[], readonly string[], RegExp]>([
    ["TensorFlow.js", ["-", "--to", "tfjs"], [], /^depthwise: OPTION_INVALID: convert: -: expected a directory/],
    [
      "a terminal",
      ["-"],
      ["--import", "data:text/javascript,process.stdout.isTTY=true"],
      /^depthwise: OPTION_INVALID: convert: -: .+ found a terminal/,
    ],
    ["two files", ["small", "b", "-"], [], /4 in all/],
  ])("refuses %s before anything is read", async (_name, args, flags, message) => {
    const before = readdirSync(folder);
    const outcome = await run(["convert", "none.h5", ...args], { cwd: folder, flags });
    expect([outcome.code, outcome.stdout]).toEqual([2, ""]);
    expect(outcome.stderr).toMatch(message);
    expect(readdirSync(folder)).toEqual(before);
  });
});

const convert = (out: string) => ["convert", "tiny.safetensors", out, "--dtype", "F16"];

describe("classify", () => {
  it("reports an address that is none, and goes on with the others", async () => {
    const files = ["http://", "a.png", "file://host/x", "file:///a%2Fb.jpg", "https://[", "http://a b/", picture, ""];
    const { code, stdout, stderr } = await at(...CLASSIFY, ...files);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const good = ["a.png", picture];
    expect([code, stderr]).toEqual([1, ""]);
    expect(lines.map(({ file, predictions }) => [file, predictions !== undefined])).toEqual(
      files.map((file) => [file, good.includes(file)]),
    );
    for (const { error } of lines) if (error !== undefined) expect(error.name).toMatch(/^[A-Z_]+$/);
    const text = await at("classify", "--weights", "tiny.safetensors", "http://", "a.png");
    expect([text.code, text.stdout.split("\n")[0]]).toEqual([1, "a.png"]);
    expect(text.stderr).toMatch(/^depthwise: OPTION_INVALID: .*"http:\/\/"\.\n$/);
  });

  it("ends where it is not the picture's fault", async () => {
    const patch =
      "import m from'node:module';const r=m._resolveFilename;m._resolveFilename=function(n,...o){if(n==='sharp')throw Object.assign(new Error(\"Cannot find module 'sharp'\"),{code:'MODULE_NOT_FOUND'});return r.call(this,n,...o)}";
    const without = `data:text/javascript,${encodeURIComponent(patch)}`;
    const outcome = await run([...CLASSIFY, "a.png", "none.png"], { cwd: folder, flags: ["--import", without] });
    expect(outcome).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^depthwise: PACKAGE_MISSING/),
    });
  });
});

/** A module that runs `code` as soon as the command listens for an event. */
function onceListening(event: string, code: string): string {
  return `data:text/javascript,const timer=setInterval(()=>{if(process.listenerCount('${event}')===0)return;clearInterval(timer);${code}},10)`;
}

describe("errors that nobody foresaw", () => {
  const throws = "throw new TypeError('odd \\u001b[31m\\nsecond line')";
  const LATE = onceListening("uncaughtException", throws);
  const INSIDE = `data:text/javascript,performance.now=()=>{${throws}}`;
  const line =
    "depthwise: TypeError: odd \\u{1b}[31m\\u{a}second line. This is a bug in depthwise, please report it. DEPTHWISE_DEBUG=1 shows where.\n";
  const broken = (flag: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    run([...CLASSIFY, "a.png"], { cwd: folder, flags: ["--import", flag], env });

  it.each([
    ["late", LATE],
    ["inside", INSIDE],
  ])("are one line that asks for a report: %s", async (_name, flag) => {
    const { code, stderr } = await broken(flag);
    expect([code, stderr]).toEqual([1, line]);
    const { stderr: long } = await broken(flag, { DEPTHWISE_DEBUG: "1" });
    expect(long.startsWith(line)).toBe(true);
    expect(long).toMatch(STACK);
  });
});

it("a second Ctrl-C ends the command, whatever it is doing", async () => {
  // Its turn comes after the command's own.
  const busy = "const end=Date.now()+60000;process.stderr.write('busy');while(Date.now()<end);";
  const flag = onceListening("SIGINT", `process.once('SIGINT',()=>{${busy}});process.stderr.write('set')`);
  const args = ["--import", flag, command, ...CLASSIFY, ...pictures(200)];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((done) => child.on("exit", (code, signal) => done([code, signal])));
  let said = "";
  child.stderr.on("data", (part) => {
    said += part;
    if (said === "set" || said === "setbusy") child.kill("SIGINT");
  });
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  expect(await ended).toEqual([null, "SIGINT"]);
  clearTimeout(late);
});
