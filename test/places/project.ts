/** Empty projects that have the packed package and one tool, and nothing else near. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** Where the package is packed: `packed.ts` does it once a run. */
export function packedTarball(): string {
  const path = process.env["DEPTHWISE_TARBALL"];
  if (path === undefined) throw new Error("Nothing is packed: run `npm run places`.");
  return path;
}

export interface Project {
  readonly path: string;
  /** Runs a command there; what it wrote on both streams, without colours. */
  run(...command: readonly string[]): { readonly status: number | null; readonly output: string };
  write(file: string, content: string): void;
  [Symbol.dispose](): void;
}

/** Tests of this project say nothing to the tool that is tried. */
export function placeEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1", CI: "1" };
  for (const key of Object.keys(env)) {
    if (/^(VITEST|npm_|NODE_OPTIONS|NODE_ENV|FORCE_COLOR|TEST$)/.test(key)) delete env[key];
  }
  return env;
}

export function emptyProject(name: string, packages: readonly string[], manifest: object = {}): Project {
  const path = mkdtempSync(join(tmpdir(), `depthwise-place-${name}-`));
  const project: Project = {
    path,
    run(command = "", ...args) {
      const { status, stdout, stderr } = spawnSync(command, args, {
        cwd: path,
        encoding: "utf8",
        timeout: 240_000,
        env: placeEnvironment(),
      });
      return { status, output: stripVTControlCharacters(`${stdout}${stderr}`) };
    },
    write(file, content) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), content);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
  project.write("package.json", JSON.stringify({ name: "place", private: true, type: "module", ...manifest }));
  const { status, output } = project.run("npm", "install", "--no-audit", "--no-fund", packedTarball(), ...packages);
  if (status !== 0) throw new Error(`npm install: ${output}`);
  cpSync(join(import.meta.dirname, "entries"), join(path, "src"), { recursive: true });
  return project;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
};

/** A folder on loopback; isolated pages have shared memory. */
export async function serveFolder(folder: string, isolated: boolean) {
  const headers = isolated
    ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
    : {};
  const requested = new Set<string>();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    try {
      const bytes = await readFile(join(folder, path));
      requested.add(path.slice(1));
      response.writeHead(200, { ...headers, "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
      response.end(bytes);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    /** Files that were asked for and are there. */
    requested,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
