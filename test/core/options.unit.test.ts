/** The checks of options, value by value: what each lets through, and what it says of the rest. */

import { describe, expect, it } from "vitest";
import { DepthwiseError, InternalError, invariant, isDepthwiseError, listed, shorten } from "../../src/core/errors.ts";
import { nearestName } from "../../src/core/nearest.ts";
import {
  belowOne,
  booleanOption,
  checkKnownOptions,
  isListOf,
  isString,
  oneOf,
  optionError,
  positiveInteger,
  positiveNumber,
  positivePair,
  show,
  signalOption,
  stringsOf,
  textOf,
} from "../../src/core/options.ts";

/** The error of a call. */
function refusal(call: () => unknown): DepthwiseError {
  try {
    call();
  } catch (error) {
    if (isDepthwiseError(error)) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

const hole = Object.assign([], { 1: "a" });
type Check = (owner: string, option: string, value: unknown) => unknown;

describe("a check of an option", () => {
  const signal = new AbortController().signal;
  const methods = { throwIfAborted() {}, addEventListener() {}, removeEventListener() {} };

  it.each<[string, Check, expected: string, passing: readonly unknown[], refused: readonly unknown[]]>([
    [
      "positiveInteger",
      positiveInteger,
      "a positive integer",
      [1, 2 ** 53 - 1],
      [0, -1, 0.5, 2 ** 53, Number.NaN, Infinity, "1", 1n, null, undefined, [1]],
    ],
    [
      "positiveNumber",
      positiveNumber,
      "a finite number above 0",
      [1e-300, 0.5, 1e300],
      [0, -0, -1, Number.NaN, Infinity, "1", null, undefined],
    ],
    [
      "belowOne",
      belowOne,
      "a number of at least 0 and below 1",
      [0, 0.5, 0.999],
      [1, -0.001, Number.NaN, "0", null, undefined],
    ],
    ["booleanOption", booleanOption, "true or false", [true, false], [0, 1, "true", null, undefined]],
    [
      "stringsOf",
      stringsOf,
      "an array of strings",
      [[], ["a", "b"]],
      ["ab", [1], ["a", null], hole, { 0: "a", length: 1 }, undefined],
    ],
    [
      "oneOf",
      (owner, option, value) => oneOf(owner, option, value, ["alpha", "beta"]),
      'one of "alpha", "beta"',
      ["alpha", "beta"],
      ["gamma-ray", "", 0, null, undefined, ["alpha"]],
    ],
    [
      "signalOption",
      (owner, _, value) => signalOption(owner, value) ?? value,
      "an AbortSignal",
      [signal, { aborted: false, ...methods }, null, undefined],
      [
        true,
        "signal",
        {},
        methods,
        { aborted: 0, ...methods },
        { aborted: true, ...methods, addEventListener: 1 },
        { aborted: true, ...methods, removeEventListener: undefined },
        { aborted: true, ...methods, throwIfAborted: null },
        new AbortController(),
      ],
    ],
  ])("%s", (_, check, expected, passing, refused) => {
    for (const value of passing) expect(check("layer", "signal", value)).toEqual(value);
    for (const value of refused) {
      const { code, message, fields } = refusal(() => check("layer", "signal", value));
      expect([code, fields]).toEqual(["OPTION_INVALID", { owner: "layer", option: "signal", found: value }]);
      expect(message).toContain(`layer: signal: expected ${expected}, found ${show(value)}.`);
    }
  });

  it("of a pair spells out both axes", () => {
    expect(positivePair("layer", "stride", 2)).toEqual([2, 2]);
    expect(positivePair("layer", "stride", [2, 3])).toEqual([2, 3]);
    for (const value of [0, "2", undefined, [0, 1], [1, 0], hole]) {
      expect(refusal(() => positivePair("layer", "stride", value)).message).toMatch(
        /^layer: stride: expected a positive integer,/,
      );
    }
    for (const value of [[], [1], [1, 2, 3]]) {
      expect(refusal(() => positivePair("layer", "stride", value)).message).toMatch(
        /a positive integer or \[vertical, horizontal\], found \[/,
      );
    }
  });

  it("gives advice where there is some", () => {
    expect(refusal(() => positiveNumber("layer", "alpha", 0, "Try 1.")).message).toMatch(/found 0\. Try 1\.$/);
    expect(refusal(() => oneOf("layer", "mode", "alhpa", ["alpha", "beta"])).message).toMatch(
      /found "alhpa"\. Did you mean "alpha"\?$/,
    );
    expect(refusal(() => oneOf("layer", "mode", "something", ["alpha", "beta"])).message).toMatch(
      /found "something"\.$/,
    );
    expect(refusal(() => signalOption("run", 5)).message).toMatch(/Pass the signal of an AbortController\.$/);
    expect(refusal(() => stringsOf("run", "taps", 5, "names of layers")).message).toMatch(
      /expected names of layers, found 5/,
    );
    expect(optionError("run", "x", "more", 1)).toMatchObject({ message: "run: x: expected more, found 1." });
  });

  it("of strings gives a list of one's own", () => {
    const given = ["a"];
    expect(stringsOf("layer", "labels", given)).not.toBe(given);
  });

  it("of a list sees its holes", () => {
    expect([
      isListOf([], isString),
      isListOf(["a"], isString),
      isListOf(hole, isString),
      isListOf("a", isString),
    ]).toEqual([true, true, false, false]);
  });
});

describe("options", () => {
  it("that are known pass, and so do none", () => {
    expect(() => checkKnownOptions("layer", { alpha: 1, beta: 2 }, ["alpha", "beta", "gamma"])).not.toThrow();
    expect(() => checkKnownOptions("layer", {}, [])).not.toThrow();
  });

  it.each([null, 5, "alpha", [1], undefined])("are an object, not %j", (options) => {
    const { message, fields } = refusal(() => checkKnownOptions("layer", options as never, ["0"]));
    expect(message).toMatch(/^layer: options: expected an object, found /);
    expect(fields).toMatchObject({ option: "options", found: options });
  });

  it("that are not known are named, with the nearest or all that are", () => {
    const near = refusal(() => checkKnownOptions("layer", { alpha: 1, bteta: 2 }, ["alpha", "beta"]));
    expect(near).toMatchObject({
      code: "OPTION_INVALID",
      fields: { owner: "layer", option: "bteta", known: ["alpha", "beta"] },
    });
    expect(near.message).toBe('layer: unknown option "bteta". Did you mean "beta"?');
    const far = refusal(() => checkKnownOptions("layer", { something: 1 }, ["alpha", "beta"]));
    expect(far.message).toBe('layer: unknown option "something". Known options: alpha, beta.');
  });
});

describe("a result as text", () => {
  it("is written, or refused by the code of what cannot be", () => {
    expect(textOf("print", "result", "a result", {}, () => "text")).toBe("text");
    const cause = new TypeError("no cells");
    const error = refusal(() =>
      textOf("print", "result", "a result", 5, () => {
        throw cause;
      }),
    );
    expect(error).toMatchObject({
      code: "OPTION_INVALID",
      message: "print: result: expected a result, found 5.",
      fields: { owner: "print", option: "result" },
      cause,
    });
  });

  it("hides no fault of ours", () => {
    const write = () => {
      throw new InternalError("A row is missing.");
    };
    expect(() => textOf("print", "result", "a result", 5, write)).toThrow(InternalError);
  });
});

describe("what is shown of a value", () => {
  it.each<[unknown, string]>([
    [12n, "12"],
    [-(2n ** 63n), "-9223372036854775808"],
    [2n ** 63n, "a bigint"],
    [() => 1, "a function"],
    [null, "null"],
    [true, "true"],
    [-0.5, "-0.5"],
    [[1, [2, [3, [4, [5]]]]], "[1, [2, [3, [4, […]]]]]"],
    [[1, [2, [3, [4, []]]]], "[1, [2, [3, [4, []]]]]"],
    [Array.from({ length: 8 }, (_, i) => i), "[0, 1, 2, 3, 4, 5, 6, 7]"],
    [Array.from({ length: 9 }, (_, i) => i), "[0, 1, 2, 3, 4, 5, 6, 7, … 1 more]"],
    // Forty entries in all, those that are arrays among them.
    [Array(8).fill(Array(8).fill(1)), `[${"[1, 1, 1, 1, 1, 1, 1, 1], ".repeat(4)}[1, 1, 1, … 5 more], … 3 more]`],
  ])("%s", (value, text) => {
    expect(show(value)).toBe(text);
  });

  it("is cut at two hundred letters", () => {
    expect(show("x".repeat(200))).toBe(`"${"x".repeat(200)}"`);
    expect(show("x".repeat(201))).toBe(`"${"x".repeat(99)}…${"x".repeat(99)}"`);
    expect(show(Symbol("s".repeat(500))).length).toBeLessThanOrEqual(200);
  });
});

describe("an error", () => {
  it.each<[ConstructorParameters<typeof DepthwiseError>[1], string]>([
    [{ what: "x" }, "x."],
    [{ what: "is it?" }, "is it?"],
    [{ what: "no!" }, "no!"],
    [{ what: "a sentence." }, "a sentence."],
    [{ what: "x", advice: "Do y." }, "x. Do y."],
    [{ what: "x", expected: "a" }, "x: expected a."],
    [{ what: "x.", found: "b" }, "x.: found b."],
    [{ what: "x", expected: "a", found: "b", advice: "Do y." }, "x: expected a, found b. Do y."],
    [{ what: "a. b", expected: "" }, "a. b: expected ."],
    [{ what: "a.b" }, "a.b."],
  ])("of %j says so", (parts, message) => {
    expect(new DepthwiseError("FILE_CORRUPT", parts).message).toBe(message);
  });

  it("has its code, its fields and its cause, if there is one", () => {
    const cause = new Error("inner");
    const error = new DepthwiseError("FILE_EMPTY", { what: "x", fields: { path: "p" }, cause });
    expect(error).toMatchObject({ name: "DepthwiseError", code: "FILE_EMPTY", fields: { path: "p" }, cause });
    const plain = new DepthwiseError("FILE_EMPTY", { what: "x" });
    expect(plain.fields).toEqual({});
    expect("cause" in plain).toBe(false);
  });

  it("is told from others, of whatever copy of the library", () => {
    const ours = new DepthwiseError("FILE_EMPTY", { what: "x" });
    const theirs = Object.assign(new Error("x"), { [Symbol.for("depthwise.error")]: true });
    for (const value of [ours, theirs]) {
      expect([isDepthwiseError(value), value instanceof DepthwiseError, value instanceof InternalError]).toEqual([
        true,
        true,
        false,
      ]);
    }
    for (const value of [new Error("x"), null, undefined, "x", 5, {}, new InternalError("x")]) {
      expect([isDepthwiseError(value), value instanceof DepthwiseError]).toEqual([false, false]);
    }
    expect(ours instanceof Error).toBe(true);
    const copy = Object.assign(new Error("x"), { [Symbol.for("depthwise.internal-error")]: true });
    for (const value of [new InternalError("x"), copy]) expect(value instanceof InternalError).toBe(true);
    for (const value of [new Error("x"), null, ours]) expect(value instanceof InternalError).toBe(false);
    expect(Object.keys(ours)).not.toContain("depthwise.error");
  });

  it("of ours asks to be reported", () => {
    expect(() => invariant(1, "It holds.")).not.toThrow();
    expect(() => invariant(0, "A row is missing.")).toThrow(
      "A row is missing. This is a bug in depthwise, please report it.",
    );
    expect(new InternalError("x")).toMatchObject({ name: "InternalError" });
  });
});

describe("a long text", () => {
  it("keeps both ends, of as many letters", () => {
    expect(shorten("abcdefg", 7)).toBe("abcdefg");
    expect(shorten("abcdefgh", 7)).toBe("abc…fgh");
    expect(shorten("abcdefgh", 6)).toBe("ab…gh");
    expect(shorten("x".repeat(2000))).toBe("x".repeat(2000));
    expect(shorten("x".repeat(2001))).toHaveLength(1999);
  });

  it("cuts no character in two, and leaves whole ones", () => {
    expect(shorten("😀😀😀😀", 4)).toBe("…");
    expect(shorten("😀😀😀😀", 5)).toBe("😀…😀");
    expect(shorten("ab😀cd", 5)).toBe("ab…cd");
  });

  it("in a list is one of so many", () => {
    const items = ["a", "b", "c", "d"];
    expect([listed(items, ", ", 4), listed(items, "; ", 3), listed([], ", ")]).toEqual([
      "a, b, c, d",
      "a; b; c; … and 1 more",
      "",
    ]);
    const many = Array.from({ length: 11 }, (_, i) => `${i}`);
    expect(listed(many)).toBe("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … and 1 more");
    expect(listed(many.slice(1))).toBe("1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
  });
});

describe("the nearest name", () => {
  it.each<[string, readonly string[], string | undefined]>([
    ["alpha", [], undefined],
    ["alpha", ["alpha"], "alpha"],
    ["ALPHA", ["alpha"], "alpha"],
    ["alpha", ["ALPHA"], "ALPHA"],
    // Two slips in a short name, a third of a long one; an exchange of two letters counts as two.
    ["abc", ["abxy"], "abxy"],
    ["abc", ["xyc"], "xyc"],
    ["abc", ["xyz"], undefined],
    ["abcdef", ["abcdxx"], "abcdxx"],
    ["abcdef", ["abcxxx"], undefined],
    ["abcdefghi", ["abcdefxxx"], "abcdefxxx"],
    ["abcdefghi", ["abcdexxxx"], undefined],
    ["abc", ["abcde"], "abcde"],
    ["abc", ["abcdef"], undefined],
    ["abcde", ["abc"], "abc"],
    ["abcdef", ["abc"], undefined],
    ["abcdefghi", ["bcdefghij"], "bcdefghij"],
    // Of equals the first, of others the nearest, wherever it stands.
    ["abc", ["abd", "abe"], "abd"],
    ["abcd", ["abxy", "abcx", "axcd"], "abcx"],
    ["kernel", ["kennel", "kernel"], "kernel"],
    // Letters too many count wherever they stand, in front as well.
    ["abcdef", ["xyabcdef", "abcdeg"], "abcdeg"],
    ["abcdef", ["abcdefxy", "bbcdef"], "bbcdef"],
    ["", ["ab", "a"], "a"],
    ["", ["ab"], "ab"],
    ["", ["abc"], undefined],
    ["sitting", ["kitten"], undefined],
    ["sittingsittingsitting", ["kittensittingsitting"], "kittensittingsitting"],
  ])("to %j among %j is %j", (name, candidates, nearest) => {
    expect(nearestName(name, candidates)).toBe(nearest);
  });

  it("is looked for of a hundred letters, not of more", () => {
    const name = "n".repeat(100);
    expect(nearestName(name, [`${name}s`])).toBe(`${name}s`);
    expect(nearestName(`${name}s`, [name])).toBeUndefined();
  });

  it("is looked for among two million pairs of letters, not among more", () => {
    const name = "n".repeat(100);
    const others = (count: number) => [...Array<string>(count).fill("x".repeat(100)), name];
    expect(nearestName(name, others(199))).toBe(name);
    expect(nearestName(name, others(200))).toBeUndefined();
  });
});
