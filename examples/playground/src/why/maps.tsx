/** What goes into a route and what comes out of it: channels as grids. */

import { useLanguage } from "../language.tsx";
import { Grid } from "../parts/grid.tsx";
import type { Moment } from "./cursor.ts";
import type { Lesson, Settings } from "./lesson.ts";
import { at, type Product } from "./trace.ts";

export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

interface InputsProps {
  readonly lesson: Lesson;
  readonly settings: Settings;
  readonly moment: Moment;
  /** What is multiplied. */
  readonly now: Product | undefined;
}

/** The picture's channels, with the zeros around them that the window reaches. */
export function Inputs({ lesson, settings, moment, now }: InputsProps) {
  const { words, number } = useLanguage();
  const { size, stride, kernelSize, inputChannels, changed } = settings;
  const { before } = lesson;
  const side = Math.max(size + before, ((lesson.output.shape[1] ?? 1) - 1) * stride + kernelSize);
  const isPadding = (y: number, x: number) => y < 0 || x < 0 || y >= size || x >= size;
  const isInWindow = (y: number, x: number) => {
    const [top, left] = [moment.row * stride - before, moment.column * stride - before];
    return y >= top && y < top + kernelSize && x >= left && x < left + kernelSize;
  };
  return upTo(inputChannels).map((channel) => (
    <Grid
      key={channel}
      title={words.why.input(number(channel + 1))}
      rows={side}
      columns={side}
      text={(r, c) => {
        const [y, x] = [r - before, c - before];
        return number(isPadding(y, x) ? 0 : at(lesson.input, 0, y, x, channel));
      }}
      mark={(r, c) => {
        const [y, x] = [r - before, c - before];
        const isNow = now !== undefined && now.channel === channel && now.row === y && now.column === x;
        return classes({
          pad: isPadding(y, x),
          window: isInWindow(y, x),
          now: isNow,
          other: changed === channel + 1 && !isPadding(y, x),
        });
      }}
    />
  ));
}

/** What comes out, as far as it is made. */
export function Maps(props: {
  readonly of: Lesson["output"];
  readonly title: (channel: string) => string;
  readonly isMade: (row: number, column: number, channel: number) => boolean;
  readonly mark: (row: number, column: number, channel: number) => string;
}) {
  const { number } = useLanguage();
  const [, side = 1, , channels = 1] = props.of.shape;
  return upTo(channels).map((channel) => (
    <Grid
      key={channel}
      title={props.title(number(channel + 1))}
      rows={side}
      columns={side}
      text={(y, x) => (props.isMade(y, x, channel) ? number(at(props.of, 0, y, x, channel)) : undefined)}
      mark={(y, x) => props.mark(y, x, channel)}
    />
  ));
}

/** Class names of a cell. */
export function classes(names: Readonly<Record<string, boolean>>): string {
  return Object.keys(names)
    .filter((name) => names[name])
    .join(" ");
}
