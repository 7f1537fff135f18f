/** Opcodes that put numbers, text and bytes on the stack. Source: Python's `pickletools.opcodes`. */

import {
  COST,
  corrupt,
  int32,
  latin1,
  type Machine,
  push,
  skip,
  take,
  takeLine,
  uint8,
  uint16,
  uint32,
  uint64,
  utf8,
} from "./pickle-machine.ts";
import type { PickleValue } from "./pickle-values.ts";

/** Longest whole number, in bytes or decimal digits: nothing in a file of weights is near. */
const LONGEST_INTEGER = 1000;

const literal = (read: (machine: Machine) => PickleValue) => (machine: Machine) => {
  const value = read(machine);
  push(machine, value, costOf(value));
};

function costOf(value: PickleValue): number {
  if (typeof value === "string") return COST.text + value.length / 8;
  if (typeof value === "bigint") return COST.text;
  return value instanceof Uint8Array ? COST.view : COST.value;
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
  88: literal((machine) => utf8(machine, take(machine, uint32(machine)))),
  140: literal((machine) => utf8(machine, take(machine, uint8(machine)))),
  141: literal((machine) => utf8(machine, take(machine, uint64(machine)))),
  86: literal((machine) => escapedText(machine, takeLine(machine))),
  // B BINBYTES, C SHORT_BINBYTES, \x8e BINBYTES8, \x96 BYTEARRAY8
  66: literal((machine) => take(machine, uint32(machine))),
  67: literal((machine) => take(machine, uint8(machine))),
  142: literal((machine) => take(machine, uint64(machine))),
  150: literal((machine) => take(machine, uint64(machine))),
  // T BINSTRING, U SHORT_BINSTRING, S STRING: the text of Python 2
  84: literal((machine) => oldText(take(machine, natural(machine, int32(machine))))),
  85: literal((machine) => oldText(take(machine, uint8(machine)))),
  83: literal((machine) => quotedText(machine, takeLine(machine))),
};

function natural(machine: Machine, count: number): number {
  if (count < 0) throw corrupt(machine, `claims ${count} bytes`);
  return count;
}

/** Two's complement, little-endian. */
function longInteger(machine: Machine, count: number): number | bigint {
  if (natural(machine, count) > LONGEST_INTEGER) throw corrupt(machine, `holds a whole number of ${count} bytes`);
  const bytes = take(machine, count);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return narrow(BigInt.asIntN(8 * count, value));
}

function decimalInteger(machine: Machine, mayBeBoolean: boolean): number | bigint | boolean {
  const text = takeLine(machine);
  if (mayBeBoolean && (text === "00" || text === "01")) return text === "01";
  const digits = /^\s*([+-]?)(\d+)L?\s*$/.exec(text.slice(0, LONGEST_INTEGER + 10));
  if (digits === null || text.length > LONGEST_INTEGER) throw corrupt(machine, "holds a whole number that is none");
  const value = BigInt(digits[2] ?? "0");
  return narrow(digits[1] === "-" ? -value : value);
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function decimalFloat(machine: Machine): number {
  const text = takeLine(machine).trim().toLowerCase();
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/.exec(text);
  if (special !== null) return special[2] === undefined ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
  if (text.length > 400 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(text)) {
    throw corrupt(machine, "holds a number that is none");
  }
  return Number(text);
}

/** Bytes of Python 2 may be either. */
function oldText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

/** As Python's `repr` writes it. */
function quotedText(machine: Machine, line: string): string {
  const text = line.trim();
  const quote = text[0];
  if (text.length < 2 || (quote !== '"' && quote !== "'") || text[text.length - 1] !== quote) {
    throw corrupt(machine, "holds text without quotes");
  }
  const inner = text.slice(1, -1);
  const bytes = inner.replace(/\\(?:x([\dA-Fa-f]{2})|(.))/g, (_, code: string | undefined, character: string) =>
    code === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
  );
  return oldText(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

/** Latin-1 with `\uXXXX` and `\UXXXXXXXX` for the rest. */
function escapedText(machine: Machine, text: string): string {
  return text.replace(
    /\\(?:u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8}))/g,
    (_, short: string | undefined, long: string | undefined) => {
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (!(code <= 0x10ffff)) throw corrupt(machine, "holds text with an impossible character");
      return String.fromCodePoint(code);
    },
  );
}
