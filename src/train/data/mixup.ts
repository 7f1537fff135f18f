/** Mixup: every picture of a batch with a share of the next one, and their labels likewise. */

/**
 * Mixes in place: row i becomes λᵢ of itself and 1 − λᵢ of row i + 1 as it was, the last one of the first.
 *
 * @param rows    `count` rows beside each other
 * @param mixings λ of each row
 */
export function mixRows(rows: Float32Array, count: number, mixings: Float64Array): void {
  const length = rows.length / count;
  const first = rows.slice(0, length);
  for (let row = 0; row < count; row++) {
    const mixing = mixings[row] ?? 1;
    const own = rows.subarray(row * length, (row + 1) * length);
    const other = row + 1 < count ? rows.subarray((row + 1) * length, (row + 2) * length) : first;
    for (let i = 0; i < length; i++) own[i] = mixing * (own[i] ?? 0) + (1 - mixing) * (other[i] ?? 0);
  }
}
