/**
 * The steps of a backward pass. The gradient of a segment is that of the value as others read it, normalised and
 * clamped: each of its readers gives a part of it, and the first one writes it.
 */

import { invariant } from "../../core/errors.ts";
import { INPUT } from "../../layers/node.ts";
import type { Load, TrainingCall } from "../../operations/training-call.ts";
import type { Roles, TrainingDraft } from "./draft.ts";
import { dropoutOf } from "./forward-steps.ts";
import { hasKernel, type Segment } from "./segments.ts";
import { gradientOf, RANDOM } from "./training-step.ts";

export class Backward {
  readonly #draft: TrainingDraft;
  readonly #parts: ReadonlyMap<string, Segment>;
  /** Segments, and perhaps the input, whose gradient somebody wants. */
  readonly #wanted = new Set<string>();
  /** How many segments give a part of the gradient of each. */
  readonly #givers = new Map<string, number>();
  /** Whose gradient has been written. */
  readonly #given = new Set<string>();
  /** Batch norms whose gradient was measured where it was written. */
  readonly #measured = new Set<string>();

  constructor(draft: TrainingDraft, parts: readonly Segment[]) {
    this.#draft = draft;
    this.#parts = new Map(parts.map((part) => [part.name, part]));
    if (draft.options.inputGradient === true) this.#wanted.add(INPUT);
    for (const { name, layers, inputs } of parts) {
      const isWanted = layers.some((layer) => draft.changes(layer)) || inputs.some((input) => this.#wanted.has(input));
      if (!isWanted) continue;
      this.#wanted.add(name);
      for (const input of inputs) this.#givers.set(input, (this.#givers.get(input) ?? 0) + 1);
    }
  }

  wants(name: string): boolean {
    return this.#wanted.has(name);
  }

  add(part: Segment, index: number): void {
    const draft = this.#draft;
    const { lead, batchNorm, name, inputs, clamp } = part;
    const [input = INPUT, other = INPUT] = inputs;
    const dy = gradientOf(name);
    const view = draft.view(name);
    if (batchNorm !== undefined && !this.#measured.has(batchNorm.name)) {
      const norm = draft.norm(batchNorm.name);
      const reads = { dy, x: view.value, xNorm: view.norm, gamma: draft.parameter(batchNorm.name, "gamma") };
      const writes = draft.normGradients(batchNorm.name, norm);
      draft.add(part, "backward", { kernel: "normGradient", norm, clamp }, reads, writes);
    }
    if (hasKernel(lead)) {
      this.#weighted(part, dy);
      return;
    }
    if (lead.type === "batchNorm") {
      if (view.load === undefined || !this.wants(input)) return;
      const { load } = view;
      this.#give(part, input, (dx) => this.#asItLies(part, load, dy, dx, false));
      return;
    }
    let dz = dy;
    if (view.load !== undefined) {
      dz = gradientOf(`${name}, as it lies`);
      draft.value(dz, "activation", draft.elements(lead.name));
      this.#asItLies(part, view.load, dy, dz, true);
    }
    if (lead.type === "dropout") {
      this.#contribute(part, input, dropoutOf(draft, part, index), { dy: dz, random: RANDOM });
      return;
    }
    const call = draft.call(part);
    switch (call.kernel) {
      case "add":
      case "multiply": {
        const factors = call.kernel === "multiply" ? { a: draft.plain(input, part), b: draft.plain(other, part) } : {};
        this.#contribute(
          part,
          input,
          { kernel: "elementwiseGradient", of: call, to: "a" },
          { dy: dz, ...factors },
          "da",
        );
        this.#contribute(
          part,
          other,
          { kernel: "elementwiseGradient", of: call, to: "b" },
          { dy: dz, ...factors },
          "db",
        );
        return;
      }
      case "activation":
        this.#contribute(
          part,
          input,
          { kernel: "activationGradient", of: call },
          { dy: dz, x: draft.plain(input, part) },
        );
        return;
      case "softmax": {
        const { rows, channels } = call;
        this.#contribute(part, input, { kernel: "softmaxGradient", rows, channels }, { dy: dz, y: lead.name });
        return;
      }
      case "averagePool":
      case "globalAveragePool":
        this.#contribute(part, input, { kernel: "poolGradient", of: call }, { dy: dz });
        return;
      case "maxPool":
      case "globalMaxPool":
        this.#contribute(part, input, { kernel: "poolGradient", of: call }, { dy: dz, x: draft.plain(input, part) });
        return;
      default:
        invariant(false, `"${lead.name}" has no gradient.`);
    }
  }

  #weighted(part: Segment, dy: string): void {
    const draft = this.#draft;
    const { lead, inputs } = part;
    const [input = INPUT] = inputs;
    const view = draft.view(part.name);
    const source = draft.read(input, part);
    const wantsInput = this.wants(input);
    const before = this.#parts.get(input)?.batchNorm;
    // Measured where it is written, unless others add to it: the gradient of the batch norm in front.
    const measures = wantsInput && this.#givers.get(input) === 1 && source.load?.norm === true;
    const norm = measures && before !== undefined ? draft.norm(before.name) : undefined;
    const call: TrainingCall = {
      kernel: "backward",
      of: draft.weighted(part),
      ...(view.load === undefined ? {} : { upstream: view.load }),
      ...(source.load === undefined ? {} : { load: source.load }),
      ...(norm === undefined ? {} : { normGradient: norm }),
    };
    const reads = {
      dy,
      ...(view.load === undefined
        ? {}
        : { y: view.value, yNorm: view.norm, yNormGradient: view.norm && gradientOf(view.norm) }),
      x: source.value,
      xNorm: source.norm,
      kernel: draft.parameter(lead.name, "kernel"),
      ...(norm === undefined || before === undefined ? {} : { xGamma: draft.parameter(before.name, "gamma") }),
    };
    const writes = {
      dkernel: draft.gradient(lead.name, "kernel"),
      dbias: draft.gradient(lead.name, "bias"),
      ...(norm === undefined || before === undefined ? {} : draft.normGradients(before.name, norm)),
    };
    if (norm !== undefined && before !== undefined) this.#measured.add(before.name);
    const products = (writes.dkernel === undefined ? 0 : 1) + (wantsInput ? 1 : 0);
    const write = (dx?: string) =>
      draft.add(part, "backward", call, reads, { ...writes, dx }, { multAdds: products * draft.multAdds(part) });
    if (wantsInput) this.#give(part, input, write);
    else if (writes.dkernel !== undefined || writes.dbias !== undefined) write();
  }

  /** From the gradient of what is read to that of what lies in memory. */
  #asItLies(part: Segment, load: Load, dy: string, dx: string, inPlace: boolean): void {
    const { value, norm } = this.#draft.view(part.name);
    const call = { kernel: "normaliseGradient", load, ...this.#draft.pixels(part.lead.name) } as const;
    const reads = { dy, x: value, xNorm: norm, xNormGradient: norm && gradientOf(norm) };
    this.#draft.add(part, "backward", call, reads, { dx }, { inPlace });
  }

  /** A part of the gradient of an input, if anybody wants it. */
  #contribute(part: Segment, input: string, call: TrainingCall, reads: Roles, role = "dx"): void {
    if (!this.wants(input)) return;
    this.#give(part, input, (target) => this.#draft.add(part, "backward", call, reads, { [role]: target }));
  }

  /** Has a part of a gradient written: the first where it lies, any other beside it, to be added. */
  #give(part: Segment, input: string, write: (target: string) => void): void {
    const draft = this.#draft;
    const gradient = gradientOf(input);
    const elements = draft.elements(input);
    if (!this.#given.has(input)) {
      this.#given.add(input);
      draft.value(gradient, "activation", elements);
      write(gradient);
      return;
    }
    const more = gradientOf(`${input}, part ${draft.steps.length}`);
    draft.value(more, "activation", elements);
    write(more);
    draft.add(part, "backward", { kernel: "sum", elements }, { a: gradient, b: more }, { y: gradient });
  }
}
