/** The parts of `npm start` that make text. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

interface Prediction {
  readonly label: string;
  readonly probability: number;
}

interface Figures {
  readonly multAdds: number;
  readonly parameters: number;
  readonly ms: number;
}

interface Parts {
  readonly bar: (probability: number, width?: number) => string;
  readonly percent: (probability: number) => string;
  readonly predictionLines: (name: string, predictions: readonly Prediction[], labelWidth: number) => string[];
  readonly inTwoColumns: (blocks: readonly (readonly string[])[]) => string[];
  readonly costTable: (
    comparisons: Readonly<Record<string, { readonly network: Figures; readonly twin: Figures }>>,
  ) => string[];
  readonly hasColours: (
    stream: { readonly isTTY: boolean; readonly hasColors: () => boolean },
    environment: Readonly<Record<string, string>>,
  ) => boolean;
  readonly coloured: (line: string) => string;
}

/** Programs of examples/ have no types. */
const partsOf = async (file: string): Promise<Parts> =>
  import(pathToFileURL(resolve(import.meta.dirname, "../../examples/start", file)).href);

const { bar, percent, predictionLines, inTwoColumns } = await partsOf("bars.mjs");
const { costTable } = await partsOf("cost-table.mjs");
const { coloured, hasColours } = await partsOf("colours.mjs");

const probabilities = fc.double({ min: 0, max: 1, noNaN: true });
const EIGHTHS = " ▏▎▍▌▋▊▉█";

describe("bars", () => {
  it("are empty for 0, full for 1, and empty for what is too small to be seen", () => {
    expect(bar(0)).toBe("");
    expect(bar(1)).toBe("█".repeat(16));
    expect(bar(1, 3)).toBe("███");
    expect(bar(1e-9)).toBe("");
    expect(bar(0.5, 3)).toBe("█▌");
    expect(bar(0.01)).toBe("▏");
  });

  it("are as long as their probability, to a sixteenth of a column", () => {
    fc.assert(
      fc.property(probabilities, fc.integer({ min: 1, max: 60 }), (probability, width) => {
        const drawn = bar(probability, width);
        const columns = [...drawn].reduce((sum, piece) => sum + EIGHTHS.indexOf(piece) / 8, 0);
        expect(drawn).toMatch(/^█*[▏▎▍▌▋▊▉]?$/);
        expect(Math.abs(columns - probability * width)).toBeLessThanOrEqual(1 / 16 + 1e-9);
      }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -0.1, 1.1])("refuse %d, and so do percentages", (value) => {
    expect(() => bar(value)).toThrow(`A probability is from 0 to 1; the network gave ${value}.`);
    expect(() => percent(value)).toThrow(`the network gave ${value}`);
  });
});

describe("percentages", () => {
  it.each([
    [0, "0.0 %"],
    [1e-12, "<0.1 %"],
    [0.0004999, "<0.1 %"],
    [0.0005, "0.1 %"],
    [0.981, "98.1 %"],
    [0.99949, "99.9 %"],
    [0.9995, ">99.9 %"],
    [1 - 1e-12, ">99.9 %"],
    [1, "100.0 %"],
  ])("of %d: %s", (probability, text) => expect(percent(probability)).toBe(text));

  it("are true to a twentieth, and say nothing and certain of 0 and 1 alone", () => {
    fc.assert(
      fc.property(probabilities, (probability) => {
        const text = percent(probability);
        expect(text).toMatch(/^(<0\.1|>99\.9|\d{1,3}\.\d) %$/);
        expect(text === "0.0 %").toBe(probability === 0);
        expect(text === "100.0 %").toBe(probability === 1);
        if (/^\d/.test(text)) expect(Math.abs(parseFloat(text) - 100 * probability)).toBeLessThanOrEqual(0.05 + 1e-9);
      }),
    );
  });
});

describe("a page of predictions", () => {
  const three = [
    { label: "automobile", probability: 1 },
    { label: "cat", probability: 0 },
  ];

  it("has a name, and a line for each prediction", () => {
    expect(predictionLines("a.png", three, 10)).toEqual([
      "a.png",
      "  automobile ████████████████ 100.0 %",
      "  cat                           0.0 %",
    ]);
  });

  it("stands in two columns, of which the last picture may be alone", () => {
    const block = predictionLines("examples/drawings/automobile.png", three, 10);
    const page = inTwoColumns([block, block, block]);
    expect(page[0]).toBe("examples/drawings/automobile.png       examples/drawings/automobile.png");
    expect(page[1]).toBe("  automobile ████████████████ 100.0 %    automobile ████████████████ 100.0 %");
    expect(page.slice(3)).toEqual(["", ...block, ""]);
    for (const line of page) expect(line.length).toBeLessThanOrEqual(78);
  });
});

describe("the table of costs", () => {
  const network = { multAdds: 2_895_136, parameters: 210_016, ms: 0.25 };
  const twin = { multAdds: 22_896_256, parameters: 1_768_648, ms: 1234.5 };

  it("has the network, its twin, and the ratio of each figure", () => {
    expect(costTable({ digits: { network, twin } })).toEqual([
      "network                           mult-adds    parameters    ms a picture",
      "digits                            2,895,136       210,016           0.250",
      "  with standard convolutions     22,896,256     1,768,648           1,230",
      "  one part in                          7.91          8.42         4938.00",
    ]);
  });

  it.each([Number.NaN, 0, -1, Number.POSITIVE_INFINITY])("refuses a time of %d, and says whose", (ms) => {
    expect(() => costTable({ digits: { network, twin: { ...twin, ms } } })).toThrow(
      `digits's twin: ms is a number above 0, not ${ms}.`,
    );
    expect(() => costTable({ digits: { network: { ...network, ms }, twin } })).toThrow("digits: ms is");
  });
});

describe("colours", () => {
  const terminal = { isTTY: true, hasColors: () => true };

  it("are for terminals that have them, unless someone says otherwise", () => {
    expect(hasColours(terminal, {})).toBe(true);
    expect(hasColours({ ...terminal, hasColors: () => false }, {})).toBe(false);
    expect(hasColours({ ...terminal, isTTY: false }, {})).toBe(false);
    expect(hasColours(terminal, { NO_COLOR: "1" })).toBe(false);
    expect(hasColours({ ...terminal, isTTY: false }, { FORCE_COLOR: "1" })).toBe(true);
    expect(hasColours(terminal, { FORCE_COLOR: "0" })).toBe(false);
  });

  it("change no letter, and nothing of a line of prose", () => {
    const line = "examples/drawings/ship.png             examples/drawings/truck.png";
    for (const plain of [line, "  ship ██▌  12.0 %", "network    mult-adds"]) {
      expect(coloured(plain)).not.toBe(plain);
      expect(stripVTControlCharacters(coloured(plain))).toBe(plain);
    }
    expect(coloured("  one part in     7.91")).toBe("  one part in     7.91");
  });
});
