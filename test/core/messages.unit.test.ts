/** Messages stay readable, and cost little, whatever a file or a caller puts into them. */

import { describe, expect, it } from "vitest";
import { DepthwiseError, listed, shorten } from "../../src/core/errors.ts";
import { didYouMean, nearestName } from "../../src/core/nearest.ts";
import { checkKnownOptions, optionError, show } from "../../src/core/options.ts";
import { asFloat, shapeText, tensor } from "../../src/core/tensor.ts";

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};
const within: unknown[] = [];
within.push(within);
/** Thirty arrays, of which the outermost would spell out 8 ** 30 numbers. */
const shared = Array.from({ length: 30 }).reduce<unknown>((value) => Array(8).fill(value), 1);
const revoked = Proxy.revocable([], {});
revoked.revoke();
const throwing = new Proxy([1, 2], {
  get: () => {
    throw new RangeError("a getter that throws");
  },
});

describe("show", () => {
  it.each<[string, unknown, string]>([
    ["a shape", [1, 224, 224, 3], "[1, 224, 224, 3]"],
    [
      "pads",
      [
        [0, 1],
        [0, 1],
      ],
      "[[0, 1], [0, 1]]",
    ],
    ["nothing", [], "[]"],
    ["text", "a\nb", '"a\\nb"'],
    ["undefined", undefined, "undefined"],
    ["a long array", Array(50_000).fill("x"), '["x", "x", "x", "x", "x", "x", "x", "x", … 49,992 more]'],
    ["an array nested without end", nested(100_000), "[[[[[…]]]]]"],
    ["an array within itself", within, "[[[[[…]]]]]"],
    ["an object within itself", { within }, "an object"],
    ["an object without a prototype", Object.create(null), "an object"],
    ["a symbol", Symbol("tap"), "Symbol(tap)"],
    ["a bigint", 12n, "12"],
    ["a bigint of a million bits", 1n << 1_000_000n, "a bigint"],
    ["a proxy that is revoked", revoked.proxy, "an object that cannot be read"],
    ["a proxy that throws", throwing, "an object that cannot be read"],
    ["an array with holes", Array(3), "[undefined, undefined, undefined]"],
  ])("writes %s", (_, value, text) => {
    expect(show(value)).toBe(text);
  });

  it.each<[string, unknown]>([
    ["arrays that share others", shared],
    ["a text of a million letters", "x".repeat(1e6)],
    ["a symbol of a million letters", Symbol("x".repeat(1e6))],
    ["an array of long texts", Array(1e6).fill("x".repeat(1e4))],
  ])("bounds %s", (_, value) => {
    expect(show(value).length).toBeLessThan(2000);
    expect(optionError("owner", "option", "something", value).message.length).toBeLessThan(2100);
  });
});

describe("a message", () => {
  const long = "x".repeat(1e6);

  it("is bounded in every part, and keeps both ends", () => {
    const parts = { what: `a${long}b`, expected: `c${long}d`, found: `e${long}f`, advice: `g${long}h` };
    const { message } = new DepthwiseError("FILE_CORRUPT", parts);
    expect(message.length).toBeLessThan(8100);
    for (const end of [/^ax+…x+b: /, / cx+…x+d, /, / ex+…x+f\. /, / gx+…x+h$/]) expect(message).toMatch(end);
  });

  it("leaves its fields whole", () => {
    expect(new DepthwiseError("FILE_CORRUPT", { what: long, fields: { long } }).fields["long"]).toBe(long);
  });

  it.each([98, 99, 100, 101])("cuts no character in two, at %d letters", (most) => {
    const text = shorten("😀".repeat(1000), most);
    expect(text.length).toBeLessThanOrEqual(most);
    expect(text).toMatch(/^(?:😀)+…(?:😀)+$/u);
  });

  it("lists the first, and counts the rest", () => {
    const items = Array.from({ length: 2000 }, (_, i) => String(i));
    expect(listed(items, "; ")).toBe("0; 1; 2; 3; 4; 5; 6; 7; 8; 9; … and 1,990 more");
    expect(listed(items.slice(0, 3))).toBe("0, 1, 2");
  });

  it("names an option of any length", () => {
    const call = () => checkKnownOptions("owner", { [long]: 1 }, ["alpha"]);
    expect(call).toThrow(/unknown option/);
    expect(call).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{1,2200}$/s) }));
  });
});

describe("the nearest name", () => {
  it("is still found", () => {
    expect(didYouMean("conv_dw_1/kernal", ["conv_pw_1/kernel", "conv_dw_1/kernel"])).toBe(
      'Did you mean "conv_dw_1/kernel"?',
    );
    expect(nearestName("alhpa", ["alpha", "classes"])).toBe("alpha");
    expect(nearestName("Alpha", ["alpha"])).toBe("alpha");
    expect(nearestName("padding", ["alpha", "classes"])).toBeUndefined();
  });

  // 80,000 letters took four minutes.
  it("of a name without end is none, at once", () => {
    expect(nearestName("a".repeat(2e5), ["b".repeat(2e5)])).toBeUndefined();
    expect(nearestName("alpha", ["b".repeat(1e7)])).toBeUndefined();
  }, 30_000);

  it("among a million is looked for, but not for long", () => {
    const names = Array.from({ length: 1e6 }, (_, i) => `${"layer_of_a_long_name_".repeat(4)}${i}`);
    expect(() => nearestName(`${"lager_of_a_long_name_".repeat(4)}x`, names)).not.toThrow();
  }, 30_000);
});

describe("a shape", () => {
  it("of many sides is cut", () => {
    expect(shapeText(Array(1e6).fill(1))).toBe("[1, 1, 1, 1, 1, 1, 1, 1, … 999,992 more]");
  });

  it.each<[string, unknown]>([
    ["arrays nested without end", nested(100_000)],
    ["a symbol", [Symbol("side")]],
    ["an object without a prototype", Object.create(null)],
    ["a proxy that throws", [throwing]],
  ])("that is %s is refused by its code", (_, shape) => {
    expect(() => tensor([1], shape as never)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });

  it("of a type that is no text is refused by its code", () => {
    const value = { dtype: nested(100_000), shape: [1], data: new Float32Array(1) };
    const dtype = { ...value, dtype: Object.create(null) };
    for (const wrong of [value, dtype]) {
      expect(() => asFloat(wrong as never, "x")).toThrow(expect.objectContaining({ code: "DTYPE_MISMATCH" }));
    }
  });
});
