/** The packed package where a server stands behind the page: Vite's own, a worker of the page's own, and Next. */

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile, mobileNetV1 } from "../../src/index.ts";
import { BROWSERS, type TestBrowser } from "../browser/browsers.ts";
import { emptyProject, type Project, serveFolder } from "./project.ts";

interface Answer {
  readonly logits: readonly number[];
  readonly threads: number;
  readonly reasons: readonly string[];
  /** Of a session with `inWorker`. */
  readonly apart: { readonly inWorker: boolean; readonly equal: boolean; readonly reasons: readonly string[] };
}

const SIDE = 64;
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const COMPLAINT = /warn|error|could not|unresolved/i;

const browsers: TestBrowser[] = [];
let expected: readonly number[];

beforeAll(async () => {
  for (const kind of BROWSERS) browsers.push(await kind.launch());
  const session = await compile(mobileNetV1({ alpha: 0.25, resolution: SIDE, classes: 11, seed: 5 }));
  const { logits } = await session.run(Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin(i)));
  session.close();
  expected = [...logits.data];
});
afterAll(async () => {
  for (const browser of browsers) await browser.close();
});

const best = (values: readonly number[]) => values.indexOf(Math.max(...values));

/** Two threads were asked for: two there are, or a reason is given. */
function expectAnswer({ logits, threads, reasons, apart }: Answer, isolated: boolean): void {
  expect(logits).toHaveLength(expected.length);
  expect(apart.equal).toBe(true);
  const largest = Math.max(...expected.map((value, place) => Math.abs(value - logits[place]!)));
  expect(largest).toBeLessThan(1e-4);
  expect(best(logits)).toBe(best(expected));
  if (isolated && threads === 2) return;
  const reason = isolated ? /one thread: a worker cannot be started/ : /one thread: no shared memory/;
  expect([threads, reasons.join()]).toEqual([1, expect.stringMatching(reason)]);
}

async function expectPage(address: string, isolated: boolean, inOwnWorker = false): Promise<void> {
  for (const browser of browsers) {
    const page = await browser.open(address, "ask");
    try {
      expect(await page.ask(() => crossOriginIsolated, undefined)).toBe(isolated);
      const answer = await page.ask(
        (asked) => (globalThis as typeof globalThis & { ask(threads: number): Promise<Answer> }).ask(asked),
        2,
      );
      expectAnswer(answer, isolated);
      const { threads, reasons, apart } = answer;
      if (inOwnWorker && browser.title === "Firefox") {
        // A hang of one page in fifteen is not to be had for a thread, and of one in eighty not for a worker.
        if (isolated) expect([threads, reasons.join()]).toEqual([1, expect.stringMatching(/Firefox may hang/)]);
        expect([apart.inWorker, apart.reasons.join()]).toEqual([false, expect.stringMatching(/Firefox may hang/)]);
      } else expect(apart.inWorker).toBe(true);
      console.log(`${browser.title}, isolated: ${isolated}: ${threads} threads; ${reasons.join("; ")}`);
    } finally {
      await page.close();
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** A tool's server until it is disposed of, with all that it started. */
async function startTool(project: Project, script: string, ...args: readonly string[]) {
  const port = await freePort();
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1" };
  for (const key of Object.keys(env)) if (/^(VITEST|npm_|NODE_OPTIONS|NODE_ENV|TEST$)/.test(key)) delete env[key];
  const command = [join("node_modules", script), ...args, "--port", String(port)];
  const child: ChildProcess = spawn(process.execPath, command, { cwd: project.path, env, detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += stripVTControlCharacters(String(chunk));
    });
  }
  const ended = new Promise((done) => child.once("exit", done));
  const stop = async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await ended;
  };
  const url = `http://localhost:${port}`;
  const until = Date.now() + 60_000;
  while (!(await fetch(url).then(Boolean, () => false))) {
    if (child.exitCode === null && Date.now() < until) await new Promise((done) => setTimeout(done, 100));
    else {
      await stop();
      throw new Error(`${script} did not start: ${output}`);
    }
  }
  return { url, output: () => output, [Symbol.asyncDispose]: stop };
}

describe("Vite", () => {
  let project: Project;
  beforeAll(() => {
    project = emptyProject("vite", ["vite@8.4.0"]);
    const page = (script: string) =>
      `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;
    project.write("index.html", page("./src/run.js"));
    project.write("in-worker/index.html", page("./page.js"));
    project.write(
      "in-worker/my-worker.js",
      'import "../src/run.js";\nonmessage = async ({ data }) => postMessage(await globalThis.ask(data));\n',
    );
    project.write(
      "in-worker/page.js",
      `globalThis.ask = (threads) => new Promise((resolve, reject) => {
  const worker = new Worker(new URL("./my-worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => { resolve(data); worker.terminate(); };
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(threads);
});\n`,
    );
  });
  afterAll(() => project?.[Symbol.dispose]());

  it.each([false, true])("serves a page as it is written, isolated: %s", async (isolated) => {
    const headers = JSON.stringify(isolated ? ISOLATED : {});
    project.write("vite.config.js", `export default { server: { headers: ${headers} } };\n`);
    await using server = await startTool(project, "vite/bin/vite.js", "--strictPort");
    await expectPage(`${server.url}/`, isolated);
    expect(server.output()).not.toMatch(COMPLAINT);
  });

  it("builds a worker of the page's own that computes", async () => {
    project.write("vite.config.js", "export default {};\n");
    const command = ["npx", "vite", "build", "in-worker", "--base", "./", "--outDir", "../out"];
    const { status, output } = project.run(...command);
    expect([status, output]).toEqual([0, expect.not.stringMatching(COMPLAINT)]);
    for (const isolated of [false, true]) {
      await using server = await serveFolder(join(project.path, "out"), isolated);
      await expectPage(`${server.url}/index.html`, isolated, true);
    }
  });
});

describe("Next", () => {
  let project: Project;
  beforeAll(() => {
    project = emptyProject("next", ["next@16.4.6", "react@19.3.1", "react-dom@19.3.1"]);
    project.write(
      "app/layout.js",
      'export const metadata = { icons: "data:," };\nexport default ({ children }) => <html lang="en"><body>{children}</body></html>;\n',
    );
    project.write(
      "app/page.js",
      `"use client";
import { useEffect } from "react";
import "../src/run.js";
const { ask } = globalThis;
export default function Page() {
  useEffect(() => { globalThis.ask = ask; }, []);
  return <p>page</p>;
}\n`,
    );
    project.write(
      "app/api/run/route.js",
      'import "../../../src/run.js";\nexport const dynamic = "force-dynamic";\nexport const GET = async () => Response.json(await globalThis.ask(2));\n',
    );
    // A page is isolated where its address says so.
    project.write(
      "next.config.mjs",
      `const headers = Object.entries(${JSON.stringify(ISOLATED)}).map(([key, value]) => ({ key, value }));
const has = [{ type: "query", key: "isolated", value: "1" }];
export default { headers: async () => [{ source: "/", has, headers }, { source: "/_next/:path*", headers }] };\n`,
    );
  });
  afterAll(() => project?.[Symbol.dispose]());

  it("builds a page and a route in silence, and both answer", async () => {
    process.env["NEXT_TELEMETRY_DISABLED"] = "1";
    const { status, output } = project.run("npx", "next", "build");
    expect([status, output]).toEqual([0, expect.not.stringMatching(COMPLAINT)]);
    await using server = await startTool(project, "next/dist/bin/next", "start");
    await expectPage(`${server.url}/`, false);
    await expectPage(`${server.url}/?isolated=1`, true);
    const answer = (await (await fetch(`${server.url}/api/run`)).json()) as Answer;
    expectAnswer(answer, true);
    console.log(`route: ${answer.threads} threads; ${answer.reasons.join("; ")}\n${server.output()}`);
  });
});
