/** docs/paper-again.md. Sentences about a difference stand there only where a test says so. */

import { percent } from "../shared/percent.mjs";
import { listOfRuns } from "./runs.mjs";
import { LEVEL } from "./summary.mjs";

/** Optimizers, as one writes them. */
const NAMES = { sgd: "SGD", rmsprop: "RMSprop" };

/** @param {ReturnType<import("./summary.mjs").summaryOf>} summary */
export function pageOf(summary) {
  const { cells } = summary;
  const isMeasured = cells.some(({ runs }) => runs.length > 0);
  const parts = [
    "# The paper again, on CIFAR-10",
    introduction(summary),
    missingPart(cells),
    othersPart(cells),
    ...(isMeasured ? [chartsPart(), ...summary.tables.map((table) => tablePart(table, cells)), armsPart(cells)] : []),
    ...(isMeasured ? [testsPart(summary), runsPart(cells)] : []),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function introduction({ epochs, examples, cells }) {
  const { optimizer, batch } = cells.find(({ arm }) => arm === "fast").recipe;
  const paper = cells.find(({ arm }) => arm === "paper").recipe;
  return `Howard et al. 2017 compare widths, resolutions, depths and the full convolution on ImageNet. Here are the same comparisons on CIFAR-10 (32×32 pixels, 10 classes), trained from nothing with this library: the stem has stride 1, the blocks have the paper's strides, and there is no dropout. 2 × 2 pixels are left to the last layers (a single one of pictures of 16 × 16), in the paper 7 × 7. A network made for such pictures has block 2 at stride 1 too, as [\`depthwise/models/cifar10\`](models/cifar10.md) has: it costs more, and is more accurate. All runs see the same ${grouped(examples.train)} pictures, in the order of their seed, for ${epochs} epochs, which is short; the test pictures are looked at once, after the last epoch. Nothing was chosen by them. Accuracies on CIFAR-10 and on ImageNet are not to be compared with each other, only which network is ahead. Each is the mean over the seeds that stand beside it; points are means over the seeds that both networks have.

The recipe of all but one cell is \`recipe("fast", …)\`: ${NAMES[optimizer.type]} with momentum ${optimizer.momentum}, batches of ${batch}, one cycle of the rate, label smoothing. The other is \`recipe("paper", …)\`: ${NAMES[paper.optimizer.type]} with ε ${paper.optimizer.epsilon.toFixed(1)}, no weight decay on depthwise kernels, little augmentation, batches of ${paper.batch}.

Made by \`npm run train:paper\` and \`npm run train:paper -- --report\`; [as JSON](paper-again.json). \`withinBudget({ multAdds: 10e6, table: "cifar10" })\` chooses by these figures.`;
}

function missingPart(cells) {
  const missing = cells.flatMap(({ name, missing: seeds }) => seeds.map((seed) => ({ cell: name, seed })));
  return missing.length === 0 ? "" : `**Not measured yet:** ${listOfRuns(missing)}.`;
}

function othersPart(cells) {
  const others = cells.flatMap(({ name, others: seeds }) => seeds.map((seed) => ({ cell: name, seed })));
  if (others.length === 0) return "";
  return `Results of other seeds lie there too, and are in no figure: ${listOfRuns(others)}.`;
}

function chartsPart() {
  return [
    "![Accuracy on CIFAR-10 against mult-adds, of each network](paper-again-mult-adds.svg)",
    "![Accuracy on CIFAR-10 against parameters, of each network](paper-again-parameters.svg)",
    "The paper's figures 4 and 5, of these networks. Large dots are means over the seeds there are, small ones single seeds.",
  ].join("\n\n");
}

function tablePart({ number, title, rows }, cells) {
  const own = rows.map(({ cell }) => cells.find(({ name }) => name === cell));
  const header = ["network", "mult-adds", "parameters", "CIFAR-10", "seeds", "points to the first"];
  const paperHeader = ["the paper's network", "mult-adds", "parameters", "ImageNet", "points to the first"];
  const lines = rows.map(({ paper, points }, row) => [
    ...ownCells(own[row], points),
    paper.label,
    `${paper.multAdds} M`,
    `${paper.parameters} M`,
    `${Number.parseFloat(paper.accuracy).toFixed(1)} %`,
    row === 0 ? "" : signed(Number.parseFloat(paper.accuracy) - Number.parseFloat(rows[0].paper.accuracy), 1),
  ]);
  const note =
    number === 7
      ? "\n\nρ is 1, 0.75 and 0.5 here, and 1, 0.857, 0.714 and 0.571 in the paper: the nearest stand side by side."
      : "";
  return `## Table ${number}: ${title}\n\n${markdownTable([...header, ...paperHeader], lines)}${note}`;
}

/** @param {number | null | undefined} points to the first row: none of itself, null where there is no pair of runs */
function ownCells(cell, points) {
  if (cell === undefined) return ["", "", "", "", "", ""];
  return [cell.name, ...costs(cell), ...accuracies(cell), typeof points === "number" ? signed(points, 2) : ""];
}

function armsPart(cells) {
  const paper = cells.find(({ arm }) => arm === "paper");
  const { alpha, resolution } = paper.options;
  const fast = cells.find(({ name }) => name === `${alpha}-${resolution}`);
  const rows = [fast, paper].map((cell) => [cell.name, `\`${cell.arm}\``, ...accuracies(cell)]);
  return `## Two recipes\n\n${markdownTable(["network", "recipe", "CIFAR-10", "seeds"], rows)}`;
}

function testsPart({ comparisons }) {
  const header = ["first", "second", "seed", "right in the first alone", "in the second alone", "points", "p"];
  const rows = comparisons.flatMap(({ first, second, seeds, points, p }) => [
    ...seeds.map((pair) => [
      first,
      second,
      pair.seed,
      pair.onlyFirst,
      pair.onlySecond,
      signed(pair.points, 2),
      chance(pair.p),
    ]),
    ...(seeds.length > 1 ? [[first, second, "all", "", "", signed(points, 2), chance(p)]] : []),
  ]);
  const claims = comparisons.flatMap((comparison) => claimOf(comparison) ?? []);
  const silent = comparisons.filter(({ isClaimed }) => isClaimed === false);
  const rest = silent.map(({ first, second }) => `${first} and ${second}`);
  return [
    "## Which differences hold",
    `Two networks of the same seed are asked about the same test pictures, and the pictures are counted that one alone has right: McNemar's exact test. Over several seeds it is the exact test of the sum of these differences, picture by picture. A difference is claimed where that chance, p, is below ${LEVEL} and each seed says the same. The pictures are the sample, not the seeds: where there is one seed, what is claimed is of these two runs. How much seeds differ is in the table.`,
    rows.length === 0 ? "No two networks that are compared have been trained with the same seed yet." : "",
    rows.length === 0
      ? ""
      : claims.length === 0
        ? "No difference is claimed."
        : claims.map((claim) => `- ${claim}`).join("\n"),
    claims.length > 0 && rest.length > 0 ? `No difference is claimed between ${rest.join("; ")}.` : "",
    rows.length === 0 ? "" : markdownTable(header, rows),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function claimOf({ first, second, points, p, isClaimed, paperPoints, seeds, table }) {
  if (isClaimed !== true) return undefined;
  const [ahead, behind] = points > 0 ? [first, second] : [second, first];
  const runs = seeds.length === 1 ? "of one seed" : `over ${seeds.length} seeds`;
  const said = `${ahead} is ${Math.abs(points).toFixed(2)} points ahead of ${behind}, ${runs} (p ${chance(p)})`;
  if (paperPoints === undefined) return `${said}.`;
  const isSame = Math.sign(points) === Math.sign(paperPoints);
  return isSame
    ? `${said}. So it is in the paper's table ${table}, by ${Math.abs(paperPoints).toFixed(1)} points.`
    : `${said}. **In the paper's table ${table} it is the other way round**, by ${Math.abs(paperPoints).toFixed(1)} points.`;
}

function runsPart(cells) {
  const header = ["network", "seed", "right", "minutes", "computed by", "sha256 of the parameters"];
  const rows = cells.flatMap(({ name, runs }) =>
    runs.map(({ seed, accuracy, minutes, runtime, parametersSha256 }) => [
      name,
      seed,
      percent(accuracy),
      minutes.toFixed(1),
      `depthwise ${runtime.library}, Node ${runtime.node}, ${runtime.simd}, ${runtime.threads} thread${runtime.threads === 1 ? "" : "s"}`,
      `\`${parametersSha256.slice(0, 16)}\``,
    ]),
  );
  return `## Runs\n\nMinutes are those of the machine that happened to compute, which did other things too. Plain SIMD rounds otherwise than relaxed and wide, so that the last digits depend on it.\n\n${markdownTable(header, rows)}`;
}

function costs({ multAdds, parameters }) {
  return [`${(multAdds / 1e6).toFixed(2)} M`, `${(parameters / 1e6).toFixed(3)} M`];
}

function accuracies({ accuracy, runs }) {
  if (accuracy === null) return ["not yet", ""];
  return [percent(accuracy), runs.map((run) => (100 * run.accuracy).toFixed(2)).join(", ")];
}

function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value > 0 ? "+" : "−"}${text}`;
}

function chance(p) {
  return p < 1e-6 ? "< 0.000001" : p.toPrecision(2);
}

function grouped(count) {
  return count.toLocaleString("en-US");
}

function markdownTable(header, rows) {
  const isNumber = header.map((_, column) => rows.every((row) => /^(< )?[−+]?[\d., ]*[%M]?$/.test(row[column])));
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, column) => (column > 0 && isNumber[column] ? "---:" : "---"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}
