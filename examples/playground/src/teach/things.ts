/** The boxes of what is taught: what stands in each, and what it is called in the page's language. */

import type { Taught } from "../compute/messages.ts";
import { type LanguageName, languageOf } from "../languages.ts";
import { LATER } from "../later.ts";
import { LANGUAGE_NAMES } from "../state.ts";

/** As many boxes there are at least. */
const LEAST_THINGS = 3;

export interface Box {
  /** What was typed into it, or learnt in it; undefined: nobody named it, and it has the name of its place. */
  readonly name: string | undefined;
  /** Whether pictures were shown in it: then its name is that of a class, and stays. */
  readonly isLearnt: boolean;
}

const EMPTY: Box = { name: undefined, isLearnt: false };

/** What a box is called that nobody named, from 0. */
export function placeName(place: number, language: LanguageName): string {
  const { number } = languageOf(language);
  return LATER[language].teach.class(number(place + 1));
}

/** Which box a label is the name of, in any language, where nobody named it; -1 for any other label. */
function placeOf(label: string): number {
  const named = (place: number) => LANGUAGE_NAMES.some((language) => placeName(place, language) === label);
  return Array.from({ length: LEAST_THINGS }, (_, place) => place).findIndex(named);
}

/** A label as the page shows it: names that nobody gave are in its language. */
export function shownName(label: string, language: LanguageName): string {
  const place = placeOf(label);
  return place === -1 ? label : placeName(place, language);
}

/** The boxes where so much is learnt: all of it, each thing in one of its own. */
export function boxesOf({ classes }: Taught): readonly Box[] {
  const boxes: Box[] = Array.from({ length: LEAST_THINGS }, () => EMPTY);
  const others: Box[] = [];
  for (const { label } of classes) {
    const [place, box] = [placeOf(label), { name: label, isLearnt: true }];
    if (boxes[place] === EMPTY) boxes[place] = box;
    else others.push(box);
  }
  for (const box of others) {
    const free = boxes.indexOf(EMPTY);
    if (free === -1) boxes.push(box);
    else boxes[free] = box;
  }
  return boxes;
}

/** What a box is called in the page's language. */
export function titleOf({ name }: Box, place: number, language: LanguageName): string {
  return name === undefined ? placeName(place, language) : shownName(name, language);
}

/** Whether another box has the same name: what both were shown would be one thing. */
export function isTaken(boxes: readonly Box[], place: number, language: LanguageName): boolean {
  const titles = boxes.map((box, other) => titleOf(box, other, language));
  return titles.some((title, other) => other !== place && title === titles[place]);
}
