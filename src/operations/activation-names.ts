/** The functions of one number, by name. */

/**
 * `linear` x; `relu` max(x, 0); `relu6` min(max(x, 0), 6); `hardSigmoid` relu6(x + 3) / 6;
 * `hardSwish` x · relu6(x + 3) / 6. Each may run within the step of the layer before it.
 */
export const FUSED_ACTIVATIONS = ["linear", "relu", "relu6", "hardSwish", "hardSigmoid"] as const;
export type FusedActivation = (typeof FUSED_ACTIVATIONS)[number];

/** Besides those `leakyRelu`, x or slope · x where that is more: it has a number of its own, and a step of its own. */
export const ACTIVATIONS = ["linear", "relu", "relu6", "hardSwish", "hardSigmoid", "leakyRelu"] as const;
export type ActivationName = (typeof ACTIVATIONS)[number];
