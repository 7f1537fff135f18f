/** Descriptions of a network's input, checked and completed: each part by itself, without a door in front. */

import { describe, expect, it } from "vitest";
import { checkPreprocessing, completePreprocessing, DEFAULT_PREPROCESSING } from "../../src/core/preprocessing.ts";

const whole = {
  resize: "stretch",
  filter: "plain",
  cropFraction: 1,
  range: [0, 255],
  channelOrder: "bgr",
  mean: [1, 2, 3],
  deviation: [4, 5, 6],
} as const;

describe("a description", () => {
  it.each<[object]>([
    [{}],
    [whole],
    [{ cropFraction: 1e-9 }],
    [{ resize: "shorterSide" }],
    [{ resize: "cropThenStretch", filter: "antialiased", channelOrder: "rgb" }],
    [{ range: [1, -1] }],
  ])("%j is what it says", (description) => {
    expect(checkPreprocessing("owner", description, 3)).toEqual(description);
  });

  it("is a copy, in its order, without what is undefined", () => {
    const range = [0, 1];
    const found = checkPreprocessing("owner", { range, mean: undefined, resize: "stretch" });
    range[0] = 7;
    expect(Object.entries(found)).toEqual([
      ["range", [0, 1]],
      ["resize", "stretch"],
    ]);
  });

  it.each<[object, channels: number | undefined, said: RegExp]>([
    [
      { resize: "fit" },
      undefined,
      /^owner: resize: expected one of "shorterSide", "stretch", "cropThenStretch", found "fit"/,
    ],
    [{ filter: "box" }, undefined, /^owner: filter: expected one of "antialiased", "plain"/],
    [{ channelOrder: "gbr" }, undefined, /^owner: channelOrder: expected one of "rgb", "bgr"/],
    [{ resize: null }, undefined, /^owner: resize/],
    [{ filter: null }, undefined, /^owner: filter/],
    [{ channelOrder: null }, undefined, /^owner: channelOrder/],
    ...[0, -0.5, 1.001, "1", null, Number.NaN].map(
      (value) =>
        [{ cropFraction: value }, undefined, /^owner: cropFraction: expected a number above 0 and at most 1/] as [
          object,
          undefined,
          RegExp,
        ],
    ),
    ...[[0], [0, 1, 2], [0, Number.NaN], [Infinity, 0], ["0", "1"], "01", null, Object.assign([0], { length: 2 })].map(
      (value) => [{ range: value }, undefined, /^owner: range: expected \[low, high\]/] as [object, undefined, RegExp],
    ),
    [{ mean: [0] }, undefined, /^owner: deviation: expected to be given with the other of the two/],
    [{ deviation: [1] }, undefined, /^owner: mean: expected to be given with the other of the two/],
    [{ mean: [0], deviation: [1] }, 3, /^owner: mean: expected 3 numbers, found \[0\]/],
    [{ mean: [0, 0, 0], deviation: [1] }, 3, /^owner: deviation: expected 3 numbers above 0, found \[1\]/],
    [{ mean: [0, 0, 0], deviation: [1, 0, 1] }, 3, /^owner: deviation: expected 3 numbers above 0, found \[1, 0, 1\]/],
    [{ mean: [0, 0], deviation: [1] }, undefined, /^owner: deviation: expected 2 numbers above 0/],
    [{ mean: [], deviation: [] }, undefined, /^owner: mean: expected 1 numbers/],
    [{ mean: 0, deviation: 1 }, undefined, /^owner: mean: expected 1 numbers/],
    [{ mean: [0], deviation: [0] }, undefined, /^owner: deviation: expected 1 numbers above 0/],
    [{ mean: [0], deviation: [-1] }, undefined, /^owner: deviation/],
    [{ mean: [0], deviation: "1" }, undefined, /^owner: deviation/],
    [{ size: 5 }, undefined, /^owner: unknown option "size"/],
  ])("%j, of %s channels, is none", (description, channels, said) => {
    expect(() => checkPreprocessing("owner", description, channels)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringMatching(said) }),
    );
  });

  it.each([undefined, null, "rgb", 5, [0, 1]])("is an object, not %j", (description) => {
    const fields = { owner: "owner", found: description };
    const message = expect.stringMatching(/^owner: expected an object such as \{ range: \[-1, 1\] \}, found/);
    expect(() => checkPreprocessing("owner", description)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", fields, message }),
    );
  });

  it("whose channels nobody knows may have as many means as it likes", () => {
    const two = { mean: [1, 2], deviation: [1, 2] };
    expect(checkPreprocessing("owner", two)).toEqual(two);
  });
});

describe("a completed description", () => {
  it("has the library's defaults for what it does not say", () => {
    expect(completePreprocessing([224, 192, 3])).toEqual({
      ...DEFAULT_PREPROCESSING,
      inputShape: [224, 192, 3],
      mean: undefined,
      deviation: undefined,
    });
    expect(DEFAULT_PREPROCESSING).toEqual({
      channelOrder: "rgb",
      resize: "shorterSide",
      filter: "antialiased",
      cropFraction: 0.875,
      range: [-1, 1],
    });
  });

  it("has what it says in their place", () => {
    expect(completePreprocessing([8, 8, 3], whole)).toEqual({ ...whole, inputShape: [8, 8, 3] });
    const grey = { mean: [1], deviation: [2] };
    expect(completePreprocessing([8, 8, 1], grey)).toEqual({
      ...DEFAULT_PREPROCESSING,
      ...grey,
      inputShape: [8, 8, 1],
    });
  });

  it.each<[unknown, object, string]>([
    ["224", {}, "inputShape"],
    [5, {}, "inputShape"],
    [[224, 224], {}, "inputShape"],
    [[224, 224, 3, 1], {}, "inputShape"],
    [[224, 224, 2], {}, "inputShape"],
    [[224, 224, 4], {}, "inputShape"],
    [[0, 224, 3], {}, "height"],
    [[224, 0.5, 3], {}, "width"],
    [[8, 8, 1], { mean: [1, 2, 3], deviation: [1, 2, 3] }, "mean"],
  ])("of %j with %j is refused", (shape, description, option) => {
    const found = option === "inputShape" ? { found: shape } : {};
    const fields = expect.objectContaining({ owner: "preprocessing", option, ...found });
    expect(() => completePreprocessing(shape as never, description)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", fields }),
    );
  });
});
