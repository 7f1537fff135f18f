/** Opcodes that put numbers, text and bytes on the stack. Source: Python's `pickletools.opcodes`. */

import { latin1 } from "../../core/latin1.ts";
import {
  int32,
  type Machine,
  PICKLE_COST,
  pickleCorrupt,
  push,
  skip,
  spend,
  take,
  takeLine,
  takeRow,
  uint8,
  uint16,
  uint32,
  uint64,
} from "./pickle-machine.ts";
import type { PickleValue } from "./pickle-values.ts";

/** Longest whole number, in bytes: nothing in a file of weights is near. */
const LONGEST_INTEGER = 1000;

const literal = (read: (machine: Machine) => PickleValue) => (machine: Machine) => {
  const value = read(machine);
  push(machine, value, costOf(value));
};

/** Its bytes are charged before they become text. */
const text = (bytesOf: (machine: Machine) => Uint8Array, decode: (machine: Machine, bytes: Uint8Array) => string) => {
  return (machine: Machine) => {
    const bytes = bytesOf(machine);
    spend(machine, PICKLE_COST.text + bytes.length / 8);
    machine.stack.push(decode(machine, bytes));
  };
};

function costOf(value: PickleValue): number {
  if (typeof value === "bigint") return PICKLE_COST.text;
  return value instanceof Uint8Array ? PICKLE_COST.view : PICKLE_COST.value;
}

export const LITERALS: Readonly<Record<number, (machine: Machine) => void>> = {
  // N None, \x88 NEWTRUE, \x89 NEWFALSE
  78: literal(() => null),
  136: literal(() => true),
  137: literal(() => false),
  // J BININT, K BININT1, M BININT2, \x8a LONG1, \x8b LONG4, I INT, L LONG
  74: literal(int32),
  75: literal(uint8),
  77: literal(uint16),
  138: literal((machine) => longInteger(machine, uint8(machine))),
  139: literal((machine) => longInteger(machine, int32(machine))),
  73: literal((machine) => decimalInteger(machine, true)),
  76: literal((machine) => decimalInteger(machine, false)),
  // G BINFLOAT, F FLOAT
  71: literal((machine) => machine.view.getFloat64(skip(machine, 8), false)),
  70: literal(decimalFloat),
  // X BINUNICODE, \x8c SHORT_BINUNICODE, \x8d BINUNICODE8, V UNICODE
  88: text((machine) => take(machine, uint32(machine)), utf8),
  140: text((machine) => take(machine, uint8(machine)), utf8),
  141: text((machine) => take(machine, uint64(machine)), utf8),
  86: text(takeRow, escapedText),
  // B BINBYTES, C SHORT_BINBYTES, \x8e BINBYTES8, \x96 BYTEARRAY8
  66: literal((machine) => take(machine, uint32(machine))),
  67: literal((machine) => take(machine, uint8(machine))),
  142: literal((machine) => take(machine, uint64(machine))),
  150: literal((machine) => take(machine, uint64(machine))),
  // T BINSTRING, U SHORT_BINSTRING, S STRING: the text of Python 2
  84: text((machine) => take(machine, natural(machine, int32(machine))), oldText),
  85: text((machine) => take(machine, uint8(machine)), oldText),
  83: text(takeRow, quotedText),
};

function natural(machine: Machine, count: number): number {
  if (count < 0) throw pickleCorrupt(machine, `claims ${count} bytes`);
  return count;
}

/** Two's complement, little-endian. */
function longInteger(machine: Machine, count: number): number | bigint {
  if (natural(machine, count) > LONGEST_INTEGER) throw pickleCorrupt(machine, `holds a whole number of ${count} bytes`);
  const bytes = take(machine, count);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return narrow(BigInt.asIntN(8 * count, value));
}

function decimalInteger(machine: Machine, mayBeBoolean: boolean): number | bigint | boolean {
  const misfit = "holds a whole number that is none";
  const line = takeLine(machine, misfit);
  if (mayBeBoolean && (line === "00" || line === "01")) return line === "01";
  const digits = /^\s*([+-]?)(\d+)L?\s*$/.exec(line);
  if (digits === null) throw pickleCorrupt(machine, misfit);
  const value = BigInt(digits[2] ?? "0");
  return narrow(digits[1] === "-" ? -value : value);
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function decimalFloat(machine: Machine): number {
  const misfit = "holds a number that is none";
  const line = takeLine(machine, misfit).trim().toLowerCase();
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/.exec(line);
  if (special !== null) return special[2] === undefined ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
  if (line.length > 400 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(line)) throw pickleCorrupt(machine, misfit);
  return Number(line);
}

function utf8(machine: Machine, bytes: Uint8Array): string {
  const text = ifUtf8(bytes);
  if (text === undefined) throw pickleCorrupt(machine, "holds text that is not UTF-8");
  return text;
}

/** Bytes of Python 2 may be either. */
function oldText(_: Machine, bytes: Uint8Array): string {
  return ifUtf8(bytes) ?? latin1(bytes);
}

function ifUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

/** As Python's `repr` writes it. */
function quotedText(machine: Machine, row: Uint8Array): string {
  let [start, end] = [0, row.length];
  while (isSpace(row[start])) start++;
  while (isSpace(row[end - 1])) end--;
  const quote = row[start];
  if (end - start < 2 || (quote !== 0x22 && quote !== 0x27) || row[end - 1] !== quote) {
    throw pickleCorrupt(machine, "holds text without quotes");
  }
  const inner = row.subarray(start + 1, end - 1);
  const bytes = new Uint8Array(inner.length);
  let count = 0;
  for (let i = 0; i < inner.length; i++) {
    let byte = inner[i] ?? 0;
    if (byte === BACKSLASH && i + 1 < inner.length) {
      const code = inner[++i] === 0x78 ? hexadecimal(inner, i + 1, 2) : undefined;
      if (code !== undefined) i += 2;
      byte = code ?? escaped(inner[i] ?? 0);
    }
    bytes[count++] = byte;
  }
  return oldText(machine, bytes.subarray(0, count));
}

const isSpace = (byte: number | undefined) => byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
const escaped = (byte: number) => ESCAPES[String.fromCharCode(byte)]?.charCodeAt(0) ?? byte;

/** Latin-1 with `\uXXXX` and `\UXXXXXXXX` for the rest. */
function escapedText(machine: Machine, row: Uint8Array): string {
  const units = new Uint16Array(row.length);
  let count = 0;
  for (let i = 0; i < row.length; i++) {
    const digits = row[i] !== BACKSLASH ? 0 : row[i + 1] === 0x75 ? 4 : row[i + 1] === 0x55 ? 8 : 0;
    const code = digits === 0 ? undefined : hexadecimal(row, i + 2, digits);
    if (code === undefined) {
      units[count++] = row[i] ?? 0;
      continue;
    }
    if (code > 0x10ffff) throw pickleCorrupt(machine, "holds text with an impossible character");
    i += 1 + digits;
    if (code > 0xffff) units[count++] = 0xd7c0 + (code >> 10);
    units[count++] = code > 0xffff ? 0xdc00 + (code & 0x3ff) : code;
  }
  return latin1(units.subarray(0, count));
}

/** The number that so many digits stand for; `undefined` if they are not all digits. */
function hexadecimal(bytes: Uint8Array, at: number, count: number): number | undefined {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const byte = bytes[i] ?? 0;
    const letter = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) value = 16 * value + byte - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) value = 16 * value + letter - 0x57;
    else return undefined;
  }
  return value;
}
