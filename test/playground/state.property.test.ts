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

const any = fc.record(
  Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, valuesOf(field)])),
) as unknown as fc.Arbitrary<State>;
/** Of those that can be: a window without padding has room, and the channel that is changed is there. */
const states = any.map((state) => ({
  ...state,
  size: state.padding === "valid" ? Math.max(state.size, state.kernelSize) : state.size,
  changed: Math.min(state.changed, state.inputChannels),
}));

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

  it("has no window without room and no channel that is not there, whatever is read or changed", () => {
    fc.assert(
      fc.property(any, states, (given, before) => {
        for (const state of [stateOf(hashOf(given), "en"), changedState(before, given)]) {
          if (state.padding === "valid") expect(state.size).toBeGreaterThanOrEqual(state.kernelSize);
          expect(state.changed).toBeLessThanOrEqual(state.inputChannels);
        }
      }),
    );
    expect(stateOf("#kernelSize=5&size=3&padding=valid&inputChannels=2&changed=3", "en")).toMatchObject({
      ...{ kernelSize: 5, size: 5, padding: "valid", inputChannels: 2, changed: 2 },
    });
  });

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
    for (const patch of [{ at: 3 }, { convention: "hardware" }, { language: "ko" }] as const) {
      expect([patch, changedState(asked, patch)]).toEqual([patch, { ...asked, ...patch }]);
    }
    // The pointwise step is a part of what is told, but where the answer asks for it to be switched on.
    expect(changedState(asked, { mixing: "off" }).question).toBe("none");
    const alone = { ...usualState("en"), ...ANSWERS.mixing, question: "mixing" as const };
    expect(changedState(alone, { mixing: "on" }).question).toBe("mixing");
  });
});
