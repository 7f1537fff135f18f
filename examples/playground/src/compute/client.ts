/** The page's side of its worker: questions are answered in turn, and a worker that dies is replaced. */

import { ComputeError } from "../fault.ts";
import type { Answer, Given, Question, Reply, TaskName, Withdrawal } from "./messages.ts";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let last = 0;
/** The network that was opened last: a worker in another's place opens it again, before it is asked. */
let opened: Given<"open"> | undefined;

/**
 * Asks the worker, which is started when first needed.
 *
 * @param signal withdraws the question: the worker ends what it has begun for it, or does not begin
 * @throws {ComputeError}; `signal.reason`
 */
export async function ask<Name extends TaskName>(
  name: Name,
  given: Given<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  if (worker === undefined) {
    worker = started();
    if (opened !== undefined && (name === "classify" || name === "look")) await asked(worker, "open", opened);
  }
  signal?.throwIfAborted();
  const answer = await asked(worker, name, given, signal);
  if (name === "open") opened = given as Given<"open">;
  return answer;
}

function asked<Name extends TaskName>(
  of: Worker,
  name: Name,
  given: Given<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  const question: Question<Name> = { id: ++last, name, given };
  const answer = new Promise<Answer<Name>>((resolve, reject) => waiting.set(question.id, { resolve, reject }));
  of.postMessage(question);
  const withdraw = () => {
    const { reject } = waiting.get(question.id) ?? {};
    if (reject === undefined) return;
    waiting.delete(question.id);
    const withdrawal: Withdrawal = { withdrawn: question.id };
    of.postMessage(withdrawal);
    reject(signal?.reason);
  };
  signal?.addEventListener("abort", withdraw, { once: true });
  return answer;
}

function started(): Worker {
  const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
    const { resolve, reject } = waiting.get(data.id) ?? {};
    waiting.delete(data.id);
    if ("fault" in data) reject?.(new ComputeError(data.fault));
    else resolve?.(data.answer as never);
  });
  made.addEventListener("error", (event) => {
    event.preventDefault();
    const error = new ComputeError({ code: "WORKER_LOST", message: event.message ?? "" });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    made.terminate();
    if (worker === made) worker = undefined;
  });
  return made;
}
