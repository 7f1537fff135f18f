/** From a network to a session: plan it, choose a backend, allocate. */

import { DepthwiseError } from "../core/errors.ts";
import { booleanOption, checkKnownOptions, oneOf, optionError, positiveInteger } from "../core/options.ts";
import type { Network } from "../layers/network.ts";
import { plan as planNetwork } from "../plan/plan.ts";
import type { BoundPlan } from "./backend.ts";
import { referenceBackend } from "./reference-backend.ts";
import { Session } from "./session.ts";

/** One row a backend. */
const BACKENDS = { reference: referenceBackend } as const;

/** `auto` takes the fastest that this place allows. */
export type BackendName = keyof typeof BACKENDS | "auto";

export interface CompileOptions<Tap extends string = string> {
  /** Default `auto`. `reference` is plain TypeScript and runs everywhere. */
  readonly backend?: BackendName;
  /** Most images in one run: memory is laid out for so many. Default 1. */
  readonly batch?: number;
  /** Layers or blocks whose activated output each run returns under `taps`. Default none. */
  readonly taps?: readonly Tap[];
  /** Whether batch norm is folded into the convolutions before it. Default true. */
  readonly fold?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Compiles a network: folds batch norm, fuses activations, lays out memory. Close the session when done.
 *
 *     using session = await compile(model, { batch: 4, taps: ["conv_pw_6"] });
 *
 * The parameters are read now: one that is replaced later does not reach the session.
 *
 * @throws {DepthwiseError} `OPTION_INVALID`; `NAME_UNKNOWN` for a tap; `PARAMETERS_MISMATCH`; `MEMORY_EXCEEDED`
 *         before anything is allocated, or if the system refuses the memory
 */
export async function compile<Output extends string, const Tap extends string = never>(
  network: Network<Output>,
  options: CompileOptions<Tap> = {},
): Promise<Session<Output, Tap>> {
  checkKnownOptions("compile", options, ["backend", "batch", "taps", "fold", "signal"]);
  options.signal?.throwIfAborted();
  const name = oneOf("compile", "backend", options.backend ?? "auto", ["auto", ...backendNames()]);
  const taps = options.taps ?? [];
  if (!Array.isArray(taps) || !taps.every((tap) => typeof tap === "string")) {
    throw optionError("compile", "taps", "an array of layer names", taps);
  }
  const plan = planNetwork(network, {
    batch: positiveInteger("compile", "batch", options.batch ?? 1),
    taps,
    fold: booleanOption("compile", "fold", options.fold ?? true),
  });
  const backend = BACKENDS[name === "auto" ? "reference" : name];
  let bound: BoundPlan;
  try {
    bound = backend.bind(plan);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DepthwiseError("MEMORY_EXCEEDED", {
      what: `compile: the system refused ${plan.arenaElements * 4} bytes for the activations of ${plan.network}`,
      advice: "Use a smaller input or a smaller batch.",
      fields: { bytes: plan.arenaElements * 4, batch: plan.batch },
      cause,
    });
  }
  return new Session<Output, Tap>(plan, backend.name, bound);
}

function backendNames(): readonly (keyof typeof BACKENDS)[] {
  return Object.keys(BACKENDS) as (keyof typeof BACKENDS)[];
}
