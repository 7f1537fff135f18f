/** Classifies all pictures of a folder: node examples/classify.mjs FOLDER WEIGHTS. A bad file does not stop it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createClassifier, isDepthwiseError, loadModel } from "depthwise";

const [folder, weights] = process.argv.slice(2);
if (folder === undefined || weights === undefined) {
  console.error("usage: node examples/classify.mjs FOLDER WEIGHTS");
  process.exit(2);
}

const classifier = await createClassifier(await loadModel(weights));
for (const file of readdirSync(folder).sort()) {
  try {
    const [best] = await classifier.classify(join(folder, file), { topK: 1 });
    console.log(`${file.padEnd(28)} ${(100 * best.probability).toFixed(1).padStart(5)} %  ${best.label}`);
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    console.log(`${file.padEnd(28)} ${error.code}`);
  }
}
classifier.close();
