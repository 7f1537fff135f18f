/** Where a model came from and what was decided about it: plain data in `network.info`, kept when it is saved. */

import { isObject } from "../core/json.ts";
import type { Fact } from "../formats/fact.ts";
import type { Network } from "../layers/network.ts";

export interface Provenance {
  /** The file's kind, such as "TFLite". */
  readonly format: string;
  /** The file's name or address. */
  readonly file: string;
  /** How layers were told apart: "names of timm mobilenetv1", "operations of the graph". */
  readonly understoodBy: string;
  /** By the names of the builder's options. */
  readonly decisions: Readonly<Record<string, Fact<unknown>>>;
  /** What else the file says. */
  readonly remarks: Readonly<Record<string, unknown>>;
  /** Scales and zero points by layer, of a file whose values are quantized. */
  readonly quantization?: Readonly<Record<string, unknown>>;
}

/** Undefined for a model that was built here, and for something else under that name, as a file may hold. */
export function provenanceOf({ info: { provenance } }: Network): Provenance | undefined {
  const { decisions, remarks } = (provenance ?? {}) as Partial<Record<string, unknown>>;
  const isOurs = isObject(decisions) && isObject(remarks) && Object.values(decisions).every(isObject);
  return isOurs ? (provenance as unknown as Provenance) : undefined;
}

/** Where a model first came from: one that is saved and loaded again and again keeps that, not one inside the other. */
export function originOf({ decisions: _values, ...last }: Provenance): unknown {
  const { origin } = last.remarks;
  return isObject(origin) ? origin : last;
}
