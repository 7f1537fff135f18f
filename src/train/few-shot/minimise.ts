/**
 * L-BFGS: the least value of a smooth function by its gradients, of which the last few say how it bends.
 *
 * Source: Nocedal and Wright, "Numerical Optimization", 2nd ed., algorithms 7.4 and 7.5; the step is halved until the value
 * has fallen by a share of what the slope promises (their 3.4). For functions that bend upwards everywhere, as ours does,
 * that is enough.
 */

/** The value at a place; the gradient is written to where it is said. */
export type Objective = (at: Float64Array, gradient: Float64Array) => Promise<number>;

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Calls of the function. */
  readonly evaluations: number;
  /** Whether the gradient is as short as was asked for. */
  readonly hasConverged: boolean;
}

const REMEMBERED = 8;
/** The share of the promised fall that a step must bring. */
const ENOUGH = 1e-4;
const MOST_HALVINGS = 40;

interface Curvature {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

/**
 * @param start is changed to the place of the minimum
 * @param options `tolerance`: the length of the gradient at which it ends; `maxIterations`
 */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance, maxIterations }: { readonly tolerance: number; readonly maxIterations: number },
): Promise<Minimum> {
  const size = start.length;
  const at = start;
  let gradient = new Float64Array(size);
  const trial = new Float64Array(size);
  let trialGradient = new Float64Array(size);
  const pairs: Curvature[] = [];
  let value = await objective(at, gradient);
  let evaluations = 1;
  let iterations = 0;
  while (iterations < maxIterations && Math.sqrt(dot(gradient, gradient)) > tolerance) {
    const direction = descent(gradient, pairs);
    const slope = dot(gradient, direction);
    let length = 1;
    let found = Number.POSITIVE_INFINITY;
    for (let halvings = 0; halvings < MOST_HALVINGS; halvings++, length /= 2) {
      for (let i = 0; i < size; i++) trial[i] = (at[i] ?? 0) + length * (direction[i] ?? 0);
      found = await objective(trial, trialGradient);
      evaluations++;
      if (found <= value + ENOUGH * length * slope) break;
    }
    // Rounding is all that is left.
    if (!(found < value)) break;
    iterations++;
    remember(pairs, at, trial, gradient, trialGradient);
    at.set(trial);
    value = found;
    [gradient, trialGradient] = [trialGradient, gradient];
  }
  return { at, value, iterations, evaluations, hasConverged: Math.sqrt(dot(gradient, gradient)) <= tolerance };
}

/** Minus the gradient, by the inverse of how the function bends (algorithm 7.4). */
function descent(gradient: Float64Array, pairs: readonly Curvature[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const shares: number[] = [];
  for (const { s, y, rho } of [...pairs].reverse()) {
    const share = rho * dot(s, direction);
    shares.push(share);
    add(direction, -share, y);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] ?? 0) * scale;
  }
  for (const { s, y, rho } of pairs) {
    const share = (shares.pop() ?? 0) - rho * dot(y, direction);
    add(direction, share, s);
  }
  return direction;
}

function remember(
  pairs: Curvature[],
  from: Float64Array,
  to: Float64Array,
  gradientFrom: Float64Array,
  gradientTo: Float64Array,
): void {
  const s = to.map((value, i) => value - (from[i] ?? 0));
  const y = gradientTo.map((value, i) => value - (gradientFrom[i] ?? 0));
  const curvature = dot(s, y);
  if (!(curvature > 0)) return;
  pairs.push({ s, y, rho: 1 / curvature });
  if (pairs.length > REMEMBERED) pairs.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function add(target: Float64Array, share: number, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + share * (source[i] ?? 0);
}
