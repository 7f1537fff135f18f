/**
 * CIFAR-10 in its binary format: records of 3,073 bytes, a label of 0 to 9, then 32 × 32 bytes of red, of green and of
 * blue, each rows first. `npm run data:cifar10` writes such files.
 *
 * Source: Alex Krizhevsky, "The CIFAR-10 and CIFAR-100 datasets", binary version.
 */

import { Breath } from "../../core/breath.ts";
import { type ByteSource, readBytes, sourceName } from "../../core/bytes.ts";
import { damaged, fileError, grouped } from "../../core/file-error.ts";
import { allocated } from "../../core/memory.ts";
import { checkKnownOptions, optionError, signalOption } from "../../core/options.ts";
import { type Dataset, datasetOf } from "./dataset.ts";
import { isImageFile } from "./example.ts";
import { isGzip } from "./gunzip.ts";

/** What the labels 0 to 9 are, as the set's `batches.meta.txt` has it. */
export const CIFAR10_CLASSES: readonly string[] = [
  ...["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
];

const SIDE = 32;
const PLANE = SIDE * SIDE;
/** A label, then the bytes of each colour. */
export const RECORD_BYTES = 1 + 3 * PLANE;

/** How the files are read. */
export interface Cifar10Options {
  /** Ends it; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param files such as `data_batch_1.bin` to `data_batch_5.bin`, or `test_batch.bin` alone: paths, URLs, Blobs or bytes
 * @throws {DepthwiseError} `FORMAT_UNKNOWN`, `FILE_TRUNCATED`, `FILE_CORRUPT` for what are no such records; `FILE_EMPTY`,
 *         and what reading a file throws; `OPTION_INVALID`
 */
export async function cifar10(
  files: ByteSource | readonly ByteSource[],
  options: Cifar10Options = {},
): Promise<Dataset> {
  checkKnownOptions("cifar10", options, ["signal"]);
  const signal = signalOption("cifar10", options.signal);
  const sources: readonly ByteSource[] = Array.isArray(files) ? [...files] : [files];
  const wrong = sources.findIndex((source) => !isImageFile(source));
  if (wrong >= 0 || sources.length === 0) {
    throw optionError("cifar10", "files", "paths, URLs, Blobs or bytes of binary batches", files);
  }
  const batches: Uint8Array[] = [];
  for (const source of sources) {
    // Six batches of 10,000 records are the whole set.
    const bytes = await readBytes(source, { maxBytes: 2 ** 30, signal });
    checkRecords(sourceName(source), bytes);
    batches.push(bytes);
  }
  const count = batches.reduce((sum, { length }) => sum + length / RECORD_BYTES, 0);
  const data = new Int32Array(count);
  const size = 3 * PLANE * count;
  const pixels = allocated("cifar10: its pictures", size, "Pass fewer files.", () => new Uint8Array(size));
  await interleave(batches, data, pixels, signal);
  return datasetOf({
    classes: CIFAR10_CLASSES,
    labels: { type: "indices", data },
    imageAt: (index) => ({
      width: SIDE,
      height: SIDE,
      channels: 3,
      data: pixels.subarray(3 * PLANE * index, 3 * PLANE * (index + 1)),
    }),
  });
}

function checkRecords(name: string, bytes: Uint8Array): void {
  if (bytes.length === 0) throw fileError("FILE_EMPTY", name, "the file holds no bytes", "Fetch it again.");
  const expected = `records of ${grouped(RECORD_BYTES)} bytes: CIFAR-10's binary format`;
  if (isGzip(bytes)) {
    throw fileError("FORMAT_UNKNOWN", name, "", "Unpack it, and pass its .bin files.", {
      expected,
      found: "a packed file",
    });
  }
  if (bytes.length % RECORD_BYTES !== 0) {
    const whole = Math.floor(bytes.length / RECORD_BYTES);
    throw damaged(name, "", {
      code: "FILE_TRUNCATED",
      expected,
      found: `${grouped(bytes.length)} bytes, ${grouped(whole)} records and ${grouped(bytes.length % RECORD_BYTES)} bytes`,
      advice: "Pass the binary version, not the Python or MATLAB one, and not CIFAR-100; or fetch it again.",
      fields: { bytes: bytes.length },
    });
  }
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const label = bytes[at] ?? 0;
    if (label < CIFAR10_CLASSES.length) continue;
    throw damaged(name, `the label of record ${grouped(at / RECORD_BYTES)}`, { expected: "0 to 9", found: `${label}` });
  }
}

/** Planes to pixels: the rest of the library has the channels beside each other. */
async function interleave(
  batches: readonly Uint8Array[],
  labels: Int32Array,
  pixels: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const breath = new Breath(performance.now());
  let record = 0;
  for (const bytes of batches) {
    for (let from = 0; from < bytes.length; from += RECORD_BYTES, record++) {
      if (breath.isDue) await breath.take();
      signal?.throwIfAborted();
      labels[record] = bytes[from] ?? 0;
      let to = 3 * PLANE * record;
      for (let pixel = from + 1; pixel <= from + PLANE; pixel++) {
        pixels[to++] = bytes[pixel] ?? 0;
        pixels[to++] = bytes[pixel + PLANE] ?? 0;
        pixels[to++] = bytes[pixel + 2 * PLANE] ?? 0;
      }
    }
  }
}
