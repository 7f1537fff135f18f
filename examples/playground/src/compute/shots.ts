/** Few-shot learning in the page: what is shown is learnt on the features of a network that stays as it is. */

import type { FewShot } from "depthwise/train";
import { builtIn } from "./built-in.ts";
import type { Answer, BuiltIn, Given } from "./messages.ts";

let shots: FewShot | undefined;
let network: BuiltIn = "cifar10";

export async function teach({ network: wanted }: Given<"teach">): Promise<Answer<"teach">> {
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

export async function addShots({ label, pictures }: Given<"addShots">): Promise<Answer<"addShots">> {
  await ready().add(label, [...pictures]);
  return { classes: ready().classes };
}

export async function removeShots({ label }: Given<"removeShots">): Promise<Answer<"removeShots">> {
  await ready().remove(label);
  return { classes: ready().classes };
}

export async function askShots({ picture }: Given<"askShots">): Promise<Answer<"askShots">> {
  return ready().classify(picture, { topK: 3 });
}

export async function saveShots(): Promise<Answer<"saveShots">> {
  return ready().save();
}

export async function loadShots({ file }: Given<"loadShots">): Promise<Answer<"loadShots">> {
  return begin(network, new Uint8Array(await file.arrayBuffer()));
}

function ready(): FewShot {
  if (shots === undefined) throw new Error("Nothing was begun.");
  return shots;
}
