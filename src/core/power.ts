/**
 * base^exponent in float64 of this library's own: engines round `Math.pow` differently, and a rate of learning must have
 * the same bits everywhere. Sums, products and quotients alone.
 *
 * base = 2^e · m, √½ ≤ m < √2; then base^y = 2^n · e^r with n = round(y · log2 base) and r = (y · e − n) · ln 2 + y · ln m.
 * ln m and e^r are the polynomials of fdlibm (Sun 1993, `e_log.c`, `e_exp.c`). The error is some units in the last place
 * times |y · ln m|; powers of two come out exactly.
 */

/** ln((1 + s) / (1 − s)) = 2s + s · R(s²). */
const LOGARITHM = [
  0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
  0.15313837699209373, 0.14798198605116586,
];
/** e^r = 1 + r + r · c / (2 − c), c = r − r² · P(r²). */
const EXPONENTIAL = [
  0.16666666666666602, -0.0027777777777015593, 6.613756321437934e-5, -1.6533902205465252e-6, 4.1381367970572385e-8,
];

/** `base` to the power of `exponent`. The base is finite and above 0, the exponent finite. */
export function powerOf(base: number, exponent: number): number {
  const [e, m] = split(base);
  const natural = logarithm(m);
  const n = Math.floor(exponent * e + (exponent * natural) / Math.LN2 + 0.5);
  if (n > 1100) return Number.POSITIVE_INFINITY;
  if (n < -1100) return 0;
  return scaled(exponential((exponent * e - n) * Math.LN2 + exponent * natural), n);
}

/** [e, m] with value = 2^e · m and √½ ≤ m < √2. */
function split(value: number): readonly [number, number] {
  let e = 0;
  let m = value;
  for (; m >= 2 ** 32; m /= 2 ** 32) e += 32;
  for (; m < 2 ** -32; m *= 2 ** 32) e -= 32;
  for (; m >= Math.SQRT2; m /= 2) e++;
  for (; m < Math.SQRT2 / 2; m *= 2) e--;
  return [e, m];
}

function logarithm(m: number): number {
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const half = (f * f) / 2;
  return f - (half - s * (half + z * polynomial(LOGARITHM, z)));
}

function exponential(r: number): number {
  const c = r - r * r * polynomial(EXPONENTIAL, r * r);
  return 1 + (r + (r * c) / (2 - c));
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + (coefficients[i] ?? 0);
  return sum;
}

/** value · 2^n; the last of the products alone may round. */
function scaled(value: number, n: number): number {
  let result = value;
  let rest = n;
  for (; rest > 0; rest--) result *= 2;
  // One product at the end where the result may be below 2^−1022.
  if (rest < -1000) {
    for (; rest < -64; rest++) result /= 2;
    return result * 2 ** -64;
  }
  for (; rest < 0; rest++) result /= 2;
  return result;
}
