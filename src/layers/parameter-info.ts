/** What is known of a parameter before it is made. */

import type { Shape } from "../core/tensor.ts";
import type { ParameterRole } from "../operations/operation.ts";

/** What a parameter is, without its numbers. */
export interface ParameterInfo {
  /** `conv_pw_1/kernel`: the node's name, a slash, Keras' name of the weight. */
  readonly name: string;
  readonly node: string;
  readonly role: ParameterRole;
  readonly shape: Shape;
  readonly trainable: boolean;
}
