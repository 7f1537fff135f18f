/** Names of layers as a picture has room for them. */

import { shorten } from "../core/errors.ts";
import { visible } from "../core/visible.ts";

/** Less is no reason to write names in another way. */
const LEAST_PREFIX = 6;

/** A name out of a network, perhaps of a file, as text that is drawn. */
export function shownName(name: string): string {
  return visible(shorten(name, 100));
}

/**
 * What all names begin with, up to the last separator in it; files of graphs name their network in every layer. Empty
 * where that is short.
 */
export function commonPrefix(names: readonly string[]): string {
  const [first = "", ...others] = names;
  let length = others.length === 0 ? 0 : first.length;
  for (const name of others) {
    let same = 0;
    while (same < length && name[same] === first[same]) same++;
    length = same;
  }
  const prefix = first.slice(0, length).replace(/[^/_.]*$/, "");
  return prefix.length < LEAST_PREFIX || names.includes(prefix) ? "" : prefix;
}

/** A name without the prefix of all. */
export function withoutPrefix(name: string, prefix: string): string {
  return prefix !== "" && name.startsWith(prefix) ? `…${name.slice(prefix.length)}` : name;
}
