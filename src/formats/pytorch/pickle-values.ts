/** What a pickle becomes here: plain data. What it asks to be called is kept as a name and arguments. */

export type PickleValue =
  | null
  | boolean
  | number
  /** A whole number that a `number` cannot hold. */
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleMap
  | PickleGlobal
  | PickleObject
  | PicklePersistent;

/** A list, tuple or set. The same one may stand in many places, and within itself: never walk it by recursion. */
export interface PickleList extends Array<PickleValue> {}

/** A dict, of any class. */
export interface PickleMap extends Map<PickleValue, PickleValue> {}

/** A name of the list in `pickle-globals.ts`: a class, a function or a constant, of which nothing is here but its name. */
export interface PickleGlobal {
  readonly type: "global";
  readonly name: string;
}

/** What Python would get by calling the global with the arguments. */
export interface PickleObject {
  readonly type: "object";
  readonly of: string;
  readonly args: PickleList;
  /** What Python would hand to the object's `__setstate__`. */
  state: PickleValue | undefined;
}

/** A reference to something outside the pickle, for PyTorch a storage. */
export interface PicklePersistent {
  readonly type: "persistent";
  readonly id: PickleValue;
}

export function isList(value: PickleValue | undefined): value is PickleList {
  return Array.isArray(value);
}

export function isDict(value: PickleValue | undefined): value is PickleMap {
  return value instanceof Map;
}

/** Whether it is an object of the given type of ours. */
export function isTyped<Type extends "global" | "object" | "persistent">(
  value: PickleValue | undefined,
  type: Type,
): value is Extract<PickleValue, { readonly type: Type }> {
  return typeof value === "object" && value !== null && "type" in value && value.type === type;
}
