/** HDF5 files for tests, written by the HDF5 library itself (h5wasm). */

import h5wasm, { type Dtype, type Group, type LIBVER_BOUND } from "h5wasm";

export type Writer = Group;

/** Versions of the format from which the library may write: each lays out groups, attributes or chunks in a new way. */
export const VERSIONS = ["earliest", "v108", "v110", "latest"] as const satisfies readonly LIBVER_BOUND[];

let files = 0;

export async function writeHdf5(
  build: (root: Writer) => void,
  version: LIBVER_BOUND = "earliest",
): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const path = `/written-${files++}.h5`;
  const file = new h5wasm.File(path, "w", { libver: [version, "latest"] });
  build(file);
  file.close();
  const bytes = FS.readFile(path) as Uint8Array;
  FS.unlink(path);
  return bytes.slice();
}

/** Everything in a file as the HDF5 library reads it: numbers of data sets by path. */
export async function readByLibrary(bytes: Uint8Array): Promise<Map<string, number[]>> {
  const { FS } = await h5wasm.ready;
  const path = `/read-${files++}.h5`;
  FS.writeFile(path, bytes);
  const file = new h5wasm.File(path, "r");
  const found = new Map<string, number[]>();
  for (const name of file.paths()) {
    const object = file.get(name);
    if (object instanceof h5wasm.Dataset) {
      found.set(name.startsWith("/") ? name : `/${name}`, Array.from(object.value as ArrayLike<number>, Number));
    }
  }
  file.close();
  FS.unlink(path);
  return found;
}

/** Fixed-length texts, as h5py makes of a list of bytes; `far`: of any length, as it makes of a list of strings. */
export function writeTexts(group: Writer, attribute: string, texts: readonly string[], far = false): void {
  const longest = Math.max(1, ...texts.map((text) => text.length));
  group.create_attribute(attribute, [...texts], [texts.length], far ? "S" : `A${longest}`);
}

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: Dtype;
}

/** Distinct numbers that float16 holds exactly. */
export function weight(name: string, shape: readonly number[], start = 0): Weight {
  const count = shape.reduce((a, b) => a * b, 1);
  return { name, shape, values: Array.from({ length: count }, (_, i) => ((start + i) % 512) / 16 - 8) };
}

export function writeWeight(group: Writer, path: string, { shape, values, dtype = "<f" }: Weight): void {
  const data = dtype === "<d" || dtype === ">d" ? Float64Array.from(values) : Float32Array.from(values);
  group.create_dataset({ name: path, data, shape: [...shape], dtype });
}

/** A group as Keras 1 and 2 write weights: `layer_names`, and `weight_names` in each layer's group. */
export function writeNamedWeights(group: Writer, layers: ReadonlyMap<string, readonly Weight[]>): void {
  writeTexts(group, "layer_names", [...layers.keys()]);
  group.create_attribute("backend", "tensorflow");
  group.create_attribute("keras_version", "2.4.0");
  for (const [layer, weights] of layers) {
    const inner = group.create_group(layer);
    if (weights.length === 0) continue;
    writeTexts(
      inner,
      "weight_names",
      weights.map(({ name }) => name),
    );
    const made = new Set<string>();
    for (const one of weights) {
      const parts = one.name.split("/");
      for (let depth = 1; depth < parts.length; depth++) {
        const path = parts.slice(0, depth).join("/");
        if (!made.has(path)) inner.create_group(path);
        made.add(path);
      }
      writeWeight(inner, one.name, one);
    }
  }
}

/** Groups as Keras 3 writes weights: `layers/NAME/vars/0`. */
export function writeNumberedWeights(
  group: Writer,
  layers: ReadonlyMap<string, readonly Weight[]>,
  container = "layers",
): void {
  const outer = group.create_group(container);
  for (const [layer, weights] of layers) {
    const vars = outer.create_group(layer).create_group("vars");
    for (const [i, one] of weights.entries()) writeWeight(vars, String(i), one);
  }
}
