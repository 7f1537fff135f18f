/** Curves over epochs as SVG: scales and paths by d3-scale and d3-shape, which need no document. */

import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { element, type Markup } from "../core/markup.ts";

export interface Series {
  readonly name: string;
  /** 1 or 2: which colour of the style sheet. */
  readonly colour: 1 | 2;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface ChartOptions {
  readonly title: string;
  readonly series: readonly Series[];
  /** From which to which epoch. */
  readonly epochs: readonly [number, number];
  readonly format: (value: number) => string;
  /** Default: of the numbers, and for those that cannot fall below 0, from it. */
  readonly range?: readonly [number, number];
  /** A point that is marked: the best epoch. */
  readonly mark?: { readonly x: number; readonly name: string; readonly at: "top" | "bottom" } | undefined;
  /** Whether points are drawn, where there are few. Default true. */
  readonly hasPoints?: boolean;
}

const [WIDTH, HEIGHT] = [420, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 14, 16, 40];
const MOST_POINTS = 40;

/** A figure: a title, a legend where there are two curves, and the chart. */
export function chart(options: ChartOptions): Markup {
  const { title, series, epochs, format, mark, hasPoints = true } = options;
  const shown = series.map((each) => ({ ...each, points: each.points.filter(({ y }) => Number.isFinite(y)) }));
  const values = shown.flatMap(({ points }) => points.map(({ y }) => y));
  const [low, high] = options.range ?? [0, values.reduce((most, value) => Math.max(most, value), 0) || 1];
  const [first, last] = epochs[0] === epochs[1] ? [epochs[0] - 0.5, epochs[1] + 0.5] : epochs;
  const x = scaleLinear([first, last], [LEFT, WIDTH - RIGHT]);
  const y = scaleLinear([low, high], [HEIGHT - BOTTOM, TOP]);
  if (options.range === undefined) y.nice(5);
  const path = line<{ readonly x: number; readonly y: number }>(
    (point) => x(point.x),
    (point) => y(point.y),
  ).digits(1);
  const rows = y
    .ticks(5)
    .map((value) => [
      element("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: at(y(value)), y2: at(y(value)) }),
      element("text", { class: "tick", x: LEFT - 8, y: at(y(value) + 4), "text-anchor": "end" }, format(value)),
    ]);
  const columns = x
    .ticks(Math.min(8, Math.max(1, Math.ceil(last - first))))
    .filter(Number.isInteger)
    .map((value) =>
      element("text", { class: "tick", x: at(x(value)), y: HEIGHT - BOTTOM + 18, "text-anchor": "middle" }, value),
    );
  const curves = shown.map(({ name, colour, points }) => [
    points.length > 1 ? element("path", { class: `curve c${colour}`, d: path([...points]) ?? "" }) : undefined,
    (hasPoints && points.length <= MOST_POINTS) || points.length === 1
      ? points.map((point) =>
          element(
            "circle",
            { class: `point c${colour}`, cx: at(x(point.x)), cy: at(y(point.y)), r: 2.5 },
            element("title", {}, `${name}, epoch ${point.x}: ${format(point.y)}`),
          ),
        )
      : undefined,
  ]);
  const best =
    mark === undefined
      ? undefined
      : [
          element("line", { class: "mark", x1: at(x(mark.x)), x2: at(x(mark.x)), y1: TOP, y2: HEIGHT - BOTTOM }),
          element(
            "text",
            // Where there is no room on its right, on its left.
            {
              ...{
                class: "tick",
                x: at(x(mark.x) + (x(mark.x) > WIDTH - 80 ? -5 : 5)),
                y: mark.at === "top" ? TOP + 8 : HEIGHT - BOTTOM - 8,
              },
              "text-anchor": x(mark.x) > WIDTH - 80 ? "end" : "start",
            },
            mark.name,
          ),
        ];
  const legend =
    series.length < 2 ? undefined : series.map(({ name, colour }) => element("span", { class: `c${colour}` }, name));
  return element(
    "figure",
    {},
    element("figcaption", {}, element("b", {}, title), legend),
    element(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} by epoch` },
      rows,
      element(
        "text",
        { class: "tick", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle" },
        "epoch",
      ),
      columns,
      best,
      curves,
    ),
  );
}

/** A place in the drawing, of as many digits as can be seen. */
function at(place: number): number {
  return Math.round(place * 10) / 10;
}
