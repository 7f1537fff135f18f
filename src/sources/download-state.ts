/** The bytes of a download so far, in memory and, where there is a disk, in a file that outlives the process. */

import { ownBytes } from "../core/buffers.ts";
import { concatenate } from "../core/parts.ts";
import type { PartialFile, PartialSource } from "./cache.ts";
import type { Opening } from "./open-file.ts";
import type { Expected } from "./options.ts";
import { START_BYTES } from "./recognise.ts";

export interface Job {
  /** For messages and progress. */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expected: Expected;
  /** Of the copy in the cache: the server need not send it again. */
  readonly etag: string | undefined;
  /** What is left of an earlier download, and where this one is written as it comes. */
  readonly partial: PartialFile | undefined;
  readonly needsDigest: boolean;
  readonly opening: Opening;
}

export interface DownloadState {
  readonly received: number;
  readonly total: number | undefined;
  /** What tells that the server still has the same file; undefined if a range of it must not be asked for. */
  readonly validator: string | undefined;
  readonly etag: string | undefined;
  /** Whether the bytes came in more than one answer. */
  readonly isPatched: boolean;
  /** The server sends the file from its first byte; what was held goes. */
  begin(answer: { validator: string | undefined; etag: string | undefined; total: number | undefined }): Promise<void>;
  /** The server sends what is missing of so many bytes. */
  goOn(all: number): void;
  /** @throws {DepthwiseError} `FILE_TOO_LARGE`, `FORMAT_UNKNOWN`; then nothing of it stays, not even in part */
  add(part: Uint8Array): Promise<void>;
  /** Looks at the first of the bytes; throws like `add`. */
  checkStart(bytes: Uint8Array): Promise<void>;
  /** Forgets everything; from now on the file is asked for whole. */
  startOver(): Promise<void>;
  giveUp(): void;
  dropPartial(): Promise<void>;
  bytes(): Uint8Array;
}

/** Takes up what an earlier process left of the same address. */
export async function downloadState(job: Job): Promise<DownloadState> {
  const { budget, settings } = job.opening;
  let parts: Uint8Array[] = [];
  let received = 0;
  let total: number | undefined;
  let validator: string | undefined;
  let etag: string | undefined;
  let isPatched = false;
  let mayResume = true;
  let partial = job.partial;
  let note: string | undefined;

  const onDisk = async (work: (file: PartialFile) => Promise<void>) => {
    try {
      if (partial !== undefined) await work(partial);
    } catch (cause) {
      settings.signal?.throwIfAborted();
      partial = undefined;
      note = `what arrives is not kept on disk: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
  };
  const forget = () => {
    budget.giveBack(received);
    parts = [];
    received = 0;
    total = undefined;
    validator = undefined;
    isPatched = false;
  };
  const hold = (part: Uint8Array) => {
    budget.take(job.name, part.length);
    parts.push(part);
    received += part.length;
  };
  const orDrop = async (work: () => void) => {
    try {
      work();
    } catch (cause) {
      await onDisk((file) => file.drop());
      throw cause;
    }
  };
  const checkStart = (bytes: Uint8Array) =>
    orDrop(() => job.opening.checkStart?.(job.name, bytes.subarray(0, START_BYTES)));

  const left = await leftOf(job);
  if (left !== undefined) {
    hold(left.bytes);
    isPatched = true;
    ({ validator, total, etag } = left.source);
  }

  return {
    get received() {
      return received;
    },
    get total() {
      return total;
    },
    get validator() {
      return validator;
    },
    get etag() {
      return etag;
    },
    get isPatched() {
      return isPatched;
    },
    async begin(answer) {
      forget();
      ({ etag, total } = answer);
      validator = mayResume ? answer.validator : undefined;
      const source = validator === undefined ? undefined : { address: job.url, validator, etag, total };
      await onDisk((file) => (source === undefined ? file.drop() : file.begin(source)));
    },
    goOn(all) {
      isPatched = true;
      total = all;
    },
    async add(part) {
      await orDrop(() => hold(part));
      if (received >= START_BYTES && received - part.length < START_BYTES)
        await checkStart(concatenate(parts, received));
      // More than was announced, so that was the length of packed bytes, in which a range would count too.
      if (total !== undefined && received > total) {
        total = undefined;
        validator = undefined;
      }
      if (validator !== undefined) await onDisk((file) => file.append(part));
      const progress = { file: job.name, received, total, fromCache: false };
      settings.onProgress?.(note === undefined ? progress : { ...progress, note });
      note = undefined;
    },
    async startOver() {
      forget();
      mayResume = false;
      await onDisk((file) => file.drop());
    },
    giveUp: forget,
    checkStart,
    dropPartial: () => onDisk((file) => file.drop()),
    bytes: () => (parts.length === 1 && parts[0] !== undefined ? ownBytes(parts[0]) : concatenate(parts, received)),
  };
}

async function leftOf(job: Job): Promise<{ bytes: Uint8Array; source: PartialSource } | undefined> {
  const { partial, url, opening } = job;
  const left = partial?.left;
  // A copy in the cache is asked about first; both at once would be a question with two answers.
  if (partial === undefined || left === undefined || left.source.address !== url || job.etag !== undefined)
    return undefined;
  opening.budget.check(job.name, Math.max(left.size, left.source.total ?? 0));
  const bytes = await left.load();
  if (bytes === undefined || bytes.length === 0) return undefined;
  // A whole one would be taken without a question.
  return bytes.length >= (left.source.total ?? Infinity) ? undefined : { bytes, source: left.source };
}
