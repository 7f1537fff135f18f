/** From what a reader found to parameters under our names, and facts: each architecture is asked in turn. */

import { fileError } from "../core/file-error.ts";
import { ownPart } from "../core/own-part.ts";
import type { NetworkDefinition } from "../layers/network.ts";
import {
  type Architecture,
  type Evidence,
  type Recognised,
  type Refused,
  type Understood,
  whyNone,
} from "./architecture.ts";

/** A network of an architecture, for it to decide on and to build. */
export interface UnderstoodArchitecture extends Recognised {
  readonly architecture: Architecture;
}

/** A network of its own, which the file spells out. */
export interface UnderstoodNetwork extends Understood {
  readonly definition: NetworkDefinition;
  /** Why it is none of the architectures. */
  readonly refusals: readonly Refused[];
}

/**
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying why it is none of the architectures, and which operation does
 *         not run here
 */
export async function understand(
  architectures: readonly Architecture[],
  evidence: Evidence,
): Promise<UnderstoodArchitecture | UnderstoodNetwork> {
  const { content } = evidence.model;
  const isGraph = content.kind === "graph";
  if (!isGraph) {
    for (const architecture of architectures) {
      const found = await architecture.byNames(content, evidence);
      if (found !== undefined) return { ...found, architecture };
    }
  }
  const refusals: Refused[] = [];
  for (const architecture of architectures) {
    const found = await (isGraph ? architecture.byGraph(content, evidence) : architecture.byShapes(content, evidence));
    if (!("reason" in found)) return { ...found, architecture };
    refusals.push({ ...found, title: architecture.title });
  }
  if (isGraph) {
    const { understandAsNetwork } = await ownPart("what translates graphs", () => import("./graph/as-network.ts"));
    return understandAsNetwork(content, evidence, refusals);
  }
  const names = [...content.tensors.keys()];
  const [first, another] = refusals;
  const reason = another === undefined ? first?.reason : whyNone(refusals);
  const { recognised } = refusals.find((refusal) => refusal.recognised !== undefined) ?? {};
  const advice = "Rename the tensors to Keras' names, or save a network of your own with saveModel.";
  throw fileError("ARCHITECTURE_UNKNOWN", evidence.file.name, "tensors", advice, {
    expected: refusals.map(({ expected }) => expected).join(", or "),
    found: names.length === 0 ? "no tensor at all" : `${reason} (${names.slice(0, 4).join(", ")})`,
    fields: { names, ...(recognised === undefined ? {} : { recognised }) },
  });
}
