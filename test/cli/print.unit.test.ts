/** What stands in files and names reaches a terminal as text: nothing it obeys, nothing it hides. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { visible } from "../../src/core/visible.ts";
import { cost, formatCost } from "../../src/cost/index.ts";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { conv2d, globalAveragePool, sequential, softmax } from "../../src/layers/index.ts";
import { describe as describeModel, formatDescription, writeSafetensors } from "../../src/weights/index.ts";
import { run } from "./command.ts";

/** Whatever is not text, but for the line breaks between lines and the joiners of emoji. */
const RAW = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const HOSTILE =
  "\u{1b}]8;;x\u{7}a\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\u{2028}\r\b\u{7f}\nc\td\ud800";
const FILE = "\u{1b}[31ma\nb\u{202e}.png";
const LABELS = [`cat${HOSTILE}`, "👩\u{200d}👧 \\u{1b}", "dog"];

let folder = "";
let server: Server;
let address = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-print-"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  await sharp({ create }).png().toFile(join(folder, FILE));
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, labels: LABELS });
  await saveModel(model, join(folder, "labels.safetensors"));
  await saveModel(model, join(folder, `${HOSTILE}.safetensors`));
  const layers = [
    conv2d({ filters: 3, kernel: 3, name: `conv${HOSTILE}` }),
    globalAveragePool({ name: `pool${HOSTILE}` }),
    softmax(),
  ];
  const own = sequential({ inputShape: [8, 8, 3], name: `own${HOSTILE}`, info: { labels: LABELS } }, layers);
  await saveModel(own, join(folder, "own.safetensors"));
  const foreign = [{ name: `block_1_expand/${HOSTILE}`, shape: [1], data: new Float32Array(1) }];
  const remarks = { [`key${HOSTILE}`]: `value${HOSTILE}`, note: HOSTILE };
  writeFileSync(join(folder, "foreign.safetensors"), writeSafetensors(foreign, remarks));
  server = createServer((_request, response) => {
    response.socket?.end("HTTP/1.1 404 no \u{9b}31m\u{202e}x\r\ncontent-length: 0\r\n\r\n");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (...args: readonly string[]) => run(args, { cwd: folder });
const named = `${HOSTILE}.safetensors`;

describe("the command", () => {
  it.each([
    [["classify", FILE, "--weights", "labels.safetensors"], 0],
    [["classify", FILE, `none${HOSTILE}`, "--weights", "own.safetensors"], 1],
    [["classify", FILE, "--weights", `none${HOSTILE}`], 1],
    [["classify", "--weights", "labels.safetensors", "--", HOSTILE], 1],
    [["inspect", "labels.safetensors"], 0],
    [["inspect", "own.safetensors"], 0],
    [["inspect", "foreign.safetensors"], 1],
    [["inspect", named], 0],
    [["inspect", "--alpha", HOSTILE], 2],
    [["convert", "own.safetensors", named, "--padding", HOSTILE], 2],
    [["convert", named, `out${named}`], 0],
    [["convert", named, `${HOSTILE}.h5`], 2],
    [["verify", "labels.safetensors", "--images", FILE, "--against", named], 0],
    [["verify", "labels.safetensors", "--images", FILE, "--against", "own.safetensors"], 0],
    [["summary", "--weights", "own.safetensors"], 0],
    [["cost", "--weights", "own.safetensors"], 0],
    [["cost", "--weights", "own.safetensors", "--markdown"], 0],
    [["cost", "--convention", HOSTILE], 2],
    [["profile", "--weights", "own.safetensors", "--runs", "1"], 0],
    [["cache", HOSTILE], 2],
    [[HOSTILE], 2],
    [["summary", `--${HOSTILE}`], 2],
    [["summary", `--alpha=${HOSTILE}`], 2],
    [["doctor", HOSTILE], 2],
  ])("prints nothing that a terminal obeys or hides, case %#", async (args, code) => {
    const outcome = await at(...args);
    const { stdout, stderr } = outcome;
    expect(stdout).not.toMatch(RAW);
    expect(stderr).not.toMatch(RAW);
    expect([outcome.code, stdout + stderr]).toEqual([code, expect.stringMatching(/./)]);
    // An error is one line; a suggestion and the way to the help may follow.
    expect(stderr.split("\n").length).toBeLessThanOrEqual(code === 2 ? 4 : 2);
  });

  it("prints what a server says of itself as text", async () => {
    const { code, stderr } = await at("inspect", `${address}/x.safetensors`, "--no-cache");
    expect([code, stderr]).toEqual([1, expect.stringContaining("404")]);
    expect(stderr).not.toMatch(RAW);
  });

  it("keeps a line a prediction, and the escapes can be undone", async () => {
    const { stdout } = await at("classify", FILE, "--weights", "labels.safetensors");
    const [file, ...lines] = stdout.trimEnd().split("\n");
    const undone = (text = "") =>
      text.replaceAll(/\\u\{([0-9a-f]+)\}/g, (_all, code) => String.fromCodePoint(Number.parseInt(code, 16)));
    expect(undone(file)).toBe(FILE);
    const labels = lines.map((line) => undone(/^ {2}[ \d]{3}\.\d % {2}(.*) \(\d\)$/.exec(line)?.[1]));
    expect(labels.sort()).toEqual([...LABELS].sort());
  });

  it.each([
    [["classify", FILE, "--weights", "labels.safetensors", "--json"]],
    [["inspect", "own.safetensors", "--json"]],
    [["inspect", "foreign.safetensors", "--json"]],
    [["summary", "--weights", "own.safetensors", "--json"]],
    [["cost", "--weights", "own.safetensors", "--json"]],
    [["profile", "--weights", "own.safetensors", "--json", "--runs", "1"]],
    [["verify", "labels.safetensors", "--images", FILE, "--json"]],
  ])("prints JSON that is text, and gives the names as they are, case %#", async (args) => {
    const { stdout } = await at(...args);
    expect(stdout).not.toMatch(RAW);
    const parsed = JSON.stringify(JSON.parse(stdout));
    const inFile = args[0] === "classify" || args[0] === "verify" ? FILE : HOSTILE;
    expect(parsed).toContain(JSON.stringify(inFile).slice(1, -1));
  });

  it("sets columns by what is shown", async () => {
    const { stdout } = await at("cost", "--weights", "own.safetensors");
    const [, , header = "", ...rows] = stdout.split("\n");
    const names = [`conv${HOSTILE}`, `pool${HOSTILE}`].map(visible);
    for (const [i, name] of names.entries()) {
      expect(rows[i]?.startsWith(name)).toBe(true);
      if (name.length < 100) expect(rows[i]?.indexOf("  ", name.length)).toBe(header.indexOf("kind") - 2);
    }
  });

  it("draws bars whose names are text, and clears them", async () => {
    const isTerminal = ["--import", "data:text/javascript,process.stderr.isTTY=true"];
    const outcome = await run(["classify", FILE, `none${HOSTILE}`, "--weights", named], {
      cwd: folder,
      flags: isTerminal,
    });
    // Of the bar: where the cursor goes, what is cleared, what is saved, whether lines go on below.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is tested
    const text = outcome.stderr.replaceAll(/\u001b(\[\d*[GK]|\[\?7[hl]|[78])/g, "");
    expect(text).toContain("0/2");
    expect(text).not.toMatch(RAW);
    expect(text).toMatch(/depthwise: FILE_NOT_FOUND: none.*\n/);
  });
});

describe("text of the library", () => {
  it("is one line a decision and a layer, whatever a model is called", () => {
    const layers = [conv2d({ filters: 3, kernel: 3, name: `conv${HOSTILE}` }), globalAveragePool(), softmax()];
    const model = sequential({ inputShape: [8, 8, 3], name: HOSTILE, info: { labels: LABELS } }, layers);
    for (const text of [formatDescription(describeModel(model)), formatCost(cost(model))]) {
      expect(text).not.toMatch(RAW);
      expect(text).toContain(visible(HOSTILE));
    }
    expect(describeModel(model).name).toBe(HOSTILE);
  });

  it("keeps the columns of Markdown, whatever a layer is called", () => {
    const layers = [conv2d({ filters: 1, kernel: 1, name: "a|b" }), globalAveragePool(), softmax()];
    const text = formatCost(cost(sequential({ inputShape: [2, 2, 1] }, layers)), "markdown");
    expect(text).toContain("\n| a\\|b | Conv");
  });

  it("is not longer than its names because of one long name", () => {
    const layers = Array.from({ length: 300 }, (_, i) => conv2d({ filters: 1, kernel: 1, name: `${i}` }));
    layers.push(conv2d({ filters: 1, kernel: 1, name: "x".repeat(200_000) }));
    const model = sequential({ inputShape: [2, 2, 1] }, layers);
    expect(formatCost(cost(model)).length).toBeLessThan(1e6);
  });
});
