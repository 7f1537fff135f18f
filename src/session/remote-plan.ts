/** What a session asks of a plan that was bound in a worker. */

import type { FloatTensor } from "../core/tensor.ts";
import type { Profile } from "./profile.ts";

/** What a session asks of one that lies in a worker. */
export type RemoteQuestion =
  | { readonly type: "run"; readonly input: Float32Array }
  | { readonly type: "profile"; readonly input: Float32Array; readonly runs: number }
  | { readonly type: "replace"; readonly parameters: Map<string, FloatTensor> };

/** What it is answered. */
export interface RemoteAnswers {
  readonly run: { readonly outputs: Tensors; readonly taps: Tensors };
  readonly profile: Profile;
  readonly replace: undefined;
}
type Tensors = Readonly<Record<string, FloatTensor>>;

/** A plan that was bound in a worker. */
export interface RemotePlan {
  /** Of everything that the worker holds. */
  readonly bytes: number;
  /**
   * @param numbers of the question, which are not the caller's any more
   * @param owner   must live until the answer is there: its end is that of whom it asks
   */
  ask<Type extends RemoteQuestion["type"]>(
    question: Extract<RemoteQuestion, { readonly type: Type }>,
    numbers: readonly Float32Array[],
    signal: AbortSignal | undefined,
    owner: object,
  ): Promise<RemoteAnswers[Type]>;
  close(): void;
}
