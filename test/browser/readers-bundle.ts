/** `readers-page.ts` as a page's author would bundle it, served by a server that tells what was asked for. */

import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Act, type MisbehavingServer, startServer } from "../fixtures/misbehaving-server.ts";
import { root, watch } from "./chromium.ts";

/** Packages that readers hold what they use of. */
export const PEERS = ["@bufbuild/protobuf", "fflate", "flatbuffers"] as const;

/** No inline script, no eval and no WebAssembly, no blob: worker, no string where a script's address is wanted. */
export const STRICT_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

export interface Bundle {
  readonly files: readonly BundleFile[];
}

export interface BundleFile {
  /** On the server. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly gzipBytes: number;
  /** The reader that begins here, and packages that are inside. */
  readonly holds: readonly string[];
}

/** @param external packages that are left out, as if nobody had installed them */
export async function bundle(external: readonly string[] = []): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { page: "test/browser/readers-page.ts" },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: "/bundle",
    write: false,
    metafile: true,
    external: [...external],
    logLevel: "error",
  });
  const outputs = Object.entries(metafile.outputs);
  const files = outputFiles.map(({ path, contents }): BundleFile => {
    const output = outputs.find(([name]) => basename(name) === basename(path))?.[1];
    return {
      path: `/${basename(path)}`,
      bytes: contents,
      gzipBytes: gzipSync(contents, { level: 9 }).length,
      holds: contentsOf(output),
    };
  });
  return { files };
}

/** Entries of dist by their names, others' packages by theirs; chunks that entries share have neither. */
function contentsOf(output: Metafile["outputs"][string] | undefined): readonly string[] {
  const [, reader] = /dist\/esm\/readers\/(.+)\.js$/.exec(output?.entryPoint ?? "") ?? [];
  const packages = Object.keys(output?.inputs ?? {}).flatMap((input) => {
    return /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [];
  });
  return [...new Set([...(reader === undefined ? [] : [reader]), ...packages])];
}

const HTML = `<!doctype html><script type="module" src="page.js"></script>
${["model", "other", "pictures"].map((id) => `<input type="file" multiple id="${id}">`).join("")}`;

/** The bundle's server; `policy` is sent with the page. */
export async function serveBundle({ files }: Bundle, policy?: string): Promise<MisbehavingServer> {
  const server = await startServer();
  const send = (type: string, bytes: Uint8Array | string, headers: Record<string, string> = {}): Act => {
    // Not kept, so that each page asks for all that it needs.
    const all = { "content-type": type, "cache-control": "no-store", ...headers };
    return (_request, response) => response.writeHead(200, all).end(bytes);
  };
  server.on("/", send("text/html", HTML, policy === undefined ? {} : { "content-security-policy": policy }));
  for (const { path, bytes } of files) server.on(path, send("text/javascript", bytes));
  return server;
}

export interface ReadersPage {
  readonly page: Page;
  /** What the page complained of. */
  readonly complaints: readonly string[];
}

export async function openPage(from: Browser | BrowserContext, server: MisbehavingServer): Promise<ReadersPage> {
  const page = await from.newPage();
  const complaints = watch(page);
  await page.goto(server.url);
  await page.waitForFunction(() => "load" in window);
  return { page, complaints };
}

/** The files of the bundle among the requests from one on. */
export function fetched({ files }: Bundle, { asked }: MisbehavingServer, from: number): readonly BundleFile[] {
  const paths = new Set(asked.slice(from).map(({ path }) => path));
  return files.filter(({ path }) => paths.has(path));
}
