/** @slow: reads what was built. The report of `npm run train:paper`, of results that were made up, and of those there are. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MEASURED_ON_CIFAR10 } from "../../../src/cost/measured.ts";
import { type Run, type Runs, resultFile, script, writeResults } from "./fixture.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "paper-report-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { runsOf } = await script<Runs>("runs.mjs");
const { EPOCHS, EXAMPLES } = await script<{ EPOCHS: number; EXAMPLES: number }>("cells.mjs");
const plan = { epochs: EPOCHS, examples: EXAMPLES };
const all = runsOf(plan);
const FILES = [
  "docs/paper-again.json",
  "docs/paper-again.md",
  "docs/paper-again-mult-adds.svg",
  "docs/paper-again-parameters.svg",
  "src/cost/measured.ts",
];

interface Row {
  readonly cell?: string;
  readonly points?: number | null;
}

interface Summary {
  readonly tables: readonly { number: number; rows: readonly Row[] }[];
  readonly cells: readonly {
    name: string;
    accuracy: number | null;
    missing: readonly number[];
    others: readonly number[];
    arm: string;
  }[];
  readonly comparisons: readonly { first: string; second: string; points?: number; p?: number; isClaimed?: boolean }[];
}

function reported(into: string) {
  const program = join(root, "scripts/paper/train.mjs");
  return spawnSync(process.execPath, [program, "--report", "--into", into], { cwd: root, encoding: "utf8" });
}

/** A project with these results, and its report. */
function projectOf(name: string, runs: readonly Run[]) {
  const into = join(folder, name);
  writeResults(into, runs);
  const { status, stdout, stderr } = reported(into);
  const read = (file: string) => readFileSync(join(into, file), "utf8");
  return { into, status, stdout: stdout.replaceAll(`${into}/`, ""), stderr: stderr.replaceAll(folder, "ROOT"), read };
}

describe("of all results", () => {
  let whole: ReturnType<typeof projectOf>;
  beforeAll(() => {
    whole = projectOf("whole", all);
  });
  const summary = (): Summary => JSON.parse(whole.read("docs/paper-again.json"));

  it("is five files, the same bytes each time", () => {
    expect(whole).toMatchObject({ status: 0, stderr: "", stdout: `${FILES.join("\n")}\n` });
    const before = FILES.map(whole.read);
    reported(whole.into);
    expect(FILES.map(whole.read)).toEqual(before);
  });

  it("is a page of tables beside the paper's", async () => {
    await expect(whole.read("docs/paper-again.md")).toMatchFileSnapshot("made-up-report.md");
  });

  it("claims what the tests say and no more, the other way round too", () => {
    const page = whole.read("docs/paper-again.md");
    const claims = summary().comparisons.filter(({ isClaimed }) => isClaimed);
    expect(claims.length).toBeGreaterThan(3);
    expect(claims.length).toBeLessThan(8);
    for (const { first, second, points = 0, p = 1 } of summary().comparisons) {
      const [ahead, behind] = points > 0 ? [first, second] : [second, first];
      expect(page.includes(`${ahead} is ${Math.abs(points).toFixed(2)} points ahead of ${behind},`)).toBe(p < 0.001);
    }
    expect(page).toMatch(/0\.5-24 is .* ahead of 0\.5-32, .*\*\*In the paper's table 7 it is the other way round\*\*/);
  });

  it("gives the figures that withinBudget chooses by", async () => {
    const rows = whole.read("src/cost/measured.ts");
    await expect(rows).toMatchFileSnapshot("made-up-measured.txt");
    for (const { name, accuracy, arm } of summary().cells) {
      const found = new RegExp(`name: "${name}".* top1: ([\\d.]+),`).exec(rows)?.[1];
      expect(found === undefined ? undefined : Number(found)).toBe(
        arm === "fast" ? Number((100 * (accuracy ?? 0)).toFixed(2)) : undefined,
      );
    }
  });

  it.each(["mult-adds", "parameters"])("draws %s: every network, told in words, no label on another", (name) => {
    const svg = whole.read(`docs/paper-again-${name}.svg`);
    expect(svg).toContain('role="img" aria-labelledby="title text"');
    expect(svg).toContain("@media (prefers-color-scheme: dark)");
    const words = /<desc id="text">(.*)<\/desc>/.exec(svg)?.[1] ?? "";
    const labels = [...svg.matchAll(/<text class="label" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]+)</g)].map(
      ([, x = "", y = "", anchor, text = ""]) => {
        const width = 6 * text.length;
        const left = Number(x) - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
        return { text, left, right: left + width, top: Number(y) - 10, bottom: Number(y) + 3 };
      },
    );
    expect(labels.map(({ text }) => text)).toEqual(
      summary().cells.map((cell) => cell.name.replace(/-(?=standard|shallow|paper)/, " ")),
    );
    for (const [index, a] of labels.entries()) {
      expect(words).toContain(`${a.text}: `);
      expect(a.left).toBeGreaterThan(0);
      expect(a.right).toBeLessThan(720);
      for (const b of labels.slice(index + 1)) {
        const isApart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(isApart, `${a.text} and ${b.text}`).toBe(true);
      }
    }
  });
});

it("of a part says what is missing, and compares what there is", () => {
  const some = all.filter(({ cell, seed }) => seed === 1 && !["1.0-32", "0.5-16"].includes(cell.name));
  const { status, read } = projectOf("part", some);
  expect(status).toBe(0);
  const page = read("docs/paper-again.md");
  expect(page).toContain("**Not measured yet:** 1.0-32 seed 1; 0.75-32 seeds 2, 3; ");
  expect(page).toContain("| 1.0-32 | 46.35 M | 3.195 M | not yet |");
  expect(page).toMatch(/0\.75-32 is [\d.]+ points ahead of 0\.5-32, of one seed \(p /);
  const { cells, comparisons }: Summary = JSON.parse(read("docs/paper-again.json"));
  expect(cells.find(({ name }) => name === "0.5-16")).toMatchObject({ accuracy: null, missing: [1, 2, 3] });
  expect(comparisons.find(({ second }) => second === "0.5-16")).not.toHaveProperty("p");
  expect(read("src/cost/measured.ts")).not.toContain('"1.0-32"');
});

describe("of seeds that not all have", () => {
  const some = all.filter(({ cell, seed }) => seed === 1 || cell.name !== "0.5-32");
  const more = runsOf(plan, { only: ["0.5-32", "0.25-32"], seeds: [4, 5] });

  it("points are those of the seeds that both have, in the tables as in the claims", () => {
    const { read } = projectOf("uneven", some);
    const { tables, comparisons }: Summary = JSON.parse(read("docs/paper-again.json"));
    for (const { number, rows } of tables) {
      for (const { cell, points } of rows.slice(1)) {
        const pair = comparisons.find(({ first, second }) => first === rows[0]?.cell && second === cell);
        if (pair?.points !== undefined) expect(points, `table ${number}, ${cell}`).toBe(-pair.points);
      }
    }
    const points = tables.find(({ number }) => number === 7)?.rows.find(({ cell }) => cell === "0.5-24")?.points ?? 0;
    const page = read("docs/paper-again.md");
    expect(page).toMatch(new RegExp(`^\\| 0\\.5-24 \\| .* \\| \\+${points.toFixed(2)} \\|`, "m"));
    expect(page).toContain(`0.5-24 is ${points.toFixed(2)} points ahead of 0.5-32, of one seed`);
  });

  it("those that are not of the list are named, and in no figure", () => {
    const [without, withMore] = [projectOf("listed", all), projectOf("more", [...all, ...more])];
    const summary: Summary = JSON.parse(withMore.read("docs/paper-again.json"));
    expect(summary.cells.filter(({ others }) => others.length > 0).map(({ name, others }) => [name, others])).toEqual([
      ["0.5-32", [4, 5]],
      ["0.25-32", [4, 5]],
    ]);
    expect(withMore.read("docs/paper-again.md")).toContain(
      "Results of other seeds lie there too, and are in no figure: 0.5-32 seeds 4, 5; 0.25-32 seeds 4, 5.",
    );
    expect(withMore.read("src/cost/measured.ts")).toBe(without.read("src/cost/measured.ts"));
    const told: Summary = JSON.parse(without.read("docs/paper-again.json"));
    expect(summary.comparisons).toEqual(told.comparisons);
    expect(summary.cells.map(({ others, ...cell }) => cell)).toEqual(told.cells.map(({ others, ...cell }) => cell));
  });
});

it("claims nothing where one seed says the opposite of the others, however small the chance", () => {
  const pair = all.filter(({ cell, seed }) => ["0.75-32", "0.5-32"].includes(cell.name) && seed < 3);
  const { into } = projectOf("opposite", pair);
  for (const run of pair) {
    // With seed 1 the first network has 500 pictures more, with seed 2 one fewer.
    const wrong = run.cell.name === "0.5-32" ? { 1: 500, 2: 0 }[run.seed] : { 1: 0, 2: 1 }[run.seed];
    const bits = Buffer.alloc(125, 0xff);
    for (let n = 0; n < (wrong ?? 0); n++) bits[n >> 3]! &= ~(1 << (n & 7));
    const correct = 1000 - (wrong ?? 0);
    const test = { examples: 1000, correct, accuracy: correct / 1000, right: bits.toString("base64") };
    const path = resultFile(into, run);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), test }));
  }
  expect(reported(into).status).toBe(0);
  const summary: Summary = JSON.parse(readFileSync(join(into, "docs/paper-again.json"), "utf8"));
  const found = summary.comparisons.find(({ first, second }) => first === "0.75-32" && second === "0.5-32");
  expect(found?.p).toBeLessThan(1e-6);
  expect(found?.isClaimed).toBe(false);
  const page = readFileSync(join(into, "docs/paper-again.md"), "utf8");
  expect(page).toContain("No difference is claimed.");
  expect(page).not.toContain("points ahead of");
});

it("takes no file for a result of a seed that is called otherwise", () => {
  const { into, read } = projectOf(
    "names",
    all.filter(({ cell, seed }) => cell.name === "0.25-32" && seed < 3),
  );
  const before = FILES.map(read);
  for (const name of ["seed-01.json", "seed-99999999999999999999999.json"]) {
    writeFileSync(join(into, "scripts/paper/results/0.25-32", name), "{}");
  }
  expect(reported(into).status).toBe(0);
  expect(FILES.map(read)).toEqual(before);
});

it("of results without a pair says that nothing was compared", () => {
  const { read } = projectOf(
    "alone",
    all.filter(({ cell, seed }) => cell.name === "0.5-32" && seed === 1),
  );
  const page = read("docs/paper-again.md");
  expect(page).toContain("No two networks that are compared have been trained with the same seed yet.");
  expect(page).not.toContain("No difference is claimed");
});

it("of nothing says so", () => {
  const { status, read } = projectOf("none", []);
  expect(status).toBe(0);
  expect(read("docs/paper-again.md")).toContain("**Not measured yet:** 1.0-32 seed 1; ");
  expect(read("docs/paper-again.md")).not.toContain("## ");
  expect(read("docs/paper-again-mult-adds.svg")).toContain("Nothing is measured yet.");
  expect(read("src/cost/measured.ts")).toContain("MeasuredNetwork[] = [\n];");
});

describe("is not written", () => {
  it("of a damaged result", () => {
    const [run] = all;
    if (run === undefined) throw new Error("no runs");
    const { into } = projectOf("damaged", [run]);
    rmSync(join(into, "docs"), { recursive: true });
    writeFileSync(resultFile(into, run), "{");
    const { status, stderr } = reported(into);
    expect(status).toBe(1);
    expect(stderr).toContain("seed-1.json is not the result of a run: it is no JSON object.");
    expect(existsSync(join(into, "docs"))).toBe(false);
  });

  it.each([
    ["in number", { test: { examples: 8, correct: 0, accuracy: 0, right: "AA==" } }, "fedcba98, 8 to test"],
    ["by their hash", { dataSha256: "a".repeat(64) }, "aaaaaaaa, 1000 to test"],
  ])("of results of other pictures, %s", (_, other, words) => {
    const { into } = projectOf("two", all.slice(0, 2));
    const path = resultFile(into, all[0] as Run);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...other }));
    const { status, stderr } = reported(into);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `The results are of different pictures, by their hashes: ${words} (1.0-32 seed 1) and fedcba98, 1000 to test (0.75-32 seed 1). Train those of one of them anew.\n`,
    );
  });
});

it("is not written of results that were computed otherwise", () => {
  const { into } = projectOf("arithmetic", all.slice(0, 2));
  const path = resultFile(into, all[0] as Run);
  writeFileSync(path, readFileSync(path, "utf8").replace('"arithmetic": 1', '"arithmetic": 2'));
  const { status, stderr } = reported(into);
  expect(status).toBe(1);
  expect(stderr).toBe(
    "The results are of different versions of the library's arithmetic, which round otherwise: 2 (1.0-32 seed 1) and 1 (0.75-32 seed 1). Train those of one of them anew.\n",
  );
});

describe("the results there are", () => {
  it("are what docs/ and src/cost/measured.ts say: npm run train:paper -- --report", async () => {
    const { writeReport } = await script<{ writeReport(places: object, plan: object): readonly string[] }>(
      "write-report.mjs",
    );
    const into = join(folder, "ours");
    const places = { results: join(root, "scripts/paper/results"), docs: join(into, "docs") };
    writeReport({ ...places, measured: join(into, "src/cost/measured.ts") }, plan);
    for (const file of FILES) {
      expect(readFileSync(join(root, file), "utf8"), file).toBe(readFileSync(join(into, file), "utf8"));
    }
  });

  it("are of all test pictures, and the figures are those of the JSON", () => {
    const said = JSON.parse(readFileSync(join(root, "docs/paper-again.json"), "utf8"));
    const { cells }: Summary = said;
    const fast = cells.filter(({ arm, accuracy }) => arm === "fast" && accuracy !== null);
    if (fast.length > 0) expect(said.examples).toEqual({ train: 50_000, test: 10_000 });
    expect(MEASURED_ON_CIFAR10.map(({ name, top1 }) => [name, top1])).toEqual(
      fast.map(({ name, accuracy }) => [name, Number((100 * (accuracy ?? 0)).toFixed(2))]),
    );
  });
});
