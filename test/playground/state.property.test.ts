/** What the page shows lives in its address: both ways, and whatever stands there. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANSWERS } from "../../examples/playground/src/answers.ts";
import {
  ALPHAS,
  BUDGETS,
  hashOf,
  RANGES,
  RESOLUTIONS,
  type State,
  stateOf,
  usualState,
  VIEWS,
} from "../../examples/playground/src/state.ts";

const within = ([min, max]: readonly [number, number]) => fc.integer({ min, max });

const states: fc.Arbitrary<State> = fc.record({
  view: fc.constantFrom(...VIEWS),
  language: fc.constantFrom("en" as const, "ko" as const),
  question: fc.constantFrom("none" as const, "mixing" as const, "macs" as const),
  kernelSize: within(RANGES.kernelSize),
  inputChannels: within(RANGES.inputChannels),
  filters: within(RANGES.filters),
  size: within(RANGES.size),
  stride: within(RANGES.stride),
  padding: fc.constantFrom("same" as const, "valid" as const),
  multiplier: within(RANGES.multiplier),
  mixing: fc.constantFrom("on" as const, "off" as const),
  changed: fc.integer({ min: 0, max: RANGES.inputChannels[1] }),
  at: fc.integer({ min: 0, max: 1_000_000 }),
  alpha: fc.constantFrom(...ALPHAS),
  resolution: fc.constantFrom(...RESOLUTIONS),
  table: fc.constantFrom("imagenet" as const, "cifar10" as const),
  budget: fc.constantFrom(...BUDGETS),
  convention: fc.constantFrom(
    "paper" as const,
    "hardware" as const,
    "thop" as const,
    "fvcore" as const,
    "keras" as const,
  ),
  twin: fc.constantFrom("alone" as const, "beside" as const),
  model: fc.constantFrom("digits" as const, "cifar10" as const, "own" as const),
  knows: fc.constantFrom("cifar10" as const, "digits" as const),
});

describe("the state of the page", () => {
  it("comes back from its address", () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(stateOf(hashOf(state), "en")).toEqual(state);
      }),
    );
  });

  it("is a whole one whatever stands in the address", () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (text, given) => {
        for (const hash of [text, `#${text}`, `#${new URLSearchParams(given)}`]) {
          const state = stateOf(hash, "ko");
          expect(stateOf(hashOf(state), "ko")).toEqual(state);
          expect(Object.keys(state).sort()).toEqual(Object.keys(usualState("ko")).sort());
        }
      }),
    );
  });

  it.each(["kernelSize=99", "at=-1", "at=1e3x", "alpha=0.26", "language=de", "stride=", "view=__proto__"])(
    "leaves %s at what is usual",
    (text) => expect(stateOf(`#${text}`, "en")).toEqual(usualState("en")),
  );

  it("of each question's answer is one that the address can hold", () => {
    for (const patch of Object.values(ANSWERS)) {
      const state = { ...usualState("en"), ...patch };
      expect(stateOf(hashOf(state), "en")).toEqual(state);
    }
  });
});
