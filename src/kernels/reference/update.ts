/** Updates of parameters and the norm of gradients: float64 within an element, state in float32. */

import {
  type AdamRule,
  type GradientNormCall,
  HYPER,
  type Hyper,
  type RmspropRule,
  type SgdRule,
  type UpdateCall,
  type UpdateRule,
} from "../../operations/update-call.ts";

/** Arrays by their roles; what a call does not have is undefined. */
type Arrays = Readonly<Record<string, Float32Array | undefined>>;

/** Computes a call on arrays. An update has no batch. */
type UpdateRunner = (batch: number, operands: Arrays) => void;

const NONE = /* @__PURE__ */ new Float32Array(0);

/** What an element's formula sees besides its own numbers. */
interface OfStep extends Pick<Hyper, "step" | "rootFactor"> {
  readonly decay: number;
  readonly rateFactor: number;
  /** rate · rateFactor. */
  readonly ownRate: number;
}

/** The new parameter; the slots are changed at `i`. */
type ElementUpdate = (w: number, g: number, i: number, slot0: Float32Array, slot1: Float32Array, of: OfStep) => number;

export function updateRunner({ rule, elements, decay, rateFactor, average }: UpdateCall): UpdateRunner {
  const next = elementUpdate(rule);
  return (_batch, operands) => {
    const { parameter: w, gradient: g, hyper, norm } = operands as Record<string, Float32Array>;
    const { slot0 = NONE, slot1 = NONE, average: a = NONE } = operands;
    const { rate, clipNorm, averageShare, step, rootFactor } = readHyper(hyper);
    // What is no number, or has no end, would spoil the parameter for good.
    if (!(norm[0] < Number.POSITIVE_INFINITY)) return;
    const clip = norm[0] > clipNorm ? clipNorm / norm[0] : 1;
    const of = { decay, rateFactor, ownRate: rate * rateFactor, step, rootFactor };
    for (let i = 0; i < elements; i++) {
      w[i] = next(w[i], clip * g[i], i, slot0, slot1, of);
      if (average) a[i] += averageShare * (w[i] - a[i]);
    }
  };
}

export function gradientNormRunner({ elements }: GradientNormCall): UpdateRunner {
  return (_batch, operands) => {
    let sum = 0;
    for (const [index, count] of elements.entries()) {
      const gradient = operands[`gradient${index}`]!;
      for (let i = 0; i < count; i++) sum += gradient[i] * gradient[i];
    }
    operands["norm"]![0] = Math.sqrt(sum);
  };
}

function readHyper(hyper: Float32Array): Hyper {
  return Object.fromEntries(HYPER.map((name, index) => [name, hyper[index]])) as Record<keyof Hyper, number>;
}

function elementUpdate(rule: UpdateRule): ElementUpdate {
  switch (rule.type) {
    case "sgd":
      return rule.form === "torch" ? sgdTorch(rule) : sgdKeras(rule);
    case "rmsprop":
      return rule.form === "torch" ? rmspropTorch(rule) : rmspropTensorflow(rule);
    case "adam":
      return adam(rule);
  }
}

function sgdTorch({ momentum, nesterov }: SgdRule): ElementUpdate {
  return (w, g, i, velocity, _, { decay, ownRate }) => {
    const gradient = g + decay * w;
    if (momentum === 0) return w - ownRate * gradient;
    const v = momentum * velocity[i] + gradient;
    velocity[i] = v;
    return w - ownRate * (nesterov ? gradient + momentum * v : v);
  };
}

function sgdKeras({ momentum, nesterov }: SgdRule): ElementUpdate {
  return (w, g, i, velocity, _, { decay, ownRate }) => {
    const gradient = g + decay * w;
    if (momentum === 0) return w - ownRate * gradient;
    const v = momentum * velocity[i] - ownRate * gradient;
    velocity[i] = v;
    return w + (nesterov ? momentum * v - ownRate * gradient : v);
  };
}

function rmspropTensorflow({ decay: share, momentum, epsilon }: RmspropRule): ElementUpdate {
  return (w, g, i, square, velocity, { decay, ownRate }) => {
    const gradient = g + decay * w;
    const s = share * square[i] + (1 - share) * gradient * gradient;
    square[i] = s;
    const move = (ownRate * gradient) / Math.sqrt(s + epsilon);
    if (momentum === 0) return w - move;
    const v = momentum * velocity[i] + move;
    velocity[i] = v;
    return w - v;
  };
}

function rmspropTorch({ decay: share, momentum, epsilon }: RmspropRule): ElementUpdate {
  return (w, g, i, square, velocity, { decay, ownRate }) => {
    const gradient = g + decay * w;
    const s = share * square[i] + (1 - share) * gradient * gradient;
    square[i] = s;
    const move = gradient / (Math.sqrt(s) + epsilon);
    if (momentum === 0) return w - ownRate * move;
    const v = momentum * velocity[i] + move;
    velocity[i] = v;
    return w - ownRate * v;
  };
}

function adam({ beta1, beta2, epsilon }: AdamRule): ElementUpdate {
  return (w, g, i, mean, square, { decay, ownRate, rateFactor, step, rootFactor }) => {
    const m = beta1 * mean[i] + (1 - beta1) * g;
    const s = beta2 * square[i] + (1 - beta2) * g * g;
    mean[i] = m;
    square[i] = s;
    return w - ownRate * decay * w - (rateFactor * step * m) / (Math.sqrt(s) * rootFactor + epsilon);
  };
}
