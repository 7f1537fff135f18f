/**
 * @slow: it takes a minute.
 *
 * Pages that lack something, in Chromium and Firefox: each ends in the next backend with its reason or in a typed error,
 * and no worker is left.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Act, type MisbehavingServer, startServer, status } from "../fixtures/misbehaving-server.ts";
import { describeInBrowsers, type TestBrowser, type TestPage } from "./browsers.ts";
import { root } from "./chromium.ts";
import type { Outcome } from "./faults-page.ts";
import { networkFiles } from "./readers-networks.ts";

const folder = mkdtempSync(join(tmpdir(), "depthwise-faults-"));
const page = resolve(import.meta.dirname, "faults-page.ts");
const bundled = { absWorkingDir: root, bundle: true, target: "es2022", logLevel: "error" } as const;

const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cache-control": "no-store",
};

/** The page's first script: counts workers as they are made and ended. */
const COUNT = `
window.counted = { made: 0, ended: 0 };
window.Worker = class extends Worker {
  constructor(...given) { super(...given); window.counted.made++; }
  terminate() { if (!this.isEnded) window.counted.ended++; this.isEnded = true; super.terminate(); }
};`;

interface Fault {
  /** In the page's first script. */
  readonly before?: string;
  readonly policy?: string;
  /** What a file of the bundle answers instead, by how its name begins. */
  readonly instead?: Readonly<Record<string, Act>>;
}

const send =
  (type: string, body: string | Uint8Array, headers: Record<string, string> = {}): Act =>
  (_request, response) =>
    void response.writeHead(200, { ...ISOLATED, "content-type": type, ...headers }).end(body);

const HTML = "<!doctype html><title>Sign in</title><p>Please sign in.";

let server: MisbehavingServer;
let files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
let expected: readonly number[];
let places = 0;

beforeAll(async () => {
  server = await startServer();
  const esm: BuildOptions = { ...bundled, format: "esm", splitting: true, outdir: "/bundle", write: false };
  const { outputFiles } = await build({ ...esm, entryPoints: { page, worker: "depthwise/worker" } });
  files = (outputFiles ?? []).map(({ path, contents }) => ({ name: basename(path), bytes: contents }));
  const networks = await networkFiles();
  for (const format of ["safetensors", "TFLite"]) {
    const found = networks.find((network) => network.format === format)?.files[0];
    if (found === undefined) throw new Error(`There is no ${format}.`);
    const bytes = new Uint8Array(await found.arrayBuffer());
    server.on(`/${format}`, send("application/octet-stream", bytes));
  }
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts the bundle into a folder of the server, with the fault, and gives the page's address. */
function place({ before = "", policy, instead = {} }: Fault): string {
  const at = `/place${++places}`;
  for (const { name, bytes } of files) server.on(`${at}/${name}`, send("text/javascript", bytes));
  for (const [start, act] of Object.entries(instead)) {
    const named = files.filter(({ name }) => name.startsWith(start));
    if (named.length === 0) throw new Error(`The bundle has no ${start}.`);
    for (const { name } of named) server.on(`${at}/${name}`, act);
  }
  server.on(`${at}/before.js`, send("text/javascript", COUNT + before));
  const html = '<!doctype html><script src="before.js"></script><script type="module" src="page.js"></script>';
  const headers: Record<string, string> = policy === undefined ? {} : { "content-security-policy": policy };
  return server.on(`${at}/`, send("text/html", html, headers));
}

describeInBrowsers("a page", (kind) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await kind.launch();
    expected = (await opened(place({}), ({ ask }) => ask((given) => window.tryRun(given), {}))).logits ?? [];
    expect(new Set(expected).size).toBe(5);
  });
  afterAll(() => browser?.close());

  async function opened<Answer>(address: string, look: (page: TestPage) => Promise<Answer>): Promise<Answer> {
    const shown = await browser.open(address, "tryRun");
    try {
      const answer = await look(shown);
      // It takes a browser some time to end one.
      await vi.waitFor(() => expect(shown.workers()).toBe(0), { timeout: 60_000 });
      return answer;
    } finally {
      await shown.close();
    }
  }
  const run = (fault: Fault, threads = 2): Promise<Outcome> =>
    opened(place(fault), ({ ask }) => ask((given) => window.tryRun(given), { threads }));
  const load = (fault: Fault, format: string, asFile: boolean): Promise<Outcome> =>
    opened(place(fault), ({ ask }) => ask((given) => window.tryLoad(given), { url: `/${format}`, asFile }));
  const close = (logits: readonly number[] | undefined) => {
    expect(logits).toHaveLength(expected.length);
    for (const [i, value] of (logits ?? []).entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
  };

  it("that lacks nothing runs two threads, and ends its worker", async () => {
    const { logits, ...rest } = await run({});
    expect(rest).toMatchObject({ backend: "wasm", threads: 2, reasons: "", workers: 1, left: 0 });
    expect(logits).toEqual(expected);
  });

  describe("runs one thread, and says why,", () => {
    const self = "default-src 'self' 'wasm-unsafe-eval'";
    const cases: Readonly<Record<string, readonly [Fault, RegExp]>> = {
      "where a policy allows no worker": [{ policy: `${self}; worker-src 'none'` }, /a worker cannot be started: /],
      "where there is no Worker": [{ before: "delete window.Worker;" }, /there are no workers here/],
      "where there is no SharedArrayBuffer": [
        { before: "delete window.SharedArrayBuffer;" },
        /one thread: no shared memory here/,
      ],
      "where the worker's script is not there": [
        { instead: { worker: status(404, ISOLATED) } },
        /its script could not be loaded: it is not there/,
      ],
      "where a page comes for the worker's script": [
        { instead: { worker: send("text/html", HTML) } },
        /a worker cannot be started: /,
      ],
      "where a page comes for it that is called a script": [
        { instead: { worker: send("text/javascript", HTML) } },
        /a worker cannot be started: /,
      ],
      "where another script bears its name": [
        { instead: { worker: send("text/javascript", "onmessage = () => {};") } },
        /its script says nothing for 5 seconds: it may be another one/,
      ],
    };
    it.each(Object.entries(cases))("%s", async (_, [fault, reason]) => {
      const { logits, ...rest } = await run(fault);
      expect(rest).toMatchObject({ backend: "wasm", threads: 1, left: 0, reasons: expect.stringMatching(reason) });
      expect(logits).toEqual(expected);
    });
  });

  describe("runs plain JavaScript, and says why,", () => {
    const cases: Readonly<Record<string, readonly [Fault, RegExp]>> = {
      "where a policy refuses WebAssembly": [{ policy: "default-src 'self'" }, /^plain instead of wasm: .*refuses/],
      "where there is no WebAssembly": [
        { before: "delete window.WebAssembly;" },
        /^plain instead of wasm: there is no WebAssembly here/,
      ],
    };
    it.each(Object.entries(cases))("%s", async (_, [fault, reason]) => {
      const { logits, ...rest } = await run(fault);
      const reasons = expect.stringMatching(reason);
      expect(rest).toMatchObject({ backend: "plain", threads: 1, workers: 0, reasons });
      close(logits);
    });
  });

  it("where wasm and the plain backend are both missing says which part of the library is not there", async () => {
    const instead = { "plain-backend": status(404, ISOLATED) };
    expect(await run({ policy: "default-src 'self'", instead })).toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/^a part of depthwise could not be loaded: the plain backend\. In a browser load/),
    });
  });

  it.each<[string, Act]>([
    ["answers 404", status(404, ISOLATED)],
    ["is a page", send("text/html", HTML)],
    ["is a page that is called a script", send("text/javascript", HTML)],
    ["is empty", send("text/javascript", "")],
    [
      "breaks off",
      (request, response) => void response.writeHead(200, { "content-length": 9 }).end("a", () => request.socket.end()),
    ],
  ])("whose lazy part %s says which, and that the page should be loaded again", async (_, act) => {
    const outcome = await load({ instead: { "formats-tflite-read": act } }, "TFLite", true);
    expect(outcome).toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/^a part of depthwise could not be loaded: the reader of TFLite flatbuffer\. /),
    });
    // What needs no reader is not harmed.
    expect(await load({ instead: { "formats-tflite-read": act } }, "safetensors", true)).toMatchObject({
      parameters: expect.any(Number),
    });
  });

  const refuse = `throw new DOMException("refused", "SecurityError");`;
  const none = "it could not be kept in the cache: there is none here, or its use is refused (a private window?)";
  it.each<[string, string, string]>([
    [
      "refuses to be looked at",
      `for (const name of ["caches", "indexedDB"]) Object.defineProperty(window, name, { get() { ${refuse} } });`,
      none,
    ],
    [
      "refuses when asked",
      `CacheStorage.prototype.open = () => { ${refuse} }; IDBFactory.prototype.open = () => { ${refuse} };`,
      none,
    ],
    [
      "opens, and refuses to keep",
      `Cache.prototype.put = async () => { ${refuse} };`,
      "it could not be kept in the cache: refused",
    ],
    ["is not there", "delete window.caches; delete window.indexedDB;", none],
    ["is half there", "delete window.caches;", ""],
  ])("whose storage %s loads what is at an address all the same, and says why it is not kept", async (_, ...given) => {
    const [before, reasons] = given;
    const outcome = await load({ before }, "safetensors", false);
    expect(outcome).toMatchObject({ parameters: expect.any(Number), reasons });
  });
});

describeInBrowsers("a page from a disk", (kind) => {
  it.each(["classic", "module"] as const)("with a %s script runs one thread, and says why", async (type) => {
    const format = type === "classic" ? "iife" : "esm";
    const silent = { "empty-import-meta": "silent" } as const;
    const options: BuildOptions = { ...bundled, logOverride: silent, format, write: false };
    const { outputFiles } = await build({ ...options, entryPoints: [page] });
    const text = outputFiles?.[0]?.text.replaceAll("</script", "<\\/script") ?? "";
    // A browser loads no module from a disk by its address, but runs what stands in the page.
    const tag = type === "classic" ? "<script>" : '<script type="module">';
    const file = join(folder, `${kind.title}-${type}.html`);
    writeFileSync(file, `<!doctype html><script>${COUNT}</script>${tag}${text}</script>`);
    const browser = await kind.launch();
    try {
      const shown = await browser.open(pathToFileURL(file).href, "tryRun");
      const ran = await shown.ask((given) => window.tryRun(given), { threads: 2 });
      expect(ran).toMatchObject({
        backend: "wasm",
        threads: 1,
        left: 0,
        reasons: expect.stringMatching(/^one thread: no shared memory here/),
      });
      const loaded = await shown.ask((given) => window.tryLoad(given), { url: "model.safetensors" });
      const message = expect.stringMatching(/model\.safetensors: it cannot be reached .* A page .* from a disk/);
      expect(loaded).toMatchObject({ code: "FILE_UNREADABLE", message });
    } finally {
      await browser.close();
    }
  });
});
