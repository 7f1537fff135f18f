/** What is known of a network that a builder can make, and from where. */

import { fileError } from "../core/file-error.ts";
import { type Fact, type FileFacts, inferred } from "../formats/fact.ts";

/** Facts by the names of a builder's options; those of input and classes have the same names for every network. */
export interface Facts extends FileFacts {
  readonly inputChannels?: Fact<number>;
  readonly classes?: Fact<number>;
  readonly [option: string]: Fact<unknown> | undefined;
}

/** The options themselves. */
export function valuesOf(facts: Facts): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, fact?.value]));
}

/** What the number of classes says of the first of them. */
export function backgroundFact(classes: number | undefined): Pick<Facts, "background"> {
  if (classes === 1001) return { background: inferred(true, "1001 outputs: ImageNet's thousand and a background") };
  return classes === 1000 ? { background: inferred(false, "1000 outputs: ImageNet's, without a background") } : {};
}

/**
 * Refuses labels of the file that do not fit its classes; those of the caller the builder checks.
 *
 * @throws {DepthwiseError} `CLASSES_MISMATCH`
 */
export function checkLabels({ labels, classes }: Facts, file: string): void {
  if (labels === undefined || labels.basis === "given" || !Array.isArray(labels.value)) return;
  if (classes === undefined || labels.value.length === classes.value) return;
  throw fileError("CLASSES_MISMATCH", file, `labels (${labels.from})`, "Pass labels of your own to loadModel.", {
    expected: `${classes.value}, one for each class`,
    found: `${labels.value.length}`,
    fields: { classes: classes.value, labels: labels.value.length },
  });
}
