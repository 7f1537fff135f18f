/** Few-shot learning in the page: what is shown is learnt on the features of a network that stays as it is. */

import type { FewShot } from "depthwise/train";
import { ComputeError } from "../fault.ts";
import { builtIn } from "./built-in.ts";
import type { Answer, BuiltIn, Given } from "./messages.ts";

let shots: FewShot | undefined;
let network: BuiltIn | undefined;

export async function teach({ network: wanted, isAnew = false }: Given<"teach">): Promise<Answer<"teach">> {
  if (shots !== undefined && wanted === network && !isAnew) return { classes: shots.classes };
  return begin(wanted);
}

async function begin(wanted: BuiltIn, from?: Uint8Array): Promise<Answer<"teach">> {
  const { fewShot } = await import("depthwise/train");
  const made = await fewShot(await builtIn(wanted), { threads: 1, ...(from === undefined ? {} : { from }) });
  shots?.close();
  shots = made;
  network = wanted;
  return { classes: made.classes };
}

export async function addShots({ network: wanted, label, pictures }: Given<"addShots">): Promise<Answer<"addShots">> {
  // A worker in another's place knows of nothing that was begun.
  await teach({ network: wanted });
  await ready().add(label, [...pictures]);
  return { classes: ready().classes };
}

export async function removeShots({ label }: Given<"removeShots">): Promise<Answer<"removeShots">> {
  await ready().remove(label);
  return { classes: ready().classes };
}

export async function askShots({ picture }: Given<"askShots">, signal: AbortSignal): Promise<Answer<"askShots">> {
  return ready().classify(picture, { topK: 3, signal });
}

export async function saveShots(): Promise<Answer<"saveShots">> {
  return ready().save();
}

export async function loadShots({ network: wanted, file }: Given<"loadShots">): Promise<Answer<"loadShots">> {
  return begin(wanted, new Uint8Array(await file.arrayBuffer()));
}

function ready(): FewShot {
  if (shots === undefined) throw new ComputeError({ code: "NOT_OPEN", message: "" });
  return shots;
}
