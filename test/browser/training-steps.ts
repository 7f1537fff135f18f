/** Ten steps of training, of numbers that every engine makes alike; run in Node, in a page and in its worker. */

import { type FloatTensor, mobileNetV1 } from "depthwise";
import { createTrainer, sgd, type TrainerOptions } from "depthwise/train";

export interface StepsAsked extends Pick<TrainerOptions, "threads" | "simd" | "backend"> {
  readonly type: "steps";
}

export interface Trained {
  /** Of all parameters and moving statistics after ten steps. */
  readonly sha256: string;
  readonly losses: readonly number[];
  /** Of an evaluation after them. */
  readonly loss: number;
  readonly backend: string;
  readonly simd: string;
  readonly threads: number;
  readonly reasons: string;
}

/** Numbers from −1 to 1. */
function numbers(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Of names and numbers, by name. */
export async function parametersHash(parameters: ReadonlyMap<string, FloatTensor>): Promise<string> {
  const all = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1));
  const bytes = await new Blob(all.flatMap(([name, { data }]) => [name, data.slice()])).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function tenSteps({ type: _, ...options }: StepsAsked): Promise<Trained> {
  const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 7, dropout: 0.1, seed: 3 });
  const batch = 8;
  const optimizer = sgd({ momentum: 0.9, nesterov: true });
  const trainer = await createTrainer(model, { batch, optimizer, clipNorm: 1, averageDecay: 0.9, ...options });
  try {
    const losses: number[] = [];
    for (let step = 0; step < 10; step++) {
      // The last one is short.
      const count = step === 9 ? 5 : batch;
      const labels = Array.from({ length: count }, (_, n) => (step + 3 * n) % 7);
      losses.push((await trainer.step(numbers(count * 32 * 32 * 3, step + 1), labels)).loss);
    }
    const { loss } = await trainer.evaluate(numbers(batch * 32 * 32 * 3, 99), [0, 1, 2, 3, 4, 5, 6, 0]);
    const { tensors } = await trainer.state();
    const sha256 = await parametersHash(tensors);
    const { backend, simd, threads, reasons } = trainer.explain();
    return { sha256, losses, loss, backend, simd, threads, reasons: reasons.join("; ") };
  } finally {
    trainer.close();
  }
}
