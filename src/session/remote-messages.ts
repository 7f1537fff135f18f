/** What the thread that asks and the worker of its session say to each other. */

import { DepthwiseError, type ErrorCode, isDepthwiseError } from "../core/errors.ts";
import type { Network } from "../layers/network.ts";
import type { Plan } from "../plan/plan.ts";
import type { Parameters, RemoteQuestion } from "./backend.ts";
import type { Choice } from "./choose-backend.ts";
import type { CompileOptions } from "./compile-options.ts";

/** What a plan needs of a network, as plain data, with copies of its numbers. */
export type SentNetwork = Pick<Network, "name" | "inputShape" | "layers" | "shapes" | "outputs" | "aliases"> &
  Pick<Network, "parameterInfo"> & { readonly parameters: Parameters };

export interface Question extends RemoteQuestion {
  readonly id: number;
  readonly compile?: {
    readonly network: SentNetwork;
    readonly options: Omit<CompileOptions, "worker" | "inWorker" | "signal">;
  };
  /** Ends what was asked under the same id. */
  readonly abort?: true;
}

/** Of `compile`. */
export interface Compiled {
  readonly plan: Plan;
  readonly choice: Choice;
  readonly bytes: number;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: SentError;
}

export interface SentError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function sentError(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error);
  return isDepthwiseError(error)
    ? { code: error.code, message, fields: error.fields }
    : { code: undefined, message, fields: {} };
}

export function receivedError({ code, message, fields }: SentError): Error {
  return code === undefined ? new Error(message) : new DepthwiseError(code, { what: message, fields });
}
