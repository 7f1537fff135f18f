/** The page's worker: all networks run here, so that the page stays free. */

import { isDepthwiseError } from "depthwise";
import { type Fault, faultOf } from "../fault.ts";
import { measure } from "./measure.ts";
import type { Answer, Given, Question, Reply, TaskName, Withdrawal } from "./messages.ts";
import { classify, look, open } from "./network.ts";
import { addShots, askShots, loadShots, removeShots, saveShots, teach } from "./shots.ts";

/** The signal ends it, as far as the library can be stopped where it is. */
type Task<Name extends TaskName> = (given: Given<Name>, signal: AbortSignal) => Promise<Answer<Name>>;

const TASKS: { readonly [Name in TaskName]: Task<Name> } = {
  measure,
  open,
  classify,
  look,
  teach,
  addShots,
  removeShots,
  askShots,
  saveShots,
  loadShots,
};

/** One at a time: two networks that run at once would disturb each other's times. */
let turn: Promise<void> = Promise.resolve();

/** Of the questions that have no answer yet: what ends each. */
const asked = new Map<number, AbortController>();

addEventListener("message", ({ data }: MessageEvent<Question | Withdrawal>) => {
  if ("withdrawn" in data) {
    asked.get(data.withdrawn)?.abort();
    return;
  }
  const withdrawn = new AbortController();
  asked.set(data.id, withdrawn);
  turn = turn.then(() => answered(data, withdrawn.signal));
});

async function answered(question: Question, signal: AbortSignal): Promise<void> {
  const { id } = question;
  const reply: Reply = await answerTo(question, signal).then(
    (answer) => ({ id, answer }),
    (error: unknown) => ({ id, fault: faultIn(error) }),
  );
  asked.delete(id);
  try {
    postMessage(reply);
  } catch (error) {
    // An answer too large to be copied: those who wait behind it have their turn all the same.
    const told: Reply = { id, fault: faultIn(error) };
    postMessage(told);
  }
}

async function answerTo({ name, given }: Question, signal: AbortSignal): Promise<unknown> {
  // Withdrawn while it waited: it is not begun.
  signal.throwIfAborted();
  const task = TASKS[name] as (given: unknown, signal: AbortSignal) => Promise<unknown>;
  return task(given, signal);
}

function faultIn(error: unknown): Fault {
  return isDepthwiseError(error) ? { code: error.code, message: error.message } : faultOf(error);
}
