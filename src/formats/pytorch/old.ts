/**
 * What `torch.save` wrote before PyTorch 1.6: five pickles in a row, then the storages.
 *
 *     magic number, protocol version, system, the object, keys of the storages;
 *     per key: number of elements (8 bytes, little-endian), the elements
 */

import type { DepthwiseError } from "../../core/errors.ts";
import { damaged, fileError, grouped, quoted } from "../../core/file-error.ts";
import type { ReadLimits } from "../../sources/decoded-budget.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import { unpickle } from "./pickle.ts";
import { isDict, isList, type PicklePersistent, type PickleValue } from "./pickle-values.ts";
import { type Storages, storageClaim, storageElementBytes } from "./tensor.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

export interface OldFile {
  readonly root: PickleValue;
  readonly storages: Storages;
}

/** @throws {DepthwiseError} `FORMAT_UNKNOWN` for a pickle of something else; `FILE_CORRUPT`, `FILE_TRUNCATED` */
export function readOldForm({ bytes, name }: OpenFile, limits: ReadLimits): OldFile {
  let start = 0;
  const next = () => {
    const result = unpickle(bytes, { ...limits, file: name, start });
    start = result.end;
    return result;
  };
  if (next().value !== MAGIC) throw notOurs(name, "a pickle that torch.save did not write");
  const protocol = next().value;
  if (protocol !== PROTOCOL) throw notOurs(name, `torch.save's protocol ${quoted(protocol)}`);
  const system = next().value;
  if (!isDict(system)) throw damaged(name, "the description of the system is no dict");
  const { value: root, persistent } = next();
  const keys = next().value;
  if (!isList(keys)) throw damaged(name, "the list of storages is no list");
  const found = cutStorages(bytes, start, keys, elementSizes(persistent), name);
  // Storages were written little-endian on every machine.
  return { root, storages: { bytes: (key) => found.get(key), isBigEndian: false } };
}

/** Bytes of an element by the storage's key. */
function elementSizes(persistent: readonly PicklePersistent[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const reference of persistent) {
    const claim = storageClaim(reference);
    const size = claim === undefined ? undefined : storageElementBytes(claim.type);
    if (claim !== undefined && size !== undefined) sizes.set(claim.key, size);
  }
  return sizes;
}

function cutStorages(
  bytes: Uint8Array,
  start: number,
  keys: readonly PickleValue[],
  sizes: ReadonlyMap<string, number>,
  file: string,
): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const storages = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys) {
    const name = typeof key === "string" || typeof key === "number" ? String(key) : undefined;
    const size = name === undefined ? undefined : sizes.get(name);
    if (name === undefined || size === undefined) {
      throw damaged(file, "it lists a storage of a type that is not read, or that no tensor refers to");
    }
    if (storages.has(name)) throw damaged(file, "it lists a storage twice");
    const count = at + 8 <= bytes.length ? Number(view.getBigUint64(at, true)) : Number.POSITIVE_INFINITY;
    const end = at + 8 + count * size;
    if (!(end <= bytes.length)) {
      const what = `storage ${storages.size + 1} of ${keys.length} goes beyond the end of the file`;
      throw damaged(file, what, { code: "FILE_TRUNCATED", fields: { offset: at } });
    }
    storages.set(name, bytes.subarray(at + 8, end));
    at = end;
  }
  if (at !== bytes.length) {
    throw damaged(file, `${grouped(bytes.length - at)} bytes follow the last storage`);
  }
  return storages;
}

function notOurs(file: string, found: string): DepthwiseError {
  const advice = "Load it in Python and save model.state_dict() with torch.save.";
  return fileError("FORMAT_UNKNOWN", file, "", advice, { expected: "a file that torch.save wrote", found });
}
