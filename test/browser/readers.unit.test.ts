/** One small network in every format, picked in Chromium: which scripts are fetched, missing packages, strict pages. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compile } from "../../src/session/compile.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { file, type MisbehavingServer } from "../fixtures/misbehaving-server.ts";
import { describeInChromium, executablePath, launch } from "./chromium.ts";
import {
  type Bundle,
  type BundleFile,
  bundle,
  fetched,
  openPage,
  PEERS,
  STRICT_POLICY,
  serveBundle,
} from "./readers-bundle.ts";
import { type NetworkFile, networkFiles, SIZE } from "./readers-networks.ts";
import type { Loading, LoadRequest, RunRequest } from "./readers-page.ts";

/** Texts that tell a reader's code, wherever a bundler puts it. */
const MARKS = {
  TFLite: "CONV_2D",
  ONNX: "SAME_UPPER",
  GraphDef: "FusedBatchNorm",
  Keras: "GlobalAveragePooling2D",
  HDF5: "superblock",
  pickle: "OrderedDict",
  tfjs: "weightsManifest",
  downloads: "if-range",
  cache: "x-depthwise-facts",
} as const;

type Mark = keyof typeof MARKS;

/** The entries of dist are called by their paths in src. */
const GRAPHS = "understand-architectures-mobilenet-v1-by-graph";
const NAMES = "understand-architectures-mobilenet-v1-by-names";
/** What a page fetches for its first file, beside itself: the entries of readers, and whose code is inside. */
const FETCHED: Readonly<Record<string, readonly [entries: readonly string[], code: readonly Mark[]]>> = {
  safetensors: [[], []],
  "safetensors at an address": [
    ["sources-remote", "sources-web-cache"],
    ["downloads", "cache"],
  ],
  TFLite: [["formats-tflite-read", GRAPHS], ["TFLite"]],
  ONNX: [["formats-onnx-read", "formats-protobuf-read", GRAPHS], ["ONNX"]],
  "frozen graph": [["formats-protobuf-read", "formats-tensorflow-read", GRAPHS], ["GraphDef"]],
  "Keras HDF5": [
    ["formats-keras-read-hdf5", GRAPHS],
    ["Keras", "HDF5"],
  ],
  "Keras 3 archive": [
    ["formats-keras-read-zip", "formats-zip-inflate", "formats-zip-read", GRAPHS],
    ["Keras", "HDF5"],
  ],
  "PyTorch, zip": [["formats-pytorch-read", "formats-zip-read", NAMES], ["pickle"]],
  "PyTorch, old pickle": [["formats-pytorch-read", NAMES], ["pickle"]],
  // A model.json is of one kind or the other; both are read by one reader.
  "tfjs layers model": [
    ["formats-tfjs-read", GRAPHS],
    ["GraphDef", "Keras", "tfjs"],
  ],
  "tfjs graph model": [
    ["formats-tfjs-read", GRAPHS],
    ["GraphDef", "Keras", "tfjs"],
  ],
};

let browser: Browser;
let networks: readonly NetworkFile[];
/** As it is bundled here, and as where no other package is installed. */
let whole: Bundle;
let alone: Bundle;
let servers: Readonly<Record<"whole" | "strict" | "alone", MisbehavingServer>>;

beforeAll(async () => {
  if (executablePath === undefined) return;
  [whole, alone, networks, browser] = await Promise.all([bundle(), bundle(PEERS), networkFiles(), launch()]);
  servers = {
    whole: await serveBundle(whole),
    strict: await serveBundle(whole, STRICT_POLICY),
    alone: await serveBundle(alone),
  };
});
afterAll(async () => {
  await browser?.close();
  for (const server of Object.values(servers ?? {})) await server[Symbol.asyncDispose]();
});

const PIXELS = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => (i * i * 31) % 251);
const RUN = { feed: "signed", pictures: 1 } as const;

const picked = (name: string, bytes: Uint8Array) => ({
  name,
  mimeType: "application/octet-stream",
  buffer: Buffer.from(bytes),
});

async function load(page: Page, { files, options = {} }: NetworkFile) {
  const list = await Promise.all(files.map(async (one) => picked(one.name, new Uint8Array(await one.arrayBuffer()))));
  await page.setInputFiles("#model", list);
  const request: LoadRequest = { source: list.length === 1 ? "file" : "list", options };
  return page.evaluate((asked) => window.load(asked), request);
}

async function logits(page: Page, backend: RunRequest["backend"]) {
  await page.setInputFiles("#pictures", picked("pixels", PIXELS));
  const [row] = await page.evaluate((asked) => window.run(asked), { ...RUN, backend });
  return row;
}

async function logitsInNode({ files }: NetworkFile): Promise<readonly number[]> {
  const model = await loadModel(files);
  const session = await compile(model, { backend: "plain" });
  return [...(await session.run(Float32Array.from(PIXELS, (byte) => byte / 127.5 - 1))).logits!.data];
}

/** Gzip bytes of all that is fetched, and how many files. */
function sizeRow(title: string, files: readonly BundleFile[]): string {
  return `| ${title} | ${files.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0)} | ${files.length} |`;
}

describeInChromium("a file picked in Chromium", () => {
  it("has the scripts of its format fetched, and those of no other", async () => {
    const texts = whole.files.map(({ bytes }) => Buffer.from(bytes).toString());
    for (const [mark, text] of Object.entries(MARKS)) expect(texts.join("").includes(text), mark).toBe(true);
    const found: Record<string, unknown> = {};
    const sizes: string[] = [];
    const look = async (title: string, first: (page: Page) => Promise<Loading>) => {
      const { page } = await openPage(browser, servers.whole);
      const from = servers.whole.asked.length;
      expect((await first(page)).failure, title).toBeUndefined();
      await page.close();
      const files = fetched(whole, servers.whole, from);
      const code = files.map(({ bytes }) => Buffer.from(bytes).toString()).join("");
      const marks = (Object.keys(MARKS) as Mark[]).filter((mark) => code.includes(MARKS[mark]));
      found[title] = [files.flatMap(({ holds }) => holds).sort(), marks];
      sizes.push(sizeRow(title, files));
    };
    for (const network of networks) await look(network.format, (page) => load(page, network));
    const weights = networks[0]!.files[0]!;
    servers.whole.on("/weights", file(new Uint8Array(await weights.arrayBuffer())));
    await look("safetensors at an address", (page) => page.evaluate(() => window.load({ source: { url: "weights" } })));
    expect(found).toEqual(FETCHED);
    if (process.env["DEPTHWISE_TABLES"] !== undefined) console.log(sizes.join("\n"));
  });

  it("needs no package, in any format", async () => {
    const { page, complaints } = await openPage(browser, servers.alone);
    for (const network of networks) expect((await load(page, network)).failure, network.format).toBeUndefined();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("names the part of the library that cannot be fetched", async () => {
    const { page } = await openPage(browser, servers.whole);
    await page.route("**/formats-tflite-read-*.js", (route) => route.abort());
    const [network] = networks.filter(({ format }) => format === "TFLite");
    const { failure } = await load(page, network!);
    expect(failure).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(failure?.message).toMatch("a part of depthwise could not be loaded: ");
    await page.close();
  });

  it("is read on a page that allows neither eval nor WebAssembly, and gives the same logits in every format", async () => {
    const expected = await logitsInNode(networks[0]!);
    expect(new Set(expected).size).toBe(5);
    const { page, complaints } = await openPage(browser, servers.strict);
    for (const network of networks) {
      expect((await load(page, network)).failure, network.format).toBeUndefined();
      expect(await logits(page, "plain"), network.format).toEqual(expected);
    }
    expect(complaints).toEqual([]);
    // The policy is in force.
    await expect(logits(page, "wasm")).rejects.toThrow(/WebAssembly/);
    await page.close();
  });
});
