/** The whole of plain.html: fetches weights and a photo, and says what is in it. No bundler, no build step of its own. */
import { createClassifier, loadModel } from "../../dist/esm/index.js";

const element = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
try {
  element("photo").src = asked.get("photo");
  const model = await loadModel(asked.get("weights"));
  const classifier = await createClassifier(model, { threads: Number(asked.get("threads")) || "auto" });
  const started = performance.now();
  for (const { label, probability } of await classifier.classify(asked.get("photo"))) {
    const text = `${label} ${(100 * probability).toFixed(1)} %`;
    element("labels").append(Object.assign(document.createElement("li"), { textContent: text }));
  }
  const ms = (performance.now() - started).toFixed(1);
  const { backend, simd, threads, reasons } = classifier.explain();
  const how = [`${backend} backend, SIMD: ${simd}, threads: ${threads}, ${ms} ms`, ...reasons];
  element("how").textContent = how.join("; ");
  classifier.close();
} catch (error) {
  element("error").textContent = `${error.code ?? error.name}: ${error.message}`;
}
