/** A page that keeps one session for many photos, with a worker script that the bundler placed. See build.mjs. */
import { createClassifier, loadModel } from "depthwise";

/** build.mjs makes worker.js of `depthwise/worker`, beside the file that this becomes. */
const worker = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });

const element = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
let classifier;
let queue = Promise.resolve();

/** Weights come from a URL or a chosen file; the classifier before is closed, and its workers with it. */
async function open(weights) {
  classifier?.close();
  classifier = undefined;
  const threads = Number(asked.get("threads")) || "auto";
  classifier = await createClassifier(await loadModel(weights), { threads, worker });
}

async function classify(photo) {
  if (classifier === undefined) throw new Error("Choose weights first.");
  URL.revokeObjectURL(element("picture").src);
  element("picture").src = typeof photo === "string" ? photo : URL.createObjectURL(photo);
  const started = performance.now();
  const predictions = await classifier.classify(photo);
  const ms = (performance.now() - started).toFixed(1);
  const lines = predictions.map(({ label, probability }) =>
    Object.assign(document.createElement("li"), { textContent: `${label} ${(100 * probability).toFixed(1)} %` }),
  );
  element("labels").replaceChildren(...lines);
  const { backend, simd, threads, reasons } = classifier.explain();
  const how = [`${backend} backend, SIMD: ${simd}, threads: ${threads}, ${ms} ms`, ...reasons];
  element("how").textContent = how.join("; ");
}

/** One thing after the other, in the order it was asked for. What goes wrong is shown, by its code. */
function inTurn(work) {
  queue = queue.then(async () => {
    element("error").textContent = "";
    try {
      await work();
    } catch (error) {
      element("error").textContent = `${error.code ?? error.name}: ${error.message}`;
    }
  });
}

element("weights").addEventListener("change", ({ target: { files } }) => inTurn(() => open(files[0])));
element("photo").addEventListener("change", ({ target: { files } }) => inTurn(() => classify(files[0])));
inTurn(async () => {
  if (asked.has("weights")) await open(asked.get("weights"));
  if (asked.has("photo")) await classify(asked.get("photo"));
});
