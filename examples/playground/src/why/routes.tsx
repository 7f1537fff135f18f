/** Both routes side by side: their grids, with the window and the numbers that are multiplied. */

import type { ComponentChildren } from "preact";
import type { FormulaName } from "../../math.ts";
import { useLanguage } from "../language.tsx";
import { Formula } from "../parts/formula.tsx";
import { Grid } from "../parts/grid.tsx";
import { type Course, isBetweenMade, type Moment } from "./cursor.ts";
import { pairFormula } from "./formulas.ts";
import type { Lesson, Settings } from "./lesson.ts";
import { at, type Product, type Trace } from "./trace.ts";

interface RouteProps {
  readonly lesson: Lesson;
  readonly settings: Settings;
  readonly course: Course;
  readonly moment: Moment;
  readonly trace: Trace;
  /** While it plays nothing is read out: nobody could follow. */
  readonly isPlaying: boolean;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** The picture's channels, with the zeros around them that the window reaches. */
function Inputs({ lesson, settings, moment, now }: RouteProps & { readonly now: Product | undefined }) {
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
function Maps(props: {
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

export function Standard(props: RouteProps) {
  const { words, number } = useLanguage();
  const { lesson, settings, course, moment, trace } = props;
  const { kernelSize, inputChannels } = settings;
  const now = trace.standard;
  const isHere = isCell(moment);
  const isMade = (y: number, x: number, n: number) => cellOf(course, y, x, n) < doneCells(course, moment, "standard");
  return (
    <Route
      title={words.why.standard}
      testId="standard-count"
      formula="standard"
      sum={[`${kernelSize}²`, number(inputChannels), number(settings.filters), `${number(course.side)}²`].join(" · ")}
      made={moment.made.standard}
      all={course.all.standard}
      now={now}
      isPlaying={props.isPlaying}
      outcome={
        moment.standard === course.standard
          ? at(lesson.standardOutput, 0, moment.row, moment.column, moment.filter)
          : undefined
      }
    >
      <Row>
        <Inputs {...props} now={now} />
      </Row>
      <Row>
        {upTo(inputChannels).map((channel) => (
          <Grid
            key={channel}
            title={words.why.kernelOf(number(channel + 1), number(moment.filter + 1))}
            rows={kernelSize}
            columns={kernelSize}
            text={(r, c) => number(at(lesson.standardKernel, r, c, channel, moment.filter))}
            mark={(r, c) => classes({ now: isKernelCell(now, r, c) && now?.channel === channel })}
          />
        ))}
      </Row>
      <Row>
        <Maps
          of={lesson.standardOutput}
          title={words.why.output}
          isMade={isMade}
          mark={(y, x, n) => classes({ here: isHere(y, x, n) })}
        />
      </Row>
    </Route>
  );
}

export function Pair(props: RouteProps & { readonly isMixing: boolean; readonly unchanged: Lesson }) {
  const { words, number } = useLanguage();
  const { lesson, settings, course, moment, trace, isMixing, unchanged } = props;
  const { kernelSize, inputChannels, multiplier } = settings;
  const { depthwise, pointwise } = trace;
  const between = inputChannels * multiplier;
  const { made } = moment;
  const { all } = course;
  const isBetween = (y: number, x: number, c: number) => isBetweenMade(course, moment, y, x, c);
  const isMade = (y: number, x: number, n: number) => cellOf(course, y, x, n) < doneCells(course, moment, "pointwise");
  const isHere = isCell(moment);
  const isOther = (map: "between" | "output", y: number, x: number, c: number) =>
    settings.changed > 0 && at(lesson[map], 0, y, x, c) !== at(unchanged[map], 0, y, x, c);
  const isDone = moment.depthwise === course.depthwise && moment.pointwise === course.pointwise;
  const outcome = isMixing && isDone ? at(lesson.output, 0, moment.row, moment.column, moment.filter) : undefined;
  return (
    <Route
      title={isMixing ? words.why.pair : words.why.alone}
      testId="separable-count"
      formula={pairFormula(settings, isMixing)}
      sum={isMixing ? `${number(all.depthwise)} + ${number(all.pointwise)}` : undefined}
      soFar={isMixing ? `${number(made.depthwise)} + ${number(made.pointwise)}` : undefined}
      made={made.depthwise + made.pointwise}
      all={all.depthwise + all.pointwise}
      now={depthwise ?? pointwise}
      isPlaying={props.isPlaying}
      outcome={outcome}
      done={!isMixing && isDone ? words.why.doneHere : undefined}
    >
      <h4>{words.why.depthwiseStep}</h4>
      <Row>
        <Inputs {...props} now={depthwise} />
      </Row>
      <Row>
        {upTo(between).map((c) => (
          <Grid
            key={c}
            title={words.why.depthwiseKernel(kernelName(c, multiplier, number))}
            rows={kernelSize}
            columns={kernelSize}
            text={(r, x) => number(at(lesson.depthwiseKernel, r, x, Math.floor(c / multiplier), c % multiplier))}
            mark={(r, x) => classes({ now: isKernelCell(depthwise, r, x) && depthwise?.filter === c })}
          />
        ))}
      </Row>
      <Row>
        <Maps
          of={lesson.between}
          title={words.why.between}
          isMade={isBetween}
          mark={(y, x, c) =>
            classes({
              now: pointwise?.channel === c && y === moment.row && x === moment.column,
              here: depthwise?.filter === c && y === moment.row && x === moment.column,
              other: isBetween(y, x, c) && isOther("between", y, x, c),
            })
          }
        />
      </Row>
      {isMixing && (
        <>
          <h4>{words.why.pointwiseStep}</h4>
          <p class={`note ${moment.filter > 0 ? "" : "absent"}`}>{words.why.already}</p>
          <Row>
            <Grid
              title={words.why.pointwiseKernel(number(moment.filter + 1))}
              rows={1}
              columns={between}
              text={(_, c) => number(at(lesson.pointwiseKernel, 0, 0, c, moment.filter))}
              mark={(_, c) => classes({ now: pointwise?.channel === c })}
            />
          </Row>
          <Row>
            <Maps
              of={lesson.output}
              title={words.why.output}
              isMade={isMade}
              mark={(y, x, n) =>
                classes({
                  here: isHere(y, x, n),
                  other: isMade(y, x, n) && isOther("output", y, x, n),
                })
              }
            />
          </Row>
        </>
      )}
    </Route>
  );
}

interface FrameProps {
  readonly title: string;
  readonly testId: string;
  readonly formula: FormulaName;
  /** What the formula comes to with this lesson's sizes, before it is added up. */
  readonly sum?: string | undefined;
  /** The same of what is made already. */
  readonly soFar?: string | undefined;
  readonly made: number;
  readonly all: number;
  readonly now: Product | undefined;
  readonly isPlaying: boolean;
  /** Of the cell, where this route has finished it. */
  readonly outcome: number | undefined;
  /** What is said in its place where a route has no outcome of its own. */
  readonly done?: string | undefined;
  readonly children: ComponentChildren;
}

function Route({ title, testId, formula, sum, soFar, made, all, now, outcome, done, isPlaying, children }: FrameProps) {
  const { words, number } = useLanguage();
  const { why } = words;
  return (
    <section class="route" aria-label={title}>
      <h3>{title}</h3>
      <Formula name={formula} block />
      <p class="live">{why.inAll([...(sum === undefined ? [] : [sum]), number(all)].join(" = "))}</p>
      <p class="count">
        {soFar !== undefined && <span class="note">{soFar} = </span>}
        <strong data-testid={testId}>{number(made)}</strong> {why.ofAll("", number(all)).trim()} {why.multiplications}
      </p>
      <p class="sentence" aria-live={isPlaying ? "off" : "polite"} aria-atomic="true">
        <span class="unseen">{title}: </span>
        {done ??
          (outcome !== undefined
            ? (made === all ? why.finished : why.waits)(number(outcome))
            : now === undefined
              ? why.notYet
              : why.product(number(now.value), number(now.weight), number(now.value * now.weight), number(now.sum)))}
      </p>
      {children}
    </section>
  );
}

function Row({ children }: { readonly children: ComponentChildren }) {
  return <div class="row">{children}</div>;
}

/** Cells that a route has finished. */
function doneCells(course: Course, moment: Moment, route: "standard" | "pointwise"): number {
  return moment.cell + (moment[route] === course[route] ? 1 : 0);
}

function cellOf({ side, filters }: Course, y: number, x: number, n: number): number {
  return (y * side + x) * filters + n;
}

function isCell({ row, column, filter }: Moment) {
  return (y: number, x: number, n: number) => y === row && x === column && n === filter;
}

function isKernelCell(now: Product | undefined, row: number, column: number): boolean {
  return now !== undefined && now.kernelRow === row && now.kernelColumn === column;
}

/** Of channel 2's second kernel: `2b`. */
function kernelName(output: number, multiplier: number, number: (value: number) => string): string {
  const channel = number(Math.floor(output / multiplier) + 1);
  return multiplier === 1 ? channel : `${channel}${"ab"[output % multiplier]}`;
}

function classes(names: Readonly<Record<string, boolean>>): string {
  return Object.keys(names)
    .filter((name) => names[name])
    .join(" ");
}
