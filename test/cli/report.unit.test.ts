/** report.html: what it says, and that names out of data stay text. */

import { describe, expect, it } from "vitest";
import { duration, lossText, reportOf } from "../../src/cli/report.ts";
import { accuracyByClass, confusedPairs, matrix } from "../../src/cli/report-confusion.ts";
import type { TrainingOptions } from "../../src/cli/training-options.ts";
import { ratesOf } from "../../src/cli/training-report.ts";
import { type EpochRecord, oneCycle } from "../../src/train/index.ts";

const record = (epoch: number, isValidated = true): EpochRecord => ({
  epoch,
  loss: 2 / epoch,
  accuracy: 1 - 0.5 / epoch,
  learningRate: 0.1,
  gradientNorm: 1,
  examples: 100,
  skipped: 0,
  ...(isValidated ? { validation: { loss: 1 / epoch, accuracy: 1 - 0.4 / epoch, top5: 1, examples: 10 } } : {}),
  isBest: true,
  time: { seconds: 30, imagesPerSecond: 4, waitedForData: 0.1 },
});

function made(epochs: number, classes: readonly string[], isValidated = true): string {
  return reportOf({
    title: "a & b",
    sentences: ["pets: <20> pictures"],
    history: Array.from({ length: epochs }, (_, i) => record(i + 1, isValidated)),
    epochs: 4,
    best: epochs,
    taken: epochs === 0 ? undefined : record(epochs, isValidated),
    rates: [0, 1, 2].map((x) => ({ x, y: 0.1 * x })),
    confusion: isValidated
      ? classes.map((_, label) => classes.map((__, said) => (label === said ? 8 : said % 2)))
      : undefined,
    classes,
    options: { data: ["pets"], recipe: { epochs: 4, labelSmoothing: 0.1, schedule: { type: "oneCycle" } } },
  });
}

/** Opens and closes elements as a parser of XML would. */
function checkNesting(html: string): void {
  const open: string[] = [];
  for (const [, end, name = "", isEmpty] of html.matchAll(/<(\/?)([a-z0-9]+)\b[^>]*?(\/?)>/g)) {
    if (isEmpty === "/") continue;
    if (end === "/") expect(open.pop()).toBe(name);
    else open.push(name);
  }
  expect(open).toEqual([]);
}

describe("the curve of the rate", () => {
  it("has for a new head twice the highest rate of the schedule, though no point of the curve lies there", () => {
    const recipe = { epochs: 10, batch: 1, schedule: oneCycle({ peak: 0.1, pctStart: 0.0333 }) };
    const rates = ratesOf({ recipe, frozenEpochs: 1 } as TrainingOptions, 997);
    expect(rates.slice(0, 2)).toEqual([
      { x: 0, y: 0.2 },
      { x: 1, y: 0.2 },
    ]);
    expect(Math.max(...rates.slice(2).map(({ y }) => y))).toBeLessThan(0.1);
  });
});

it("a rate whose recipe leaves out what a schedule may leave out has its curve", () => {
  const rates = (schedule: object) => ratesOf({ recipe: { epochs: 2, batch: 8, schedule } } as TrainingOptions, 24);
  expect(rates({ type: "oneCycle", peak: 0.02 })).toEqual(rates(oneCycle({ peak: 0.02 })));
  expect(rates({ type: "oneCycle", peak: 0.02 }).every(({ y }) => y > 0)).toBe(true);
});

describe("a report", () => {
  it("holds curves, facts, the matrix, pairs, classes and options, and nothing from elsewhere", () => {
    const html = made(3, ["cat", "dog", "fox"]);
    for (const text of [
      "86.7 %",
      "1 min 30 s",
      "3 of 4",
      "validation loss",
      "accuracy on 10 validation pictures",
      "Confused most",
      "oneCycle",
      "waited for data",
    ])
      expect(html).toContain(text);
    expect(html.match(/<path class="curve/g)).toHaveLength(5);
    expect(html.match(/<rect class="right" x=/g)).toHaveLength(3);
    expect(html).toContain("cat taken for dog: 1 of 9");
    expect(html).toContain("with smoothed labels");
    expect(html).not.toMatch(/<script|https?:\/\/|NaN|undefined|\[object/);
    checkNesting(html);
  });

  it.each([
    [0, 2, true],
    [1, 2, true],
    [1, 2, false],
    [4, 30, true],
    [2, 60, true],
    [2, 150, true],
  ])("of %i epochs and %i classes is whole", (epochs, count, isValidated) => {
    const html = made(
      epochs,
      Array.from({ length: count }, (_, i) => `class ${i}`),
      isValidated,
    );
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(html.includes("could not be read")).toBe(count === 150);
    checkNesting(html);
  });

  it("takes names for text, whatever they hold", () => {
    const html = made(2, ["<img src=x onerror=alert(1)>", "a\u001b[31m\u202e\"'&"]);
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;img src=x");
    for (const unseen of ["\u001b", "\u202e"]) expect(html).not.toContain(unseen);
    expect(html).toContain("a &amp; b");
    expect(html).toContain("pets: &lt;20&gt; pictures");
    checkNesting(html);
  });

  it("tells classes and pairs by shares and counts", () => {
    const confusion = [
      [6, 2, 0],
      [3, 1, 0],
      [0, 0, 0],
    ];
    expect(accuracyByClass(confusion)).toEqual([0.75, 0.25, Number.NaN]);
    expect(confusedPairs(confusion)).toEqual([
      { label: 1, said: 0, count: 3, share: 0.75 },
      { label: 0, said: 1, count: 2, share: 0.25 },
    ]);
    expect(
      matrix(
        Array.from({ length: 121 }, () => []),
        [],
      ),
    ).toBeUndefined();
  });

  it("says losses in digits that can be read", () => {
    expect([0, 0.51234, 2, 99999.99, 1e6, 5.89880133769634e16, 3e38].map((loss) => lossText(loss))).toEqual([
      ...["0.0000", "0.5123", "2.0000", "99999.9900", "1.0e+6", "5.9e+16", "3.0e+38"],
    ]);
    expect(lossText(0.51234, 3)).toBe("0.512");
    const exploded = { ...record(1), loss: 5.9e16, validation: { loss: 4.2e17, accuracy: 0, top5: 1, examples: 1 } };
    const html = reportOf({
      ...{ title: "a", sentences: [], history: [exploded], epochs: 1, best: 1, taken: exploded, rates: [] },
      ...{ classes: ["cat", "dog"], options: {} },
    });
    expect(html).toContain("accuracy on one validation picture<");
    expect(html).toContain("5.9e+16");
    expect(html).not.toMatch(/\d{9}/);
  });

  // Its numbers were those of the last epoch, above the matrix of the best.
  it("tells of the epoch whose weights were taken, and which it is", () => {
    const history = [
      record(1),
      { ...record(2), isBest: false, validation: { loss: 9, accuracy: 0.1, top5: 1, examples: 10 } },
    ];
    const html = reportOf({
      ...{ title: "a", sentences: [], history, epochs: 2, best: 1, taken: history[0], rates: [] },
      ...{ classes: ["cat", "dog"], options: {} },
    });
    expect(html).toContain("<b>60.0 %</b>accuracy on 10 validation pictures");
    expect(html).toContain("<b>epoch 1</b>whose weights were taken");
  });

  it("says durations as people do", () => {
    expect([0.04, 9.94, 59.4, 61, 3599.6, 7503].map(duration)).toEqual([
      ...["0.0 s", "9.9 s", "59 s", "1 min 1 s", "1 h 0 min", "2 h 5 min"],
    ]);
  });
});
