/** From what a reader found to parameters under our names, and facts: each architecture is asked in turn. */

import { isDepthwiseError } from "../core/errors.ts";
import { ownPart } from "../core/own-part.ts";
import type { NetworkDefinition } from "../layers/network.ts";
import type { Architecture, Evidence, Recognised, Refusal, Refused, Understood } from "./architecture.ts";

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

/** Where several are asked: an option of one may mean something else to another, or nothing. */
function asRefusal(error: unknown): Refusal {
  if (isDepthwiseError(error) && error.code === "OPTION_INVALID") return { reason: error.message };
  throw error;
}

/**
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`, saying why it is none of the architectures, and which operation does
 *         not run here
 */
export async function understand(
  architectures: readonly Architecture[],
  evidence: Evidence,
): Promise<UnderstoodArchitecture | UnderstoodNetwork> {
  const { content, architecture: stated } = evidence.model;
  const asked = architectures.filter(({ builder: { id } }) => stated === undefined || stated === id);
  const isGraph = content.kind === "graph";
  if (!isGraph) {
    for (const architecture of asked) {
      const found = await architecture.byNames(content, evidence);
      if (found !== undefined) return { ...found, architecture };
    }
  }
  const refusals: Refused[] = [];
  for (const architecture of asked) {
    const asks = isGraph ? architecture.byGraph(content, evidence) : architecture.byShapes(content, evidence);
    const found = await (asked.length > 1 ? asks.catch(asRefusal) : asks);
    if (!("reason" in found)) return { ...found, architecture };
    refusals.push({ ...found, title: architecture.builder.title });
  }
  const { unrecognised } = await ownPart("what translates graphs", () => import("./unrecognised.ts"));
  return unrecognised(evidence, refusals);
}
