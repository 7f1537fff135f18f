/**
 * The cosine in float64 of this library's own: engines round `Math.cos` differently. Angles are counted in half turns, so
 * that they reduce exactly: 0 → 1, ½ → 0, 1 → −1.
 *
 * Between −π/4 and π/4 the polynomials of fdlibm (Sun 1993, `k_cos.c`, `k_sin.c`), within a unit in the last place.
 */

const COSINE = [
  0.0416666666666666, -0.001388888888887411, 2.480158728947673e-5, -2.7557314351390663e-7, 2.087572321298175e-9,
  -1.1359647557788195e-11,
];
const SINE = [
  -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-6, -2.5050760253406863e-8,
  1.58969099521155e-10,
];

/** cos(π · halfTurns) of a finite number. */
export function cosineOfHalfTurns(halfTurns: number): number {
  const turned = Math.abs(halfTurns) - 2 * Math.floor(Math.abs(halfTurns) / 2);
  const upper = turned > 1 ? 2 - turned : turned;
  return upper > 0.5 ? -firstQuarter(1 - upper) : firstQuarter(upper);
}

/** cos(π · u), 0 ≤ u ≤ ½. */
function firstQuarter(u: number): number {
  return u <= 0.25 ? cosine(Math.PI * u) : sine(Math.PI * (0.5 - u));
}

function cosine(x: number): number {
  const z = x * x;
  const rest = 1 - z / 2;
  return rest + (1 - rest - z / 2 + z * z * sum(COSINE, z));
}

function sine(x: number): number {
  const z = x * x;
  return x + x * z * sum(SINE, z);
}

function sum(coefficients: readonly number[], z: number): number {
  let total = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) total = total * z + (coefficients[i] ?? 0);
  return total;
}
