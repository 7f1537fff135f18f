/** Draws docs/classified.svg: a photograph and what a network says about it. `node scripts/picture.mjs WEIGHTS` */
// The photograph is Chelsea, of scikit-image, in the public domain (CC0).

import { readFileSync, writeFileSync } from "node:fs";
import { createClassifier, loadModel } from "depthwise";

const [weights = "keras:mobilenet_1_0_224_tf"] = process.argv.slice(2);
const photo = "docs/cat.jpg";
const classifier = await createClassifier(await loadModel(weights));
const predictions = await classifier.classify(photo, { topK: 5 });
classifier.close();

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const rows = predictions.map(({ label, probability }, row) => {
  const y = 30 + 38 * row;
  const width = Math.max(1, Math.round(330 * probability));
  return `  <text x="240" y="${y}">${escaped(label.split(",")[0])}</text>
  <text class="figure" x="590" y="${y}">${(100 * probability).toFixed(1)} %</text>
  <rect class="rail" x="240" y="${y + 6}" width="350" height="6" rx="3"/>
  <rect class="bar" x="240" y="${y + 6}" width="${width}" height="6" rx="3"/>`;
});
writeFileSync(
  "docs/classified.svg",
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 220" width="600" height="220" role="img" aria-label="A photograph of a cat, and the five most probable labels">
  <style>
    text { font: 15px system-ui, sans-serif; fill: #1f2328 }
    .figure { text-anchor: end; font-variant-numeric: tabular-nums }
    .rail { fill: #d1d9e0 }
    .bar { fill: #0969da }
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .rail { fill: #3d444d } .bar { fill: #4493f8 } }
  </style>
  <image x="10" y="10" width="200" height="200" preserveAspectRatio="xMidYMid slice" href="data:image/jpeg;base64,${readFileSync(photo).toString("base64")}"/>
${rows.join("\n")}
</svg>
`,
);
