/** Headless Chromium for tests, and the server of the examples that its pages come from. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { describe, it } from "vitest";

export const root = resolve(import.meta.dirname, "../..");

/** Debian's package, which `.ci/run` installs; or Chrome. */
export const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a browser with a profile of its own, empty and gone afterwards. Only where there is one. */
export function launch(): Promise<Browser> {
  return chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), headless: true, args: FLAGS });
}

/** `describe` that needs Chromium: where there is none it says so, and in CI it fails. */
export function describeInChromium(name: string, body: () => void): void {
  describeWhere({ title: "Chromium", package: "chromium", path: executablePath }, name, body);
}

/** A browser that tests may need; `path` is undefined where there is none. */
export interface Needed {
  readonly title: string;
  /** Debian's. */
  readonly package: string;
  readonly path: string | undefined;
}

/** `describe` that needs a browser: where there is none it says so, and in CI it fails. */
export function describeWhere(needed: Needed, name: string, body: () => void): void {
  const missing = `${name}: could not run, there is no ${needed.title} here (apt-get install ${needed.package})`;
  if (needed.path === undefined && !process.env["CI"]) console.warn(missing);
  describe(name, () => {
    if (needed.path !== undefined) return body();
    it(`needs ${needed.title}`, (context) => {
      if (process.env["CI"]) throw new Error(missing);
      context.skip(missing);
    });
  });
}

export interface ServerOptions {
  readonly isolated?: boolean;
  readonly noWasm?: boolean;
  /** Folders or files from elsewhere, by their path on the server. */
  readonly mounts?: Readonly<Record<string, string>>;
}

const servers = new Set<ChildProcess>();

/** Ends all servers; for `afterAll`. */
export function stopServers(): void {
  for (const server of servers) server.kill();
  servers.clear();
}

/** Starts the examples' server and gives its address. */
export async function serve({ isolated = false, noWasm = false, mounts = {} }: ServerOptions): Promise<string> {
  const flags = [
    ...(isolated ? ["--isolated"] : []),
    ...(noWasm ? ["--no-wasm"] : []),
    ...Object.entries(mounts).flatMap(([path, target]) => ["--mount", `${path}=${target}`]),
  ];
  const server = spawn(process.execPath, [resolve(root, "examples/browser/serve.mjs"), "--port", "0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  servers.add(server);
  const [address] = (await once(server.stdout, "data")) as [Buffer];
  return address.toString().trim();
}

/** What a page did that nobody should see: errors that it did not catch, and what it complained of. */
export function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    const isIcon = message.location().url.endsWith("/favicon.ico");
    if (["error", "warning"].includes(message.type()) && !isIcon) complaints.push(message.text());
  });
  return complaints;
}
