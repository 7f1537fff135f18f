/** The page's worker: makes the shapes, trains on them, and says what a drawing shows. The page is free meanwhile. */
import { compile, mobileNetV1, tensor } from "../../dist/esm/index.js";
import { arrays, fit, indexedDbStore, oneCycle, sgd } from "../../dist/esm/train.js";
import { CLASSES, makeShapes, pictureOf, SIDE } from "./shapes.js";

const EXAMPLES = 2000;
const EPOCHS = 6;

const model = mobileNetV1({
  alpha: 0.25,
  inputSize: [SIDE, SIDE],
  inputChannels: 1,
  stem: { stride: 1, filters: 32 },
  shallow: true,
  classes: CLASSES.length,
  labels: CLASSES,
});
const { pictures, labels } = makeShapes(EXAMPLES, 1);
const data = arrays(tensor(pictures, [EXAMPLES, SIDE, SIDE, 1]), labels, { classes: CLASSES });
const checkpoint = indexedDbStore("shapes");
let stopping = new AbortController();
let session;

/** From the last checkpoint, if there is one. What comes out is the same, however often it was stopped. */
async function train() {
  stopping = new AbortController();
  const run = fit(model, data, {
    epochs: EPOCHS,
    batch: 50,
    validation: 0.2,
    optimizer: sgd({ momentum: 0.9, nesterov: true }),
    schedule: oneCycle({ peak: 0.05 }),
    augment: { paddedCrop: { padding: 2 } },
    threads: "auto",
    checkpoint,
    checkpointSeconds: 2,
    resume: true,
    signal: stopping.signal,
  });
  for await (const event of run) postMessage(event);
  const { model: trained, history } = await run.done;
  session?.close();
  session = await compile(trained);
  postMessage({ type: "trained", history });
}

async function forget() {
  for (const name of await checkpoint.list()) await checkpoint.remove(name);
}

async function classify(strokes) {
  const x = Float32Array.from(pictureOf(strokes), (grey) => grey / 127.5 - 1);
  const { probabilities } = await session.run(x);
  postMessage({ type: "classified", probabilities: [...probabilities.data] });
}

/** One thing after the other, but a stop at once. What goes wrong is told. */
let queue = Promise.resolve();
addEventListener("message", ({ data: { type, strokes } }) => {
  if (type === "stop") return stopping.abort();
  queue = queue.then(async () => {
    try {
      if (type === "train") await train();
      if (type === "forget") await forget();
      if (type === "classify") await classify(strokes);
    } catch (error) {
      if (error.name === "AbortError") postMessage({ type: "paused" });
      else postMessage({ type: "failed", message: `${error.code ?? error.name}: ${error.message}` });
    }
  });
});
const isBegun = (await checkpoint.list()).length > 0;
postMessage({ type: "ready", samples: pictures.slice(0, 16 * SIDE * SIDE), examples: EXAMPLES, isBegun });
