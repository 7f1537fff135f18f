/** A file that is written under a name of its own, hashed on the way, and gets its name when it is whole. */

import { orUnwritable } from "../weights/write-file.ts";
import type { OutputFile } from "./part.ts";

/** What has been written and has no name yet. */
export interface Staged extends OutputFile {
  /** Where it lies until then. */
  readonly temporary: string;
}

/** Bytes that are gathered before the disk is asked. */
const GATHERED = 1 << 18;

/** What the disk refuses is told as `FILE_UNREADABLE`, with the name that the file was to have. */
export class StagedFile {
  readonly #file: string;
  /** With its directory. */
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: import("node:fs/promises").FileHandle;
  readonly #hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #bytes = 0;

  private constructor(file: string, path: string, temporary: string, handle: import("node:fs/promises").FileHandle) {
    this.#file = file;
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @param temporary where it lies until it has its name `file`, in the same directory */
  static async open(directory: string, file: string, temporary: string): Promise<StagedFile> {
    const { join } = process.getBuiltinModule("node:path");
    const [path, place] = [join(directory, file), join(directory, temporary)];
    const { open } = process.getBuiltinModule("node:fs/promises");
    return new StagedFile(file, path, place, await orUnwritable(path, "the file", undefined, () => open(place, "wx")));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= GATHERED) await this.#flush();
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes += this.#waitingBytes;
    this.#waitingBytes = 0;
    for (const bytes of waiting) this.#hash.update(bytes);
    const whole = Buffer.concat(waiting);
    await this.#orUnwritable(async () => {
      for (let at = 0; at < whole.length; ) at += (await this.#handle.write(whole, at)).bytesWritten;
    });
  }

  /** All of it is on the disk. */
  async finish(): Promise<Staged> {
    await this.#flush();
    await this.#orUnwritable(async () => {
      await this.#handle.datasync();
      await this.#handle.close();
    });
    return { file: this.#file, temporary: this.#temporary, bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  #orUnwritable(work: () => Promise<void>): Promise<void> {
    return orUnwritable(this.#path, "the file", undefined, work);
  }

  /** Nothing is left. May be called after `finish`. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await process
      .getBuiltinModule("node:fs/promises")
      .rm(this.#temporary, { force: true })
      .catch(() => undefined);
  }
}
