/** The steps of a forward pass that is going to be learned from. */

import { DepthwiseError } from "../../core/errors.ts";
import { INPUT } from "../../layers/node.ts";
import type { Load, TrainingCall } from "../../operations/training-call.ts";
import type { Roles, TrainingDraft } from "./draft.ts";
import { hasKernel, type Segment } from "./segments.ts";
import { gradientOf, LOSSES, normOf, RANDOM, RANDOM_WORDS, TARGETS } from "./training-step.ts";

/** What a segment computes, and how others read it. */
export function addForward(draft: TrainingDraft, part: Segment, index: number): void {
  const { lead, batchNorm, clamp, name, inputs } = part;
  const [input = INPUT, other] = inputs;
  if (lead.type === "batchNorm") {
    const x = draft.plain(input, part);
    const norm = draft.norm(lead.name);
    const measured = draft.measured(lead.name, norm, "xNorm");
    draft.add(part, "forward", { kernel: "norm", norm }, { x, ...draft.statistics(lead.name) }, measured);
    draft.views.set(name, { value: x, norm: normOf(lead.name), load: { norm: true, clamp } });
    return;
  }
  draft.value(lead.name, "activation", draft.elements(lead.name));
  const isNormed = batchNorm !== undefined;
  const load: Load | undefined = isNormed || clamp !== "linear" ? { norm: isNormed, clamp } : undefined;
  draft.views.set(name, {
    value: lead.name,
    ...(isNormed ? { norm: normOf(batchNorm.name) } : {}),
    ...(load === undefined ? {} : { load }),
  });
  if (hasKernel(lead)) {
    addWeighted(draft, part, input);
    return;
  }
  const x = draft.plain(input, part);
  if (lead.type === "dropout") {
    draft.state(RANDOM, RANDOM_WORDS);
    draft.add(part, "forward", dropoutOf(draft, part, index), { x, random: RANDOM }, { y: lead.name });
    return;
  }
  const reads: Roles = other === undefined ? { x } : { a: x, b: draft.plain(other, part) };
  draft.add(part, "forward", draft.call(part), reads, { y: lead.name });
}

function addWeighted(draft: TrainingDraft, part: Segment, input: string): void {
  const { lead, batchNorm } = part;
  const source = draft.read(input, part);
  const norm = batchNorm === undefined ? undefined : draft.norm(batchNorm.name);
  const call: TrainingCall = {
    kernel: "forward",
    of: draft.weighted(part),
    ...(source.load === undefined ? {} : { load: source.load }),
    ...(norm === undefined ? {} : { norm }),
  };
  const reads = {
    x: source.value,
    xNorm: source.norm,
    kernel: draft.parameter(lead.name, "kernel"),
    bias: draft.parameter(lead.name, "bias"),
    ...(batchNorm === undefined ? {} : draft.statistics(batchNorm.name)),
  };
  const measured = batchNorm === undefined || norm === undefined ? {} : draft.measured(batchNorm.name, norm, "yNorm");
  draft.add(part, "forward", call, reads, { y: lead.name, ...measured }, { multAdds: draft.multAdds(part) });
}

/** A dropout and its gradient are one call. `index` tells it from any other. */
export function dropoutOf(draft: TrainingDraft, { lead }: Segment, index: number): TrainingCall {
  const rate = lead.type === "dropout" ? lead.attributes.rate : 0;
  return { kernel: "dropout", elements: draft.elements(lead.name), rate, layer: index };
}

/** @throws {DepthwiseError} `NETWORK_INVALID` for an output that is no row of classes */
export function addLoss(draft: TrainingDraft, part: Segment, output: string): void {
  const { target } = draft.options;
  const shape = draft.network.shapes.get(target) ?? [];
  const classes = draft.elements(target);
  if (classes < 2 || shape.filter((side) => side !== 1).length !== 1) {
    throw new DepthwiseError("NETWORK_INVALID", {
      what: `train: ${draft.network.name}: "${target}"`,
      expected: "a row of two classes or more for each example",
      found: `shape [${shape.join(", ")}]`,
      advice: "Pass a network whose output is the logits; replaceHead gives one of other classes.",
    });
  }
  draft.value(TARGETS, "activation", classes);
  draft.value(LOSSES, "activation", 1);
  draft.kept.add(LOSSES);
  const dlogits = gradientOf(part.name);
  draft.value(dlogits, "activation", classes);
  const call = { kernel: "softmaxCrossEntropy", classes } as const;
  draft.add(part, "loss", call, { logits: output, targets: TARGETS }, { perExample: LOSSES, dlogits });
}
