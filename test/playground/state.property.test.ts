/** What the page shows lives in its address: both ways, and whatever stands there. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANSWERS } from "../../examples/playground/src/answers.ts";
import { changedState, FIELDS, hashOf, type State, stateOf, usualState } from "../../examples/playground/src/state.ts";

/** Any value of a field. */
function valuesOf({ values }: (typeof FIELDS)[keyof State]): fc.Arbitrary<unknown> {
  if ("least" in values) return fc.integer({ min: values.least, max: values.most });
  return fc.constantFrom<unknown>(...values);
}

const states = fc.record(
  Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, valuesOf(field)])),
) as unknown as fc.Arbitrary<State>;

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

  it("drops an answer when a number that it tells is changed, and keeps it for all else", () => {
    const asked = { ...usualState("en"), ...ANSWERS.channels, question: "channels" as const };
    expect(changedState(asked, { filters: 3 }).question).toBe("none");
    expect(changedState(asked, { filters: 6 }).question).toBe("channels");
    expect(changedState(asked, { alpha: 0.25 }).question).toBe("none");
    for (const patch of [{ at: 3 }, { mixing: "off" }, { convention: "hardware" }, { language: "ko" }] as const) {
      expect([patch, changedState(asked, patch)]).toEqual([patch, { ...asked, ...patch }]);
    }
  });
});
