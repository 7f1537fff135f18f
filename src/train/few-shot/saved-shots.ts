/**
 * Few-shot examples as a safetensors file: `examples/0`, `examples/1`, … of embeddings of length 1, `classes` with the
 * class of each, and, if it was trained since, the probe. In the metadata: what it is, which network made the embeddings,
 * and the labels.
 */

import { DepthwiseError } from "../../core/errors.ts";
import { damaged, grouped } from "../../core/file-error.ts";
import { objectIn } from "../../core/json.ts";
import { isListOf, isString, optionError } from "../../core/options.ts";
import { isUint8Array } from "../../core/realms.ts";
import {
  readSafetensors,
  type TensorFile,
  type TensorToWrite,
  toFloat32,
  writeSafetensors,
} from "../../weights/index.ts";
import { ExampleStore } from "./example-store.ts";
import type { LinearProbe } from "./linear-probe.ts";

const FORMAT = "depthwise few-shot";
const VERSION = "1";
const NAME = "few-shot examples";
const ADVICE = "Pass the bytes that save() gave, all of them.";

/** Of an axis: any length. */
const ANY = -1;

export interface Shots {
  readonly labels: readonly string[];
  readonly store: ExampleStore;
  readonly probe: LinearProbe | undefined;
  readonly method: string;
}

/** The examples are views until they stand in the file: it takes what they take once more, and no more. */
export function encodeShots({ labels, store, probe, method }: Shots, fingerprint: string): Uint8Array<ArrayBuffer> {
  const { width, count } = store;
  const classes = new Float32Array(count);
  const tensors: TensorToWrite[] = [];
  for (const block of store.blocks()) {
    tensors.push({ name: `examples/${tensors.length}`, shape: [block.count, width], data: block.rows });
    classes.set(block.classes, block.from);
  }
  tensors.push({ name: "classes", shape: [count], data: classes });
  if (probe !== undefined) {
    tensors.push({ name: "probe/kernel", shape: [labels.length, width], data: probe.kernel });
    tensors.push({ name: "probe/bias", shape: [labels.length], data: probe.bias });
  }
  return writeSafetensors(tensors, {
    format: FORMAT,
    version: VERSION,
    network: fingerprint,
    method,
    labels: JSON.stringify({ labels }),
  });
}

/**
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH` for examples of another network; `FORMAT_UNKNOWN` for another file;
 *         `FILE_CORRUPT` for one that says what cannot be; what `readSafetensors` throws
 */
export function decodeShots(bytes: unknown, width: number, fingerprint: string): Shots {
  if (!isUint8Array(bytes)) throw optionError("fewShot", "from", "a Uint8Array that save() gave", bytes);
  const file = readSafetensors(bytes, { name: NAME });
  const { format, version, network, method = "", labels: text = "" } = file.metadata;
  if (format !== FORMAT || version !== VERSION) {
    throw new DepthwiseError("FORMAT_UNKNOWN", {
      what: `fewShot: from: ${NAME}`,
      expected: `a file of format "${FORMAT}", version ${VERSION}`,
      found: format === FORMAT ? `version ${version}` : "another safetensors file",
      advice: `${ADVICE} A model is read by loadModel.`,
    });
  }
  if (network !== fingerprint) {
    throw new DepthwiseError("PARAMETERS_MISMATCH", {
      what: "fewShot: from",
      expected: `examples that were embedded by this network (${fingerprint})`,
      found: `those of another one (${network})`,
      advice: "Pass the model and preprocessing they were saved with; embeddings of two networks cannot be compared.",
      fields: { expected: fingerprint, found: network },
    });
  }
  const labels = objectIn(text)?.["labels"];
  if (!isListOf(labels, isString) || new Set(labels).size !== labels.length) {
    throw damaged(NAME, "labels", { expected: "a list of different texts", found: "something else", advice: ADVICE });
  }
  const store = storeOf(file, width, labels.length);
  return { labels, store, probe: probeOf(file, width, labels.length), method };
}

function storeOf(file: TensorFile, width: number, classes: number): ExampleStore {
  const kinds = numbers(file, "classes", [ANY]);
  const store = new ExampleStore(width);
  for (let at = 0; store.count < kinds.length; at++) {
    const rows = numbers(file, `examples/${at}`, [ANY, width]);
    for (let row = 0; row < rows.length / width; row++) {
      const kind = kinds[store.count] ?? -1;
      if (!Number.isInteger(kind) || kind < 0 || kind >= classes) {
        const found = `${kind} of example ${grouped(store.count)}`;
        throw damaged(NAME, "classes", { expected: `classes of 0 to ${classes - 1}`, found, advice: ADVICE });
      }
      store.append(rows.subarray(row * width, (row + 1) * width), kind);
    }
  }
  const empty = store.countClasses(classes).indexOf(0);
  if (empty >= 0) {
    throw damaged(NAME, "classes", { expected: "examples of each class", found: `none of ${empty}`, advice: ADVICE });
  }
  return store;
}

function probeOf(file: TensorFile, width: number, classes: number): LinearProbe | undefined {
  if (!file.tensors.has("probe/kernel")) return undefined;
  const kernel = numbers(file, "probe/kernel", [classes, width]);
  return { kernel: kernel.slice(), bias: numbers(file, "probe/bias", [classes]).slice() };
}

/** A tensor of the file, in memory of its own or the file's. */
function numbers(file: TensorFile, name: string, axes: readonly number[]): Float32Array {
  const stored = file.tensors.get(name);
  const isAsLong = (length: number, axis: number) => axes[axis] === ANY || axes[axis] === length;
  if (stored === undefined || stored.shape.length !== axes.length || !stored.shape.every(isAsLong)) {
    const found = stored === undefined ? "none" : `[${stored.shape.join(", ")}]`;
    throw damaged(NAME, `tensor "${name}"`, { expected: "one of the shape its labels say", found, advice: ADVICE });
  }
  const values = toFloat32(stored);
  if (!values.every(Number.isFinite)) {
    throw damaged(NAME, `tensor "${name}"`, { expected: "finite numbers", found: "others", advice: ADVICE });
  }
  return values;
}
