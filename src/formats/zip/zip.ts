/** Zip archives: entries listed by what they claim, unpacked one by one when asked for. Inflated by fflate. */

import { damaged, grouped, quoted, tooLarge } from "../../core/file-error.ts";
import { ownPart } from "../../core/own-part.ts";
import { budgetOf, type ReadLimits } from "../../sources/decoded-budget.ts";
import { crc32 } from "./crc32.ts";
import { readZipDirectory, type ZipRecord } from "./directory.ts";

export interface ZipEntry {
  readonly name: string;
  /** Bytes it claims to unpack to. */
  readonly size: number;
  /**
   * Unpacks it; what is stored as it is comes back as a view of the archive.
   *
   * @throws {DepthwiseError} `FILE_TOO_LARGE`; `FILE_CORRUPT` if it does not unpack to as many bytes as it claims, or to others
   */
  read(): Uint8Array;
}

type Inflate = (packed: Uint8Array, options: { readonly out: Uint8Array }) => Uint8Array;

const STORED = 0;
const DEFLATED = 8;
/** What an entry takes in memory: a record, a view of its bytes, a name that is looked for. */
const ENTRY_COST = 700;

/** No deflated byte stands for more: 258 bytes take at least two bits. */
const LARGEST_RATIO = 1032;

/**
 * The entries of a zip archive, which may stand at the end of another file.
 *
 * fflate is asked for only if an entry is deflated: PyTorch stores all of its own.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`; `FILE_TOO_LARGE` if the entries claim more than `maxBytes` together, before
 *         anything is unpacked
 */
export async function openZip(
  bytes: Uint8Array,
  name: string,
  limits: ReadLimits,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const corrupt = (what: string, cause?: unknown) => damaged(name, what, { cause });
  const budget = budgetOf(limits);
  const records = readZipDirectory(bytes, corrupt, (count) =>
    budget.chargeObjects(name, ENTRY_COST * count, "the directory of the zip archive"),
  );
  const total = records.reduce((sum, { size }) => sum + size, 0);
  const { maxBytes } = limits;
  if (!(total <= maxBytes)) throw tooLarge(name, "what the zip archive claims to unpack to", total, maxBytes);
  const inflate = records.some(({ method }) => method === DEFLATED) ? await loadInflate() : undefined;
  const allow = (entry: string, size: number) => budget.charge(name, size, `entry ${quoted(entry)} unpacked`);
  return new Map(
    records.map((record) => {
      const { name: entry, size } = record;
      return [entry, { name: entry, size, read: () => unpack(record, inflate, corrupt, allow) }];
    }),
  );
}

async function loadInflate(): Promise<Inflate> {
  const { inflateSync } = await ownPart("the reader of compressed data", () => import("./inflate.ts"));
  return inflateSync;
}

function unpack(
  record: ZipRecord,
  inflate: Inflate | undefined,
  corrupt: (what: string, cause?: unknown) => Error,
  allow: (entry: string, size: number) => void,
) {
  const { name, method, isEncrypted, crc, size, packed } = record;
  const entry = `entry ${quoted(name)}`;
  if (isEncrypted) throw corrupt(`${entry} is encrypted`);
  const wrongSize = () => corrupt(`${entry} does not unpack to the ${grouped(size)} bytes it claims`);
  if (method === STORED) {
    if (packed.length !== size) throw wrongSize();
    // PyTorch can be told to leave checksums out.
    if (crc !== 0 && crc32(packed) !== crc) throw corrupt(`${entry} does not have the checksum it claims`);
    return packed;
  }
  if (method !== DEFLATED || inflate === undefined)
    throw corrupt(`${entry} is packed by method ${method}, not deflate`);
  if (size > packed.length * LARGEST_RATIO) throw wrongSize();
  allow(name, size);
  const content = inflated(inflate, packed, size, (cause) => corrupt(`${entry} cannot be unpacked`, cause));
  if (content.length !== size) throw wrongSize();
  if (crc32(content) !== crc) throw corrupt(`${entry} does not have the checksum it claims`);
  return content;
}

function inflated(inflate: Inflate, packed: Uint8Array, size: number, failed: (cause: unknown) => Error): Uint8Array {
  try {
    // One byte of room more than claimed shows that there is more.
    return inflate(packed, { out: new Uint8Array(size + 1) });
  } catch (cause) {
    throw failed(cause);
  }
}
