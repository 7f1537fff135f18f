/** Matrices in NumPy's format, read row by row. */

import { DepthwiseError } from "../core/errors.ts";
import type { MatrixFile } from "./matrix.ts";

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];

/** NumPy writes a few hundred bytes; ours are 128. */
const LONGEST_HEADER = 65_536;

/**
 * Opens a matrix of float32, rows first.
 *
 * @throws {DepthwiseError} `FORMAT_UNKNOWN` for another type or order, `FILE_CORRUPT`, `FILE_TRUNCATED`; errors of the system
 */
export async function openNpy(path: string): Promise<MatrixFile> {
  const file = await process.getBuiltinModule("node:fs/promises").open(path, "r");
  try {
    const start = new Uint8Array(12);
    const { bytesRead } = await file.read(start, 0, 12, 0);
    if (bytesRead < 12 || MAGIC.some((byte, place) => start[place] !== byte)) throw refuse(path, "it is no .npy file");
    const view = new DataView(start.buffer);
    const [before, length] = start[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
    if (length > LONGEST_HEADER) throw refuse(path, "its header is too long");
    const header = new Uint8Array(length);
    await file.read(header, 0, length, before);
    const text = new TextDecoder("latin1").decode(header);
    const [, rows, features] = /'shape': \((\d+), (\d+)\)/.exec(text) ?? [];
    if (
      rows === undefined ||
      features === undefined ||
      !/'descr': '<f4'/.test(text) ||
      !/'fortran_order': False/.test(text)
    ) {
      throw new DepthwiseError("FORMAT_UNKNOWN", {
        what: path,
        expected: "a matrix of little-endian float32, rows first",
        found: text.trim(),
        advice: "Write it so: numpy.save(path, matrix.astype('<f4')).",
      });
    }
    const shape = [Number(rows), Number(features)] as const;
    const from = before + length;
    const { size } = await file.stat();
    const wanted = from + 4 * shape[0] * shape[1];
    if (size !== wanted) {
      throw new DepthwiseError("FILE_TRUNCATED", {
        what: path,
        expected: `${wanted} bytes, by its shape`,
        found: `${size}`,
        advice: "Write it again.",
      });
    }
    return {
      shape,
      async read(row, into) {
        for (let at = 0; at < into.length; ) {
          const place = from + 4 * row * shape[1] + at;
          const read = (await file.read(into, at, into.length - at, place)).bytesRead;
          if (read === 0) throw refuse(path, "it has become shorter");
          at += read;
        }
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function refuse(path: string, reason: string): DepthwiseError {
  return new DepthwiseError("FILE_CORRUPT", {
    what: `${path}: ${reason}`,
    advice: "Write it again.",
    fields: { path },
  });
}
