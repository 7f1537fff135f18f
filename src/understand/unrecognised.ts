/** What is none of the architectures: a graph is a network of its own, tensors are refused. */

import { fileError } from "../core/file-error.ts";
import { type Evidence, type Refused, whyNone } from "./architecture.ts";
import { understandAsNetwork } from "./graph/as-network.ts";
import type { UnderstoodNetwork } from "./understand.ts";

/**
 * @param refusals of all architectures, those of tensors with what each had expected
 * @throws {DepthwiseError} `ARCHITECTURE_UNKNOWN`; what `understandAsNetwork` throws for a graph
 */
export function unrecognised(evidence: Evidence, refusals: readonly Refused[]): UnderstoodNetwork {
  const { content } = evidence.model;
  if (content.kind === "graph") return understandAsNetwork(content, evidence, refusals);
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
