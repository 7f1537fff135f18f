/** The boxes of what is taught: what stands in each, and what it is called in the page's language. */

import type { Taught } from "../compute/messages.ts";
import { LANGUAGES, type LanguageName, languageOf } from "../language.tsx";

/** As many boxes there are at least. */
export const LEAST_THINGS = 3;

/** What was typed into each box, or learnt in it; undefined: nobody named it, and it has the name of its place. */
export type Names = readonly (string | undefined)[];

/** What a box is called that nobody named, from 0. */
export function placeName(place: number, language: LanguageName): string {
  const { words, number } = languageOf(language);
  return words.teach.class(number(place + 1));
}

/** Which box a label is the name of, in any language, where nobody named it; -1 for any other label. */
function placeOf(label: string): number {
  const named = (place: number) =>
    Object.keys(LANGUAGES).some((language) => placeName(place, language as LanguageName) === label);
  return Array.from({ length: LEAST_THINGS }, (_, place) => place).findIndex(named);
}

/** A label as the page shows it: names that nobody gave are in its language. */
export function shownName(label: string, language: LanguageName): string {
  const place = placeOf(label);
  return place === -1 ? label : placeName(place, language);
}

/** What stands in the boxes where so much is learnt: all of it, in boxes of their own. */
export function namesOf({ classes }: Taught): Names {
  const names: (string | undefined)[] = Array.from({ length: LEAST_THINGS }, () => undefined);
  const others: string[] = [];
  for (const { label } of classes) {
    const place = placeOf(label);
    if (place !== -1 && names[place] === undefined) names[place] = label;
    else others.push(label);
  }
  for (const label of others) {
    const free = names.indexOf(undefined);
    if (free === -1) names.push(label);
    else names[free] = label;
  }
  return names;
}

/** Whether another box has the same name: what both were shown would be one thing. */
export function isTaken(names: Names, place: number, language: LanguageName): boolean {
  const shown = names.map((name, other) =>
    name === undefined ? placeName(other, language) : shownName(name, language),
  );
  return shown.some((name, other) => other !== place && name === shown[place]);
}
