/** Predictions as lines of text: a label, a bar, a percentage. */

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const BAR_WIDTH = 16;
const COLUMN_WIDTH = 39;

/** A bar of `width` columns at most, in eighths of a column. */
export function bar(probability, width = BAR_WIDTH) {
  const eighths = Math.round(checked(probability) * width * 8);
  return "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

/** One decimal. What is not quite nothing, or not quite certain, does not become so by rounding. */
export function percent(probability) {
  const share = 100 * checked(probability);
  if (share > 0 && share < 0.05) return "<0.1 %";
  if (share < 100 && share >= 99.95) return ">99.9 %";
  return `${share.toFixed(1)} %`;
}

/** A picture's name, and under it a line for each prediction. */
export function predictionLines(name, predictions, labelWidth) {
  const lines = predictions.map(
    ({ label, probability }) =>
      `  ${label.padEnd(labelWidth)} ${bar(probability).padEnd(BAR_WIDTH)} ${percent(probability).padStart(7)}`,
  );
  return [name, ...lines];
}

/** Blocks of lines as a page of two columns, a blank line after each pair. */
export function inTwoColumns(blocks) {
  const lines = [];
  for (let at = 0; at < blocks.length; at += 2) {
    const [left, right = []] = [blocks[at], blocks[at + 1]];
    for (let row = 0; row < Math.max(left.length, right.length); row++) {
      lines.push(`${(left[row] ?? "").padEnd(COLUMN_WIDTH)}${right[row] ?? ""}`.trimEnd());
    }
    lines.push("");
  }
  return lines;
}

function checked(probability) {
  if (probability >= 0 && probability <= 1) return probability;
  throw new Error(`A probability is from 0 to 1; the network gave ${probability}.`);
}
