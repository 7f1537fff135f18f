/** Archives, written by hand: what the package that reads headers would write by itself is only some of what there is. */

import { FileWindow } from "../../src/batch/file-window.ts";
import { type TarEntry, tarEntries } from "../../src/batch/tar-entries.ts";

export interface TarPiece {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** Of the header, where it is not that of the content. */
  readonly size?: number | Uint8Array;
  /** Default "0", a plain file. */
  readonly type?: string;
  /** Default `ustar`. */
  readonly format?: "ustar" | "gnu" | "v7";
  readonly prefix?: string;
  readonly linkTo?: string;
  /** Changes the header before it is summed up. */
  readonly change?: (header: Buffer) => void;
}

const MAGIC = { ustar: "ustar\x0000", gnu: "ustar  \0", v7: "" };

/** A header and what follows it, filled up to whole blocks. */
export function tarPiece(piece: TarPiece): Buffer {
  const content = Buffer.from(piece.content ?? "");
  return Buffer.concat([tarHeader(piece, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export function tarHeader(
  { name, size, type = "0", format = "ustar", prefix = "", linkTo = "", change }: TarPiece,
  bytes: number,
): Buffer {
  const header = Buffer.alloc(512);
  header.write(name.slice(0, 100), 0, "latin1");
  header.write("0000644\0", 100);
  header.write("0001750\0", 108);
  header.write("0001750\0", 116);
  if (size instanceof Uint8Array) header.set(size, 124);
  else header.write(`${(size ?? bytes).toString(8).padStart(11, "0")}\0`, 124);
  header.write("14000000000\0", 136);
  header.write(type, 156, "latin1");
  header.write(linkTo, 157);
  header.write(MAGIC[format], 257, "latin1");
  header.write(prefix, 345);
  change?.(header);
  return summedUp(header);
}

/** With the sum that makes a header one. */
export function summedUp(header: Buffer): Buffer {
  header.fill(" ", 148, 156);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** As GNU tar says names of more than 100 bytes. */
export const longName = (name: string): Buffer =>
  tarPiece({ name: "././@LongLink", type: "L", format: "gnu", content: `${name}\0` });

/** Records of pax, about the next entry. */
export const paxRecords = (records: Readonly<Record<string, string | number>>, type = "x"): Buffer =>
  tarPiece({ name: "PaxHeaders/x", type, content: Object.entries(records).map(paxRecord).join("") });

function paxRecord([key, value]: [string, string | number]): string {
  const bytes = Buffer.byteLength(` ${key}=${value}\n`);
  let length = bytes + 1;
  while (bytes + String(length).length !== length) length = bytes + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** A number as 12 bytes in base 256. */
export function base256(value: number): Uint8Array {
  const bytes = new Uint8Array(12);
  let rest = value;
  for (let i = 11; i > 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[0] = 0x80;
  return bytes;
}

export const END = Buffer.alloc(1024);

/** An archive of pieces, with its end. */
export const tarOf = (...pieces: readonly (Buffer | TarPiece)[]): Buffer =>
  Buffer.concat([...pieces.map((piece) => (Buffer.isBuffer(piece) ? piece : tarPiece(piece))), END]);

/** The entries of an archive in memory. `onRead` sees what is read of it. */
export async function entriesOf(
  bytes: Uint8Array,
  onRead: (from: number, to: number) => void = () => undefined,
): Promise<readonly TarEntry[]> {
  const file = {
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      const piece = bytes.subarray(position, position + length);
      buffer.set(piece, offset);
      onRead(position, position + piece.length);
      return { bytesRead: piece.length };
    },
  };
  const entries: TarEntry[] = [];
  const archive = { name: "photos.tar", size: bytes.length, window: new FileWindow(file) };
  for await (const entry of tarEntries(archive)) entries.push(entry);
  return entries;
}

/** Names and contents of an archive's plain files. */
export const contentsOf = async (bytes: Uint8Array): Promise<readonly (readonly [string, string])[]> =>
  (await entriesOf(bytes)).map(({ path, offset, size }) => [
    path,
    Buffer.from(bytes.subarray(offset, offset + size)).toString(),
  ]);
