/**
 * The known name nearest to one that is not known, for error messages. Names may come out of a file: what one search
 * costs is bounded, whatever their length and number.
 */

/** A longer name is no slip of a hand, and is no help in a message. */
const LONGEST_NAME = 100;
/** Pairs of letters that one search compares, a few hundredths of a second: 5,000 names of 20 letters. */
const MOST_PAIRS = 2_000_000;

/** The candidate with the smallest edit distance to `name`, if it is near enough to be a likely slip. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const sought = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  let pairs = 0;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    pairs += name.length * candidate.length;
    if (pairs > MOST_PAIRS) break;
    const distance = editDistance(sought, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean "…"?`, or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? "" : `Did you mean "${nearest}"?`;
}

/** Levenshtein distance, one row at a time; `bound` if it is that or more. */
function editDistance(a: string, b: string, bound: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const distance = Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      next.push(distance);
      least = Math.min(least, distance);
    }
    // No later row goes below the least of this one.
    if (least >= bound) return bound;
    row = next;
  }
  return row[b.length] ?? 0;
}
