/** The state of a trainer, as data, and its check. */

import { DepthwiseError } from "../core/errors.ts";
import { isFloat32Array, isMap } from "../core/realms.ts";
import { elementCount, type FloatTensor, type Shape, shapeText } from "../core/tensor.ts";

/** Everything that the next step depends on. */
export interface TrainerState {
  /** Updates so far. */
  readonly updates: number;
  /** Parameters under their names; what the optimizer keeps as `velocity(…)`, averages as `average(…)`. */
  readonly tensors: ReadonlyMap<string, FloatTensor>;
}

/** Most problems that a message lists. */
const LISTED = 3;

/**
 * Copies of a state's numbers, by their names.
 *
 * @throws {DepthwiseError} `PARAMETERS_MISMATCH` if anything is missing or of another shape
 */
export function checkState(
  network: string,
  state: TrainerState,
  expected: readonly { readonly name: string; readonly shape: Shape }[],
): { readonly updates: number; readonly values: Readonly<Record<string, Float32Array>> } {
  const { updates, tensors }: { readonly updates?: unknown; readonly tensors?: unknown } = state ?? {};
  const problems: string[] = [];
  const values: Record<string, Float32Array> = {};
  if (typeof updates !== "number" || !Number.isSafeInteger(updates) || updates < 0) {
    problems.push(`updates: expected a count, found ${String(updates)}`);
  }
  if (!isMap(tensors)) problems.push("tensors: expected a Map of tensors by name");
  else {
    for (const { name, shape } of expected) {
      const { shape: found, data }: { readonly shape?: unknown; readonly data?: unknown } = tensors.get(name) ?? {};
      const isAlike = Array.isArray(found) && shapeText(found) === shapeText(shape);
      if (isAlike && isFloat32Array(data) && data.length === elementCount(shape)) values[name] = new Float32Array(data);
      else {
        const what = !tensors.has(name) ? "missing" : Array.isArray(found) ? `shape ${shapeText(found)}` : "no tensor";
        problems.push(`"${name}": expected float32 of shape ${shapeText(shape)}, ${what}`);
      }
    }
  }
  if (problems.length > 0) {
    throw new DepthwiseError("PARAMETERS_MISMATCH", {
      what: `restore: ${network}: ${problems.slice(0, LISTED).join("; ")}`,
      advice: "Pass a state of a trainer of the same network, with the same optimizer and the same averages.",
      fields: { problems },
    });
  }
  return { updates: Number(updates), values };
}
