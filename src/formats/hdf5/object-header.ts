/**
 * Object headers: the messages that say what a group or data set is, in blocks that continue elsewhere.
 *
 * Source: HDF5 File Format Specification, IV.A.1, versions 1 and 2.
 */

import { damaged } from "../../core/file-error.ts";
import { HDF5_COST, MOST_PARTS, type Reader, type Source, unsupported } from "./source.ts";

/** Types of messages that are read. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

export interface HeaderMessage {
  readonly type: number;
  /** Whether its content stands elsewhere, with other objects' (a named type, say). */
  readonly isShared: boolean;
  readonly at: number;
  readonly length: number;
}

/** @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED` */
export function readMessages(source: Source, address: number): readonly HeaderMessage[] {
  const version = source.range(address, 1, "an object header").u8();
  return version === 1 ? oldMessages(source, address) : newMessages(source, address);
}

/** The first message of a type, opened. */
export function messageOf(
  source: Source,
  messages: readonly HeaderMessage[],
  type: number,
  what: string,
): Reader | undefined {
  const message = messages.find((candidate) => candidate.type === type);
  if (message === undefined) return undefined;
  if (message.isShared) throw unsupported(source.name, `${what} that is shared between objects`);
  return source.range(message.at, message.length, what);
}

function oldMessages(source: Source, address: number): readonly HeaderMessage[] {
  const prefix = source.range(address, 16, "an object header");
  prefix.skip(2);
  const count = prefix.u16();
  prefix.skip(4);
  const messages: HeaderMessage[] = [];
  let kept = 0;
  const blocks = [{ at: address + 16, length: prefix.u32() }];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const reader = source.range(block.at, block.length, "an object header");
    while (messages.length < count && reader.left >= 8) {
      const type = reader.u16();
      const length = reader.u16();
      const flags = reader.u8();
      reader.skip(3);
      const message = { type, isShared: (flags & 2) !== 0, at: reader.at, length };
      reader.skip(length);
      messages.push(message);
      if (type === MESSAGE.continuation) blocks.push(continuation(source, message));
    }
    source.keep(messages.length - kept, HDF5_COST.message, "an object header");
    kept = messages.length;
  }
  return messages;
}

function newMessages(source: Source, address: number): readonly HeaderMessage[] {
  const prefix = source.range(address, 6, "an object header");
  prefix.signature("OHDR");
  const version = prefix.u8();
  if (version !== 2) throw damaged(source.name, `an object header of version ${version}`);
  const flags = prefix.u8();
  const sizeBytes = 1 << (flags & 3);
  // Times of access and change; how many attributes stand in the header before they move out.
  const start = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const orderBytes = flags & 4 ? 2 : 0;
  const messages: HeaderMessage[] = [];
  const first = source.range(start, sizeBytes, "an object header").uint(sizeBytes);
  const blocks = [{ at: start + sizeBytes, length: first }];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const reader = source.range(block.at, block.length, "an object header");
    while (reader.left >= 4 + orderBytes) {
      const type = reader.u8();
      const length = reader.u16();
      const messageFlags = reader.u8();
      reader.skip(orderBytes);
      const message = { type, isShared: (messageFlags & 2) !== 0, at: reader.at, length };
      reader.skip(length);
      messages.push(message);
      source.keep(1, HDF5_COST.message, "an object header");
      if (messages.length > MOST_PARTS) throw damaged(source.name, "an object header that does not end");
      if (type !== MESSAGE.continuation) continue;
      const next = continuation(source, message);
      source.range(next.at, 4, "a continued object header").signature("OCHK");
      // Four bytes of signature before the messages, four of a checksum behind them.
      blocks.push({ at: next.at + 4, length: next.length - 8 });
    }
  }
  return messages;
}

function continuation(source: Source, { at, length }: HeaderMessage): { readonly at: number; readonly length: number } {
  const reader = source.range(at, length, "the continuation of an object header");
  const next = reader.offset();
  if (next === undefined) throw damaged(source.name, "an object header continues nowhere");
  return { at: next, length: reader.length() };
}
