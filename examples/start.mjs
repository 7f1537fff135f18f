/**
 * What `npm start` runs: names what is in the drawings of examples/drawings, beside what the networks cost.
 * With pictures and weights it says what is in them: npm start -- photo.jpg --weights mobilenet.safetensors
 */
import { parseArgs } from "node:util";
import { createClassifier, isDepthwiseError, loadModel } from "depthwise";
import { coloured, hasColours } from "./start/colours.mjs";
import { firstRun } from "./start/first-run.mjs";
import * as models from "./start/models.mjs";

const USAGE =
  "Usage: npm start [-- PICTURE… --weights FILE]   FILE may be digits or cifar10, the networks of the package";

// Whoever reads has seen enough: `npm start | head`.
process.stdout.on("error", ({ code }) => process.exit(code === "EPIPE" ? 0 : 1));

try {
  const { files, weights } = asked();
  if (files.length > 0) await classify(files, weights);
  else await firstRun(models, print);
} catch (error) {
  console.error(isDepthwiseError(error) ? `${error.code}: ${error.message}` : error.message);
  process.exitCode = 1;
}

function asked() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { weights: { type: "string" } } });
    if ((values.weights === undefined) === positionals.length > 0) throw new Error("Pictures and weights go together.");
    return { files: positionals, weights: values.weights };
  } catch ({ message }) {
    throw new Error(`${message}\n${USAGE}`);
  }
}

function print(lines) {
  console.log((hasColours(process.stdout) ? lines.map(coloured) : lines).join("\n"));
}

async function classify(files, weights) {
  const open = { digits: models.digits, cifar10: models.cifar10 }[weights] ?? (() => loadModel(weights));
  const classifier = await createClassifier(await open());
  for (const file of files) {
    console.log(file);
    for (const { label, probability } of await classifier.classify(file, { topK: 5 })) {
      console.log(`  ${(100 * probability).toFixed(1).padStart(5)} %  ${label}`);
    }
  }
  classifier.close();
}
