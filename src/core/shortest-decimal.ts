/** The shortest decimal that is the same float32: 0.1, where the file's float32 reads 0.10000000149011612. */
export function shortestDecimal(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}
