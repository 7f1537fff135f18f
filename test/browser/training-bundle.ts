/** The page that trains, bundled by esbuild with its worker and the worker of threads, and served. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { root, type ServerOptions, serve, stopServers } from "./chromium.ts";

export interface TrainingPages {
  /** Where the files lie. */
  readonly folder: string;
  readonly files: readonly string[];
  /** What the bundle asks others for: nothing, it is hoped. */
  readonly outside: readonly string[];
  /** The page's address on a server of its own. */
  serve(options: ServerOptions): Promise<string>;
  close(): void;
}

export async function bundleTraining(): Promise<TrainingPages> {
  const folder = mkdtempSync(join(tmpdir(), "depthwise-training-page-"));
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      page: resolve(import.meta.dirname, "training-page.ts"),
      "training-worker": resolve(import.meta.dirname, "training-worker.ts"),
      worker: "depthwise/worker",
    },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: folder,
    logLevel: "error",
    metafile: true,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="page.js"></script>');
  return {
    folder,
    files: readdirSync(folder),
    outside: imports.filter(({ external }) => external).map(({ path }) => path),
    serve: async (options) => `${await serve({ ...options, mounts: { "/training": folder } })}/training/index.html`,
    close() {
      stopServers();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
