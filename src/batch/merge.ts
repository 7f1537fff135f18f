/** All parts of a run as one file. */

import { DepthwiseError, isDepthwiseError, listed } from "../core/errors.ts";
import { optionError } from "../core/options.ts";
import { ownPart } from "../core/own-part.ts";
import { orUnwritable } from "../weights/write-file.ts";
import { removeLeftOvers } from "./left-overs.ts";
import type { OutputFile, PartFormat } from "./part.ts";
import { npyHeader, npyHeaderBytes, temporaryName } from "./rows.ts";
import { sourceFault } from "./source-fault.ts";
import { type Staged, StagedFile } from "./staged-file.ts";
import { batchStatus } from "./status.ts";

/** Bytes that are read at once. */
const CHUNK = 1 << 18;

/**
 * Joins the parts of a directory, in order, and compares each with its statistics on the way.
 *
 * @param target of `jsonl` the file, of `npy` the matrix, beside which `.jsonl` of the same name has the lines, of
 *               `parquet` a file whose name ends so
 * @returns the files that were written, whole or not at all
 * @throws {DepthwiseError} `FILE_NOT_FOUND` if parts are missing; `OPTION_INVALID` if the target's name is of another
 *         format; `FILE_CORRUPT` if a part is not what its statistics say; `FILE_UNREADABLE` if the target cannot be
 *         written; `signal.reason`
 */
export async function mergeParts(out: string, target: string, signal?: AbortSignal): Promise<readonly OutputFile[]> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { basename, dirname, join } = process.getBuiltinModule("node:path");
  const { run, parts, missing, damaged } = await batchStatus(out, signal);
  if (missing.length + damaged.length > 0) {
    const what = [
      ...(missing.length === 0 ? [] : [`shards without a part: ${listed(missing.map(String))}`]),
      ...(damaged.length === 0 ? [] : [`damaged parts: ${listed(damaged.map(String))}`]),
    ];
    throw new DepthwiseError("FILE_NOT_FOUND", {
      what: `${out}: ${what.join("; ")}`,
      advice: "Run them, then join: the same command as before.",
      fields: { missing, damaged },
    });
  }
  checkEnding(target, run.options.format);
  const directory = dirname(target);
  const token = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
  const isMatrix = run.options.format === "npy";
  const lines = isMatrix ? `${basename(target).replace(/\.npy$/, "")}.jsonl` : basename(target);
  const staged: Staged[] = [];
  try {
    if (run.options.format === "parquet") {
      const outputs = outputsOf(".parquet");
      const table = await tableOf(out, outputs, signal);
      staged.push(await joined(out, outputs, [directory, basename(target), token], table, signal));
    } else staged.push(await joined(out, outputsOf(".jsonl"), [directory, lines, token], {}, signal));
    if (isMatrix) {
      const outputs = outputsOf(".npy");
      const [first] = outputs;
      const features = first === undefined ? 0 : await featuresIn(join(out, first.file));
      const header = npyHeader([run.input.count, features]);
      const given = { header, ranges: outputs.map(({ bytes }) => ({ from: npyHeaderBytes, to: bytes })) };
      staged.push(await joined(out, outputs, [directory, basename(target), token], given, signal));
    }
    await orUnwritable(target, "the file", signal, async () => {
      for (const { temporary, file } of staged) await files.rename(temporary, join(directory, file));
    });
  } finally {
    for (const { temporary } of staged) await files.rm(temporary, { force: true });
  }
  // What killed ones left: of this target alone, since the directory is anybody's.
  const unnamed = staged.map(({ file }) => `.${file}.`);
  const isOurs = (name: string) => unnamed.some((start) => name.startsWith(start)) && name.endsWith(".tmp");
  await removeLeftOvers(directory, target, isOurs);
  return staged.map(({ file, bytes, sha256 }) => ({ file, bytes, sha256 }));

  function outputsOf(ending: string): readonly OutputFile[] {
    return parts.flatMap(({ output }) => output.filter(({ file }) => file.endsWith(ending)));
  }
}

/** Formats whose files are told by their names. */
const NAMED: readonly string[] = ["npy", "parquet"] satisfies readonly PartFormat[];

function checkEnding(target: string, format: PartFormat): void {
  const found = NAMED.find((name) => target.endsWith(`.${name}`));
  const wanted = NAMED.find((name) => name === format);
  if (found === wanted) return;
  const expected =
    wanted === undefined ? `a name that does not end with .${found}` : `a name that ends with .${wanted}`;
  throw optionError("batch", "merge", `${expected}, as the parts are ${format}`, target);
}

interface Joining {
  readonly header?: Uint8Array;
  /** Bytes of each part that are taken. Default all. */
  readonly ranges?: readonly { readonly from: number; readonly to: number }[];
  readonly trailer?: Uint8Array;
}

/** What is taken of tables, and what stands around it. */
async function tableOf(out: string, outputs: readonly OutputFile[], signal: AbortSignal | undefined): Promise<Joining> {
  const { join } = process.getBuiltinModule("node:path");
  const { joinedTable } = await ownPart("what joins tables of runs", () => import("./parquet-merge.ts"));
  const paths = outputs.map(({ file }) => join(out, file));
  try {
    return await joinedTable(paths, signal);
  } catch (error) {
    const path = isDepthwiseError(error) ? error.fields["path"] : undefined;
    if (typeof path === "string") throw damagedPart(path, error);
    throw error;
  }
}

async function joined(
  out: string,
  outputs: readonly OutputFile[],
  [directory, name, token]: readonly [string, string, string],
  { header, ranges, trailer }: Joining,
  signal: AbortSignal | undefined,
): Promise<Staged> {
  const files = process.getBuiltinModule("node:fs/promises");
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { join } = process.getBuiltinModule("node:path");
  const whole = await StagedFile.open(directory, name, temporaryName(name, token));
  try {
    if (header !== undefined) await whole.write(header);
    for (const [place, { file, bytes, sha256 }] of outputs.entries()) {
      const { from, to } = ranges?.[place] ?? { from: 0, to: bytes };
      const hash = createHash("sha256");
      const path = join(out, file);
      const unreadable = (cause: unknown) => Promise.reject(partFault(path, cause));
      const part = await files.open(path, "r").catch(unreadable);
      try {
        for (let at = 0; ; ) {
          signal?.throwIfAborted();
          const { bytesRead, buffer } = await part.read(new Uint8Array(CHUNK), 0, CHUNK, at).catch(unreadable);
          if (bytesRead === 0) break;
          const chunk = buffer.subarray(0, bytesRead);
          hash.update(chunk);
          await whole.write(chunk.subarray(clamped(from - at, bytesRead), clamped(to - at, bytesRead)));
          at += bytesRead;
        }
      } finally {
        await part.close();
      }
      if (hash.digest("hex") !== sha256) throw damagedPart(path);
    }
    if (trailer !== undefined) await whole.write(trailer);
    return await whole.finish();
  } catch (error) {
    await whole.abandon();
    throw error;
  }
}

function clamped(place: number, most: number): number {
  return Math.min(Math.max(place, 0), most);
}

function partFault(path: string, cause: unknown): DepthwiseError {
  return sourceFault(path, "the part", "Run the shard again, or give yourself the right to read it.", cause);
}

function damagedPart(path: string, cause?: unknown): DepthwiseError {
  return new DepthwiseError("FILE_CORRUPT", {
    what: `${path}: it is not what its statistics say`,
    advice: "Remove its .stats.json, and run the shard again.",
    fields: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Numbers of a row, by the header of a .npy file of ours. */
async function featuresIn(path: string): Promise<number> {
  const unreadable = (cause: unknown) => Promise.reject(partFault(path, cause));
  const file = await process.getBuiltinModule("node:fs/promises").open(path, "r").catch(unreadable);
  try {
    const { buffer } = await file.read(new Uint8Array(npyHeaderBytes), 0, npyHeaderBytes, 0).catch(unreadable);
    const [, features] = /'shape': \(\d+, (\d+)\)/.exec(new TextDecoder("latin1").decode(buffer)) ?? [];
    if (features === undefined) throw damagedPart(path);
    return Number(features);
  } finally {
    await file.close();
  }
}
