/** Colours of the first run, where a terminal has them. */
import { styleText } from "node:util";

/** By https://no-color.org and https://force-color.org; of both the latter, as in Node. */
export function hasColours(stream, { FORCE_COLOR, NO_COLOR } = process.env) {
  if (FORCE_COLOR !== undefined) return !/^(0|false)$/.test(FORCE_COLOR);
  return Boolean(stream.isTTY && !NO_COLOR && stream.hasColors());
}

/** A line with its bars green, names of pictures and the head of the table bold. */
export function coloured(line) {
  const painted = (style) => (part) => styleText(style, part, { validateStream: false });
  return line
    .replace(/[█▏▎▍▌▋▊▉]+/g, painted("green"))
    .replace(/examples\/drawings\/[\w-]+\.png|^network .*/g, painted("bold"));
}
