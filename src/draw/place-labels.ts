/** Where labels of points go so that they cover neither each other nor a point. */

import { textWidth } from "./text-width.ts";

/** An area in pixels. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A point and what it is called. */
export interface NamedSpot {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** A place of a label; `y` is its base line. */
export interface LabelPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "middle" | "end";
  /** Of a label that is far from its point: where the line to it ends. */
  readonly lead?: readonly [x: number, y: number];
}

/** From the middle of a point. */
const GAP = 9;
const FARTHEST = 6;

/** In the order in which they are tried: right, left, above, below, then the corners. */
const SIDES = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [1, -1],
  [1, 1],
  [-1, -1],
  [-1, 1],
] as const;

/** What a place costs for each thing that it covers, and for each step away from its point. */
const COST = { outside: 1000, label: 20, point: 10, near: 12, nearWithLead: 5, line: 1, step: 1.5 } as const;
/** Nearer to another point than this a label would be taken for its. */
const NEAR = 14;

/**
 * A place for each label: beside its point, or farther away where there is no room.
 *
 * @param lines spots on lines, which labels keep off where they can
 * @param frame what no label leaves
 * @param size  of the letters
 */
export function placeLabels(
  points: readonly NamedSpot[],
  lines: readonly (readonly [x: number, y: number])[],
  frame: Area,
  size: number,
): readonly LabelPlace[] {
  const dots = points.map(({ x, y }) => around([x, y], 6));
  const spots = lines.map((spot) => around(spot, 3));
  const labels: Area[] = [];
  const leads: Area[] = [];
  const tries = Array.from({ length: FARTHEST }, (_, far) => SIDES.map((side) => [side, far + 1] as const)).flat();
  return points.map((point, index) => {
    const others = dots.filter((_, other) => other !== index);
    const about = points.filter((_, other) => other !== index).map(({ x, y }) => around([x, y], NEAR));
    const covered = (area: Area, areas: readonly Area[]) => areas.filter((other) => overlap(area, other)).length;
    const tried = tries.map(([side, far]) => {
      const { area, place } = tryPlace(point, side, far, size);
      const lead =
        place.lead === undefined ? [] : spotsBetween([point.x, point.y], place.lead).map((spot) => around(spot, 1));
      const cost =
        (isWithin(area, frame) ? 0 : COST.outside) +
        COST.label * (covered(area, labels) + lead.filter((spot) => covered(spot, labels) > 0).length) +
        COST.point * (covered(area, dots) + lead.filter((spot) => covered(spot, others) > 0).length) +
        (place.lead === undefined ? COST.near : COST.nearWithLead) * covered(area, about) +
        COST.line * (covered(area, spots) + covered(area, leads)) +
        COST.step * (far - 1);
      return { area, place, lead, cost };
    });
    const best = tried.reduce((least, each) => (each.cost < least.cost ? each : least));
    labels.push(best.area);
    leads.push(...best.lead);
    return best.place;
  });
}

/** Spots on a straight line, every few pixels, its ends left out. */
export function spotsBetween(
  [fromX, fromY]: readonly [number, number],
  [toX, toY]: readonly [number, number],
): readonly (readonly [x: number, y: number])[] {
  const steps = Math.ceil(Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY)) / 6);
  return Array.from({ length: Math.max(0, steps - 1) }, (_, index) => {
    const share = (index + 1) / steps;
    return [fromX + share * (toX - fromX), fromY + share * (toY - fromY)] as const;
  });
}

function around([x, y]: readonly [number, number], distance: number): Area {
  return { left: x - distance, right: x + distance, top: y - distance, bottom: y + distance };
}

function tryPlace(
  { x, y, text }: NamedSpot,
  [dx, dy]: readonly [number, number],
  far: number,
  size: number,
): { readonly area: Area; readonly place: LabelPlace } {
  const [width, height] = [textWidth(text, size), size + 2];
  const middle = { x: x + dx * GAP * (dy === 0 ? far : 0.7 * far), y: y + dy * (GAP + 4) * far };
  const left = dx > 0 ? middle.x : dx < 0 ? middle.x - width : middle.x - width / 2;
  const top = middle.y - height / 2;
  return {
    area: { left, right: left + width, top, bottom: top + height },
    place: {
      x: middle.x,
      y: middle.y + size / 3,
      anchor: dx > 0 ? "start" : dx < 0 ? "end" : "middle",
      ...(far === 1 ? {} : { lead: [middle.x, dx === 0 ? middle.y - (dy * height) / 2 : middle.y] }),
    },
  };
}

function overlap(a: Area, b: Area): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function isWithin(area: Area, frame: Area): boolean {
  return area.left >= frame.left && area.right <= frame.right && area.top >= frame.top && area.bottom <= frame.bottom;
}
