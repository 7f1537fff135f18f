/**
 * What `npm start` runs: the cost of MobileNet V1 beside its standard-convolution twin, and a forward pass.
 * With a picture and weights it says what is in the picture: npm start -- photo.jpg --weights mobilenet.safetensors
 */
import { parseArgs } from "node:util";
import { compile, createClassifier, isDepthwiseError, loadModel, mobileNetV1, tensor } from "depthwise";
import { cost } from "depthwise/cost";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { weights: { type: "string" } } });

const millions = (count) => `${(count / 1e6).toFixed(1)} M`.padStart(9);

function compare() {
  const separable = cost(mobileNetV1()).totals;
  const standard = cost(mobileNetV1({ standardConvolution: true })).totals;
  console.log("MobileNet V1, 1.0-224          mult-adds  parameters");
  console.log(`  depthwise separable          ${millions(separable.multAdds)}   ${millions(separable.parameters)}`);
  console.log(`  standard convolutions        ${millions(standard.multAdds)}   ${millions(standard.parameters)}`);
  console.log(
    `  ratio                        ${`1 / ${(standard.multAdds / separable.multAdds).toFixed(2)}`.padStart(9)}   ${`1 / ${(standard.parameters / separable.parameters).toFixed(2)}`.padStart(9)}`,
  );
}

async function forward() {
  const session = await compile(mobileNetV1());
  const image = tensor(new Float32Array(224 * 224 * 3), [1, 224, 224, 3]);
  await session.run(image);
  const started = performance.now();
  const { probabilities } = await session.run(image);
  const ms = Math.round(performance.now() - started);
  const sum = probabilities.data.reduce((a, b) => a + b, 0);
  console.log(
    `forward pass (${session.backend} backend, random weights): ${ms} ms, ${probabilities.shape[1]} probabilities, sum ${sum.toFixed(4)}`,
  );
  session.close();
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
    compare();
    await forward();
  }
} catch (error) {
  console.error(isDepthwiseError(error) ? `${error.code}: ${error.message}` : error.message);
  process.exitCode = 1;
}
