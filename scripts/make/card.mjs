/** A model card out of the figures of a run: `docs/models/NAME.md`, and its curve. */

import { percent } from "../shared/percent.mjs";
import { WORDS } from "./words.mjs";

/** How many confusions are named. */
const MOST_CONFUSIONS = 6;

/**
 * @param {ReturnType<JSON["parse"]>} figures what `make` measured, as `docs/models/NAME.json` holds it
 * @returns {string} Markdown; the same figures give the same text
 */
export function card(figures) {
  const { name, bytes, sha256, network, recipe, examples, minutes, threads, right, surest, nothing } = figures;
  const words = WORDS[name];
  const share = (count) => percent(count / examples.test);
  return `# ${words.title}

${words.reads}

\`\`\`js
import { createClassifier } from "depthwise";
import { ${name} } from "depthwise/models/${name}";

const classifier = await createClassifier(await ${name}());
const [best] = await classifier.classify("${words.example}");
console.log(best?.label);
classifier.close();
\`\`\`

\`\`\`text
${words.example.replace(/^.*?([a-z]+|\d+)\.png$/, "$1")}
\`\`\`

In Node, image files need sharp (\`npm install sharp\`); pixels do not, and in a browser nothing has to be installed. On the command line: \`depthwise classify ${words.example} --weights ${name}\`. Nothing is downloaded: the network lies in the package, and is in no other door than \`depthwise/models/${name}\`. A page that imports it fetches about as many compressed bytes as it is stored in; \`await import("depthwise/models/${name}")\` fetches them when they are wanted.

| | |
|---|---|
| right of the ${counted(examples.test)} test pictures, as it is stored | **${share(right.stored)}** |
| the same in float32, before it was stored | ${share(right.float32)} |
| network | MobileNet V1, α ${network.alpha}${network.channelRounding === undefined ? "" : ` (channelRounding "${network.channelRounding}")`}, ${network.resolution} × ${network.resolution} × ${network.inputChannels ?? 3}, stem stride ${network.stem.stride}${blocksOf(network)} |
| stored | ${counted(bytes)} bytes: 8-bit integers with a scale a channel, batch norm folded in |
| sha256 | \`${sha256}\` |
| made by | \`${words.fetched} && npm run make:${name}\`, ${minutes} minutes on ${threads} threads of the machine it was made on |

\`${name}File()\` of the same door gives the stored file as it is. The same command gives the same bytes, on Node 20 and 24, with any number of threads. The run that made this file looked at the test pictures once, after its last epoch; its seed is ${network.seed} because that is the first one. ${words.before}

## Data

${words.data}

Besides, it learnt from ${counted(examples.nothing)} pictures of nothing, evenly coloured ones and noise, that no answer is right there: their labels give each class the same share.

## How it learnt

\`\`\`json
${JSON.stringify(recipe)}
\`\`\`

![Loss by epoch](${name}.svg)

## What it gets right and wrong

Rows are what a picture is, columns what was said.

${confusionTable(figures)}

Most often mistaken: ${mistakes(figures)}.

Its labels were smoothed, so it is taught to be about ${percent(1 - recipe.labelSmoothing * (1 - 1 / network.labels.length), 0)} sure; of the test pictures its surest answer had ${percent(surest, 1)}.

It always answers. Its surest answer to an evenly coloured picture (100 of them, from the darkest to the lightest) was "${nothing.blank.label}" with ${percent(nothing.blank.probability, 1)}, to a thousand pictures of noise of its own size, each pixel for itself, "${nothing.noise.label}" with ${percent(nothing.noise.probability, 1)}, there ${percent(nothing.noise.mean, 1)} in the mean. It was taught these two; of other thousands the surest may be surer. ${blotWords(network, nothing.blots)} Of other pictures that show none of its classes it may be as sure.

To train it further take \`fineTune\` or \`depthwise train --from ${name}\`, with their own rates: its batch norms are folded in, and at a rate as high as the one above it may forget all and learn nothing.

## What it is not for

${words.notFor.map((line) => `- ${line}`).join("\n")}
`;
}

/** Of noise that it was not taught. */
function blotWords({ resolution }, { label, probability, mean }) {
  const side = resolution / 2;
  return `Noise of ${side} × ${side}, which is enlarged and so is in blots, it was not taught: there its surest answer was "${label}" with ${percent(probability, 1)}, ${percent(mean, 1)} in the mean.`;
}

function blocksOf({ blocks }) {
  return blocks === undefined ? "" : `, strides of blocks ${blocks.map(({ stride }) => stride).join(" ")}`;
}

function confusionTable({ network: { labels }, confusion }) {
  const rows = confusion.map((row, label) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    return `| ${labels[label]} | ${row.map((count) => count || "·").join(" | ")} | ${percent(row[label] / all, 1)} |`;
  });
  return [`| | ${labels.join(" | ")} | right |`, `|---|${"---:|".repeat(labels.length + 1)}`, ...rows].join("\n");
}

function mistakes({ network: { labels }, confusion }) {
  return confusion
    .flatMap((row, label) => row.map((count, said) => ({ label, said, count })))
    .filter(({ label, said, count }) => label !== said && count > 0)
    .sort((a, b) => b.count - a.count || a.label - b.label || a.said - b.said)
    .slice(0, MOST_CONFUSIONS)
    .map(({ label, said, count }) => `${labels[label]} as ${labels[said]} (${count})`)
    .join(", ");
}

function counted(value) {
  return value.toLocaleString("en-US");
}
