/**
 * Gives each name once: one that is taken gets `_1`, `_2`, … behind it. All names together take linear time, however
 * many are alike.
 */
export function uniqueNames(taken: Iterable<string> = []): (wished: string) => string {
  const given = new Set(taken);
  const numbers = new Map<string, number>();
  return (wished) => {
    let name = wished;
    let number = numbers.get(wished) ?? 0;
    while (given.has(name)) name = `${wished}_${++number}`;
    if (number > 0) numbers.set(wished, number);
    given.add(name);
    return name;
  };
}
