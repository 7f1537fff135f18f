/**
 * What `JSON.parse` hides or must not be asked: keys that stand twice (the last one wins in silence) and depth.
 *
 * One pass over the text, without recursion. Text that is not JSON gives some answer and no error: the parser that
 * comes after says what is wrong with it.
 */

export interface JsonKeys {
  /** Keys of the outermost object, in the order of the text (an object's own order puts `"0"` before `"a"`). */
  readonly outermost: readonly string[];
  /** A key that stands twice in one object, and the key of the outermost object under which that happens. */
  readonly twice: { readonly key: string; readonly under: string | undefined } | undefined;
  /** Whether arrays and objects are nested deeper than asked for. */
  readonly isTooDeep: boolean;
}

/** Counts bytes that will be allocated; throws beyond what may be. */
export type Spend = (bytes: number) => void;

/**
 * What the value of JSON text takes in memory with the keys that are collected here, measured in V8: `[]` is one byte of
 * a compressed file and 70 in memory.
 */
const COST = { container: 72, element: 40, text: 32, character: 2, key: 96 };
const SPENT_AT_ONCE = 2 ** 16;

/**
 * Keys and depth of JSON text; stops at the first thing that is wrong.
 *
 * @param spend told, on the way, what the parsed value will cost
 */
export function scanJsonKeys(text: string, maxDepth: number, spend: Spend): JsonKeys {
  let cost = 0;
  const outermost: string[] = [];
  // One entry for each open object or array; an array has no set.
  const open: (Set<string> | undefined)[] = [];
  let isKeyNext = false;
  for (let i = 0; i < text.length; i++) {
    if (cost >= SPENT_AT_ONCE) {
      spend(cost);
      cost = 0;
    }
    switch (text[i]) {
      case "{":
      case "[":
        cost += COST.container;
        if (open.length === maxDepth) return { outermost, twice: undefined, isTooDeep: true };
        isKeyNext = text[i] === "{";
        open.push(isKeyNext ? new Set() : undefined);
        break;
      case "}":
      case "]":
        open.pop();
        isKeyNext = false;
        break;
      case ",":
        cost += COST.element;
        isKeyNext = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(text, i);
        cost += COST.text + COST.character * (end - i);
        const keys = open.at(-1);
        if (isKeyNext && keys !== undefined) {
          cost += COST.key;
          const key = stringValue(text.slice(i, end + 1));
          if (keys.has(key)) {
            return {
              outermost,
              twice: { key, under: open.length > 1 ? outermost.at(-1) : undefined },
              isTooDeep: false,
            };
          }
          keys.add(key);
          if (open.length === 1) outermost.push(key);
        }
        isKeyNext = false;
        i = end;
        break;
      }
    }
  }
  spend(cost);
  return { outermost, twice: undefined, isTooDeep: false };
}

/** Index of the closing quote of the string that opens at `start`, or the last index if it never closes. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return text.length - 1;
}

/** The value of a string literal: `"\u0061"` and `"a"` are the same key. */
function stringValue(literal: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}
