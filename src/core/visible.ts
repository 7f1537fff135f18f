/**
 * Text out of files on its way to a terminal. What a terminal would obey or hide is written out, as `\u{1b}`: controls
 * (C0, DEL, C1), format characters (bidi marks, zero width, tags), line separators, halves of surrogate pairs, and what is
 * no character, of which XML forbids two. The two joiners stay: emoji and several scripts are spelled with them.
 */
export const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

/** For text that may have been through `visible`: what it wrote out stays as it is. */
export function harmless(text: string): string {
  return text.replaceAll(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Longer cells stick out: one long name must not make every line of a table as long. */
const WIDEST = 100;

/** How wide the cells of a column are set. */
export function columnWidth(cells: readonly string[]): number {
  return cells.reduce((most, { length }) => Math.min(WIDEST, Math.max(most, length)), 0);
}

/** One line, and no two texts look the same: a `\u{` that stood there becomes `\u{5c}u{`. For once only. */
export function visible(text: string): string {
  return harmless(text.replaceAll("\\u{", "\\u{5c}u{"));
}
