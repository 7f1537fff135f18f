/** One run of `recipes.mjs`, in a process of its own: `node run.mjs DATA RUNS CHECKPOINT TASK`. Its last line is how it ended. */

import { cifar10 } from "../../dist/esm/train.js";
import { cifar10Files } from "../../scripts/shared/cifar10-files.mjs";
import { learn } from "../harness/learn.mjs";
import { asProgram } from "../harness/program.mjs";
import { SHARE } from "./task.mjs";

await asProgram(import.meta.url, async ([data, runs, checkpoint, text]) => {
  // The test set is not looked at: what is chosen is chosen by a tenth of the training pictures.
  const [train, judges] = (await cifar10(cifar10Files(data).train)).split(SHARE);
  console.log(await learn(JSON.parse(text), { runs, checkpoint, train, judges }));
});
