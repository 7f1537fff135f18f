/** The commands about files of weights: what they print, what they refuse, and how they end. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/safetensors/safetensors.ts";
import { describe as describeModel, loadModel, mobileNetV1, saveModel } from "../../src/index.ts";
import { activation, conv2d, globalAveragePool, sequential, softmax } from "../../src/layers/index.ts";
import { file, startServer } from "../fixtures/misbehaving-server.ts";
import { interrupt, run } from "./command.ts";

let folder = "";
let server: Server;
/** Of a server that sends one file whole and another one never to its end. */
let address = "";

const small = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, labels: ["cat", "dog", "bird"] });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-weights-"));
  await saveModel(small, join(folder, "small.safetensors"));
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2 }), join(folder, "two.safetensors"));
  const layers = [conv2d({ filters: 2, kernel: 3 }), activation("hardSwish"), globalAveragePool(), softmax()];
  const swish = sequential({ inputShape: [8, 8, 3] }, layers);
  await saveModel(swish, join(folder, "swish.safetensors"));
  const foreign = [{ name: "block_1_expand/kernel", shape: [1], data: new Float32Array(1) }];
  writeFileSync(join(folder, "foreign.safetensors"), writeSafetensors(foreign));
  writeFileSync(join(folder, "broken.safetensors"), readFileSync(join(folder, "small.safetensors")).subarray(0, 5000));
  writeFileSync(join(folder, "text.h5"), "not a model");
  mkdirSync(join(folder, "cat"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  for (const name of ["cat/a.png", "b.png"]) await sharp({ create }).png().toFile(join(folder, name));
  const bytes = readFileSync(join(folder, "small.safetensors"));
  server = createServer((request, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    if (request.url === "/whole.safetensors") response.end(bytes);
    else response.write(bytes.subarray(0, 1000));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (...args: readonly string[]) => run(args, { cwd: folder });

async function refused(args: readonly string[], code: number, message: RegExp) {
  const before = readdirSync(folder, { recursive: true }).sort();
  const outcome = await at(...args);
  expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
  expect(outcome.stderr).toMatch(message);
  expect(outcome.stderr).not.toMatch(/ at .+:\d+:\d+/);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
}

describe("depthwise inspect", () => {
  it("prints the format, the tensors and the decisions", async () => {
    const { code, stdout, stderr } = await at("inspect", "small.safetensors");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^small\.safetensors: safetensors$/m);
    expect(stdout).toMatch(/^conv1\/kernel +F32 +3 × 3 × 3 × 8$/m);
    expect(stdout).toMatch(/^alpha +0\.25 +stated +metadata$/m);
    expect((await at("inspect", "small.safetensors", "--no-tensors")).stdout).not.toContain("F32");
  });

  it("prints the same as JSON, and options of the call beat the file", async () => {
    const { stdout } = await at("inspect", "small.safetensors", "--json", "--range", "0,1", "--epsilon", "0.01");
    const { format, tensors, model } = JSON.parse(stdout);
    expect([format, tensors.length]).toEqual(["safetensors", small.parameterInfo.size]);
    expect(tensors[0]).toEqual({ name: "conv1/kernel", dtype: "F32", shape: [3, 3, 3, 8] });
    const decision = (name: string) => model.decisions.find((candidate: { name: string }) => candidate.name === name);
    expect(decision("range")).toMatchObject({ value: [0, 1], basis: "given" });
    expect(decision("epsilon")).toMatchObject({ value: 0.01, basis: "given" });
    const listless = await at("inspect", "small.safetensors", "--json", "--no-tensors");
    expect(Object.keys(JSON.parse(listless.stdout))).toEqual(["format", "remarks", "model"]);
  });

  it("shows what is in a file that is no MobileNet, and fails", async () => {
    const { code, stdout, stderr } = await at("inspect", "foreign.safetensors", "--json");
    expect(code).toBe(1);
    const { tensors, error } = JSON.parse(stdout);
    expect(tensors).toEqual([{ name: "block_1_expand/kernel", dtype: "F32", shape: [1] }]);
    expect(error).toMatchObject({ name: "ARCHITECTURE_UNKNOWN", message: expect.stringMatching(/MobileNet V2/) });
    expect(stderr).toMatch(/^depthwise: ARCHITECTURE_UNKNOWN: .+\n$/);
    expect((await at("inspect", "foreign.safetensors")).stdout).toMatch(/^block_1_expand\/kernel +F32 +1$/m);
  });

  it("shows long names of tensors whole where no terminal has a width", async () => {
    const name = `block_1_expand/${"long_".repeat(30)}kernel`;
    const bytes = writeSafetensors([{ name, shape: [1], data: new Float32Array(1) }]);
    const apart = mkdtempSync(join(tmpdir(), "depthwise-long-name-"));
    writeFileSync(join(apart, "long.safetensors"), bytes);
    const { stdout } = await at("inspect", join(apart, "long.safetensors"));
    rmSync(apart, { recursive: true });
    expect(stdout).toContain(`${name}  F32`);
  });

  it.each([
    [["inspect"], 2, /missing required argument/],
    [["inspect", "absent.h5"], 1, /^depthwise: FILE_NOT_FOUND: absent\.h5/],
    [["inspect", "broken.safetensors"], 1, /FILE_TRUNCATED/],
    [["inspect", "text.h5"], 1, /FORMAT_UNKNOWN: text\.h5.+plain text/],
    [["inspect", "small.safetensors", "two.safetensors"], 2, /two files that hold operations/],
    [["inspect", "small.safetensors", "two.safetensors", "b.png"], 2, /two halves of one network/],
    [["inspect", "small.safetensors", "--range", "1"], 2, /two different numbers/],
    [["inspect", "small.safetensors", "--range", "0,1,2"], 2, /two different numbers/],
    [["inspect", "small.safetensors", "--range", "0,x"], 2, /not a number/],
    [["inspect", "small.safetensors", "--alpha", "wide"], 2, /not a number/],
    [["inspect", "small.safetensors", "--padding", "reflect"], 2, /Allowed choices/],
    [["inspect", "small.safetensors", "--max-bytes", "0"], 2, /maxBytes/],
    [["inspect", "small.safetensors", "--max-bytes", "100"], 1, /FILE_TOO_LARGE/],
    [["inspect", "small.safetensors", "--sha256", "abc"], 2, /64 hexadecimal digits/],
    [["inspect", "small.safetensors", "--sha256", "0".repeat(64)], 1, /FILE_CORRUPT/],
    [["inspect", "hf:name"], 2, /hf:owner\/name/],
    [["inspect", "keras:mobilenet"], 1, /NAME_UNKNOWN/],
  ])("%j is refused", refused);
});

describe("depthwise convert", () => {
  it("writes safetensors, of half the size if asked", async () => {
    for (const dtype of ["F32", "F16"]) {
      const out = `${dtype}.safetensors`;
      const { code, stdout, stderr } = await at("convert", "small.safetensors", out, "--dtype", dtype);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`${out}: mobilenet_v1_0.25_32 from safetensors`);
      expect((await loadModel(join(folder, out))).info.labels).toEqual(["cat", "dog", "bird"]);
    }
    const [whole = 0, half = 0] = ["F32", "F16"].map(
      (name) => readFileSync(join(folder, `${name}.safetensors`)).length,
    );
    expect(half).toBeLessThan(0.7 * whole);
  });

  it("writes 8-bit integers without batch norms, which inspect shows", async () => {
    const { code, stderr } = await at("convert", "small.safetensors", "I8.safetensors", "--dtype", "I8", "--fold");
    expect([code, stderr]).toEqual([0, ""]);
    const { stdout } = await at("inspect", "I8.safetensors");
    expect(stdout).toMatch(/^I8\.safetensors: safetensors, weights as 8-bit integers with scales$/m);
    expect(stdout).toMatch(/^conv1\/kernel +I8 +3 × 3 × 3 × 8$/m);
    expect(stdout).toMatch(/^conv1\/kernel_scale +F32 +1 × 1 × 1 × 8$/m);
    expect(stdout).toMatch(/^batchNorm +false +given +the call of foldBatchNorm$/m);
    expect(stdout).not.toContain("_bn");
    const sizes = ["small", "I8"].map((name) => readFileSync(join(folder, `${name}.safetensors`)).length);
    expect(sizes[1]! / sizes[0]!).toBeLessThan(0.4);
  });

  it("folds for TensorFlow.js too", async () => {
    expect(await at("convert", "small.safetensors", "folded", "--fold")).toMatchObject({ code: 0 });
    expect((await loadModel(join(folder, "folded"))).info.options).toMatchObject({ batchNorm: false });
  });

  it("writes a directory for TensorFlow.js, and keeps where the model came from", async () => {
    expect(await at("convert", "small.safetensors", "web/model", "--padding", "keras")).toMatchObject({ code: 0 });
    expect(readdirSync(join(folder, "web/model")).sort()).toEqual([
      expect.stringMatching(/^group1-shard1of1-[0-9a-f]{16}\.bin$/),
      "model.json",
    ]);
    const { decisions, remarks } = describeModel(await loadModel(join(folder, "web/model")));
    expect(decisions.find(({ name }) => name === "padding")).toMatchObject({ value: "keras", basis: "given" });
    expect(remarks).toMatchObject({ origin: { format: "safetensors", file: "small.safetensors" } });
  });

  it("leaves what was there when it fails", async () => {
    writeFileSync(join(folder, "kept.safetensors"), "kept");
    await refused(["convert", "absent.h5", "kept.safetensors"], 1, /FILE_NOT_FOUND/);
    await refused(["convert", "foreign.safetensors", "kept.safetensors"], 1, /ARCHITECTURE_UNKNOWN/);
    expect(readFileSync(join(folder, "kept.safetensors"), "utf8")).toBe("kept");
  });

  it.each([
    [["convert", "small.safetensors"], 2, /1 in all/],
    [["convert", "a", "b", "c", "d.safetensors"], 2, /4 in all/],
    [["convert", "small.safetensors", "out.h5"], 2, /ends in \.safetensors/],
    [["convert", "small.safetensors", "out.tflite"], 2, /Other formats are not written/],
    [["convert", "small.safetensors", "out", "--dtype", "F16"], 2, /F32 for TensorFlow\.js, found F16/],
    [["convert", "small.safetensors", "out", "--dtype", "I8"], 2, /F32 for TensorFlow\.js, found I8/],
    [["convert", "small.safetensors", "out.safetensors", "--dtype", "BF16"], 2, /Allowed choices/],
    [["convert", "small.safetensors", "out", "--to", "onnx"], 2, /Allowed choices/],
    [["convert", "swish.safetensors", "out"], 1, /NETWORK_INVALID.+hardSwish cannot be expressed/],
    [["convert", "small.safetensors", "absent/out.safetensors"], 1, /FILE_UNREADABLE.+ENOENT/],
    [["convert", "small.safetensors", "b.png/out.safetensors"], 1, /FILE_UNREADABLE.+ENOTDIR/],
    [["convert", "small.safetensors", "cat", "--to", "safetensors"], 1, /FILE_UNREADABLE.+EISDIR/],
    [["convert", "small.safetensors", "b.png", "--to", "tfjs"], 1, /FILE_UNREADABLE.+EEXIST/],
    [["convert", "small.safetensors", "b.png/out"], 1, /FILE_UNREADABLE.+ENOTDIR/],
  ])("%j is refused, and nothing is written", refused);
});

describe("depthwise verify", () => {
  const ways = ["as the model says", "-1 to 1", "0 to 1", "0 to 255", "ImageNet mean and deviation"];

  it("compares ranges, the folders' labels and another model", async () => {
    const { code, stdout, stderr } = await at(
      ...["verify", "small.safetensors", "--images", "cat/*.png", "b.png", "--against", "small.safetensors", "--json"],
    );
    expect([code, stderr]).toEqual([0, ""]);
    const { images, rows } = JSON.parse(stdout);
    expect(images).toEqual(["cat/a.png", "b.png"]);
    expect(rows.map(({ way }: { way: string }) => way)).toEqual([...ways, "small.safetensors"]);
    for (const row of [rows[0], rows[1], rows.at(-1)]) expect(row.agreement).toBe(1);
    for (const { correct, confidence } of rows) {
      expect([0, 1]).toContain(correct);
      expect(confidence).toBeGreaterThan(1 / 3 - 1e-6);
    }
    const text = await at("verify", "two.safetensors", "--images", "b.png");
    expect(text.stdout).toMatch(/^1 picture\n/);
    for (const way of ways) expect(text.stdout).toMatch(new RegExp(`^${way} +\\d+ % +\\d+ %$`, "m"));
  });

  it("leaves out ImageNet's three means where there is one channel", async () => {
    const layers = [conv2d({ filters: 2, kernel: 3 }), globalAveragePool(), softmax()];
    await saveModel(sequential({ inputShape: [8, 8, 1] }, layers), join(folder, "grey.safetensors"));
    const { code, stdout, stderr } = await at("verify", "grey.safetensors", "--images", "b.png", "--json");
    expect([code, stderr]).toEqual([0, ""]);
    const { rows } = JSON.parse(stdout);
    expect(rows.map(({ way }: { way: string }) => way)).toEqual(ways.slice(0, 4));
  });

  it.each([
    [["verify", "small.safetensors"], 2, /--images/],
    [["verify", "small.safetensors", "--images", "absent.png"], 1, /FILE_NOT_FOUND/],
    [["verify", "small.safetensors", "--images", "text.h5"], 1, /IMAGE_UNREADABLE/],
    [["verify", "absent.h5", "--images", "b.png"], 1, /FILE_NOT_FOUND/],
    [["verify", "small.safetensors", "--images", "b.png", "--against", "two.safetensors"], 1, /CLASSES_MISMATCH/],
  ])("%j is refused", refused);
});

describe("depthwise cache", () => {
  it("lists and clears what was downloaded", async () => {
    const cached = (...args: readonly string[]) =>
      run(args, { cwd: folder, env: { DEPTHWISE_CACHE: join(folder, "cache") } });
    const url = `${address}/whole.safetensors`;
    expect((await cached("cache", "ls")).stdout).toBe("     0.0 MB in 0 files\n");
    expect(await cached("inspect", url)).toMatchObject({ code: 0, stderr: "" });
    const [entry, ...others] = JSON.parse((await cached("cache", "ls", "--json")).stdout);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ url, bytes: readFileSync(join(folder, "small.safetensors")).length });
    expect(existsSync(entry.path)).toBe(true);
    expect(await cached("inspect", url, "--offline")).toMatchObject({ code: 0 });
    expect((await cached("cache", "ls")).stdout).toMatch(/in 1 file\n$/);
    const part = `${"0".repeat(64)}.free-0-0123456789ab.part`;
    writeFileSync(join(folder, "cache", part), "half");
    expect((await cached("cache", "clear")).stdout).toBe("removed 1 file and 1 unfinished download\n");
    expect((await cached("cache", "clear")).stdout).toBe("removed 0 files\n");
    expect(await cached("cache", "ls", "--json")).toMatchObject({ code: 0, stdout: "[]\n" });
    const offline = await cached("inspect", url, "--offline");
    expect([offline.code, offline.stderr]).toEqual([1, expect.stringMatching(/^depthwise: FILE_NOT_FOUND: .+offline/)]);
  });

  it.each([
    [["cache"], 2, /Usage: depthwise cache/],
    [["cache", "remove"], 2, /unknown command 'remove'/],
  ])("%j is refused", refused);
});

it("Ctrl-C ends a download that hangs, and leaves nothing behind", async () => {
  const before = readdirSync(folder).sort();
  const outcome = interrupt(["convert", `${address}/slow.safetensors`, "out.safetensors", "--no-cache"], {
    cwd: folder,
    when: (() => {
      let isAsked = false;
      server.once("request", () => {
        isAsked = true;
      });
      return () => isAsked;
    })(),
  });
  expect(await outcome).toMatchObject({ code: 130, stdout: "", stderr: "" });
  expect(readdirSync(folder).sort()).toEqual(before);
});

/**
 * Put before the command: a disk that takes the bytes and never says that it has them. Who waits for a disk is known to
 * the system, so what is collected meanwhile is not the open file, of which Node would warn.
 */
const HANGING_DISK = `
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
const { open } = files;
const waiting = (globalThis.waiting = []);
const never = () => (waiting.push(new Promise(() => {})), waiting.at(-1));
files.open = async (...args) => Object.assign(await open(...args), { datasync: never });
syncBuiltinESMExports();
setFlagsFromString("--expose-gc");
setInterval(runInNewContext("gc"), 20);
`;

it.each([
  ["a file", "saved.safetensors"],
  ["a directory", "saved"],
])("Ctrl-C while the disk is slow leaves nothing of %s", async (_what, out) => {
  const place = mkdtempSync(join(folder, "slow-"));
  writeFileSync(join(place, "disk.mjs"), HANGING_DISK);
  mkdirSync(join(place, "saved"));
  const isSaving = () =>
    [place, join(place, "saved")].some((at) => readdirSync(at).some((name) => name.endsWith(".tmp")));
  const outcome = await interrupt(["convert", join(folder, "small.safetensors"), out], {
    cwd: place,
    env: { NODE_OPTIONS: `--import ${pathToFileURL(join(place, "disk.mjs")).href}` },
    when: isSaving,
  });
  expect(outcome).toEqual({ code: 130, signal: null, stdout: "", stderr: "" });
  expect([readdirSync(place).sort(), readdirSync(join(place, "saved"))]).toEqual([["disk.mjs", "saved"], []]);
  rmSync(place, { recursive: true });
});

it("Ctrl-C keeps what arrived: the next try asks for the rest", async () => {
  await using halves = await startServer();
  const bytes = readFileSync(join(folder, "small.safetensors"));
  const half = bytes.length >> 1;
  const url = halves.on("/half.safetensors", file(bytes, { stallAfter: half }), file(bytes));
  const cache = join(folder, "kept");
  const env = { DEPTHWISE_CACHE: cache };
  const isHalfThere = () =>
    existsSync(cache) && readdirSync(cache).some((name) => statSync(join(cache, name)).size >= half);
  const first = await interrupt(["inspect", url], { cwd: folder, env, when: isHalfThere });
  expect(first).toMatchObject({ code: 130, stdout: "", stderr: "" });
  expect(await run(["inspect", url, "--no-tensors"], { cwd: folder, env })).toMatchObject({ code: 0, stderr: "" });
  expect(halves.asked.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${half}-`]);
  expect(readdirSync(cache).filter((name) => name.endsWith(".part"))).toEqual([]);
});

it("a password in an address is printed by no command", async () => {
  const signed = `${address}/whole.safetensors`.replace("//", "//me:s3cret@");
  const broken = "http://me:s3cret@[";
  for (const [args, code] of [
    [["inspect", signed, "--no-cache"], 0],
    [["inspect", signed, "--no-cache", "--json"], 0],
    [["inspect", signed, "--offline"], 1],
    [["inspect", signed, "--mirror", broken], 2],
    [["inspect", broken], 2],
    [["inspect", signed, signed, signed], 2],
    [["verify", "small.safetensors", "--images", "b.png", "--against", signed], 0],
    [["classify", broken, "b.png", "--weights", "small.safetensors"], 1],
  ] as const) {
    const outcome = await at(...args);
    expect([args, outcome.code]).toEqual([args, code]);
    expect(outcome.stdout + outcome.stderr).not.toContain("s3cret");
  }
});
