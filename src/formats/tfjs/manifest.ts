/**
 * The weights manifest of TensorFlow.js: groups of shards, each cut into weights one after another.
 *
 *     [{ paths: string[], weights: [{ name, shape, dtype, quantization? }] }]
 *
 * The shards of a group are concatenated; a shard may end anywhere, even inside a number. Numbers are little-endian.
 * `quantization` is `{ dtype: 'uint8' | 'uint16', scale, min }`, value = q · scale + min, rounded for int32; or
 * `{ dtype: 'float16' }`. Source: tfjs-core, `io/types.ts` and `io/io_utils.ts`.
 */

import { quoted, tooLarge } from "../../core/file-error.ts";
import { isObject } from "../../core/json.ts";
import { isListOf, isString } from "../../core/options.ts";
import { elementCount, type Shape, shapeText } from "../../core/tensor.ts";
import { budgetOf, type DecodedBudget } from "../../sources/decoded-budget.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import type { GraphConstant } from "../graph.ts";
import type { ReadContext } from "../model-file.ts";
import {
  DTYPE_BYTES,
  isCountable,
  isNaturals,
  type StoredDType,
  type StoredTensor,
  toFloat32,
} from "../stored-tensor.ts";
import { tfjsCorrupt } from "./json.ts";
import { readShards } from "./shards.ts";

/** How the manifest names types, and what they are called here. */
const DTYPES = { float32: "F32", int32: "I32", bool: "BOOL", uint8: "U8", float16: "F16" } as const satisfies Record<
  string,
  StoredDType
>;

/** value = q · scale + min. */
interface Affine {
  readonly scale: number;
  readonly min: number;
  readonly isRounded: boolean;
}

interface WeightEntry {
  readonly name: string;
  readonly shape: Shape;
  /** As the bytes stand in the file. */
  readonly dtype: StoredDType;
  readonly affine?: Affine;
  /** How it is quantized, in the manifest's words. */
  readonly storage?: string;
  readonly byteLength: number;
}

export interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
  /** Of all its weights together. */
  readonly byteLength: number;
}

/** A weight with its bytes. */
export interface ManifestWeight {
  readonly constant: GraphConstant;
  /** The same as a tensor; the numbers of a quantized one are worked out at the call. */
  stored(): StoredTensor;
}

/**
 * Checks a manifest. No shard is fetched.
 *
 * @throws {DepthwiseError} `FILE_CORRUPT`; `DTYPE_MISMATCH` for weights that are no numbers; `FILE_TOO_LARGE` if the
 *         weights, or the numbers they unpack to, take more than `maxBytes`
 */
export function parseManifest(
  manifest: unknown,
  file: string,
  maxBytes: number,
  budget: DecodedBudget,
): readonly ManifestGroup[] {
  if (!Array.isArray(manifest)) throw tfjsCorrupt(file, "weightsManifest", "an array of groups", quoted(manifest));
  const names = new Set<string>();
  const paths = new Set<string>();
  let unpacked = 0;
  const groups = manifest.map((group: unknown, index): ManifestGroup => {
    const where = `weightsManifest, group ${index + 1}`;
    if (!isObject(group) || !isListOf(group["paths"], isString) || !Array.isArray(group["weights"])) {
      throw tfjsCorrupt(file, where, "{ paths: […], weights: […] }", quoted(group));
    }
    for (const path of group["paths"]) {
      // `./a` is `a`, and one shard under a thousand names would be held a thousand times.
      const place = checkPath(path, file);
      if (paths.has(place)) throw tfjsCorrupt(file, `the shard ${quoted(path)} stands twice in the manifest`);
      paths.add(place);
    }
    budget.chargeObjects(file, WEIGHT_COST * group["weights"].length, where);
    const weights = group["weights"].map((entry: unknown) => {
      const weight = checkWeight(entry, where, file);
      if (names.has(weight.name))
        throw tfjsCorrupt(file, `the weight ${quoted(weight.name)} stands twice in the manifest`);
      names.add(weight.name);
      return weight;
    });
    unpacked += weights.reduce((sum, weight) => sum + Math.max(weight.byteLength, 4 * elementCount(weight.shape)), 0);
    return { paths: group["paths"], weights, byteLength: weights.reduce((sum, { byteLength }) => sum + byteLength, 0) };
  });
  if (unpacked > maxBytes) throw tooLarge(file, "the weights that the manifest names", unpacked, maxBytes);
  return groups;
}

/** What a weight takes in memory besides its entry in the JSON and its bytes. */
const WEIGHT_COST = 900;

/** Fetches the shards and cuts them into weights, by name, in the order of the manifest. */
export async function readWeights(
  groups: readonly ManifestGroup[],
  file: OpenFile,
  context: ReadContext,
): Promise<ReadonlyMap<string, ManifestWeight>> {
  const shards = await readShards(groups, file, context);
  budgetOf(context).charge(file.name, decodedBytes(groups), "the weights as float32");
  const weights = new Map<string, ManifestWeight>();
  for (const [index, group] of groups.entries()) {
    let at = 0;
    for (const entry of group.weights) {
      const bytes = shards[index]?.slice(at, at + entry.byteLength) ?? new Uint8Array();
      weights.set(entry.name, manifestWeight(entry, bytes));
      at += entry.byteLength;
    }
  }
  return weights;
}

/** float32 stays a view of its shard. */
function decodedBytes(groups: readonly ManifestGroup[]): number {
  const weights = groups.flatMap((group) => group.weights.filter(({ dtype }) => dtype !== "F32"));
  return weights.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
}

function manifestWeight({ name, shape, dtype, affine }: WeightEntry, bytes: Uint8Array): ManifestWeight {
  const stored: StoredTensor = { name, dtype, shape, bytes };
  if (affine === undefined) return { constant: { name, shape, read: () => toFloat32(stored) }, stored: () => stored };
  const read = () => dequantize(toFloat32(stored), affine);
  return {
    constant: { name, shape, read },
    stored: () => ({ name, dtype: "F32", shape, bytes: new Uint8Array(read().buffer) }),
  };
}

/** In float64 and then rounded, as TensorFlow.js does; every uint8 and uint16 is a float32. */
function dequantize(values: Float32Array, { scale, min, isRounded }: Affine): Float32Array {
  for (let i = 0; i < values.length; i++) {
    const value = (values[i] as number) * scale + min;
    // An integer has no −0.
    values[i] = isRounded ? Math.round(value) + 0 : value;
  }
  return values;
}

function checkWeight(entry: unknown, where: string, file: string): WeightEntry {
  if (!isObject(entry) || typeof entry["name"] !== "string" || entry["name"] === "") {
    throw tfjsCorrupt(file, where, "weights of { name, shape, dtype }", quoted(entry));
  }
  const name = entry["name"].replace(/:0$/, "");
  const what = `weight ${quoted(name)}`;
  const { shape, dtype } = entry;
  if (!isNaturals(shape)) {
    throw tfjsCorrupt(file, `${what}: shape`, "an array of whole numbers", quoted(shape));
  }
  if (!isCountable(shape)) {
    throw tfjsCorrupt(file, `${what}: shape`, "a product below 2^50", shapeText(shape.slice(0, 8)));
  }
  if (dtype === "string" || dtype === "complex64") {
    throw tfjsCorrupt(file, what, `one of ${Object.keys(DTYPES).join(", ")}`, dtype, "DTYPE_MISMATCH");
  }
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype)) {
    throw tfjsCorrupt(file, `${what}: dtype`, Object.keys(DTYPES).join(", "), quoted(dtype));
  }
  const type = dtype as keyof typeof DTYPES;
  const stored = { dtype: DTYPES[type], ...checkQuantization(entry["quantization"], type, what, file) };
  return { name, shape: [...shape], ...stored, byteLength: elementCount(shape) * DTYPE_BYTES[stored.dtype] };
}

/** How the bytes of a quantized weight stand in the file. */
function checkQuantization(
  quantization: unknown,
  dtype: keyof typeof DTYPES,
  what: string,
  file: string,
): Partial<Pick<WeightEntry, "dtype" | "affine" | "storage">> {
  if (quantization === undefined || quantization === null) return {};
  if (!isObject(quantization)) throw tfjsCorrupt(file, `${what}: quantization`, "an object", quoted(quantization));
  const { dtype: stored, scale, min } = quantization;
  if (stored === "float16" && dtype === "float32") return { dtype: "F16", storage: stored };
  if ((stored !== "uint8" && stored !== "uint16") || (dtype !== "float32" && dtype !== "int32")) {
    const expected = "uint8 or uint16 for float32 and int32, float16 for float32";
    throw tfjsCorrupt(file, `${what}: quantization`, expected, `${quoted(stored)} for ${dtype}`);
  }
  if (!isFiniteNumber(scale) || !isFiniteNumber(min)) {
    const found = `scale ${quoted(scale)}, min ${quoted(min)}`;
    throw tfjsCorrupt(file, `${what}: quantization`, "a finite scale and min", found);
  }
  const affine = { scale, min, isRounded: dtype === "int32" };
  return { dtype: stored === "uint8" ? "U8" : "U16", affine, storage: stored };
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * Refuses everything but a path below the folder of the model: what a URL parser strips or decodes (spaces at the
 * ends, control characters, `%2e`) could otherwise climb out of it.
 *
 * @returns the path in its shortest form
 */
function checkPath(path: string, file: string): string {
  const segments = path.replace(/%2e/gi, ".").split("/");
  const isSound =
    path !== "" &&
    path.trim() === path &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    !/[\u0000-\u001f\\]/.test(path) &&
    !/^([a-z][a-z0-9+.-]*:|\/)/i.test(path) &&
    !segments.includes("..");
  if (isSound) return segments.filter((segment) => segment !== ".").join("/");
  throw tfjsCorrupt(
    file,
    `the path of a shard, ${quoted(path)}`,
    "a path below the folder of the model",
    "another place",
  );
}
