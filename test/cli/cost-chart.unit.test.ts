/** `depthwise cost --chart`: a bar a layer, in any width from 40 columns on. */

import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { CHART_MARKS, costChart } from "../../src/cli/cost-chart.ts";
import { cost } from "../../src/cost/index.ts";
import { mobileNetV1 } from "../../src/index.ts";
import { activation, conv2d, pointwise, sequential } from "../../src/layers/index.ts";
import { run } from "./command.ts";

const eighths = (line: string) => {
  const bar = /[█-▏]+/.exec(line)?.[0] ?? "";
  const last = "▏▎▍▌▋▊▉".indexOf(bar.at(-1) ?? "");
  return last < 0 ? 8 * bar.length : 8 * (bar.length - 1) + last + 1;
};

describe("the bars", () => {
  it("fit any width, of names of any letters", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 50 })
      .map((text) => `x${text.replaceAll("/", "-")}`);
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 40, max: 200 }),
        (names, width) => {
          const layers = names.map((each, index) => pointwise({ filters: 3 + index, name: each }));
          const lines = costChart(cost(sequential({ inputShape: [4, 4, 3] }, layers)), width).slice(2);
          expect(lines).toHaveLength(names.length);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it("are as long as the share of their layer, and what is not nothing is seen", () => {
    const counted = cost(mobileNetV1());
    const layers = counted.layers.filter(({ multAdds }) => (multAdds ?? 0) > 0);
    const lines = costChart(counted, 100).slice(2);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(layers.map(({ name }) => name));
    const lengths = lines.map(eighths);
    const [longest, most] = [Math.max(...lengths), Math.max(...layers.map(({ multAddsShare }) => multAddsShare ?? 0))];
    for (const [index, { multAddsShare }] of layers.entries()) {
      expect(lengths[index]).toBe(Math.max(1, Math.round((longest * (multAddsShare ?? 0)) / most)));
      expect(lines[index]).toMatch(new RegExp(` ${(100 * (multAddsShare ?? 0)).toFixed(2)}%$`));
    }
  });

  it("have the colour of their kind, and nothing else has one", () => {
    const lines = costChart(cost(mobileNetV1()), 80);
    const coloured = lines.map((line) =>
      CHART_MARKS.filter(([pattern]) => pattern.test(line)).map(([, style]) => style),
    );
    expect(coloured.slice(0, 5)).toEqual([[], [], ["yellow"], ["green"], ["blue"]]);
    expect(coloured.at(-1)).toEqual(["magenta"]);
    expect(coloured.slice(2).every((styles) => styles.length === 1)).toBe(true);
  });

  it("of a convention that counts no operation are of parameters; of nothing there are none", () => {
    const keras = costChart(cost(mobileNetV1(), { convention: "keras" }), 80);
    expect(keras[0]).toBe(
      "share of parameters, layer by layer (std standard convolution, dw depthwise, pw pointwise, fc fully connected)",
    );
    const nothing = sequential({ inputShape: [4, 4, 3] }, [activation("relu")]);
    expect(costChart(cost(nothing), 80)).toEqual(["No layer has any mult-adds."]);
    const one = costChart(cost(sequential({ inputShape: [4, 4, 3] }, [conv2d({ filters: 2, kernel: 3 })])), 40);
    expect(one).toHaveLength(3);
    expect(one[2]).toMatch(/100\.00%$/);
  });
});

describe("the command", () => {
  it("has them below the totals, 80 columns wide in a pipe and without a colour", async () => {
    const { code, stdout, stderr } = await run(["cost", "--chart"]);
    expect([code, stderr]).toEqual([0, ""]);
    const [text = "", chart = ""] = stdout.split(/\n(?=share of mult-adds)/);
    expect(text).toMatch(/\ntotal 568,740,352 mult-adds/);
    const lines = chart.trim().split("\n").slice(2);
    expect(lines).toHaveLength(28);
    expect(lines.map((line) => line.length)).toEqual(lines.map(() => 80));
    expect(stdout).not.toContain("\u001b");
  });

  it.each(["--json", "--markdown"])("refuses them beside %s", async (other) => {
    const { code, stdout, stderr } = await run(["cost", "--chart", other]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`cost: --chart: expected the text for people, found ${other}`);
  });
});
