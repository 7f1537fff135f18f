/** What pictures of accuracy against a cost share: axes, points with labels, lines that the labels keep off. */

import { lineFrom, type PictureShape, pathThrough, SMALL_SIZE, shape, TEXT_SIZE, textAt } from "./picture.ts";
import { type Area, placeLabels, spotsBetween } from "./place-labels.ts";
import { linearScale, logScale, logTicks, roundSpan, roundTicks, type Scale } from "./scales.ts";
import { textWidth } from "./text-width.ts";
import type { Voice } from "./voice.ts";

/** A network as a point: what it costs, and its accuracy in per cent. */
export interface ChartPoint {
  readonly name: string;
  readonly cost: number;
  readonly top1: number;
  /** Class of the point. */
  readonly look: string;
  /** Ring about it. Default false. */
  readonly isRinged?: boolean;
  /** Paler. Default false. */
  readonly isAway?: boolean;
}

/** A line through points. */
export interface ChartLine {
  readonly look: string;
  readonly points: readonly Pick<ChartPoint, "cost" | "top1">[];
}

export interface Chart {
  readonly points: readonly ChartPoint[];
  readonly lines: readonly ChartLine[];
  /** Titles of the axes. */
  readonly titles: readonly [across: string, up: string];
  /** A bound of the cost: a line upwards. */
  readonly bound?: number | undefined;
}

export const CHART_WIDTH = 760;
export const CHART_MARGIN = 20;
const HEIGHT = 330;
const RADIUS = 4.5;

/** Axes, lines, points and labels below `top`; of no points none. */
export function drawnChart(
  chart: Chart,
  top: number,
  voice: Voice,
): { readonly shapes: readonly PictureShape[]; readonly bottom: number } {
  const { points, lines, titles, bound } = chart;
  const frame = {
    left: CHART_MARGIN + 52,
    right: CHART_WIDTH - CHART_MARGIN,
    top: top + 20,
    bottom: top + 20 + HEIGHT,
  };
  const { x, y, span, range } = scalesOf(points, bound, frame);
  const at = (point: Pick<ChartPoint, "cost" | "top1">) => [x(point.cost), y(point.top1)] as const;
  const placed = points.map((point) => ({ x: x(point.cost), y: y(point.top1), text: point.name }));
  const isShown = bound !== undefined && bound >= span[0] && bound <= span[1];
  const paths = lines.map((line) => line.points.map(at));
  const spots = [
    ...paths.flatMap(along),
    ...(isShown
      ? along([
          [x(bound), frame.top],
          [x(bound), frame.bottom],
        ])
      : []),
  ];
  const labels = placeLabels(placed, spots, frame, SMALL_SIZE);
  const shapes = [
    ...axes(x, y, span, range, frame, voice),
    textAt(CHART_MARGIN, top + 8, titles[1], { look: "soft", size: SMALL_SIZE }),
    textAt((frame.left + frame.right) / 2, frame.bottom + 38, titles[0], { look: "soft", anchor: "middle" }),
    ...(isShown ? [lineFrom("bound", x(bound), frame.top, x(bound), frame.bottom)] : []),
    ...paths.map((path, index) => pathThrough(lines[index]?.look ?? "", path)),
    ...labels.flatMap((label, index) => {
      const point = placed[index];
      return label.lead === undefined || point === undefined ? [] : [lineFrom("lead", point.x, point.y, ...label.lead)];
    }),
    ...points.flatMap((point, index) => drawnPoint(point, placed[index] ?? { x: 0, y: 0 }, voice)),
    ...labels.map(({ x: left, y: base, anchor }, index) => {
      const { name = "", isRinged = false, isAway = false } = points[index] ?? {};
      const look = `halo${isRinged ? " strong" : ""}${isAway ? " pale" : ""}`;
      return textAt(left, base, name, { anchor, size: SMALL_SIZE, look });
    }),
  ];
  return { shapes, bottom: frame.bottom + 42 };
}

function drawnPoint(point: ChartPoint, { x, y }: { readonly x: number; readonly y: number }, voice: Voice) {
  const { name, cost, top1, look, isRinged = false, isAway = false } = point;
  const says = `${name}: ${voice.count(cost)}, ${voice.words.percent(voice.fixed(top1, 1))}`;
  return [
    shape("circle", { class: isAway ? `${look} away` : look, cx: x, cy: y, r: RADIUS }, shape("title", {}, says)),
    ...(isRinged ? [shape("circle", { class: "ring", cx: x, cy: y, r: RADIUS + 4 })] : []),
  ];
}

type Extent = readonly [number, number];

/** Both axes, with room about the points. */
function scalesOf(points: readonly ChartPoint[], bound: number | undefined, frame: Area) {
  const costs = points.map(({ cost }) => cost);
  const [least, most] = [Math.min(...costs), Math.max(...costs)];
  const room = 1.4;
  // A bound that is far off would press the points together.
  const near = bound !== undefined && bound > least / 4 && bound < most * 4 ? [bound] : [];
  const span = widened([Math.min(least, ...near) / room, Math.max(most, ...near) * room]);
  const accuracies = points.map(({ top1 }) => top1);
  const [low, high] = [Math.min(...accuracies), Math.max(...accuracies)];
  const margin = Math.max(0.5, 0.04 * (high - low));
  const range = roundSpan([Math.max(0, low - margin), Math.min(100, high + margin)], 6);
  return {
    span,
    range,
    x: logScale(span, [frame.left, frame.right]),
    y: linearScale(range, [frame.bottom, frame.top]),
  };
}

/** At least a power of ten, so that there are values to write at the axis. */
function widened([low, high]: Extent): Extent {
  const factor = Math.sqrt(Math.max(1, (10 * low) / high));
  return [low / factor, high * factor];
}

function axes(x: Scale, y: Scale, span: Extent, range: Extent, frame: Area, voice: Voice): readonly PictureShape[] {
  const { left, right, top, bottom } = frame;
  const across = roundTicks(range, 6).flatMap((value) => [
    lineFrom("rule", left, y(value), right, y(value)),
    textAt(left - 8, y(value) + 4, voice.words.percent(voice.count(value)), { look: "soft", anchor: "end" }),
  ]);
  let free = left - 20;
  const up = logTicks(span).flatMap((value) => {
    const text = voice.short(value);
    const half = textWidth(text, TEXT_SIZE) / 2;
    const rule = lineFrom("rule", x(value), top, x(value), bottom);
    if (x(value) - half < free || x(value) + half > CHART_WIDTH) return [rule];
    free = x(value) + half + 8;
    return [rule, textAt(x(value), bottom + 18, text, { look: "soft", anchor: "middle" })];
  });
  return [...across, ...up];
}

/** Spots on the line through points. */
function along(points: readonly (readonly [x: number, y: number])[]): readonly (readonly [number, number])[] {
  return points.slice(1).flatMap((point, index) => spotsBetween(points[index] ?? point, point));
}
