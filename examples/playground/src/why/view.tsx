/** Section 1: why a depthwise separable convolution is cheap. */

import { separableCounts } from "depthwise/cost";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { FormulaName } from "../../math.ts";
import { Evidence } from "../evidence.tsx";
import { useLanguage } from "../language.tsx";
import { Button } from "../parts/button.tsx";
import { Choice, Slider } from "../parts/controls.tsx";
import { Formula } from "../parts/formula.tsx";
import { Icon } from "../parts/icon.tsx";
import { Letters } from "../parts/letters.tsx";
import { RANGES } from "../state.ts";
import type { ViewProps } from "../view.ts";
import { beginOf, type Course, courseOf, momentOf } from "./cursor.ts";
import { ratioFormula, ratioInNumbers } from "./formulas.ts";
import { lessonOf, type Settings, sizesOf } from "./lesson.ts";
import { Pair, Standard } from "./routes.tsx";
import { traceOf } from "./trace.ts";

/** Milliseconds between two steps of a course that plays. */
const PACES_MS = { slow: 700, usual: 140, fast: 20 } as const;
type Pace = keyof typeof PACES_MS;

/** What the paper calls them. */
const LETTERS: Readonly<Partial<Record<string, FormulaName>>> = { kernelSize: "DK", inputChannels: "M", filters: "N" };

const SLIDERS = ["kernelSize", "inputChannels", "filters", "size"] as const;

export default function Why({ state, set }: ViewProps) {
  const { words, number } = useLanguage();
  const { why } = words;
  const settings = settingsOf(state);
  const key = JSON.stringify(settings);
  const lesson = useMemo(() => lessonOf(settings), [key]);
  const unchanged = useMemo(() => lessonOf({ ...settings, changed: 0 }), [key]);
  const isMixing = state.mixing === "on";
  const course = useMemo(() => courseOf(lesson, isMixing), [lesson, isMixing]);
  const at = Math.min(state.at, course.moments);
  const moment = momentOf(course, at);
  const trace = traceOf(lesson, settings, moment);
  const [isPlaying, setPlaying] = useState(false);
  const parts = { lesson, unchanged, settings, course, moment, trace, isPlaying };
  const { all } = course;
  const pair = all.depthwise + all.pointwise;
  const made = moment.made.depthwise + moment.made.pointwise;
  // A size that changes begins anew: the numbers of a course that is half-way would be of another one.
  const change = (patch: Partial<Settings>) => set({ ...patch, at: 0 });
  return (
    <>
      <p class="lead">{why.lead}</p>
      <section class="panel" aria-label={why.settings}>
        {SLIDERS.map((name) => (
          <Slider
            key={name}
            label={
              <>
                {why[name]} {LETTERS[name] && <Formula name={LETTERS[name]} />}
              </>
            }
            value={settings[name]}
            range={rangeOf(name, settings)}
            text={number(settings[name])}
            onChange={(value) => change({ [name]: value })}
          />
        ))}
        <Choice
          label={why.stride}
          value={String(settings.stride)}
          names={[1, 2].map((stride) => [String(stride), number(stride)] as const)}
          onChange={(stride) => change({ stride: Number(stride) })}
        />
        <Choice
          label={why.padding}
          value={settings.padding}
          names={[
            ["same", why.same],
            ["valid", why.valid],
          ]}
          onChange={(padding) => change({ padding })}
        />
        <Choice
          label={why.multiplier}
          value={String(settings.multiplier)}
          names={[1, 2].map((multiplier) => [String(multiplier), number(multiplier)] as const)}
          onChange={(multiplier) => change({ multiplier: Number(multiplier) })}
        />
        <Choice
          label={why.mixing}
          value={state.mixing}
          names={[
            ["on", why.mixingOn],
            ["off", why.mixingOff],
          ]}
          onChange={(mixing) => {
            // The same cell, in a course of another length.
            const other = courseOf(lesson, mixing === "on");
            set({ mixing, at: at === course.moments ? other.moments : beginOf(other, moment.cell) });
          }}
        />
        <Choice
          label={why.change}
          value={String(settings.changed)}
          names={[0, ...Array.from({ length: settings.inputChannels }, (_, i) => i + 1)].map(
            (channel) => [String(channel), channel === 0 ? why.changeNone : number(channel)] as const,
          )}
          onChange={(channel) => set({ changed: Number(channel) })}
        />
        <p class="note">
          <Letters text={why.outputSide(number(course.side))} />
        </p>
      </section>
      <Transport
        course={course}
        at={at}
        isPlaying={isPlaying}
        onPlay={setPlaying}
        onMove={(place) => set({ at: place })}
      />
      <Evidence of={["ratio"]}>
        <section class="ratio" aria-label={why.ratio}>
          <h3>{why.ratio}</h3>
          <Formula name={ratioFormula(settings, isMixing)} block />
          <p class="live">
            {why.inAll(`${number(pair)} / ${number(all.standard)}`).replace(/\.$/, "")} ={" "}
            <span data-testid="ratio">{number(pair / all.standard, 4)}</span>
            {` = ${ratioInNumbers(settings, isMixing, number)}`}
          </p>
          <p class="live note">
            {moment.made.standard === 0
              ? why.notYet
              : why.soFar(
                  `${number(made)} / ${number(moment.made.standard)} = ${number(made / moment.made.standard, 4)}`,
                )}
          </p>
          {isMixing && <Growth settings={settings} />}
          {settings.multiplier > 1 && (
            <p class="note">
              <Formula name="mu" /> {why.multiplied(number(settings.multiplier))}
            </p>
          )}
        </section>
      </Evidence>
      <p>
        {why.cell(number(moment.row + 1), number(moment.column + 1), number(moment.filter + 1))}{" "}
        <span class="note">{why.legend}</span>
      </p>
      {settings.changed > 0 && (
        <p class="changed" role="status">
          {why.changedSentence(
            why.channel(number(settings.changed)),
            changedOutputs(lesson, unchanged, isMixing)
              .map((c) => why.channel(number(c)))
              .join(", ") || why.changeNone,
          )}
        </p>
      )}
      <div class="routes">
        <Standard {...parts} />
        <Pair {...parts} isMixing={isMixing} />
      </div>
    </>
  );
}

/** Output channels of real layers: the sliders end where grids do. */
const MANY_FILTERS = [1, 4, 16, 64, 256, 1024] as const;

/** The same ratio for other N: soon only 1/D_K² is left. */
function Growth({ settings }: { readonly settings: Settings }) {
  const { words, number } = useLanguage();
  return (
    <div class="wide">
      <table class="numbers">
        <tbody>
          <tr>
            <th scope="row">N</th>
            {MANY_FILTERS.map((filters) => (
              <td key={filters}>{number(filters)}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">{words.why.ratio}</th>
            {MANY_FILTERS.map((filters) => (
              <td key={filters}>{number(separableCounts({ ...sizesOf(settings), filters }).ratio, 3)}</td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

function settingsOf(state: Settings): Settings {
  const { kernelSize, inputChannels, filters, size, stride, padding, multiplier, changed } = state;
  return { kernelSize, inputChannels, filters, size, stride, padding, multiplier, changed };
}

function rangeOf(name: (typeof SLIDERS)[number], { kernelSize, padding }: Settings): readonly [number, number] {
  const [least, most] = RANGES[name];
  return name === "size" && padding === "valid" ? [Math.max(least, kernelSize), most] : [least, most];
}

/** Output channels, from 1, of which a number is another. */
function changedOutputs(
  lesson: ReturnType<typeof lessonOf>,
  unchanged: ReturnType<typeof lessonOf>,
  isMixing: boolean,
): readonly number[] {
  const map = isMixing ? "output" : "between";
  const channels = lesson[map].shape[3] ?? 1;
  const found = new Set<number>();
  lesson[map].data.forEach((value, i) => {
    if (value !== unchanged[map].data[i]) found.add((i % channels) + 1);
  });
  return [...found].sort((a, b) => a - b);
}

interface TransportProps {
  readonly course: Course;
  readonly at: number;
  readonly isPlaying: boolean;
  readonly onPlay: (isPlaying: boolean) => void;
  readonly onMove: (at: number) => void;
}

/** Play, step, step back, scrub. */
function Transport({ course, at, isPlaying, onPlay, onMove }: TransportProps) {
  const { words, number } = useLanguage();
  const { why } = words;
  const isOver = at >= course.moments;
  const [pace, setPace] = useState<Pace>("usual");
  useEffect(() => {
    if (!isPlaying) return undefined;
    if (isOver) {
      onPlay(false);
      return undefined;
    }
    const timer = setTimeout(() => onMove(at + 1), PACES_MS[pace]);
    return () => clearTimeout(timer);
  }, [isPlaying, isOver, at, pace, onMove]);
  const cells = course.side ** 2 * course.filters;
  const { cell } = momentOf(course, at);
  const isWithin = at > beginOf(course, cell);
  const move = (place: number) => {
    onPlay(false);
    onMove(Math.max(0, Math.min(place, course.moments)));
  };
  const buttons = [
    ["first", why.first, () => move(0), at === 0],
    ["backCell", why.backCell, () => move(beginOf(course, isWithin ? cell : Math.max(0, cell - 1))), at === 0],
    ["back", why.back, () => move(at - 1), at === 0],
    ["play", isPlaying ? why.pause : why.play, () => onPlay(!isPlaying), isOver],
    ["next", why.next, () => move(at + 1), isOver],
    ["nextCell", why.nextCell, () => move(beginOf(course, Math.min(cell + 1, cells))), isOver],
    ["last", why.last, () => move(course.moments), isOver],
  ] as const;
  return (
    <section class="transport" aria-label={why.cursor}>
      <div class="buttons">
        {buttons.map(([name, label, onClick, isOff]) => (
          <Button key={name} label={label} isOff={isOff} onClick={onClick}>
            <Icon name={name === "play" && isPlaying ? "pause" : name} />
          </Button>
        ))}
      </div>
      <input
        type="range"
        min={0}
        max={course.moments}
        value={at}
        aria-label={why.scrub}
        aria-valuetext={why.ofAll(number(at), number(course.moments))}
        onInput={(event) => move(Number(event.currentTarget.value))}
      />
      <label>
        {why.pace}{" "}
        <select value={pace} onChange={(event) => setPace(event.currentTarget.value as Pace)}>
          {(Object.keys(PACES_MS) as Pace[]).map((name) => (
            <option key={name} value={name}>
              {why.paces[name]}
            </option>
          ))}
        </select>
      </label>
    </section>
  );
}
