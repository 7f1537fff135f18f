import { describe, expect, it } from "vitest";
import { harmless, visible } from "../../src/core/visible.ts";

describe("visible", () => {
  it.each([
    ["a link", "\u{1b}]8;;http://x\u{7}y\u{1b}]8;;\u{7}", "\\u{1b}]8;;http://x\\u{7}y\\u{1b}]8;;\\u{7}"],
    ["the clipboard", "\u{1b}]52;c;eA==\u{1b}\\", "\\u{1b}]52;c;eA==\\u{1b}\\"],
    ["C1 controls", "\u{9b}31m\u{9d}0;x\u{9c}\u{80}", "\\u{9b}31m\\u{9d}0;x\\u{9c}\\u{80}"],
    ["what moves the cursor", "a\rb\bc\u{7f}\v\f", "a\\u{d}b\\u{8}c\\u{7f}\\u{b}\\u{c}"],
    ["line breaks and tabs", "a\nb\tc\u{2028}\u{2029}\u{85}", "a\\u{a}b\\u{9}c\\u{2028}\\u{2029}\\u{85}"],
    ["bidi", "\u{202e}gnp\u{2066}\u{2069}\u{200f}\u{61c}", "\\u{202e}gnp\\u{2066}\\u{2069}\\u{200f}\\u{61c}"],
    ["what has no width", "a\u{200b}\u{2060}\u{feff}\u{ad}", "a\\u{200b}\\u{2060}\\u{feff}\\u{ad}"],
    ["tags", "a\u{e0041}", "a\\u{e0041}"],
    ["what is no character", "a\ufffe\uffff\ufdd0\u{1ffff}", "a\\u{fffe}\\u{ffff}\\u{fdd0}\\u{1ffff}"],
    ["halves of pairs", "\ud83d!\udc69", "\\u{d83d}!\\u{dc69}"],
    ["its own spelling", "\\u{1b} C:\\users \\", "\\u{5c}u{1b} C:\\users \\"],
  ])("writes out %s", (_name, text, expected) => {
    expect(visible(text)).toBe(expected);
    expect(harmless(expected)).toBe(expected);
  });

  it.each([
    "",
    "tench, Tinca tinca",
    "naïve Ünï 日本語 العربية",
    "👩\u{200d}👩\u{200d}👧",
    "می\u{200c}خواهم",
    " nbsp\u{a0}",
  ])("leaves %j", (text) => expect([visible(text), harmless(text)]).toEqual([text, text]));
});
