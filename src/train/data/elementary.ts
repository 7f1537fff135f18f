/**
 * Logarithm and exponential from `+ − × ÷` alone: the engines' own differ in the last place, and what is drawn here
 * decides what is learnt.
 */

/** ln x for x > 0, by 2 · artanh((m − 1) / (m + 1)) of the mantissa; to some units in the last place. */
export function portableLog(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa < 0.75; exponent--) mantissa *= 2;
  for (; mantissa >= 1.5; exponent++) mantissa *= 0.5;
  const t = (mantissa - 1) / (mantissa + 1);
  let sum = 0;
  // |t| ≤ 1/5, so the first term left out is below 2⁻⁶⁰.
  for (let k = 25; k >= 1; k -= 2) sum = sum * t * t + 1 / k;
  return exponent * Math.LN2 + 2 * t * sum;
}

/** eˣ for x ≤ 0, by its series after the halvings are taken out; 0 where float64 has no more. */
export function portableExp(x: number): number {
  if (x < -745) return 0;
  const halvings = Math.round(-x / Math.LN2);
  const rest = x + halvings * Math.LN2;
  let sum = 1;
  for (let k = 16; k >= 1; k--) sum = 1 + (sum * rest) / k;
  for (let k = 0; k < halvings; k++) sum *= 0.5;
  return sum;
}
