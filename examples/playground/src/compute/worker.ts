/** The page's worker: all networks run here, so that the page stays free. */

import { isDepthwiseError } from "depthwise";
import { type Fault, faultOf } from "../fault.ts";
import { measure } from "./measure.ts";
import type { Answer, Given, Question, Reply, TaskName } from "./messages.ts";
import { classify, look, open } from "./network.ts";
import { addShots, askShots, loadShots, removeShots, saveShots, teach } from "./shots.ts";

const TASKS: { readonly [Name in TaskName]: (given: Given<Name>) => Promise<Answer<Name>> } = {
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

addEventListener("message", ({ data }: MessageEvent<Question>) => {
  turn = turn.then(() => answered(data));
});

async function answered({ id, name, given }: Question): Promise<void> {
  const task = TASKS[name] as (given: unknown) => Promise<unknown>;
  const reply: Reply = await task(given).then(
    (answer) => ({ id, answer }),
    (error: unknown) => ({ id, fault: faultIn(error) }),
  );
  try {
    postMessage(reply);
  } catch (error) {
    // An answer too large to be copied: those who wait behind it have their turn all the same.
    const told: Reply = { id, fault: faultIn(error) };
    postMessage(told);
  }
}

function faultIn(error: unknown): Fault {
  return isDepthwiseError(error) ? { code: error.code, message: error.message } : faultOf(error);
}
