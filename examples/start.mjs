/**
 * What `npm start` runs: names what is in the drawings of examples/drawings, beside what the networks cost.
 * With a picture and weights it says what is in the picture: npm start -- photo.jpg --weights mobilenet.safetensors
 */
import { parseArgs } from "node:util";
import { createClassifier, isDepthwiseError, loadModel } from "depthwise";
import { coloured, hasColours } from "./start/colours.mjs";
import { firstRun } from "./start/first-run.mjs";
import * as models from "./start/models.mjs";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { weights: { type: "string" } } });

function print(lines) {
  console.log((hasColours(process.stdout) ? lines.map(coloured) : lines).join("\n"));
}

async function classify(files, weights) {
  const classifier = await createClassifier(await loadModel(weights));
  for (const file of files) {
    console.log(file);
    for (const { label, probability } of await classifier.classify(file, { topK: 5 })) {
      console.log(`  ${(100 * probability).toFixed(1).padStart(5)} %  ${label}`);
    }
  }
  classifier.close();
}

try {
  if (positionals.length > 0) {
    if (values.weights === undefined)
      throw new Error("A picture needs weights: npm start -- photo.jpg --weights mobilenet.safetensors");
    await classify(positionals, values.weights);
  } else {
    await firstRun(models, print);
  }
} catch (error) {
  console.error(isDepthwiseError(error) ? `${error.code}: ${error.message}` : error.message);
  process.exitCode = 1;
}
