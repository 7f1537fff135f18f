/** Both routes side by side: their grids, with the window and the numbers that are multiplied. */

import { Evidence } from "../evidence.tsx";
import { useLanguage } from "../language.tsx";
import { Grid } from "../parts/grid.tsx";
import { type Course, isBetweenMade, type Moment } from "./cursor.ts";
import { pairFormula } from "./formulas.ts";
import type { Lesson, Settings } from "./lesson.ts";
import { classes, Inputs, Maps, upTo } from "./maps.tsx";
import { Route, Row } from "./route.tsx";
import { at, type Product, type Trace } from "./trace.ts";

interface RouteProps {
  readonly lesson: Lesson;
  /** The same with no input channel changed. */
  readonly unchanged: Lesson;
  readonly settings: Settings;
  readonly course: Course;
  readonly moment: Moment;
  readonly trace: Trace;
  /** While it plays nothing is read out: nobody could follow. */
  readonly isPlaying: boolean;
}

export function Standard(props: RouteProps) {
  const { words, number } = useLanguage();
  const { lesson, unchanged, settings, course, moment, trace } = props;
  const { kernelSize, inputChannels } = settings;
  const now = trace.standard;
  const isHere = isCell(moment);
  const isOther = differs(lesson.standardOutput, unchanged.standardOutput);
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
      <Evidence of={["stride", "letters"]}>
        <Row>
          <Maps
            of={lesson.standardOutput}
            title={words.why.output}
            isMade={isMade}
            mark={(y, x, n) => classes({ here: isHere(y, x, n), other: isMade(y, x, n) && isOther(y, x, n) })}
          />
        </Row>
      </Evidence>
    </Route>
  );
}

export function Pair(props: RouteProps & { readonly isMixing: boolean }) {
  const { words, number } = useLanguage();
  const { lesson, settings, unchanged, course, moment, trace, isMixing } = props;
  const { kernelSize, inputChannels, multiplier } = settings;
  const { depthwise, pointwise } = trace;
  const between = inputChannels * multiplier;
  const { made } = moment;
  const { all } = course;
  const isBetween = (y: number, x: number, c: number) => isBetweenMade(course, moment, y, x, c);
  const isMade = (y: number, x: number, n: number) => cellOf(course, y, x, n) < doneCells(course, moment, "pointwise");
  const isHere = isCell(moment);
  const isOther = (map: "between" | "output") => differs(lesson[map], unchanged[map]);
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
      <Evidence of={["mixing"]}>
        <Row>
          <Maps
            of={lesson.between}
            title={words.why.between}
            isMade={isBetween}
            mark={(y, x, c) =>
              classes({
                now: pointwise?.channel === c && y === moment.row && x === moment.column,
                here: depthwise?.filter === c && y === moment.row && x === moment.column,
                other: isBetween(y, x, c) && isOther("between")(y, x, c),
              })
            }
          />
        </Row>
      </Evidence>
      {isMixing && (
        <>
          <Evidence of={["separable"]}>
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
          </Evidence>
          <Evidence of={["channels"]}>
            <Row>
              <Maps
                of={lesson.output}
                title={words.why.output}
                isMade={isMade}
                mark={(y, x, n) =>
                  classes({
                    here: isHere(y, x, n),
                    other: isMade(y, x, n) && isOther("output")(y, x, n),
                  })
                }
              />
            </Row>
          </Evidence>
        </>
      )}
    </Route>
  );
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

/** Where a map has another number than it had. */
function differs(map: Lesson["output"], before: Lesson["output"]) {
  return (y: number, x: number, c: number) => at(map, 0, y, x, c) !== at(before, 0, y, x, c);
}

function isKernelCell(now: Product | undefined, row: number, column: number): boolean {
  return now !== undefined && now.kernelRow === row && now.kernelColumn === column;
}

/** Of channel 2's second kernel: `2b`. */
function kernelName(output: number, multiplier: number, number: (value: number) => string): string {
  const channel = number(Math.floor(output / multiplier) + 1);
  return multiplier === 1 ? channel : `${channel}${"ab"[output % multiplier]}`;
}
