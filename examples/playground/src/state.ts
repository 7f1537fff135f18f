/** What the page shows, as plain data that lives in the address: a link shows the same. */

/** How a part of the state is read from an address and written to it. */
interface Field<Value> {
  readonly usual: Value;
  /** All that it can be: a list, or whole numbers from the least to the most. */
  readonly values: readonly Value[] | { readonly least: number; readonly most: number };
  /** The value of a text, or undefined where it is none. */
  readonly read: (text: string) => Value | undefined;
}

/** The first is the usual one. */
function oneOf<const Names extends readonly string[]>(...names: Names): Field<Names[number]> {
  return { usual: names[0] as Names[number], values: names, read: (text) => names.find((name) => name === text) };
}

function whole(usual: number, least: number, most: number): Field<number> {
  return {
    usual,
    values: { least, most },
    read: (text) => {
      const value = Number(text);
      return text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most ? value : undefined;
    },
  };
}

/** A number of a list: what a slider with steps of its own can stand on. */
function among<const Value extends number>(usual: Value, values: readonly Value[]): Field<Value> {
  return { usual, values, read: (text) => values.find((value) => String(value) === text) };
}

export const LANGUAGE_NAMES = ["en", "ko"] as const;
export const VIEWS = ["why", "widths", "speed", "try", "teach"] as const;
export type ViewName = (typeof VIEWS)[number];

/** The paper's widths and resolutions, and some between. */
export const ALPHAS = [0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1] as const;
export const RESOLUTIONS = [96, 128, 160, 192, 224] as const;
/** How costs are counted: names of `depthwise/cost`. */
export const CONVENTIONS = ["paper", "hardware", "thop", "fvcore", "keras"] as const;
/** Millions of mult-adds; 0: no budget. */
export const BUDGETS = [0, 20, 40, 60, 80, 100, 150, 200, 300, 400, 600] as const;

export const RANGES = {
  kernelSize: [1, 5],
  inputChannels: [1, 4],
  filters: [1, 8],
  size: [3, 7],
  stride: [1, 2],
  multiplier: [1, 2],
} as const satisfies Readonly<Record<string, readonly [least: number, most: number]>>;

/** What learners ask. */
const QUESTIONS = [
  ...(["mixing", "separable", "channels", "stride", "letters", "ratio"] as const),
  ...(["speed", "alpha", "macs", "memory"] as const),
] as const;
export type QuestionName = (typeof QUESTIONS)[number];

export const FIELDS = {
  view: oneOf(...VIEWS),
  language: oneOf(...LANGUAGE_NAMES),
  /** `none` where none was asked. */
  question: oneOf("none", ...QUESTIONS),
  // Section 1.
  kernelSize: whole(3, ...RANGES.kernelSize),
  inputChannels: whole(2, ...RANGES.inputChannels),
  filters: whole(4, ...RANGES.filters),
  size: whole(5, ...RANGES.size),
  stride: whole(1, ...RANGES.stride),
  padding: oneOf("same", "valid"),
  multiplier: whole(1, ...RANGES.multiplier),
  /** Whether the pointwise step is there. */
  mixing: oneOf("on", "off"),
  /** The input channel that was changed, from 1; 0: none. */
  changed: whole(0, 0, RANGES.inputChannels[1]),
  /** Moments that are over. */
  at: whole(0, 0, 1_000_000),
  // Section 2.
  alpha: among(1, ALPHAS),
  resolution: among(224, RESOLUTIONS),
  table: oneOf("imagenet", "cifar10"),
  budget: among(0, BUDGETS),
  convention: oneOf(...CONVENTIONS),
  /** Whether the network of standard convolutions stands beside. */
  twin: oneOf("alone", "beside"),
  // Section 4.
  model: oneOf("digits", "cifar10", "own"),
  // Section 5.
  knows: oneOf("cifar10", "digits"),
} as const;

type Fields = typeof FIELDS;
export type State = { readonly [Name in keyof Fields]: Fields[Name]["usual"] };

const NAMES = Object.keys(FIELDS) as readonly (keyof State)[];

/** What a page without an address shows, in a language. */
export function usualState(language: State["language"]): State {
  const usual = Object.fromEntries(NAMES.map((name) => [name, FIELDS[name].usual])) as State;
  return { ...usual, language };
}

/** What answers tell in numbers: where a reader changes one of these, an answer that stands above is no longer true. */
const TOLD: readonly (keyof State)[] = [
  ...(["kernelSize", "inputChannels", "filters", "size", "stride", "padding", "multiplier", "changed"] as const),
  ...(["alpha", "resolution"] as const),
];

/** The state after a change by the reader's hand. */
export function changedState(before: State, patch: Partial<State>): State {
  // One answer asks for the pointwise step to be switched on; of the others it is a part.
  const told = before.question === "mixing" ? TOLD : ([...TOLD, "mixing"] as const);
  const isOther = told.some((name) => name in patch && patch[name] !== before[name]);
  return fitting({ ...before, ...(isOther ? { question: "none" as const } : {}), ...patch });
}

/** What cannot be together is not: a window without padding finds room, and a channel that changes is there. */
function fitting(state: State): State {
  const { size, kernelSize, padding, changed, inputChannels } = state;
  return {
    ...state,
    size: Math.max(size, padding === "valid" ? kernelSize : RANGES.size[0]),
    changed: Math.min(changed, inputChannels),
  };
}

/** Reads an address' hash. What is unknown or out of range is left at what is usual. */
export function stateOf(hash: string, language: State["language"]): State {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const read = NAMES.flatMap((name) => {
    const text = given.get(name);
    const value = text === null ? undefined : FIELDS[name].read(text);
    return value === undefined ? [] : [[name, value] as const];
  });
  return fitting({ ...usualState(language), ...Object.fromEntries(read) });
}

/** The address' hash: what differs from the usual, and always the view and the language. */
export function hashOf(state: State): string {
  const said = NAMES.filter((name) => name === "view" || name === "language" || state[name] !== FIELDS[name].usual);
  return `#${new URLSearchParams(said.map((name) => [name, String(state[name])]))}`;
}
