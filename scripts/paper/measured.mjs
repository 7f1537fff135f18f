/** src/cost/measured.ts, with the figures of the cells of our own recipe. */

const ROWS = /(export const MEASURED_ON_CIFAR10: readonly MeasuredNetwork\[\] = \[\n)[^\]]*(\];)/;

/** @param {string} text the file as it is @param {ReturnType<import("./summary.mjs").summaryOf>} summary */
export function withMeasured(text, { cells }) {
  if (!ROWS.test(text)) throw new Error("src/cost/measured.ts has no MEASURED_ON_CIFAR10.");
  const measured = cells.filter(({ arm, accuracy }) => arm === "fast" && accuracy !== null);
  return text.replace(ROWS, (_, start, end) => `${start}${measured.map(rowOf).join("")}${end}`);
}

function rowOf({ name, options, accuracy, runs }) {
  const { alpha, resolution, shallow, standardConvolution } = options;
  const form = shallow ? " shallow: true," : standardConvolution ? " standardConvolution: true," : "";
  const top1 = Number((100 * accuracy).toFixed(2));
  return `  { name: "${name}", alpha: ${alpha}, resolution: ${resolution},${form} top1: ${top1}, seeds: ${runs.length} },\n`;
}
