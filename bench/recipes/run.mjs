/** One run of `recipes.mjs`, in a process of its own: trains, and prints a line of JSON. `node run.mjs FOLDER TASK` */

import { mobileNetV1 } from "../../dist/esm/index.js";
import { cifar10, fit } from "../../dist/esm/train.js";
import { cifar10Files } from "../../scripts/shared/cifar10-files.mjs";
import { evaluate } from "../../scripts/shared/evaluate.mjs";
import { SHARE } from "./task.mjs";

const [folder, text] = process.argv.slice(2);
const { simd, network, options } = JSON.parse(text);
// The test set is not looked at: what is chosen is chosen by a tenth of the training pictures.
const [train, heldOut] = (await cifar10(cifar10Files(folder).train)).split(SHARE);
const started = performance.now();
const run = fit(mobileNetV1(network), train, { ...options, threads: 1, simd });
const { model, history } = await run.done;
const minutes = (performance.now() - started) / 60_000;
const { loss, accuracy } = history.at(-1);
const answers = await evaluate(model, heldOut, { threads: 1 });
const right = answers.filter(({ label, said }) => label === said).length / answers.length;
console.log(JSON.stringify({ right, training: { loss, accuracy }, minutes: Number(minutes.toFixed(1)) }));
