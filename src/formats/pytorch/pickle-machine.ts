/** The machine that a pickle is a program for: bytes with a place in them, a stack with marks, and a memo. */

import type { DepthwiseError, ErrorCode } from "../../core/errors.ts";
import { damaged, fileError, grouped } from "../../core/file-error.ts";
import { latin1 } from "../../core/latin1.ts";
import type { DecodedBudget } from "../../sources/decoded-budget.ts";
import type { PicklePersistent, PickleValue } from "./pickle-values.ts";

export interface Machine {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Place of the next byte. */
  at: number;
  readonly stack: PickleValue[];
  /** Lengths of the stack when a mark was set. */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  readonly persistent: PicklePersistent[];
  readonly budget: DecodedBudget;
  /** What may still be built, in `COST`s, whatever the budget. */
  left: number;
}

/**
 * What a thing costs in memory, in units of about 16 bytes. An opcode of one byte makes a dict of hundreds: without a
 * bound, a small file would fill the memory.
 */
export const PICKLE_COST = { value: 1, text: 4, view: 10, entry: 4, memo: 4, container: 16 } as const;
/** With what the collector has not collected yet. */
const UNIT_BYTES = 24;

/** Sixteen million, about 256 MB: a network of a hundred layers needs some ten thousand. */
const MOST_UNITS = 2 ** 24;

export function newMachine(file: string, bytes: Uint8Array, at: number, budget: DecodedBudget): Machine {
  return {
    file,
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at,
    stack: [],
    marks: [],
    memo: new Map(),
    persistent: [],
    budget,
    left: MOST_UNITS,
  };
}

export function pickleCorrupt(machine: Machine, what: string, code?: ErrorCode): DepthwiseError {
  const place = `the pickle ${what}, near byte ${grouped(machine.at)}`;
  return damaged(machine.file, place, { code, fields: { offset: machine.at } });
}

/** @throws {DepthwiseError} `FILE_TOO_LARGE` */
export function spend(machine: Machine, units: number): void {
  machine.left -= units;
  machine.budget.chargeObjects(machine.file, UNIT_BYTES * units, "the objects that the pickle builds");
  if (machine.left >= 0) return;
  const what = "the pickle builds more objects than any file of weights needs";
  throw fileError("FILE_TOO_LARGE", machine.file, what, "Save the tensors alone (model.state_dict()).", {
    fields: { offset: machine.at },
  });
}

export function push(machine: Machine, value: PickleValue, units: number = PICKLE_COST.value): void {
  spend(machine, units);
  machine.stack.push(value);
}

/** The topmost value above the last mark. */
export function pop(machine: Machine): PickleValue {
  const { stack, marks } = machine;
  if (stack.length <= (marks[marks.length - 1] ?? 0)) throw pickleCorrupt(machine, "takes a value from an empty stack");
  return stack.pop() as PickleValue;
}

export function peek(machine: Machine): PickleValue {
  const value = pop(machine);
  machine.stack.push(value);
  return value;
}

/** All values above the last mark, and the mark. */
export function popToMark(machine: Machine): PickleValue[] {
  const mark = machine.marks.pop();
  if (mark === undefined) throw pickleCorrupt(machine, "looks for a mark that was never set");
  return machine.stack.splice(mark);
}

/** The next bytes, a view. */
export function take(machine: Machine, count: number): Uint8Array {
  const start = machine.at;
  if (!(count <= machine.bytes.length - start)) {
    throw pickleCorrupt(machine, `needs ${grouped(count)} more bytes than are there`, "FILE_TRUNCATED");
  }
  machine.at += count;
  return machine.bytes.subarray(start, machine.at);
}

/** The place of a number of `count` bytes, which is passed. */
export function skip(machine: Machine, count: number): number {
  take(machine, count);
  return machine.at - count;
}

export const uint8 = (machine: Machine): number => machine.view.getUint8(skip(machine, 1));
export const uint16 = (machine: Machine): number => machine.view.getUint16(skip(machine, 2), true);
export const int32 = (machine: Machine): number => machine.view.getInt32(skip(machine, 4), true);
export const uint32 = (machine: Machine): number => machine.view.getUint32(skip(machine, 4), true);
/** A length: one above 2^53 is more than there is, rounded or not. */
export const uint64 = (machine: Machine): number => Number(machine.view.getBigUint64(skip(machine, 8), true));

/** The bytes up to the next line break, which is passed: a view. */
export function takeRow(machine: Machine): Uint8Array {
  const end = machine.bytes.indexOf(0x0a, machine.at);
  if (end === -1) throw pickleCorrupt(machine, "breaks off within a line of text", "FILE_TRUNCATED");
  const row = take(machine, end - machine.at);
  machine.at++;
  return row;
}

/** Longest name, identifier or number that stands on a line: nothing in a file of weights is near. */
const LONGEST_LINE = 1000;

/** The short text up to the next line break. @param what the pickle does if it is longer than any that makes sense */
export function takeLine(machine: Machine, what: string): string {
  const row = takeRow(machine);
  if (row.length > LONGEST_LINE) throw pickleCorrupt(machine, what);
  return latin1(row);
}
