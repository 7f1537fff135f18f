/** What the thread that asks and the worker of its session say to each other. */

import type { Choice } from "../backends/choose-backend.ts";
import { DepthwiseError, type ErrorCode, InternalError, isDepthwiseError } from "../core/errors.ts";
import type { FloatTensor } from "../core/tensor.ts";
import type { Plan, PlannedNetwork } from "../plan/plan.ts";
import type { CompileOptions } from "./compile-options.ts";
import type { RemoteQuestion } from "./remote-plan.ts";

/** What a plan needs of a network, as plain data, with copies of its numbers. */
export interface SentNetwork extends PlannedNetwork {
  readonly parameters: Map<string, FloatTensor>;
}

export type Question = { readonly id: number } & (
  | RemoteQuestion
  | {
      readonly type: "compile";
      readonly network: SentNetwork;
      readonly options: Omit<CompileOptions, "worker" | "inWorker" | "signal">;
    }
  /** Ends what was asked under the same id. */
  | { readonly type: "abort" }
  /** Answered by `PONG`, at the next breath of whoever computes. */
  | { readonly type: "ping" }
);

export const PONG = "pong";

/** Of `compile`. */
export interface Compiled {
  readonly plan: Plan;
  readonly choice: Choice;
  readonly bytes: number;
}

export function isCompiled(value: unknown): value is Compiled {
  const { plan, choice, bytes } = (value ?? {}) as Partial<Compiled>;
  return Array.isArray(plan?.steps) && typeof choice?.threads === "number" && typeof bytes === "number" && bytes >= 0;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: SentError;
}

export function isQuestion(data: unknown): data is Question {
  return typeof data === "object" && data !== null && "id" in data && typeof data.id === "number";
}

export function isAnswer(data: unknown): data is Answer {
  if (typeof data !== "object" || data === null || !("id" in data) || typeof data.id !== "number") return false;
  if (!("error" in data) || data.error === undefined) return true;
  const { error } = data;
  if (typeof error !== "object" || error === null || !("message" in error) || !("name" in error)) return false;
  const isCode = !("code" in error) || typeof error.code === "string";
  return isCode && typeof error.message === "string" && typeof error.name === "string";
}

/** An error, and what it came of, as plain data. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly code?: ErrorCode;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: SentError;
}

/** Most causes of an error that are sent with it: one may be its own. */
const MOST_CAUSES = 4;

export function sentError(error: unknown, causes = MOST_CAUSES): SentError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, cause } = error;
  return {
    name,
    message,
    ...(isDepthwiseError(error) ? { code: error.code, fields: error.fields } : {}),
    ...(cause === undefined || causes === 0 ? {} : { cause: sentError(cause, causes - 1) }),
  };
}

/** The error again, of its class where that is ours, and with its words as they were. */
export function receivedError({ name, message, code, fields, cause }: SentError): Error {
  const options = cause === undefined ? {} : { cause: receivedError(cause) };
  if (code !== undefined) {
    const error = new DepthwiseError(code, { what: "", ...options, ...(fields === undefined ? {} : { fields }) });
    error.message = message;
    return error;
  }
  const error = name === "InternalError" ? new InternalError("") : new Error(message, options);
  error.message = message;
  if (error.name !== name) Object.defineProperty(error, "name", { value: name });
  return error;
}
