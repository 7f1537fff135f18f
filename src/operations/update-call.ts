/**
 * The last part of a step of training as plain data: the norm of all gradients, then the update of each parameter.
 *
 * With w the parameter, g its gradient, d its weight decay, r = rate · rateFactor, and
 * c = clipNorm / norm where norm > clipNorm, else 1:
 *
 *     sgd       g′ = c·g + d·w
 *       torch     v = momentum·v + g′;        w −= r·v            Nesterov: w −= r·(g′ + momentum·v)
 *       keras     v = momentum·v − r·g′;      w += v              Nesterov: w += momentum·v − r·g′
 *     rmsprop   g′ = c·g + d·w;  s = decay·s + (1 − decay)·g′²
 *       tensorflow  v = momentum·v + r·g′ / √(s + epsilon);       w −= v
 *       torch       v = momentum·v + g′ / (√s + epsilon);         w −= r·v
 *     adam      w −= r·d·w;  m = beta1·m + (1 − beta1)·c·g;  s = beta2·s + (1 − beta2)·(c·g)²
 *                 w −= rateFactor·step·m / (√s·rootFactor + epsilon)
 *     average   a += averageShare·(w − a), of the new w
 *
 * Without momentum v is not kept. Of adam, t counting updates from 1: in the form `torch` step is rate / (1 − beta1^t) and
 * rootFactor 1 / √(1 − beta2^t); in the form `keras` rate·√(1 − beta2^t) / (1 − beta1^t) and 1.
 *
 * Sources: Sutskever et al. 2013 (momentum, Nesterov), Tieleman and Hinton 2012 (RMSprop), Kingma and Ba 2015 (Adam; the
 * form `keras` is its §2, last lines), Loshchilov and Hutter 2019 (decoupled decay), Pascanu et al. 2013 (clipping).
 */

/** Without weight decay, which is of each parameter. */
export interface SgdRule {
  readonly type: "sgd";
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly form: "torch" | "keras";
}

export interface RmspropRule {
  readonly type: "rmsprop";
  readonly decay: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly form: "tensorflow" | "torch";
  /** What s starts from. */
  readonly initialAccumulator: number;
}

/** Also of AdamW: the decay of a parameter is never part of its gradient. */
export interface AdamRule {
  readonly type: "adam";
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly form: "torch" | "keras";
}

/** A formula and its numbers, which do not change from step to step. */
export type UpdateRule = SgdRule | RmspropRule | AdamRule;

/**
 * Updates a parameter in place; nothing where the norm is not finite. Operands: parameter, gradient, slot0?, slot1? (as many as `slotsOf` lists, in its order),
 * average? (with `average`), hyper, norm. All are float32; hyper has the numbers of `HYPER`, norm one.
 */
export interface UpdateCall {
  readonly kernel: "update";
  readonly rule: UpdateRule;
  readonly elements: number;
  /** Weight decay of this parameter. */
  readonly decay: number;
  /** Its rate is that of the step times this one. */
  readonly rateFactor: number;
  /** Whether a moving average of it is kept. */
  readonly average: boolean;
}

/**
 * The L2 norm of several gradients as of one vector, summed in float64. Operands: gradient0, gradient1, … → norm, one
 * float32.
 */
export interface GradientNormCall {
  readonly kernel: "gradientNorm";
  /** Of each gradient. */
  readonly elements: readonly number[];
}

/**
 * What is the same for all parameters and changes from step to step: float32 values in this order, written before the
 * updates of a step begin.
 */
export const HYPER = [
  /** The learning rate. */
  "rate",
  /** Infinity for none. */
  "clipNorm",
  /** 1 − averageDecay, computed in float64: 1 − 0.9999 in float32 would be off by 2e-4 of itself. */
  "averageShare",
  /** Of adam, see the formulas; 0 and 1 of others. */
  "step",
  "rootFactor",
] as const;

export type Hyper = Readonly<Record<(typeof HYPER)[number], number>>;

/** State of a parameter: as many numbers as it has, float32. */
export interface UpdateSlot {
  /** Its name in a checkpoint. */
  readonly name: "velocity" | "meanSquare" | "mean";
  /** What it starts from. */
  readonly initial: number;
}

/** The slots of a rule: the first is the operand `slot0`, the second `slot1`. */
export function slotsOf(rule: UpdateRule): readonly UpdateSlot[] {
  const velocity = { name: "velocity", initial: 0 } as const;
  switch (rule.type) {
    case "sgd":
      return rule.momentum === 0 ? [] : [velocity];
    case "rmsprop": {
      const square = { name: "meanSquare", initial: rule.initialAccumulator } as const;
      return rule.momentum === 0 ? [square] : [square, velocity];
    }
    case "adam":
      return [
        { name: "mean", initial: 0 },
        { name: "meanSquare", initial: 0 },
      ];
  }
}
