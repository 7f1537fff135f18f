/** What `--help` says: how wide, in which groups, and that each of its examples runs. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { run, shell } from "./command.ts";
import { writeIdxFolder, writePictures } from "./tiny-data.ts";

let folder = "";
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-help-"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  const picture = await sharp({ create }).jpeg().toBuffer();
  for (const name of ["photos", "more"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "a.jpg"), picture);
  }
  writeFileSync(join(folder, "photo.jpg"), picture);
  for (const name of ["flowers", "pets"]) await writePictures(join(folder, name));
  writeIdxFolder(join(folder, "mnist"));
  const labels = ["cat", "dog"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels }), join(folder, "a.safetensors"));
  // What a file is, its content says.
  for (const name of ["mobilenet.h5", "other.h5"]) copyFileSync(join(folder, "a.safetensors"), join(folder, name));
  const bytes = readFileSync(join(folder, "a.safetensors"));
  server = createServer((request, response) => {
    const isWeights = /\.(h5|safetensors)$/.test(request.url ?? "");
    response.writeHead(isWeights ? 200 : 404).end(isWeights ? bytes : "");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  // Nothing leaves this machine: what is asked of another is asked of this one.
  writeFileSync(
    join(folder, "stand-in.mjs"),
    `const real = fetch;
    const here = "http://127.0.0.1:${(server.address() as AddressInfo).port}";
    globalThis.fetch = (url, options) => real(String(url).replace(/^https:\\/\\/[^/]+/, here), options);`,
  );
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const COMMANDS =
  "summary cost paper budget draw classify train evaluate inspect convert verify cache profile doctor".split(" ");
const helpOf = async (...args: readonly string[]) => (await run([...args, "--help"])).stdout;
const examplesIn = (help: string) => (help.split("\nExamples:\n")[1] ?? "").trim().split(/\n */);

describe("--help", () => {
  it.each([
    [[]],
    ...COMMANDS.map((name) => [[name]]),
    [["cache", "ls"]],
    [["cache", "clear"]],
    [["draw", "network"]],
    [["draw", "front"]],
  ])("of %j fits 80 columns", async (args: readonly string[]) => {
    const wide = (await helpOf(...args)).split("\n").filter((line) => line.length > 80);
    expect(wide).toEqual([]);
  });

  it("puts the commands into groups, by what a person wants", async () => {
    const help = await helpOf();
    const groups = [...help.matchAll(/^([A-Z][^\n]*):\n((?: {2}.*\n)+)/gm)].map(([, title = "", lines = ""]) => [
      title,
      [...lines.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name),
    ]);
    expect(groups.filter(([title]) => title !== "Options" && title !== "Examples")).toEqual([
      ["Count what a network costs", ["summary", "cost", "paper", "budget", "draw"]],
      ["Run one", ["classify", "batch", "nearest", "profile"]],
      ["Train one", ["train", "evaluate"]],
      ["Files of weights", ["inspect", "convert", "verify", "cache"]],
      ["This machine", ["doctor"]],
      ["Help", ["help"]],
    ]);
  });

  it("puts a command's own options before those of a network, of pictures and of downloads", async () => {
    const titles = [...(await helpOf("classify")).matchAll(/^([A-Z][\w ,]*):$/gm)].map(([, title = ""]) => title);
    expect(titles.map((title) => title.split(",")[0])).toEqual([
      ...["Arguments", "Options", "Network", "Pictures", "Reading and downloading", "Running", "Examples"],
    ]);
  });

  // Those of `train` take a minute beside other work; only what hangs should end here.
  it.each(["", ...COMMANDS])("of %j ends with examples, and each of them runs", { timeout: 600_000 }, async (name) => {
    const examples = examplesIn(await helpOf(...(name === "" ? [] : [name])));
    expect(examples.length).toBeGreaterThanOrEqual(name === "doctor" ? 2 : 3);
    const cache = join(folder, "cache");
    const flags = `--import ${pathToFileURL(join(folder, "stand-in.mjs")).href}`;
    for (const example of examples) {
      expect(example.startsWith(`depthwise${name === "" ? "" : ` ${name}`}`)).toBe(true);
      const script = [
        `export NODE_OPTIONS='${flags}' DEPTHWISE_CACHE='${cache}'`,
        'node=$1; main=$2; depthwise() { "$node" "$main" "$@"; }',
        "set -e",
        example.replace("| less", "| cat"),
      ].join("\n");
      const { code, stderr } = await shell(script, [], folder);
      expect([example, code, stderr.replace(/^depthwise: no --weights given.*\n|^standard output: .*\n/, "")]).toEqual([
        example,
        0,
        "",
      ]);
    }
  });
});
