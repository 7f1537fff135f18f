/**
 * A fair sample of a room that is too large to be tried whole: each declaration at the top of its files is drawn or not,
 * by a seed. Prints them as ranges of lines: `npm run test:mutation -- $(node scripts/mutation/draw.mjs src/understand 0.08 17)`.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [room, share, seed] = process.argv.slice(2);

/** mulberry32, as in `core/random.ts`. */
let state = Number(seed) | 0;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** A line that begins a declaration which can be changed: types cannot. */
const BEGINS = /^(?:export )?(?:async )?(?:function|const|let|class) /;

const files = readdirSync(room, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const ranges = files.sort().flatMap((name) => {
  const file = join(room, name);
  const lines = readFileSync(file, "utf8").split("\n");
  // It ends with the last line before another at the top begins, comments apart.
  const ends = (from) =>
    lines.findIndex((line, at) => at >= from && (/^[^\s)\]].*[;}]$|^\S*[;}]$/.test(line) || line === "];"));
  return lines.flatMap((line, at) =>
    BEGINS.test(line) && random() < Number(share) ? [`${file}:${at + 1}-${ends(at) + 1}`] : [],
  );
});
console.log(ranges.join(" "));
