/** The networks that lie in the page: fetched when they are wanted. */

import type { Network } from "depthwise";
import type { BuiltIn } from "./messages.ts";

export async function builtIn(name: BuiltIn): Promise<Network<"logits" | "probabilities" | "embedding">> {
  if (name === "digits") return (await import("depthwise/models/digits")).digits();
  return (await import("depthwise/models/cifar10")).cifar10();
}
