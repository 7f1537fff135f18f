/**
 * One cursor for both routes. A moment is a multiplication of each route that still has one to make in this output cell:
 * the standard convolution makes D_K² · M of them in every cell; the pair makes its depthwise ones in the first cell of a
 * position, once for all N, and then only those of the pointwise step, where there is one.
 */

import type { Lesson } from "./lesson.ts";

/** How many there are of everything. */
export interface Course {
  readonly side: number;
  readonly filters: number;
  /** Multiplications of a cell: of the standard convolution, of the depthwise step of a position, of the pointwise step. */
  readonly standard: number;
  readonly depthwise: number;
  readonly pointwise: number;
  /** Of one output of the depthwise step, D_K². */
  readonly area: number;
  /** Multiplications in all. */
  readonly all: { readonly standard: number; readonly depthwise: number; readonly pointwise: number };
  /** Moments of a cell: of the first of a position, and of the others. */
  readonly first: number;
  readonly other: number;
  /** In all. */
  readonly moments: number;
}

/** @param isMixing whether the pair has its pointwise step */
export function courseOf({ output, between, counts }: Lesson, isMixing: boolean): Course {
  const [, side = 1, , filters = 1] = output.shape;
  const positions = side * side;
  const all = { ...counts, pointwise: isMixing ? counts.pointwise : 0 };
  const [standard, depthwise] = [all.standard / (positions * filters), all.depthwise / positions];
  const pointwise = all.pointwise / (positions * filters);
  const first = Math.max(standard, depthwise + pointwise);
  const other = Math.max(standard, pointwise);
  return {
    side,
    filters,
    standard,
    depthwise,
    pointwise,
    area: depthwise / (between.shape[3] ?? 1),
    all,
    first,
    other,
    moments: positions * (first + (filters - 1) * other),
  };
}

/** Where both routes stand after so many moments. */
export interface Moment {
  /** The cell in work; of the last moment of all, the last. */
  readonly row: number;
  readonly column: number;
  readonly filter: number;
  /** Multiplications that are made in this cell by each route; those of the depthwise step in its position. */
  readonly standard: number;
  readonly depthwise: number;
  readonly pointwise: number;
  /** Made since the beginning. */
  readonly made: { readonly standard: number; readonly depthwise: number; readonly pointwise: number };
  /** Cells that are complete before this one. */
  readonly cell: number;
}

export function momentOf(course: Course, at: number): Moment {
  const { side, filters, first, other, moments } = course;
  const over = Math.max(0, Math.min(at, moments));
  const perPosition = first + (filters - 1) * other;
  const isEnd = over === moments;
  const position = isEnd ? side * side - 1 : Math.floor(over / perPosition);
  const within = over - position * perPosition;
  const filter = isEnd ? filters - 1 : within < first ? 0 : 1 + Math.floor((within - first) / other);
  const step = filter === 0 ? within : within - first - (filter - 1) * other;
  const standard = Math.min(step, course.standard);
  const depthwise = filter === 0 ? Math.min(step, course.depthwise) : course.depthwise;
  const pointwise = Math.max(0, Math.min(filter === 0 ? step - course.depthwise : step, course.pointwise));
  const cell = position * filters + filter;
  return {
    ...{ row: Math.floor(position / side), column: position % side, filter, standard, depthwise, pointwise, cell },
    made: {
      standard: cell * course.standard + standard,
      depthwise: position * course.depthwise + depthwise,
      pointwise: cell * course.pointwise + pointwise,
    },
  };
}

/** Moments that are over when a cell begins; of the cell behind the last, when all are over. */
export function beginOf({ filters, first, other }: Course, cell: number): number {
  const [position, filter] = [Math.floor(cell / filters), cell % filters];
  return position * (first + (filters - 1) * other) + (filter === 0 ? 0 : first + (filter - 1) * other);
}

/** Whether the depthwise step has made a number of what it gives, of a channel from 0. */
export function isBetweenMade(course: Course, moment: Moment, row: number, column: number, channel: number): boolean {
  const [place, now] = [row * course.side + column, moment.row * course.side + moment.column];
  return place < now || (place === now && channel < Math.floor(moment.depthwise / course.area));
}
