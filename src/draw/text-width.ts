/** How wide a text is, by estimate: no font is measured, and what a reader's system has is not known. */

/** Of the size of the letters: what the widest of the common sans-serif fonts (DejaVu Sans) has, letters taken together. */
const EM = { wide: 1, upper: 0.75, digit: 0.64, other: 0.6 } as const;

/** Hangul, Han, kana, their punctuation and full-width forms; and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f000}-\u{3ffff}]/u;
const UPPER = /[A-ZmwÀ-ÞΑ-Ω@%×·÷→…↓⋯—]/u;
const DIGIT = /[0-9]/;

/** Pixels that a line of text takes at a size of letters. */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const character of text) {
    if (WIDE.test(character)) ems += EM.wide;
    else if (UPPER.test(character)) ems += EM.upper;
    else ems += DIGIT.test(character) ? EM.digit : EM.other;
  }
  return ems * size;
}

/** A text that takes no more than `width` pixels: a longer one loses its middle. */
export function shortened(text: string, width: number, size: number): string {
  if (textWidth(text, size) <= width) return text;
  const characters = [...text];
  for (let kept = characters.length - 1; kept > 0; kept--) {
    const tail = Math.floor(kept / 2);
    const short = [...characters.slice(0, kept - tail), "…", ...(tail === 0 ? [] : characters.slice(-tail))].join("");
    if (textWidth(short, size) <= width) return short;
  }
  return "…";
}

/** Words in lines of at most `width` pixels; a longer word is cut. */
export function wrapped(text: string, width: number, size: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length > 0 && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(shortened(word, width, size));
  }
  return lines;
}
