/** The page's side of its worker: questions are answered in turn, and a worker that dies is replaced. */

import type { Answer, Given, Question, Reply, TaskName, Trouble } from "./messages.ts";

/** What a question came to, where it came to no good. */
export class ComputeError extends Error {
  readonly code: string;

  constructor({ code, message }: Trouble) {
    super(message);
    this.name = "ComputeError";
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: ComputeError) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let last = 0;

/** Asks the worker, which is started when first needed. @throws {ComputeError} */
export function ask<Name extends TaskName>(name: Name, given: Given<Name>): Promise<Answer<Name>> {
  worker ??= started();
  const question: Question<Name> = { id: ++last, name, given };
  const answer = new Promise<Answer<Name>>((resolve, reject) => waiting.set(question.id, { resolve, reject }));
  worker.postMessage(question);
  return answer;
}

function started(): Worker {
  const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("trouble" in data) asked?.reject(new ComputeError(data.trouble));
    else asked?.resolve(data.answer as never);
  });
  made.addEventListener("error", (event) => {
    event.preventDefault();
    const error = new ComputeError({
      code: "WORKER_LOST",
      message: event.message || "The worker could not be loaded.",
    });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    made.terminate();
    if (worker === made) worker = undefined;
  });
  return made;
}
