/** The page's worker: all networks run here, so that the page stays free. */

import { isDepthwiseError } from "depthwise";
import { measure } from "./measure.ts";
import type { Answer, Given, Question, Reply, TaskName, Trouble } from "./messages.ts";
import { attention, classify, maps, open } from "./network.ts";
import { addShots, askShots, loadShots, removeShots, saveShots, teach } from "./shots.ts";

const TASKS: { readonly [Name in TaskName]: (given: Given<Name>) => Promise<Answer<Name>> } = {
  measure,
  open,
  classify,
  maps,
  attention,
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
    (error: unknown) => ({ id, trouble: troubleOf(error) }),
  );
  try {
    postMessage(reply);
  } catch (error) {
    // An answer too large to be copied: those who wait behind it have their turn all the same.
    const told: Reply = { id, trouble: troubleOf(error) };
    postMessage(told);
  }
}

function troubleOf(error: unknown): Trouble {
  if (isDepthwiseError(error)) return { code: error.code, message: error.message };
  return { code: "UNKNOWN", message: error instanceof Error ? error.message : String(error) };
}
