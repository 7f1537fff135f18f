/** In what two pieces of plain data differ, in words. */

/**
 * Of what is expected; each as `path: expected, found`.
 *
 * @param {unknown} expected at the top what it does not name is free; below, both have the same keys
 * @param {unknown} found
 * @returns {string[]}
 */
export function differencesOf(expected, found, path = "") {
  if (isObject(expected) && isObject(found)) {
    const keys = path === "" ? Object.keys(expected) : [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    return keys.flatMap((key) => differencesOf(expected[key], found[key], path === "" ? key : `${path}.${key}`));
  }
  if (JSON.stringify(expected) === JSON.stringify(found)) return [];
  return [`${path}: expected ${said(expected)}, found ${said(found)}`];
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function said(value) {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
