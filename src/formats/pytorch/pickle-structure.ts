/** Opcodes that build lists and dicts, remember values, and ask for names. Source: Python's `pickletools.opcodes`. */

import { findGlobal, globalKind } from "./pickle-globals.ts";
import {
  type Machine,
  PICKLE_COST,
  peek,
  pickleCorrupt,
  pop,
  popToMark,
  push,
  spend,
  takeLine,
  uint8,
  uint16,
  uint32,
} from "./pickle-machine.ts";
import { isDict, isList, isTyped, type PickleList, type PickleMap, type PickleValue } from "./pickle-values.ts";

export const STRUCTURE: Readonly<Record<number, (machine: Machine) => void>> = {
  // ( MARK, 0 POP, 1 POP_MARK, 2 DUP
  40: (machine) => {
    spend(machine, PICKLE_COST.value);
    machine.marks.push(machine.stack.length);
  },
  48: popValueOrMark,
  49: popToMark,
  50: (machine) => push(machine, peek(machine)),
  // ) EMPTY_TUPLE, t TUPLE, \x85 to \x87 TUPLE1 to 3, ] EMPTY_LIST, l LIST, \x8f EMPTY_SET, \x91 FROZENSET
  41: emptyList,
  116: listOfMarked,
  133: (machine) => listOf(machine, 1),
  134: (machine) => listOf(machine, 2),
  135: (machine) => listOf(machine, 3),
  93: emptyList,
  108: listOfMarked,
  143: emptyList,
  145: listOfMarked,
  // a APPEND, e APPENDS, \x90 ADDITEMS
  97: (machine) => append(machine, [pop(machine)]),
  101: (machine) => append(machine, popToMark(machine)),
  144: (machine) => append(machine, popToMark(machine)),
  // } EMPTY_DICT, d DICT, s SETITEM, u SETITEMS
  125: (machine) => push(machine, new Map(), PICKLE_COST.container),
  100: (machine) => {
    const items = popToMark(machine);
    push(machine, new Map(), PICKLE_COST.container);
    setItems(machine, items);
  },
  115: (machine) => {
    const value = pop(machine);
    setItems(machine, [pop(machine), value]);
  },
  117: (machine) => setItems(machine, popToMark(machine)),
  // p PUT, q BINPUT, r LONG_BINPUT, \x94 MEMOIZE, g GET, h BINGET, j LONG_BINGET
  112: (machine) => remember(machine, decimalIndex(machine)),
  113: (machine) => remember(machine, uint8(machine)),
  114: (machine) => remember(machine, uint32(machine)),
  148: (machine) => remember(machine, machine.memo.size),
  103: (machine) => recall(machine, decimalIndex(machine)),
  104: (machine) => recall(machine, uint8(machine)),
  106: (machine) => recall(machine, uint32(machine)),
  // c GLOBAL, \x93 STACK_GLOBAL
  99: (machine) => pushGlobal(machine, takeName(machine), takeName(machine)),
  147: (machine) => {
    const name = pop(machine);
    const module = pop(machine);
    if (typeof name !== "string" || typeof module !== "string")
      throw pickleCorrupt(machine, "asks for a name that is no text");
    pushGlobal(machine, module, name);
  },
  // R REDUCE, \x81 NEWOBJ, \x92 NEWOBJ_EX, o OBJ, i INST
  82: (machine) => {
    const args = pop(machine);
    call(machine, pop(machine), args);
  },
  129: (machine) => {
    const args = pop(machine);
    call(machine, pop(machine), args);
  },
  146: (machine) => {
    const named = pop(machine);
    const args = pop(machine);
    call(machine, pop(machine), [args, named]);
  },
  111: (machine) => {
    const [callee, ...args] = popToMark(machine);
    call(machine, callee, args);
  },
  105: (machine) => {
    pushGlobal(machine, takeName(machine), takeName(machine));
    const callee = pop(machine);
    call(machine, callee, popToMark(machine));
  },
  // b BUILD
  98: build,
  // P PERSID, Q BINPERSID
  80: (machine) => refer(machine, takeLine(machine, "refers to what has too long a name")),
  81: (machine) => refer(machine, pop(machine)),
  // \x82 to \x84 EXT1 to 4; \x97 NEXT_BUFFER, \x98 READONLY_BUFFER
  130: (machine) => extension(machine, uint8(machine)),
  131: (machine) => extension(machine, uint16(machine)),
  132: (machine) => extension(machine, uint32(machine)),
  151: outOfBand,
  152: outOfBand,
};

function popValueOrMark(machine: Machine): void {
  const { stack, marks } = machine;
  if (marks.length > 0 && stack.length === marks[marks.length - 1]) marks.pop();
  else pop(machine);
}

function emptyList(machine: Machine): void {
  push(machine, [], PICKLE_COST.container);
}

function listOfMarked(machine: Machine): void {
  const items = popToMark(machine);
  push(machine, items, PICKLE_COST.container + items.length);
}

function listOf(machine: Machine, count: number): void {
  const items: PickleValue[] = [];
  for (let i = 0; i < count; i++) items.unshift(pop(machine));
  push(machine, items, PICKLE_COST.container);
}

function append(machine: Machine, items: readonly PickleValue[]): void {
  const list = peek(machine);
  if (!isList(list)) throw pickleCorrupt(machine, "appends to what is no list");
  spend(machine, items.length * PICKLE_COST.value);
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const map = peek(machine);
  if (!isDict(map)) throw pickleCorrupt(machine, "sets an entry of what is no dict");
  if (items.length % 2 !== 0) throw pickleCorrupt(machine, "sets an entry without a value");
  spend(machine, (items.length / 2) * PICKLE_COST.entry);
  for (let i = 0; i < items.length; i += 2) map.set(items[i] ?? null, items[i + 1] ?? null);
}

function decimalIndex(machine: Machine): number {
  const misfit = "remembers a value under no number";
  const text = takeLine(machine, misfit);
  if (!/^\d{1,10}$/.test(text)) throw pickleCorrupt(machine, misfit);
  return Number(text);
}

function remember(machine: Machine, index: number): void {
  spend(machine, PICKLE_COST.memo);
  machine.memo.set(index, peek(machine));
}

function recall(machine: Machine, index: number): void {
  const value = machine.memo.get(index);
  if (value === undefined) throw pickleCorrupt(machine, `recalls value ${index}, which it never remembered`);
  push(machine, value);
}

function takeName(machine: Machine): string {
  return takeLine(machine, "asks for something whose name is too long");
}

function pushGlobal(machine: Machine, module: string, name: string): void {
  push(machine, { type: "global", name: findGlobal(module, name, machine.file) }, PICKLE_COST.container);
}

function call(machine: Machine, callee: PickleValue | undefined, args: PickleValue): void {
  if (!isTyped(callee, "global")) throw pickleCorrupt(machine, "calls what is no name of a function or class");
  if (!isList(args)) throw pickleCorrupt(machine, `calls ${callee.name} with what is no list of arguments`);
  push(machine, answer(machine, callee.name, args), PICKLE_COST.container);
}

/** What stands for the result of the call. */
function answer(machine: Machine, name: string, args: PickleList): PickleValue {
  switch (globalKind(name)) {
    case "map":
      return mapOf(machine, args);
    case "list":
      return listFrom(machine, name, args);
    case "bytes":
      return bytesFrom(machine, name, args);
    default:
      return { type: "object", of: name, args, state: undefined };
  }
}

/** `OrderedDict(pairs)`, `defaultdict(factory, pairs)`, `Counter(dict)`. */
function mapOf(machine: Machine, args: PickleList): PickleMap {
  const source = args.find((argument) => isDict(argument) || isList(argument));
  const pairs: readonly PickleValue[] = isDict(source) ? [...source] : isList(source) ? source : [];
  // One list may be asked to be copied again and again: a copy costs what it holds.
  spend(machine, pairs.length * PICKLE_COST.entry);
  const map: PickleMap = new Map();
  for (const pair of pairs) {
    if (!isList(pair) || pair.length !== 2) throw pickleCorrupt(machine, "builds a dict from what are no pairs");
    const [key = null, value = null] = pair;
    map.set(key, value);
  }
  return map;
}

function listFrom(machine: Machine, name: string, args: PickleList): PickleList {
  const [source = []] = args;
  if (!isList(source)) throw pickleCorrupt(machine, `calls ${name} with what is no list`);
  spend(machine, source.length * PICKLE_COST.value);
  return source.slice();
}

/** `bytes` as protocols before 3 write them: text of characters below 256, and the name of an encoding. */
function bytesFrom(machine: Machine, name: string, args: PickleList): Uint8Array {
  const [source = ""] = args;
  if (source instanceof Uint8Array) return source;
  if (typeof source !== "string") throw pickleCorrupt(machine, `calls ${name} with what is no text`);
  spend(machine, source.length / 8);
  const bytes = new Uint8Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    if (unit > 255) throw pickleCorrupt(machine, `calls ${name} with text that is no Latin-1`);
    bytes[i] = unit;
  }
  return bytes;
}

/** Python would hand the state to the object; here it lies beside. A dict's attributes are of no use. */
function build(machine: Machine): void {
  const state = pop(machine);
  const target = peek(machine);
  if (isTyped(target, "object")) target.state = state;
  else if (!isDict(target)) throw pickleCorrupt(machine, "gives a state to what is no object");
}

function refer(machine: Machine, id: PickleValue): void {
  const reference = { type: "persistent", id } as const;
  push(machine, reference, PICKLE_COST.container);
  machine.persistent.push(reference);
}

function extension(machine: Machine, code: number): never {
  throw pickleCorrupt(
    machine,
    `asks for number ${code} of Python's registry of extensions, which no file of weights uses`,
  );
}

function outOfBand(machine: Machine): never {
  throw pickleCorrupt(machine, "refers to a buffer outside the file");
}
