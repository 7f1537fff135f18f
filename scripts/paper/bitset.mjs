/** Yes or no for each of many, as text: bit `n % 8` of byte `n / 8`, in base64. */

/** @param {readonly boolean[]} values */
export function toText(values) {
  const bytes = Buffer.alloc(Math.ceil(values.length / 8));
  for (const [n, value] of values.entries()) if (value) bytes[n >> 3] |= 1 << (n & 7);
  return bytes.toString("base64");
}

/** @returns {boolean[]} */
export function fromText(text, count) {
  const bytes = Buffer.from(text, "base64");
  return Array.from({ length: count }, (_, n) => ((bytes[n >> 3] ?? 0) & (1 << (n & 7))) !== 0);
}
