/**
 * Pictures within archives, read where they lie. An archive is opened when the first of its pictures is read, and once:
 * opening it for each took three times as long as reading.
 */

import { damaged, grouped, quoted } from "../core/file-error.ts";
import type { FileShape } from "../core/platform-types.ts";
import type { Stored } from "./item.ts";
import { archiveFault } from "./list-tar.ts";

interface OpenArchive {
  readonly file: import("node:fs/promises").FileHandle;
  readonly bytes: number;
}

export class OpenArchives {
  readonly #opened = new Map<string, Promise<OpenArchive>>();

  /**
   * A picture as a file, whose bytes are read when they are asked for.
   *
   * @throws {DepthwiseError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`; `FILE_TRUNCATED` if the archive ends before the picture does
   */
  async picture({ archive, path, offset, size }: Stored): Promise<FileShape> {
    let opened = this.#opened.get(archive);
    if (opened === undefined) {
      opened = openArchive(archive);
      this.#opened.set(archive, opened);
    }
    const { file, bytes } = await opened;
    if (size > bytes - offset) {
      throw damaged(archive, quoted(path), {
        code: "FILE_TRUNCATED",
        expected: `bytes ${grouped(offset)} to ${grouped(offset + size)}`,
        found: `an archive that ends at ${grouped(bytes)}`,
        advice: "Put back the archive that was listed, or pass another directory: --out.",
        fields: { offset, size: bytes },
      });
    }
    return storedFile(`${archive}: ${path}`, file, offset, size);
  }

  /** Waits for what is being read. */
  async close(): Promise<void> {
    for (const opened of this.#opened.values()) await opened.then(({ file }) => file.close()).catch(() => undefined);
  }
}

async function openArchive(path: string): Promise<OpenArchive> {
  try {
    const file = await process.getBuiltinModule("node:fs/promises").open(path, "r");
    return { file, bytes: (await file.stat()).size };
  } catch (cause) {
    throw archiveFault(path, cause);
  }
}

/** By shape: a `File` of the platform holds its bytes twice, and takes longer to give them than the disk. */
function storedFile(name: string, file: OpenArchive["file"], offset: number, size: number): FileShape {
  return {
    ...{ name, size, type: "", lastModified: 0, [Symbol.toStringTag]: "File" },
    slice: (from = 0, to = size) => storedFile(name, file, offset + from, to - from),
    async arrayBuffer() {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; ) {
        const { bytesRead } = await file.read(bytes, at, size - at, offset + at);
        if (bytesRead === 0) throw new Error(`the archive ends after ${at} of ${size} bytes`);
        at += bytesRead;
      }
      return bytes.buffer;
    },
  };
}
