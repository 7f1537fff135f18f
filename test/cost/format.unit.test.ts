/** Counts as text, letter by letter. */

import { describe, expect, it } from "vitest";
import { costText, reportText } from "../../src/cost/format.ts";
import { type Cost, cost, formatCost, formatPaper, type PaperReport, paper } from "../../src/cost/index.ts";
import { network } from "../../src/layers/index.ts";

const model = network({
  name: "small | one\u001b",
  inputShape: [8, 8, 3],
  layers: [
    { name: "stem", type: "conv2d", attributes: { kernel: 3, filters: 8, stride: 2, bias: false } },
    { name: "stem_bn", type: "batchNorm" },
    { name: "relu", type: "activation", attributes: { function: "relu6" } },
    { name: "a|b\u202e", type: "depthwiseConv2d", attributes: { kernel: 3, bias: false } },
    { name: "point", type: "pointwiseConv2d", attributes: { filters: 16 } },
    { name: "pool", type: "globalAveragePool" },
    { name: "fc", type: "dense", attributes: { filters: 10 } },
    { name: "softmax", type: "softmax" },
  ],
  outputs: { logits: "fc", probabilities: "softmax" },
});

const TEXT = `
small | one\\u{1b}, convention paper

layer        kind             input       output      mult-adds   share  parameters  output bytes  of standard
stem         Conv 3x3         8 × 8 × 3   4 × 4 × 8       3,456  50.70%         216           512
a|b\\u{202e}  Conv DW 3x3      4 × 4 × 8   4 × 4 × 8       1,152  16.90%          72           512       1/5.76
point        Conv 1x1         4 × 4 × 8   4 × 4 × 16      2,048  30.05%         128         1,024       1/5.76
pool         Pool             4 × 4 × 16  16                  0   0.00%           0            64
fc           Fully Connected  16          10                160   2.35%         160            40
softmax      Softmax          10          10                  0   0.00%           0            40

kind             mult-adds   share  parameters   share
Conv 3x3             3,456  50.70%         216  37.50%
Conv DW 3x3          1,152  16.90%          72  12.50%
Conv 1x1             2,048  30.05%         128  22.22%
Fully Connected        160   2.35%         160  27.78%

total 6,816 mult-adds, 576 parameters (576 trainable), peak activations 1,536 bytes`;

const MARKDOWN = `
small | one\\u{1b}, convention keras

| layer | kind | input | output | mult-adds | share | parameters | output bytes | of standard |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
| stem | Conv 3x3 | 8 × 8 × 3 | 4 × 4 × 8 | none |  | 248 | 512 |  |
| a\\|b\\u{202e} | Conv DW 3x3 | 4 × 4 × 8 | 4 × 4 × 8 | none |  | 72 | 512 | 1/5.76 |
| point | Conv 1x1 | 4 × 4 × 8 | 4 × 4 × 16 | none |  | 144 | 1,024 | 1/5.76 |
| pool | Pool | 4 × 4 × 16 | 16 | none |  | 0 | 64 |  |
| fc | Fully Connected | 16 | 10 | none |  | 170 | 40 |  |
| softmax | Softmax | 10 | 10 | none |  | 0 | 40 |  |

| kind | mult-adds | share | parameters | share |
| --- | ---: | ---: | ---: | ---: |
| Conv 3x3 | none |  | 248 | 39.12% |
| Conv DW 3x3 | none |  | 72 | 11.36% |
| Conv 1x1 | none |  | 144 | 22.71% |
| Fully Connected | none |  | 170 | 26.81% |

total (no count of operations), 634 parameters (618 trainable), peak activations 1,536 bytes`;

/** One table of one row of each kind, and one erratum. */
const report: PaperReport = {
  tables: [
    {
      name: "Table 0",
      title: "Everything",
      note: "of a test",
      accuracy: "Top-1",
      rows: [
        {
          label: "agrees",
          accuracy: "70.9%",
          cells: [
            { column: "Mult-Adds", printed: "569", counted: 568_740_352, rounded: "569", agrees: true },
            { column: "Share", printed: "0.10%", counted: 0.001, rounded: "0.10%", agrees: true },
          ],
        },
        {
          label: "differs",
          cells: [
            { column: "Mult-Adds", printed: "1", counted: 1, rounded: "2", agrees: false, erratum: 7 },
            { column: "Share", printed: "s2", counted: "s1", rounded: "s1", agrees: false, note: "a label" },
          ],
        },
        {
          label: "quoted",
          cells: [
            { column: "Mult-Adds", printed: "5", erratum: 9 },
            { column: "Share", printed: "6", erratum: 9 },
          ],
        },
      ],
    },
    { name: "Table 1", title: "Nothing", rows: [] },
  ],
  summary: { recounted: 4, agree: 2, differ: 2 },
  errata: [{ number: 7, where: "Table 0", confidence: "likely", reason: "a slip" }],
};

const REPORT = `
Table 0. Everything (of a test)

         Top-1  Mult-Adds      counted  Share  counted  remark
agrees   70.9%        569  568,740,352  0.10%  0.1000%
differs                 1            1     s2       s1  2: erratum 7; s1: a label
quoted                  5                   6           erratum 9

Table 1. Nothing

  remark

4 figures of the paper recounted: 2 agree, 2 differ.

Errata

no.  where    confidence  reason
7    Table 0  likely      a slip`;

const REPORT_MARKDOWN = `
### Table 0. Everything (of a test)

|  | Top-1 | Mult-Adds | counted | Share | counted | remark |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
| agrees | 70.9% | 569 | 568,740,352 | 0.10% | 0.1000% |  |
| differs |  | 1 | 1 | s2 | s1 | 2: erratum 7; s1: a label |
| quoted |  | 5 |  | 6 |  | erratum 9 |

### Table 1. Nothing

|  | remark |
| --- | --- |

4 figures of the paper recounted: 2 agree, 2 differ.

### Errata

| no. | where | confidence | reason |
| --- | --- | --- | --- |
| 7 | Table 0 | likely | a slip |`;

describe("a cost", () => {
  it("is a table of its layers, one of their kinds, and totals", () => {
    expect(`\n${formatCost(cost(model))}`).toBe(TEXT);
    expect(`\n${formatCost(cost(model), "text")}`).toBe(TEXT);
  });

  it("is the same in Markdown", () => {
    expect(`\n${formatCost(cost(model, { convention: "keras" }), "markdown")}`).toBe(MARKDOWN);
  });

  it("lists each kind that counts or has parameters, not the others", () => {
    const text = formatCost(cost(model, { convention: "thop" }));
    const kinds = text
      .split("\n\n")[2]
      ?.split("\n")
      .map((line) => line.split(/ {2,}/)[0]);
    expect(kinds).toEqual(["kind", "Conv 3x3", "Conv DW 3x3", "Conv 1x1", "Pool", "Fully Connected"]);
  });

  it("is itself in JSON, set in lines", () => {
    expect(formatCost(cost(model), "json")).toBe(JSON.stringify(cost(model), null, 2));
  });

  it("cuts a name without end", () => {
    const name = "n".repeat(10_000);
    const long = { ...cost(model), network: name, layers: cost(model).layers.map((layer) => ({ ...layer, name })) };
    expect(formatCost(long).length).toBeLessThan(5000);
  });

  it("has its tables set by whoever prints it, who hears which columns are numbers", () => {
    const lay = (rows: readonly (readonly string[])[], isRight: (column: number) => boolean) =>
      (rows[0] ?? []).map((_, column) => (isRight(column) ? "9" : "a")).join("");
    expect(costText(cost(model), "text", lay).split("\n").slice(2, 5)).toEqual(["aaaa99999", "", "a9999"]);
    expect(reportText(report, "text", lay).split("\n")[2]).toBe("a99999a");
    expect(reportText(report, "text", lay).split("\n").at(-1)).toBe("aaaa");
  });
});

describe("a report of the paper", () => {
  it("is a table each, a sum, and the errata", () => {
    expect(`\n${formatPaper(report)}`).toBe(REPORT);
    expect(`\n${formatPaper(report, "text")}`).toBe(REPORT);
  });

  it("is the same in Markdown", () => {
    expect(`\n${formatPaper(report, "markdown")}`).toBe(REPORT_MARKDOWN);
  });

  it("is itself in JSON, set in lines", () => {
    expect(formatPaper(report, "json")).toBe(JSON.stringify(report, null, 2));
  });
});

describe("what is no cost and no report is refused by its code", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["another format", () => formatCost(cost(model), "html" as never), /^formatCost: format: expected one of "text"/],
    ["another format of a report", () => formatPaper(report, "txt" as never), /^formatPaper: format: .*mean "text"/],
    ["the network itself", () => formatCost(model as never), /^formatCost: result: expected what cost\(model\) gives/],
    ["nothing", () => formatCost(undefined as never), /^formatCost: result/],
    ["a report in the place of a cost", () => formatCost(paper() as never, "json"), /^formatCost: result/],
    ["a cost in the place of a report", () => formatPaper(cost(model) as never, "json"), /^formatPaper: report/],
    [
      "a row without shapes",
      () => formatCost({ ...cost(model), layers: [{}] } as unknown as Cost),
      /^formatCost: result/,
    ],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: "OPTION_INVALID", message: expect.stringMatching(message) }));
  });
});
