/**
 * HDF5: groups, attributes that are texts, and data sets of numbers, as far as Keras uses them.
 *
 * No package stands behind this reader. The ones there are follow whatever address a damaged file gives them: the
 * one in JavaScript then runs for ever, the one in WebAssembly ends and cannot be started again.
 */

import { quoted } from "../../core/file-error.ts";
import { budgetOf, type ReadLimits } from "../../sources/decoded-budget.ts";
import type { StoredTensor } from "../stored-tensor.ts";
import { readAttributes } from "./attributes.ts";
import { readDataSet, readElements } from "./data.ts";
import { readLinks } from "./links.ts";
import { type HeaderMessage, MESSAGE, readMessages } from "./object-header.ts";
import { HDF5_COST, readSuperblock, type Source } from "./source.ts";

export interface Hdf5Object {
  /** `/model_weights/conv1`. */
  readonly path: string;
  /** The one text of an attribute; `undefined` if there is none, or several. */
  text(attribute: string): string | undefined;
  texts(attribute: string): readonly string[] | undefined;
}

export interface Hdf5Group extends Hdf5Object {
  readonly kind: "group";
  /** In the order of the file, which is mostly that of the alphabet. */
  readonly names: readonly string[];
  /** What stands under a name, or under several with strokes between; opened when it is asked for the first time. */
  get(path: string): Hdf5Group | Hdf5DataSet | undefined;
}

export interface Hdf5DataSet extends Hdf5Object {
  readonly kind: "data set";
  /** Its elements under a name of one's own; `undefined` if they are no numbers. */
  load(name: string): Promise<StoredTensor | undefined>;
}

/**
 * Opens a file at its root group.
 *
 * @param name of the file, for messages
 * @throws {DepthwiseError} here and in all methods: `FILE_CORRUPT`, `FILE_TRUNCATED`; `FILE_TOO_LARGE` if it
 *         unpacks to more than the load may hold; `FORMAT_UNKNOWN` for what Keras does not write
 */
export function openHdf5(bytes: Uint8Array, name: string, limits: ReadLimits): Hdf5Group {
  const { source, root } = readSuperblock(bytes, name, budgetOf(limits));
  return openGroup(source, readMessages(source, root), "");
}

function openGroup(source: Source, messages: readonly HeaderMessage[], path: string): Hdf5Group {
  const links = readLinks(source, messages);
  const opened = new Map<string, Hdf5Group | Hdf5DataSet>();
  const child = (name: string) => {
    const address = links.get(name);
    let object = opened.get(name);
    if (object === undefined && address !== undefined) {
      object = openObject(source, address, `${path}/${name}`);
      opened.set(name, object);
    }
    return object;
  };
  return {
    kind: "group",
    ...attributesOf(source, messages, path === "" ? "/" : path),
    names: [...links.keys()],
    get(route) {
      const [first = "", ...rest] = route.split("/").filter((part) => part !== "");
      let object = child(first);
      for (const part of rest) object = object?.kind === "group" ? object.get(part) : undefined;
      return object;
    },
  };
}

function openObject(source: Source, address: number, path: string): Hdf5Group | Hdf5DataSet {
  source.keep(1, HDF5_COST.object, path);
  const messages = readMessages(source, address);
  if (!messages.some(({ type }) => type === MESSAGE.layout)) return openGroup(source, messages, path);
  return {
    kind: "data set",
    ...attributesOf(source, messages, path),
    async load(name) {
      const set = readDataSet(source, messages);
      if (set === undefined) return undefined;
      const { dtype, shape } = set;
      return {
        name,
        dtype,
        shape,
        bytes: await readElements(source, messages, set, `data set ${quoted(path)}`),
      };
    },
  };
}

function attributesOf(source: Source, messages: readonly HeaderMessage[], path: string): Hdf5Object {
  let attributes: ReadonlyMap<string, readonly string[]> | undefined;
  const texts = (attribute: string) => {
    attributes ??= readAttributes(source, messages);
    return attributes.get(attribute);
  };
  const text = (attribute: string) => {
    const [first, second] = texts(attribute) ?? [];
    return second === undefined ? first : undefined;
  };
  return { path, text, texts };
}
