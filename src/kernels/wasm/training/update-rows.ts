/**
 * Rows: the parameters that one call of a kernel goes over, so that all of a network's are updated in one stage. Each is
 * cut into units of `UPDATE_UNIT` elements, the last one shorter; a range counts the units of all rows, one row after
 * another. Where units lie depends on the network alone, so that what is summed unit by unit has the same bits for any
 * number of threads.
 */

import { access, type Expression, type Local, type MakeLocal, type Statement, when } from "../assembler/index.ts";
import { add, advance, atLeast, divide, floats, least, locals, loopWhile, mul, put, sub } from "../emit.ts";

/** 16 KiB of each array: a unit of four arrays stays in the second cache, and one of a small tensor is quickly over. */
export const UPDATE_UNIT = 4096;

/** The words of a row, in this order. Addresses are of float32, 4 bytes aligned; decay and rateFactor are float32. */
export const UPDATE_ROW = [
  "parameter",
  "gradient",
  /** As `slotsOf` orders them; 0 for none. */
  "slot0",
  "slot1",
  /** Of the moving average; 0 for none. */
  "average",
  "elements",
  "decay",
  "rateFactor",
] as const;

/** What stands in a row: addresses in bytes, and numbers. */
export type UpdateRow = Readonly<Record<(typeof UPDATE_ROW)[number], number>>;

export const UPDATE_ROW_BYTES = 32;

const FLOAT_WORDS: readonly string[] = ["decay", "rateFactor"];

/** Writes rows one behind the other, from byte `at` on. */
export function writeUpdateRows(memory: DataView, at: number, rows: readonly UpdateRow[]): void {
  for (const [index, row] of rows.entries()) {
    for (const [word, name] of UPDATE_ROW.entries()) {
      const address = at + UPDATE_ROW_BYTES * index + 4 * word;
      if (FLOAT_WORDS.includes(name)) memory.setFloat32(address, row[name], true);
      else memory.setInt32(address, row[name], true);
    }
  }
}

/** Units of tensors of so many elements: the end of the range of a call over them. */
export function updateUnits(elements: readonly number[]): number {
  return elements.reduce((sum, count) => sum + Math.ceil(count / UPDATE_UNIT), 0);
}

/** What a unit's code sees of its row. */
export interface UnitScope {
  /** The count of this unit among all. */
  readonly unit: Local<"i32">;
  /** Elements of this unit, at least 1. */
  readonly count: Local<"i32">;
  /** The address of the unit's first element in an array of the row. */
  start(array: "parameter" | "gradient" | "slot0" | "slot1" | "average"): Expression<"i32">;
  /** A word of the row. */
  word(name: (typeof UPDATE_ROW)[number]): Expression<"i32">;
  /** The address of a word of the row. */
  addressOf(name: (typeof UPDATE_ROW)[number]): Expression<"i32">;
}

/** Runs the body for each unit of the range. */
export function overUnits(
  scope: { readonly rows: Expression<"i32">; readonly from: Expression<"i32">; readonly to: Expression<"i32"> } & {
    readonly local: MakeLocal;
  },
  body: (unit: UnitScope) => readonly Statement[],
): readonly Statement[] {
  const { row, skip, left, units, unit, first, count } = locals(
    scope.local,
    "i32",
    "row",
    "skip",
    "left",
    "units",
    "unit",
    "first",
    "count",
  );
  const offset = (name: (typeof UPDATE_ROW)[number]) => 4 * UPDATE_ROW.indexOf(name);
  const word = (name: (typeof UPDATE_ROW)[number]) => access("i32.load", offset(name), row);
  return [
    put(row, scope.rows),
    // Units of this row that lie before the next one to run.
    put(skip, scope.from),
    put(unit, scope.from),
    put(left, sub(scope.to, scope.from)),
    loopWhile(atLeast(left, 1), [
      put(units, divide(add(word("elements"), UPDATE_UNIT - 1), UPDATE_UNIT)),
      when(
        atLeast(skip, units),
        [put(skip, sub(skip, units)), advance(row, UPDATE_ROW_BYTES)],
        [
          put(first, mul(skip, UPDATE_UNIT)),
          put(count, least(sub(word("elements"), first), UPDATE_UNIT)),
          ...body({
            unit,
            count,
            start: (array) => add(word(array), floats(first)),
            word,
            addressOf: (name) => add(row, offset(name)),
          }),
          advance(skip, 1),
          advance(unit, 1),
          advance(left, -1),
        ],
      ),
    ]),
  ];
}
