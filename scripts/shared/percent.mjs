/** A share in per cent, as it is printed. @param {number} share 0 to 1 @param {number} [digits] after the point */
export function percent(share, digits = 2) {
  return `${(100 * share).toFixed(digits)} %`;
}
