/** What a session is given to run on, checked against its plan. */

import { isDetached, type NumberArray } from "../core/buffers.ts";
import { DepthwiseError } from "../core/errors.ts";
import { typedArray } from "../core/realms.ts";
import { elementCount, type Shape, shapeText, type Tensor } from "../core/tensor.ts";
import type { Plan } from "../plan/plan.ts";

/** What takes it: a plan of a run, or of training. */
type Taken = Pick<Plan, "network" | "batch" | "inputShape">;

/** @throws {DepthwiseError} `SHAPE_MISMATCH`, also for a buffer that was transferred; `DTYPE_MISMATCH` */
export function checkInput(
  owner: string,
  plan: Taken,
  input: Tensor | NumberArray,
): { readonly data: NumberArray; readonly batch: number } {
  const expected = plan.inputShape;
  const perImage = elementCount(expected);
  if (isNumbers(input)) {
    const { length = 0 } = typedArray(input) ?? {};
    const batch = length / perImage;
    if (batch === 0) checkAttached(owner, plan, input);
    if (!Number.isInteger(batch)) throw inputError(owner, plan, [length], `An image has ${perImage} numbers.`);
    return { data: input, batch: checkBatch(owner, plan, batch, [batch, ...expected]) };
  }
  // Read once: what was checked must be what is used.
  const { data, shape: given } = input === null || typeof input !== "object" ? {} : (input as Partial<Tensor>);
  if (!isNumbers(data) || !Array.isArray(given)) {
    throw new DepthwiseError("DTYPE_MISMATCH", {
      what: `${owner}: input of ${plan.network}`,
      expected: "a tensor { dtype, shape, data } or a typed array of numbers",
      found: input === null ? "null" : typeof input,
      advice:
        owner === "profile"
          ? "Make one with tensor(data, shape); options come behind it: profile(undefined, { runs })."
          : "Make one with tensor(data, shape).",
    });
  }
  const shape: readonly number[] = [...given];
  const [batch = 0, ...sides] = shape;
  if (shape.length !== expected.length + 1 || sides.some((side, axis) => side !== expected[axis])) {
    throw inputError(owner, plan, shape, "A single image is a batch of one: its shape begins with 1.");
  }
  const { length = 0 } = typedArray(data) ?? {};
  if (length !== elementCount(shape)) {
    checkAttached(owner, plan, data);
    throw inputError(owner, plan, [length], "Make tensors with tensor(data, shape), which checks the count.");
  }
  return { data, batch: checkBatch(owner, plan, batch, shape) };
}

function checkBatch(owner: string, plan: Taken, batch: number, shape: Shape): number {
  if (Number.isInteger(batch) && batch >= 1 && batch <= plan.batch) return batch;
  const advice = batch < 1 ? "Pass at least one image." : `Set batch: ${batch}, or pass ${plan.batch} at a time.`;
  throw inputError(owner, plan, shape, advice);
}

function checkAttached(owner: string, plan: Taken, data: NumberArray): void {
  if (!isDetached(data.buffer)) return;
  throw inputError(owner, plan, [0], "Its buffer was transferred, as by postMessage: pass it before, or pass a copy.");
}

function isNumbers(value: unknown): value is NumberArray {
  const { kind } = typedArray(value) ?? {};
  return kind !== undefined && !kind.startsWith("Big");
}

function inputError(owner: string, plan: Taken, found: Shape, advice: string): DepthwiseError {
  const batch = plan.batch === 1 ? "1" : `1 to ${plan.batch}`;
  return new DepthwiseError("SHAPE_MISMATCH", {
    what: `${owner}: input of ${plan.network}`,
    expected: `shape [${[batch, ...plan.inputShape].join(", ")}]`,
    found: shapeText(found),
    advice,
    fields: { expected: plan.inputShape, batch: plan.batch, found },
  });
}
