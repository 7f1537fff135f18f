import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { blocksOf, KOREAN, pages, pattern, run, userFolder } from "./readme.ts";
import { describeShared } from "./shared.ts";

const blocks = [...pages()]
  .filter(([page]) => page !== KOREAN)
  .flatMap(([page, markdown]) =>
    blocksOf(markdown).map((block) => {
      const lines = block.code.trim().split("\n");
      return [page, lines.find((line) => !line.startsWith("import")) || block.code, block] as const;
    }),
  );
const folder = userFolder();

const root = resolve(import.meta.dirname, "..");

/** Whether a path of the project, a folder among them, is in the package. */
function isPacked(file: string): boolean {
  const entries = manifest.files.map((entry) => entry.replace(/\/\*.*$/, ""));
  return entries.some((entry) => file === entry || file.startsWith(`${entry}/`));
}

/** The anchors that a page's headings have where it is shown. */
function headingsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a page", () => {
  it.each(blocks.filter(([, , { needsWeights }]) => !needsWeights))(
    "%s prints what it says: %s",
    (_page, _line, block) => {
      expect(run(block, folder)).toMatch(pattern(block.output));
    },
  );

  it("has no block that TypeScript refuses, as strict as it can be", () => {
    const files = blocks
      .filter(([, , { language }]) => language !== "sh")
      .map(([page, , { code }], index) => {
        const file = `${page.replaceAll("/", "-")}-${index}.mts`;
        // A module, whose names are its own.
        writeFileSync(join(folder, file), `${code}\nexport {};\n`);
        return file;
      });
    const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"];
    const libraries = ["--lib", "es2023,dom,esnext.disposable", "--types", "node"];
    const places = ["--typeRoots", join(root, "node_modules/@types")];
    const args = [join(root, "node_modules/typescript/bin/tsc"), ...options, ...libraries, ...places, ...files];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    expect(stdout + stderr).toBe("");
  });

  it.each([...pages()])("%s has no block of code without its output", (_page, markdown) => {
    const found = blocksOf(markdown);
    expect(markdown.match(/```(js|ts|sh)\n/g) ?? []).toHaveLength(found.length);
    for (const { output } of found) expect(output.trim()).not.toBe("");
  });

  it.each(blocks.filter(([, , { language }]) => language === "js"))(
    "%s runs on every Node as it stands: %s",
    (_page, _line, block) => {
      expect(block.code).not.toMatch(/^\s*(?:await )?using /m);
    },
  );

  it("says what each command is for", () => {
    const page = pages().get("docs/command-line.md") ?? "";
    const help = run({ language: "sh", code: "npx depthwise --help", output: "", needsWeights: false }, folder);
    const commands = [...help.matchAll(/^ {2}([a-z]+) .*\S {2,}\S/gm)].map(([, name = ""]) => name);
    expect(commands).toContain("doctor");
    for (const name of commands.filter((each) => each !== "help")) {
      expect(page).toMatch(new RegExp(`\`(?:depthwise )?${name}\\b[^-]`));
    }
  });

  it.each([...pages()])("%s links to files that are packed and to headings that are there", (page, markdown) => {
    for (const [, target = ""] of markdown.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = "", heading] = target.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path));
      expect(isPacked(file) && existsSync(join(root, file)), target).toBe(true);
      if (heading !== undefined) expect(headingsOf(pages().get(file) ?? ""), target).toContain(heading);
    }
  });

  it("in Korean has the blocks, the headings' levels, the links' targets and the tables of the English one", () => {
    const all = pages();
    const parts = (page: string) => {
      const text = all.get(page) ?? "";
      const count = (pattern: RegExp) => [...text.matchAll(pattern)].map(([found]) => found);
      return {
        blocks: count(/^```[^\n]*\n.*?^```$/gms),
        headings: count(/^#+(?= )/gm),
        // Beside those of one to the other, headings, and pictures in the language of the page.
        links: count(/(?<=\]\()[^)#]+(?=[)#])/g)
          .filter((target) => !target.startsWith("README") && !target.endsWith(".svg"))
          .sort(),
        cells: count(/^\|.*\|$/gm).map((row) => row.split("|").length),
      };
    };
    expect(parts(KOREAN)).toEqual(parts("README.md"));
  });

  it("is named in the index of docs/, and README has at most 200 lines", () => {
    const all = pages();
    const index = all.get("docs/README.md") ?? "";
    for (const page of all.keys()) {
      const name = /^docs\/([^/]+\.md)$/.exec(page)?.[1];
      if (name !== undefined && name !== "README.md") expect(index).toContain(`](${name})`);
    }
    expect(all.get("README.md")?.trimEnd().split("\n").length).toBeLessThanOrEqual(200);
  });
});

describeShared("a page with weights", () => {
  it.each(blocks.filter(([, , { needsWeights }]) => needsWeights))(
    "%s prints what it says: %s",
    (_page, _line, block) => {
      expect(run(block, folder)).toMatch(pattern(block.output));
    },
  );
});
