/** A checkpoint of PyTorch: which of its dicts is the network's, and what is worth telling of the rest. */

import { shorten } from "../../core/errors.ts";
import { fileError } from "../../core/file-error.ts";
import { type StoredTensor, toFloat32 } from "../stored-tensor.ts";
import { isDict, isList, isTyped, type PickleMap, type PickleValue } from "./pickle-values.ts";
import { claimedRank, type ReadTensor, tensorCall } from "./tensor.ts";

export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly remarks: Readonly<Record<string, unknown>>;
}

/** Where training scripts put the network, the likeliest first. */
const USUAL_PLACES =
  "state_dict model_state_dict model model_state net network module weights params generator state_dict_ema ema_state_dict ema model_ema".split(
    " ",
  );
const DEEPEST = 5;
const MOST_REMARKS = 50;
const LONGEST_REMARK = 200;
/** What `DataParallel` and `torch.compile` put before every name; one inside the other at most. */
const WRAPPERS = ["module.", "_orig_mod."];
const MOST_WRAPPERS = 3;

/**
 * The tensors of the network in a checkpoint, in its order, without prefixes that a wrapper put before every name.
 *
 * @throws {DepthwiseError} `FORMAT_UNKNOWN` if there is no dict of tensors; what `readTensor` throws
 */
export function readCheckpoint(root: PickleValue, readTensor: ReadTensor, file: string): Checkpoint {
  const places = placesOfTensors(root);
  const chosen = choose(places);
  if (chosen === undefined) {
    const advice = "Save model.state_dict() with torch.save.";
    throw fileError("FORMAT_UNKNOWN", file, "what torch.save wrote", advice, {
      expected: "a dict of tensors (model.state_dict()), or a checkpoint that holds one",
      found: kindOf(root),
    });
  }
  const { names, prefix } = withoutWrappers(chosen.names);
  const tensors = new Map<string, StoredTensor>();
  for (const [i, theirs] of chosen.names.entries()) {
    const call = tensorCall(chosen.map.get(theirs));
    const ours = names[i] ?? theirs;
    if (call !== undefined) tensors.set(ours, readTensor(ours, call));
  }
  return { tensors, remarks: { ...placeRemarks(chosen, places, prefix), ...rootRemarks(root, chosen, readTensor) } };
}

interface TensorDict {
  /** Keys on the way from the root, joined by dots; empty for the root itself. */
  readonly path: string;
  readonly map: PickleMap;
  /** Keys whose values are tensors. */
  readonly names: readonly string[];
  /** How many of these have an axis: a lone accuracy has none. */
  readonly weight: number;
}

/** Every dict that holds tensors, outer ones first; each is looked at once, however often it is referred to. */
function placesOfTensors(root: PickleValue): TensorDict[] {
  const places: TensorDict[] = [];
  const seen = new Set<PickleValue>([root]);
  let level: [path: string, value: PickleValue][] = [["", root]];
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const [path, value] of level) {
      if (isDict(value)) addPlace(places, path, value);
      for (const [key, inner] of children(value)) {
        if ((!isDict(inner) && !isList(inner)) || seen.has(inner)) continue;
        seen.add(inner);
        const name = shorten(key, LONGEST_REMARK);
        next.push([path === "" ? name : `${path}.${name}`, inner]);
      }
    }
    level = next;
  }
  return places;
}

function* children(value: PickleValue): Iterable<[key: string, value: PickleValue]> {
  if (isList(value)) for (const [i, inner] of value.entries()) yield [String(i), inner];
  if (isDict(value)) for (const [key, inner] of value) if (typeof key === "string") yield [key, inner];
}

function addPlace(places: TensorDict[], path: string, map: PickleMap): void {
  const names: string[] = [];
  let weight = 0;
  for (const [key, value] of map) {
    const call = typeof key === "string" ? tensorCall(value) : undefined;
    if (call === undefined) continue;
    names.push(key as string);
    if (claimedRank(call) > 0) weight++;
  }
  if (names.length > 0) places.push({ path, map, names, weight });
}

/** The root if it holds most; else the likeliest of the usual places that holds at least half as many as any. */
function choose(places: readonly TensorDict[]): TensorDict | undefined {
  const most = places.reduce((weight, place) => Math.max(weight, place.weight), 0);
  if (most === 0) return places.find(({ path }) => path === "");
  const root = places.find(({ path, weight }) => path === "" && weight === most);
  if (root !== undefined) return root;
  const large = places.filter(({ weight }) => 2 * weight >= most);
  for (const key of USUAL_PLACES) {
    const usual = large.find(({ path }) => path === key || path.startsWith(`${key}.`));
    if (usual !== undefined) return usual;
  }
  return large.find(({ weight }) => weight === most);
}

function withoutWrappers(theirs: readonly string[]): { readonly names: readonly string[]; readonly prefix: string } {
  let names = theirs;
  let prefix = "";
  for (let i = 0; i < MOST_WRAPPERS; i++) {
    const wrapper = WRAPPERS.find((candidate) => names.every((name) => name.startsWith(candidate)));
    if (wrapper === undefined) break;
    names = names.map((name) => name.slice(wrapper.length));
    prefix += wrapper;
  }
  return { names, prefix };
}

function placeRemarks(
  chosen: TensorDict,
  places: readonly TensorDict[],
  prefix: string,
): Readonly<Record<string, unknown>> {
  const others = places.filter((place) => place !== chosen && place.weight > 0 && !place.path.startsWith("optimizer"));
  return {
    ...(chosen.path === "" ? {} : { stateDict: chosen.path }),
    ...(prefix === "" ? {} : { strippedPrefix: prefix }),
    ...(others.length === 0
      ? {}
      : { otherTensors: others.slice(0, MOST_REMARKS).map(({ path }) => path || "(outermost)") }),
  };
}

/** Plain values beside the network, and the names of what was left unread. */
function rootRemarks(root: PickleValue, chosen: TensorDict, readTensor: ReadTensor): Readonly<Record<string, unknown>> {
  const values: [string, unknown][] = [];
  const unread: string[] = [];
  const top = isDict(root) ? root : new Map();
  for (const [key, value] of top) {
    const isChosen = top === chosen.map ? tensorCall(value) !== undefined : value === chosen.map;
    const isOnTheWay = typeof key === "string" && chosen.path.startsWith(`${key}.`);
    if (typeof key !== "string" || isChosen || isOnTheWay) continue;
    const plain = plainValue(key, value, readTensor);
    if (plain !== undefined) values.push([key, plain]);
    else if (value !== null) unread.push(shorten(key, LONGEST_REMARK));
  }
  return {
    ...(values.length === 0 ? {} : { checkpoint: Object.fromEntries(values.slice(0, MOST_REMARKS)) }),
    ...(unread.length === 0 ? {} : { ignored: unread.slice(0, MOST_REMARKS) }),
  };
}

/** A number, text or boolean, or a tensor or array of numpy that holds one number. */
function plainValue(key: string, value: PickleValue, readTensor: ReadTensor): string | number | boolean | undefined {
  if (typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "string") return value.length > LONGEST_REMARK ? undefined : value;
  const call = tensorCall(value);
  if (call !== undefined && claimedRank(call) === 0) {
    const stored = readTensor(key, call);
    return stored.dtype.startsWith("F8") ? undefined : toFloat32(stored)[0];
  }
  return numpyScalar(value);
}

const NUMPY_READ: Readonly<
  Record<string, readonly [bytes: number, read: (view: DataView, isLittle: boolean) => number]>
> = {
  f8: [8, (view, isLittle) => view.getFloat64(0, isLittle)],
  f4: [4, (view, isLittle) => view.getFloat32(0, isLittle)],
  i8: [8, (view, isLittle) => Number(view.getBigInt64(0, isLittle))],
  i4: [4, (view, isLittle) => view.getInt32(0, isLittle)],
};

/** `numpy.core.multiarray.scalar(dtype("f8", …), bytes)`; the byte order is in the state of the dtype. */
function numpyScalar(value: PickleValue): number | undefined {
  if (!isTyped(value, "object") || !value.of.endsWith(".multiarray.scalar")) return undefined;
  const [dtype, bytes] = value.args;
  if (!isTyped(dtype, "object") || dtype.of !== "numpy.dtype" || !(bytes instanceof Uint8Array)) return undefined;
  const name = dtype.args[0];
  const row = typeof name === "string" && Object.hasOwn(NUMPY_READ, name) ? NUMPY_READ[name] : undefined;
  if (row === undefined || bytes.length !== row[0]) return undefined;
  const isLittle = !(isList(dtype.state) && dtype.state[1] === ">");
  return row[1](new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), isLittle);
}

function kindOf(value: PickleValue): string {
  if (isDict(value)) return value.size === 0 ? "an empty dict" : "a dict without tensors";
  if (isList(value)) return "a list without a dict of tensors";
  if (tensorCall(value) !== undefined) return "a single tensor";
  return isTyped(value, "object") ? value.of : `a ${value === null ? "None" : typeof value}`;
}
