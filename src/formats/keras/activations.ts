/** Activations of Keras: functions by name, and layers that take settings. */

import { shorten } from "../../core/errors.ts";
import type { GraphOperation } from "../graph.ts";
import { numberIn } from "./config.ts";
import { type LayerTranslation, settingUnknown } from "./graph.ts";

/** @param name as `activationNamed` finds it in `activation` */
export function activationOperation(
  t: LayerTranslation,
  name: string | undefined,
  activation: unknown,
): GraphOperation {
  if (name === "linear" || name === "relu" || name === "relu6") return { type: "activation", function: name };
  if (name === "softmax") return { type: "softmax" };
  // Of Keras 3 alone, by both names. "hard_sigmoid" is 0.2 x + 0.5 in Keras 2 and x / 6 + 0.5 in Keras 3: not told apart.
  if (name === "hard_swish" || name === "hard_silu") return { type: "activation", function: "hardSwish" };
  // As a function it has the slope of TensorFlow's, not of Keras's layer.
  if (name === "leaky_relu") return { type: "activation", function: "leakyRelu", slope: 0.2 };
  const inner = activation as { readonly config?: unknown };
  if ((name === "ReLU" || name === "LeakyReLU") && typeof inner.config === "object" && inner.config !== null) {
    const config = inner.config as LayerTranslation["config"];
    return name === "ReLU" ? reluOperation(config) : leakyOperation(t, config);
  }
  return { type: "other", name: shorten(name ?? "function", 100) };
}

/** The layer `ReLU`, which may be bounded, leak, or start elsewhere than at 0. */
export function reluOperation(config: LayerTranslation["config"]): GraphOperation {
  const slope = numberIn(config.negative_slope ?? 0);
  const threshold = numberIn(config.threshold ?? 0);
  const isUnbounded = config.max_value === null || config.max_value === undefined;
  if (threshold === 0 && slope === 0 && isUnbounded) return { type: "activation", function: "relu" };
  if (threshold === 0 && slope === 0 && numberIn(config.max_value) === 6)
    return { type: "activation", function: "relu6" };
  if (threshold === 0 && slope !== undefined && isUnbounded)
    return { type: "activation", function: "leakyRelu", slope };
  return { type: "other", name: "ReLU with bounds of its own" };
}

/** The layer `LeakyReLU`; its slope has had two names. */
export function leakyOperation(t: LayerTranslation, config: LayerTranslation["config"]): GraphOperation {
  const slope = numberIn(config.alpha ?? config.negative_slope ?? 0.3);
  if (slope === undefined) throw settingUnknown(t, "the slope", "a number", config.alpha ?? config.negative_slope);
  return { type: "activation", function: "leakyRelu", slope };
}
