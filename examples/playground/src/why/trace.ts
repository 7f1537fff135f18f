/** What both routes do in a moment: which number is taken times which, and what the sum has come to. */

import type { Moment } from "./cursor.ts";
import type { Lesson, Settings } from "./lesson.ts";

/** A multiplication: of the input's cell by a number of a kernel. */
export interface Product {
  /** In the input, or for the pointwise step in what the depthwise one gave; outside is padding. */
  readonly row: number;
  readonly column: number;
  /** The channel that is read. */
  readonly channel: number;
  /** In the kernel; of a pointwise one both are 0. */
  readonly kernelRow: number;
  readonly kernelColumn: number;
  /** What is written: an output channel. */
  readonly filter: number;
  readonly value: number;
  readonly weight: number;
  /** Of this output, this product included. */
  readonly sum: number;
}

export interface Trace {
  /** Undefined where nothing is made yet in this cell. */
  readonly standard: Product | undefined;
  /** Of the pair: the newest one, if it is of the depthwise step. */
  readonly depthwise: Product | undefined;
  readonly pointwise: Product | undefined;
}

export function traceOf(lesson: Lesson, settings: Settings, moment: Moment): Trace {
  const { kernelSize, multiplier } = settings;
  const area = kernelSize ** 2;
  const read = windowReader(lesson, settings, moment);
  const standard = sumOf(moment.standard, (i) => {
    const [channel, kernelRow, kernelColumn] = [
      Math.floor(i / area),
      Math.floor((i % area) / kernelSize),
      i % kernelSize,
    ];
    const weight = at(lesson.standardKernel, kernelRow, kernelColumn, channel, moment.filter);
    return { ...read(channel, kernelRow, kernelColumn), filter: moment.filter, weight };
  });
  const inDepthwise = moment.filter === 0 && moment.pointwise === 0 && moment.depthwise > 0;
  // Each of its outputs is a sum of its own: only the products of the newest one.
  const output = Math.floor((moment.depthwise - 1) / area);
  const depthwise = inDepthwise
    ? sumOf(moment.depthwise - output * area, (i) => {
        const [channel, kernelRow, kernelColumn] = [
          Math.floor(output / multiplier),
          Math.floor(i / kernelSize),
          i % kernelSize,
        ];
        const weight = at(lesson.depthwiseKernel, kernelRow, kernelColumn, channel, output % multiplier);
        return { ...read(channel, kernelRow, kernelColumn), filter: output, weight };
      })
    : undefined;
  const pointwise = sumOf(moment.pointwise, (channel) => ({
    ...{ row: moment.row, column: moment.column, channel, kernelRow: 0, kernelColumn: 0, filter: moment.filter },
    value: at(lesson.between, 0, moment.row, moment.column, channel),
    weight: at(lesson.pointwiseKernel, 0, 0, channel, moment.filter),
  }));
  return { standard, depthwise, pointwise };
}

type Factors = Omit<Product, "sum">;

/** The last of so many products, with their sum. */
function sumOf(count: number, product: (i: number) => Factors): Product | undefined {
  let [last, sum]: [Factors | undefined, number] = [undefined, 0];
  for (let i = 0; i < count; i++) {
    last = product(i);
    sum += last.value * last.weight;
  }
  return last && { ...last, sum };
}

/** A cell of the input under a place of the kernel; outside of it are zeros. */
function windowReader({ input, before }: Lesson, { stride, size }: Settings, { row, column }: Moment) {
  return (channel: number, kernelRow: number, kernelColumn: number) => {
    const [y, x] = [row * stride - before + kernelRow, column * stride - before + kernelColumn];
    const isInside = y >= 0 && x >= 0 && y < size && x < size;
    return { row: y, column: x, channel, kernelRow, kernelColumn, value: isInside ? at(input, 0, y, x, channel) : 0 };
  };
}

/** An element of a tensor of four axes. */
export function at({ shape, data }: Lesson["input"], a: number, b: number, c: number, d: number): number {
  const [, second = 1, third = 1, fourth = 1] = shape;
  return data[((a * second + b) * third + c) * fourth + d] ?? 0;
}
