/** The examples' server: what it sends, and what it refuses. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, serve, stopServers } from "./chromium.ts";

describe("the server of examples/browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-server-"));
  let address: string;
  beforeAll(async () => {
    mkdirSync(join(folder, "open"));
    writeFileSync(join(folder, "open/a file.js"), "1;");
    writeFileSync(join(folder, "secret.txt"), "secret");
    symlinkSync(join(folder, "secret.txt"), join(folder, "open/link.txt"));
    address = await serve({ isolated: true, mounts: { "/open": join(folder, "open") } });
  });
  afterAll(() => {
    stopServers();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A path as it is: `fetch` would tidy it. */
  const ask = (path: string, method = "GET") =>
    new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }>((done, fail) => {
      const asked = (method === "GET" ? get : request)(address, { path, method }, async (response) => {
        let body = "";
        for await (const part of response) body += part;
        done({ status: response.statusCode, headers: response.headers, body });
      });
      asked.on("error", fail).end();
    });

  it("sends a file with its type, a policy, and the headers of isolation", async () => {
    const { status, headers, body } = await ask("/open/a%20file.js");
    expect({ status, body }).toEqual({ status: 200, body: "1;" });
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "content-length": "2",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    expect(headers["content-security-policy"]).toMatch(/script-src 'self' 'wasm-unsafe-eval'$/);
  });

  it("sends neither without --isolated, and a policy without wasm with --no-wasm", async () => {
    const { headers } = await fetch(`${await serve({ noWasm: true })}/package.json`);
    expect(headers.get("cross-origin-opener-policy")).toBeNull();
    expect(headers.get("content-security-policy")).toMatch(/script-src 'self'$/);
  });

  it.each([
    ["/open/../secret.txt", 404],
    ["/open/..%2fsecret.txt", 404],
    ["/open/%2e%2e/secret.txt", 404],
    ["/open/link.txt", 404],
    ["/open//etc/passwd", 404],
    ["/open", 404],
    ["/open/a%20file.js%00.txt", 404],
    ["/%zz", 400],
  ])("answers %s with %i and nothing more", async (path, expected) => {
    const { status, body } = await ask(path);
    expect({ status, body }).toEqual({ status: expected, body: "" });
  });

  it("answers no method but GET and HEAD", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) expect((await ask("/package.json", method)).status).toBe(405);
    expect(await ask("/open/a%20file.js", "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("says what is wrong with a mount", () => {
    const serveWith = (mount: string) =>
      execFileSync(process.execPath, [resolve(root, "examples/browser/serve.mjs"), "--port", "0", "--mount", mount], {
        encoding: "utf8",
        stdio: "pipe",
      });
    expect(() => serveWith(`/x=${join(folder, "nothing")}`)).toThrow(/expected \/path=FOLDER/);
  });
});
