/**
 * Whether two networks differ, by pictures that both have seen: each is right or wrong on the same ones. Where both are
 * right, or both wrong, nothing is learnt. Of the others, if the networks were equally good, each would be as likely to
 * speak for one as for the other.
 *
 * Sums, products and quotients alone: the same digits in every engine.
 */

/** Smaller chances are given as this: they have no float64, and 0 would say that it cannot be. */
export const LEAST_CHANCE = 1e-300;

/**
 * McNemar's test, exact and two-sided: twice the chance that of all pictures on which one alone is right, so few or fewer
 * are the rarer one's. At most 1. Source: McNemar 1947; its exact form is the sign test.
 *
 * @param {number} onlyFirst  pictures that the first alone has right
 * @param {number} onlySecond likewise
 */
export function mcnemar(onlyFirst, onlySecond) {
  const all = onlyFirst + onlySecond;
  const chances = binomialHalves(all);
  let sum = 0;
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) sum += chances[k];
  return within(2 * sum);
}

/**
 * The same question over several seeds: of each picture counts in how many more seeds the first is right than the second.
 * Were they equally good, each of these numbers would be as likely with the other sign: the chance that the sum of all is
 * then as far from 0 as it is, or farther. Exact (Fisher's randomisation test); of one seed it is McNemar's.
 *
 * The pictures are the sample: that seeds might have come out otherwise is not in it.
 *
 * @param {readonly number[]} differences one a picture, whole numbers
 */
export function signedSums(differences) {
  const counts = [];
  for (const difference of differences) {
    const size = Math.abs(difference);
    if (size > 0) counts[size] = (counts[size] ?? 0) + 1;
  }
  const sum = differences.reduce((all, difference) => all + difference, 0);
  // Of n numbers of one size, k with a plus give size · (2k − n): as sums of size · k, moved.
  let chances = [1];
  let most = 0;
  for (const [size, count = 0] of counts.entries()) {
    if (count === 0) continue;
    chances = convolved(chances, binomialHalves(count), size);
    most += size * count;
  }
  let far = 0;
  for (const [at, chance] of chances.entries()) if (Math.abs(2 * at - most) >= Math.abs(sum)) far += chance;
  return within(far);
}

function within(chance) {
  return Math.min(1, Math.max(LEAST_CHANCE, chance));
}

/** The chances of 0 to n heads of n coins: from the middle, whose chance is the largest, outward; then their sum is 1. */
function binomialHalves(n) {
  const middle = n >> 1;
  const chances = new Array(n + 1).fill(1);
  for (let k = middle; k < n; k++) chances[k + 1] = (chances[k] * (n - k)) / (k + 1);
  for (let k = middle; k > 0; k--) chances[k - 1] = (chances[k] * k) / (n - k + 1);
  const sum = chances.reduce((all, chance) => all + chance, 0);
  return chances.map((chance) => chance / sum);
}

/** Chances of the sum of a number and of `size` times another. */
function convolved(chances, others, size) {
  const sums = new Array(chances.length + size * (others.length - 1)).fill(0);
  for (const [at, chance] of chances.entries()) {
    if (chance === 0) continue;
    for (const [k, other] of others.entries()) sums[at + size * k] += chance * other;
  }
  return sums;
}
