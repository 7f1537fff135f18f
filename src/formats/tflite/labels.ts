/** Labels in the zip archive that may hang on the end of a TFLite file. */

import { listed } from "../../core/errors.ts";
import { budgetOf, type ReadLimits } from "../../sources/decoded-budget.ts";
import { type FileFacts, inferred, stated } from "../fact.ts";
import { openZip, type ZipEntry } from "../zip/zip.ts";

export interface LabelsFound {
  readonly facts: FileFacts;
  /** What was found and not used, and why. */
  readonly remark?: string;
}

/** Longer texts are no list of labels. */
const MOST_BYTES = 16 * 2 ** 20;

/** What a byte of labels takes in memory, should each line be empty. */
const LINE_COST = 24;

/** Signature, counts, size and place of the directory, length of the comment. */
const END_RECORD_BYTES = 22;
const MOST_COMMENT_BYTES = 65535;

/**
 * The labels of the first output, if there is one for each of its numbers.
 *
 * @param named   files that the metadata names as labels; else a single text file will do
 * @param outputs how many numbers the first output has
 * @throws {DepthwiseError} as `openZip`
 */
export async function readLabels(
  { bytes, name }: { readonly bytes: Uint8Array; readonly name: string },
  { named, outputs }: { readonly named: readonly string[]; readonly outputs: number | undefined },
  context: ReadLimits,
): Promise<LabelsFound> {
  const entries = hasZipAtEnd(bytes) ? await openZip(bytes, name, context) : new Map<string, ZipEntry>();
  const texts = [...entries.keys()].filter((entry) => entry.toLowerCase().endsWith(".txt"));
  const wanted = named.find((entry) => entries.has(entry)) ?? (texts.length === 1 ? texts[0] : undefined);
  const entry = wanted === undefined ? undefined : entries.get(wanted);
  if (entry === undefined) {
    const [first] = named;
    if (first !== undefined) return { facts: {}, remark: `${first}, which should be inside the file, is not` };
    return texts.length > 1 ? { facts: {}, remark: `which of ${listed(texts)} are labels is not said` } : { facts: {} };
  }
  if (entry.size > MOST_BYTES) return { facts: {}, remark: `${entry.name} is too long for labels` };
  budgetOf(context).chargeObjects(name, LINE_COST * entry.size, entry.name);
  const labels = linesOf(new TextDecoder().decode(entry.read()));
  if (labels.length !== outputs) {
    const found = `${entry.name} has ${labels.length} lines`;
    return { facts: {}, remark: `${found}, not one for each of the ${outputs ?? "unknown number of"} outputs` };
  }
  return {
    facts: {
      labels: stated(labels, `${entry.name} inside the file`),
      ...(labels[0] === "background" ? { background: inferred(true, `the first label in ${entry.name}`) } : {}),
    },
  };
}

/** Lines without their ends; an empty one after the last does not count. */
function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trim());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Whether the file ends in the end record of a zip archive whose directory stands in front of it. */
function hasZipAtEnd(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = bytes.length - END_RECORD_BYTES;
  for (let at = last; at >= Math.max(0, last - MOST_COMMENT_BYTES); at--) {
    if (bytes[at] !== 0x50 || view.getUint32(at, true) !== 0x06054b50) continue;
    // Not where the record says, which an archive that was merely appended counts from its own first byte.
    const directory = at - view.getUint32(at + 12, true);
    const isEnd = view.getUint16(at + 20, true) === last - at;
    if (isEnd && directory >= 0 && directory + 4 <= at && view.getUint32(directory, true) === 0x02014b50) return true;
  }
  return false;
}
