/** `depthwise classify photo.png` and nothing else: which weights it takes, what it says, and what where it cannot. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { run } from "./command.ts";

let folder = "";
let server: Server;
let standIn = "";
const asked: (string | undefined)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-default-"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  await sharp({ create }).png().toFile(join(folder, "a.png"));
  const labels = ["cat", "dog", "bird"];
  await saveModel(mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3, labels }), join(folder, "small.safetensors"));
  const bytes = readFileSync(join(folder, "small.safetensors"));
  server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  standIn = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Nothing leaves this machine: what is asked of Keras' server is asked of this one.
  writeFileSync(
    join(folder, "stand-in.mjs"),
    `const real = fetch;
    globalThis.fetch = (url, options) => real(String(url).replace(/^https:\\/\\/[^/]+/, process.env.STAND_IN), options);`,
  );
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const classify = (cache: string, ...args: readonly string[]) =>
  run(["classify", "a.png", ...args], {
    cwd: folder,
    flags: ["--import", pathToFileURL(join(folder, "stand-in.mjs")).href],
    env: { DEPTHWISE_CACHE: join(folder, cache), STAND_IN: standIn },
  });

describe("depthwise classify without --weights", () => {
  it("takes Keras' weights, says so in one line beside the results, and keeps them", async () => {
    const first = await classify("kept", "--json");
    expect(first.stderr).toMatch(/^depthwise: .*keras:mobilenet_1_0_224_tf \(17 MB.*\n$/);
    expect([first.code, JSON.parse(first.stdout).predictions.length]).toEqual([0, 3]);
    expect(asked).toEqual(["/tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf.h5"]);
    const offline = await classify("kept", "--offline");
    expect([offline.code, offline.stdout.split("\n")[0]]).toEqual([0, "a.png"]);
    expect(asked).toHaveLength(1);
  });

  it("says of them what is true: downloaded, kept, or asked about", async () => {
    const said = async (...args: readonly string[]) =>
      /\(17 MB(.*)\)\n$/.exec((await classify("true", ...args)).stderr)?.[1];
    expect(await said("--no-cache")).toBe(", downloaded and not kept");
    expect(await said()).toBe(", downloaded now and kept");
    expect(await said()).toBe(", kept by an earlier run");
    expect(await said("--offline", "--refresh")).toBe(", kept by an earlier run");
    expect(await said("--refresh")).toBe(", kept, and its server asked whether it changed");
  });

  it("says so where what it downloads cannot be kept", async () => {
    writeFileSync(join(folder, "no-folder"), "a file");
    const { code, stderr } = await classify("no-folder", "--json");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/\n.*could not be kept.*\n$/)]);
  });

  it("says what to pass where nothing was kept and the network is off", async () => {
    const { code, stdout, stderr } = await classify("empty", "--offline");
    expect([code, stdout]).toEqual([1, ""]);
    for (const text of ["--weights FILE", "keras:", "hf:owner/name"]) expect(stderr).toContain(text);
  });

  it.each(["classify", "inspect", "convert", "verify", "summary", "cost", "profile"])(
    "%s --help names keras: and hf: among what weights may be",
    async (name) => {
      const { stdout } = await run([name, "--help"]);
      expect(stdout).toContain("keras:");
      expect(stdout).toContain("hf:");
    },
  );

  it("takes what inspect and verify take of a file: resolution, range, checksum", async () => {
    const args = ["classify", "a.png", "--weights", "small.safetensors"];
    const right = await run([...args, "--resolution", "64", "--range", "0,1", "--json"], { cwd: folder });
    expect([right.code, right.stderr]).toEqual([0, ""]);
    const wrong = await run([...args, "--sha256", "0".repeat(64)], { cwd: folder });
    expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
    expect(wrong.stderr).toContain("FILE_CORRUPT");
  });
});
