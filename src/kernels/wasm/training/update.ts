/**
 * Updates of parameters: one pass over gradient, parameter, slots and average, with clipping and weight decay in it. One
 * entry a formula; the range counts units of rows (`update-rows.ts`). The formulas are those of `update-call.ts`.
 *
 * Words: `rows`, the address of the first row; `hyper`, of float32 in the order of `HYPER`; `norm`, of the float32 norm of
 * all gradients; `momentum`, `meanShare`, `squareShare`, `epsilon`, float32 as bits (`ruleWords`).
 *
 * A mean m moves to m − share · m + share · new, share = 1 − beta computed in float64: beta and 1 − beta, each rounded to
 * float32, would not add up to 1 (0.999: off by 1.3e-5 of the share). No multiply-add of one rounding: the kernel waits
 * for memory, and so has the same bits with every set of features.
 */

import { HYPER, type UpdateRule } from "../../../operations/update-call.ts";
import { argumentBlock, kernel } from "../arguments.ts";
import {
  access,
  type Expression,
  float,
  type Local,
  type ModuleBuilder,
  op,
  type Statement,
  select,
  set,
  when,
} from "../assembler/index.ts";
import { add, floats, type Lanes, loadLanes, locals, overChannels, put, storeLanes } from "../emit.ts";
import { bitsOf } from "./doubles.ts";
import { overUnits } from "./update-rows.ts";

/** Instructions that no other kernel has. */
const SQUARE_ROOT = [0xfd0e3, "v", "v"] as const;
const FLOAT_GREATER = [0x5e, "ff", "i"] as const;
const FLOAT_MULTIPLY = [0x94, "ff", "f"] as const;
const FLOAT_DIVIDE = [0x95, "ff", "f"] as const;
const FLOAT_OF_BITS = [0xbe, "i", "f"] as const;

export const UPDATE = /* @__PURE__ */ argumentBlock([
  "rows",
  "hyper",
  "norm",
  "momentum",
  "meanShare",
  "squareShare",
  "epsilon",
]);

type Vector = Expression<"v128">;
type RuleWord = "momentum" | "meanShare" | "squareShare" | "epsilon";

/** A formula by the name of its entry: the forms that differ in what an element computes. */
export type UpdateFormula =
  | "sgd"
  | "sgdMomentum"
  | "sgdNesterov"
  | "sgdMomentumKeras"
  | "sgdNesterovKeras"
  | "rmsprop"
  | "rmspropMomentum"
  | "rmspropTorch"
  | "rmspropMomentumTorch"
  | "adam";

/** The entry that computes a rule. */
export function formulaOf(rule: UpdateRule): UpdateFormula {
  switch (rule.type) {
    case "sgd":
      if (rule.momentum === 0) return "sgd";
      return `sgd${rule.nesterov ? "Nesterov" : "Momentum"}${rule.form === "keras" ? "Keras" : ""}`;
    case "rmsprop":
      return `rmsprop${rule.momentum === 0 ? "" : "Momentum"}${rule.form === "torch" ? "Torch" : ""}`;
    case "adam":
      return "adam";
  }
}

/** The words of `UPDATE` that say a rule's numbers: bits of float32, computed in float64. */
export function ruleWords(rule: UpdateRule): Readonly<Record<RuleWord, number>> {
  const squares = rule.type === "adam" ? rule.beta2 : rule.type === "rmsprop" ? rule.decay : 1;
  return {
    momentum: bitsOf(rule.type === "adam" ? 0 : rule.momentum),
    meanShare: bitsOf(rule.type === "adam" ? 1 - rule.beta1 : 0),
    squareShare: bitsOf(1 - squares),
    epsilon: bitsOf(rule.type === "sgd" ? 0 : rule.epsilon),
  };
}

/** Adds the kernel of a formula, and exports it under the formula's name. */
export function update<const Formula extends UpdateFormula>(module: ModuleBuilder, formula: Formula) {
  return kernel(module, formula, UPDATE, (scope) => {
    const { at } = locals(scope.local, "i32", "at");
    const arrays = locals(scope.local, "i32", "parameter", "gradient", "slot0", "slot1", "average");
    const { w, g, slot0, slot1 } = locals(scope.local, "v128", "w", "g", "slot0", "slot1");
    const factors = locals(scope.local, "v128", "clip", "decay", "rate", "step", "rootFactor", "averageShare");
    const numbers = locals(scope.local, "v128", "momentum", "meanShare", "squareShare", "epsilon");
    const clip = scope.local("f32");
    const hyper = (name: (typeof HYPER)[number]) => access("f32.load", 4 * HYPER.indexOf(name), scope.hyper);
    const norm = access("f32.load", 0, scope.norm);
    const of = (name: "slot0" | "slot1") => (name === "slot0" ? slot0 : slot1);
    const place = (array: Local<"i32">) => add(array, floats(at));
    const formulas = FORMULAS[formula];
    const kept = slotNames(formula);
    const words = Object.keys(numbers) as RuleWord[];
    return [
      set(
        clip,
        select(op(FLOAT_DIVIDE, hyper("clipNorm"), norm), float(1), op(FLOAT_GREATER, norm, hyper("clipNorm"))),
      ),
      set(factors.clip, op("f32x4.splat", clip)),
      set(factors.averageShare, op("f32x4.splat", hyper("averageShare"))),
      set(factors.rootFactor, op("f32x4.splat", hyper("rootFactor"))),
      ...words.map((name) => set(numbers[name], op("f32x4.splat", op(FLOAT_OF_BITS, scope[name])))),
      // What is no number, or has no end, would spoil the parameter for good.
      when(
        op(FLOAT_GREATER, float(Number.POSITIVE_INFINITY), norm),
        overUnits(scope, ({ count, start, word, addressOf }) => {
          const rowFloat = (name: "decay" | "rateFactor") => access("f32.load", 0, addressOf(name));
          const ofRow = (value: Expression<"f32">) =>
            op("f32x4.splat", op(FLOAT_MULTIPLY, value, rowFloat("rateFactor")));
          const one = (lanes: Lanes): readonly Statement[] => [
            set(w, loadLanes(lanes, place(arrays.parameter))),
            set(g, times(loadLanes(lanes, place(arrays.gradient)), factors.clip)),
            ...kept.map((name) => set(of(name), loadLanes(lanes, place(arrays[name])))),
            ...formulas({ ...factors, ...numbers, w, g, slot0, slot1 }),
            storeLanes(lanes, place(arrays.parameter), w),
            ...kept.map((name) => storeLanes(lanes, place(arrays[name]), of(name))),
          ];
          return [
            set(factors.decay, op("f32x4.splat", rowFloat("decay"))),
            set(factors.rate, ofRow(hyper("rate"))),
            set(factors.step, ofRow(hyper("step"))),
            put(arrays.parameter, start("parameter")),
            put(arrays.gradient, start("gradient")),
            ...kept.map((name) => put(arrays[name], start(name))),
            ...overChannels(at, count, one),
            // The unit is in the first caches still.
            when(word("average"), [
              put(arrays.average, start("average")),
              ...overChannels(at, count, (lanes) => [
                set(w, loadLanes(lanes, place(arrays.average))),
                set(g, minus(loadLanes(lanes, place(arrays.parameter)), w)),
                storeLanes(lanes, place(arrays.average), plus(w, times(factors.averageShare, g))),
              ]),
            ]),
          ];
        }),
      ),
    ];
  });
}

const plus = (a: Vector, b: Vector) => op("f32x4.add", a, b);
const minus = (a: Vector, b: Vector) => op("f32x4.sub", a, b);
const times = (a: Vector, b: Vector) => op("f32x4.mul", a, b);
const over = (a: Vector, b: Vector) => op("f32x4.div", a, b);
const root = (a: Vector) => op(SQUARE_ROOT, a);

/** Four elements in registers: g is clipped already. Parameters and slots are changed where they stand. */
type Element = { readonly [N in "w" | "g" | "slot0" | "slot1"]: Local<"v128"> } & {
  readonly [N in "decay" | "rate" | "step" | "rootFactor" | RuleWord]: Local<"v128">;
};
type Formula = (element: Element) => readonly Statement[];

const FORMULAS: Readonly<Record<UpdateFormula, Formula>> = {
  sgd: ({ w, g, decay, rate }) => [set(w, minus(w, times(rate, plus(g, times(decay, w)))))],
  sgdMomentum: (v) => [...velocity(v), set(v.w, minus(v.w, times(v.rate, v.slot0)))],
  sgdNesterov: (v) => [...velocity(v), set(v.w, minus(v.w, times(v.rate, plus(v.g, times(v.momentum, v.slot0)))))],
  sgdMomentumKeras: (v) => [...velocityOfSteps(v), set(v.w, plus(v.w, v.slot0))],
  sgdNesterovKeras: (v) => [...velocityOfSteps(v), set(v.w, plus(v.w, minus(times(v.momentum, v.slot0), v.g)))],
  rmsprop: (v) => [...meanSquare(v, v.slot0), set(v.w, minus(v.w, rootWithin(v)))],
  rmspropMomentum: (v) => [
    ...meanSquare(v, v.slot0),
    set(v.slot1, plus(times(v.momentum, v.slot1), rootWithin(v))),
    set(v.w, minus(v.w, v.slot1)),
  ],
  rmspropTorch: (v) => [...meanSquare(v, v.slot0), set(v.w, minus(v.w, times(v.rate, rootBeside(v))))],
  rmspropMomentumTorch: (v) => [
    ...meanSquare(v, v.slot0),
    set(v.slot1, plus(times(v.momentum, v.slot1), rootBeside(v))),
    set(v.w, minus(v.w, times(v.rate, v.slot1))),
  ],
  adam: (v) => [
    set(v.slot0, moved(v.slot0, v.meanShare, v.g)),
    set(v.slot1, moved(v.slot1, v.squareShare, times(v.g, v.g))),
    set(v.w, minus(v.w, times(times(v.rate, v.decay), v.w))),
    set(v.w, minus(v.w, over(times(v.step, v.slot0), plus(times(root(v.slot1), v.rootFactor), v.epsilon)))),
  ],
};

/** g becomes g′; v = momentum · v + g′. */
function velocity({ w, g, slot0, decay, momentum }: Element): readonly Statement[] {
  return [set(g, plus(g, times(decay, w))), set(slot0, plus(times(momentum, slot0), g))];
}

/** g becomes r · g′; v = momentum · v − r · g′. */
function velocityOfSteps({ w, g, slot0, decay, momentum, rate }: Element): readonly Statement[] {
  return [set(g, times(rate, plus(g, times(decay, w)))), set(slot0, minus(times(momentum, slot0), g))];
}

/** g becomes g′; s moves towards its square. */
function meanSquare({ w, g, decay, squareShare }: Element, s: Local<"v128">): readonly Statement[] {
  return [set(g, plus(g, times(decay, w))), set(s, moved(s, squareShare, times(g, g)))];
}

/** What a moving mean becomes. */
function moved(mean: Local<"v128">, share: Local<"v128">, value: Vector): Vector {
  return plus(minus(mean, times(share, mean)), times(share, value));
}

/** r · g′ / √(s + epsilon). */
function rootWithin({ g, slot0, rate, epsilon }: Element): Vector {
  return over(times(rate, g), root(plus(slot0, epsilon)));
}

/** g′ / (√s + epsilon). */
function rootBeside({ g, slot0, epsilon }: Element): Vector {
  return over(g, plus(root(slot0), epsilon));
}

/** The slots that a formula has. */
function slotNames(formula: UpdateFormula): readonly ("slot0" | "slot1")[] {
  if (formula === "sgd") return [];
  return formula.startsWith("sgd") || formula === "rmsprop" || formula === "rmspropTorch"
    ? ["slot0"]
    : ["slot0", "slot1"];
}
