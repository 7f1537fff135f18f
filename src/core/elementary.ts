/**
 * Exponential and logarithm of float64, the same bits in every engine: engines differ in the last bits of `Math.exp` and
 * `Math.log`, and two runs that should be equal would drift apart. Sums, products and quotients alone, which IEEE 754
 * rounds in one way; below one unit in the last place of error.
 *
 * Reduced as in fdlibm (Sun 1993): ln 2 in two parts, of which the first times any exponent is exact. The series are
 * Taylor's, as long as float64 can tell.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** e^x is infinite above the first, and rounds to 0 below the second. */
const LARGEST = 709.782712893384;
const LEAST = -745.1332191019412;

/** e^x. NaN gives NaN. */
export function exp(x: number): number {
  if (x > LARGEST) return Number.POSITIVE_INFINITY;
  if (x < LEAST) return 0;
  if (Number.isNaN(x)) return x;
  const k = Math.floor(x / Math.LN2 + 0.5);
  // x = k · ln 2 + r + rest, |r| ≤ ln 2 / 2; `rest` is what r lost when it was rounded.
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const rest = high - r - low;
  // e^r = 1 + r + r² · (1/2! + r/3! + r²/4! + …)
  let series = 0;
  for (let n = FACTORIALS.length - 1; n >= 0; n--) series = series * r + (FACTORIALS[n] ?? 0);
  const value = 1 + (r + (r * r * series + rest));
  // In two products: 2^k alone may be too large or too small for a float64 where the result is not.
  const half = Math.floor(k / 2);
  return value * powerOfTwo(half) * powerOfTwo(k - half);
}

/** Natural logarithm: minus infinity of 0, NaN of what is less, and of NaN. */
export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0)) return Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  // x = 2^k · m, √½ ≤ m < √2
  const isSmall = x < SMALLEST_NORMAL;
  let { exponent: k, mantissa: m } = split(isSmall ? x * 2 ** 54 : x);
  if (isSmall) k -= 54;
  if (m >= Math.SQRT2) {
    m /= 2;
    k++;
  }
  // With f = m − 1, s = f / (2 + f) and z = s²: ln m = 2 · atanh(s) = f − f²/2 + s · (f²/2 + z · (2/3 + 2z/5 + …))
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  let series = 0;
  for (let n = 23; n >= 3; n -= 2) series = series * z + 2 / n;
  const square = 0.5 * f * f;
  return k * LN2_HIGH - (square - (s * (square + z * series) + k * LN2_LOW) - f);
}

/** 1/2!, 1/3!, …, 1/14! */
const FACTORIALS = [
  1 / 2,
  1 / 6,
  1 / 24,
  1 / 120,
  1 / 720,
  1 / 5040,
  1 / 40320,
  1 / 362880,
  1 / 3628800,
  1 / 39916800,
  1 / 479001600,
  1 / 6227020800,
  1 / 87178291200,
] as const;

const SMALLEST_NORMAL = 2 ** -1022;
const BIAS = 1023;

/** 2^k of −1022 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, (k + BIAS) << 20);
  return view.getFloat64(0);
}

/** x = 2^exponent · mantissa, 1 ≤ mantissa < 2, of a positive number that is not below 2^−1022. */
function split(x: number): { readonly exponent: number; readonly mantissa: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  view.setUint32(0, (high & 0xfffff) | (BIAS << 20));
  return { exponent: (high >>> 20) - BIAS, mantissa: view.getFloat64(0) };
}
