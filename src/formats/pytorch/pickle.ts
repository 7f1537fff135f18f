/**
 * Python's pickles, protocols 0 to 5, restricted: they build plain data, and nothing in them is ever executed.
 *
 * A pickle is a program for a small stack machine, two of whose opcodes ask Python to import a name and to call it.
 * Here a name is looked up in a closed list (`pickle-globals.ts`), and a call becomes a record of name and arguments.
 * Values that are remembered and recalled are shared, not copied, so a pickle cannot grow beyond what it spells out.
 */

import { budgetOf, type ReadLimits } from "../../sources/decoded-budget.ts";
import { LITERALS } from "./pickle-literals.ts";
import { newMachine, pickleCorrupt, pop, take, uint8, uint64 } from "./pickle-machine.ts";
import { STRUCTURE } from "./pickle-structure.ts";
import type { PicklePersistent, PickleValue } from "./pickle-values.ts";

const PROTO = 0x80;
const STOP = 0x2e;
const FRAME = 0x95;
const NEWEST_PROTOCOL = 5;

export interface Unpickled {
  readonly value: PickleValue;
  /** Where the bytes after the pickle begin. */
  readonly end: number;
  /** References to things outside, in the order in which they were met. */
  readonly persistent: readonly PicklePersistent[];
}

export interface UnpickleOptions extends ReadLimits {
  /** Name of the file, for messages. */
  readonly file: string;
  /** Where in the bytes the pickle begins. Default 0. */
  readonly start?: number;
}

/**
 * Reads one pickle.
 *
 * The value may be nested as deeply as the pickle is long, hold one list many times, or itself: walk it without
 * recursion, and remember what was seen.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED`; `FORMAT_UNKNOWN` or `FILE_CORRUPT` naming a class or
 *         function outside the list; `FILE_TOO_LARGE` if it builds more objects than weights need
 */
export function unpickle(bytes: Uint8Array, { file, start = 0, ...limits }: UnpickleOptions): Unpickled {
  const machine = newMachine(file, bytes, start, budgetOf(limits));
  for (;;) {
    const opcode = uint8(machine);
    if (opcode === STOP) break;
    if (opcode === PROTO) {
      const protocol = uint8(machine);
      if (protocol > NEWEST_PROTOCOL) throw pickleCorrupt(machine, `is of protocol ${protocol}, which is not known`);
    } else if (opcode === FRAME) {
      // A hint for buffering: what it frames must be there, and is read as if it were not framed.
      const framed = uint64(machine);
      take(machine, framed);
      machine.at -= framed;
    } else {
      const run = LITERALS[opcode] ?? STRUCTURE[opcode];
      if (run === undefined)
        throw pickleCorrupt(machine, `has 0x${opcode.toString(16)} for an opcode, which there is not`);
      run(machine);
    }
  }
  return { value: pop(machine), end: machine.at, persistent: machine.persistent };
}
