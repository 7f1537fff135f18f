/** Numbers as people write them on a command line: `100M` mult-adds, `6MB`, `6MiB`. */

import { describe, expect, it } from "vitest";
import { bestLine } from "../../src/cli/budget.ts";
import { toBytes, toCount } from "../../src/cli/numbers.ts";
import { withinBudget } from "../../src/cost/index.ts";
import { run } from "./command.ts";

describe("counts of the command line", () => {
  it.each([
    ["100M", 100e6],
    ["2.3M", 2_300_000],
    ["569e6", 569e6],
    ["1.5e1k", 15_000],
    ["0.6G", 6e8],
    ["1B", 1e9],
    ["42 k", 42_000],
    ["7", 7],
  ])("take %s mult-adds for %i", (text, count) => {
    expect(toCount(text)).toBe(count);
  });

  it.each([
    ["6MB", 6e6],
    ["6MiB", 6 * 2 ** 20],
    ["1.1 GiB", Math.round(1.1 * 2 ** 30)],
    ["16.9M", 16_900_000],
    ["512", 512],
    ["512B", 512],
    ["4kB", 4000],
  ])("take %s bytes for %i", (text, bytes) => {
    expect(toBytes(text)).toBe(bytes);
  });

  it.each([
    [["--mult-adds", "100Q"], "k, M, G or B"],
    [["--mult-adds", "M"], "k, M, G or B"],
    [["--mult-adds", "6MiB"], "k, M, G or B"],
    [["--bytes", "6Mb/s"], "6MB or 6MiB"],
  ])("refuse %j, and say what they take", async (args, text) => {
    const { code, stdout, stderr } = await run(["budget", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(text);
  });

  it("are taken by budget as if they were written out", async () => {
    const [short, long] = await Promise.all([
      run(["budget", "--mult-adds", "100M", "--bytes", "6MB", "--json"]),
      run(["budget", "--mult-adds", "100000000", "--bytes", "6000000", "--json"]),
    ]);
    expect(short.code).toBe(0);
    expect(short).toEqual(long);
  });
});

describe("budget --table", () => {
  it("chooses by what was measured on CIFAR-10", async () => {
    const args = ["budget", "--mult-adds", "1G", "--table", "cifar10"];
    const [json, text] = await Promise.all([run([...args, "--json"]), run(args)]);
    const result = withinBudget({ multAdds: 1e9, table: "cifar10" });
    expect(JSON.parse(json.stdout)).toEqual(JSON.parse(JSON.stringify(result)));
    const isMeasured = result.candidates.length > 0;
    const none = isMeasured ? "Nothing fits." : "Nothing has been measured yet";
    expect(text.stdout).toContain(result.best === undefined ? none : `Best: ${result.best.name}`);
    expect(text.stdout).not.toContain("top-5");
  });

  it("is told apart that nothing fits, and that nothing was measured", () => {
    const { candidates } = withinBudget({ multAdds: 1 });
    expect(bestLine({ best: undefined, candidates }, 80)).toBe("Nothing fits.");
    expect(bestLine({ best: undefined, candidates: [] }, 80)).toBe(
      "Nothing has been measured yet: the table is empty.",
    );
  });

  it("is ImageNet's without it, and no other", async () => {
    const [usual, named, wrong] = await Promise.all([
      run(["budget", "--mult-adds", "100M"]),
      run(["budget", "--mult-adds", "100M", "--table", "imagenet"]),
      run(["budget", "--mult-adds", "100M", "--table", "cifar-10"]),
    ]);
    expect(usual.stdout).toContain("top-5");
    expect(named).toEqual(usual);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("Allowed choices are imagenet, cifar10.");
  });
});
