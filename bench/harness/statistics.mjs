/** The few statistics the tables use. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A median with what it came from: `{ median, least, most }`. */
export function spreadOf(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** `0.62 (0.60 to 0.65)`. */
export function spreadText({ median: middle, least, most }, digits = 2) {
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}
