/** The packed declarations before the compilers of its users, each with every library checked. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pages } from "../readme.ts";
import { emptyProject, type Project, packedTarball } from "./project.ts";
import { ANYWHERE, WITH_DOM, WITH_NODE } from "./typed-programs.ts";

const VERSIONS = ["5.2", "5.4", "5.7", "5.9", "6", "7"];

/** Its own declarations do not check before the version beside it: 26 names `IteratorObject`, of TypeScript 5.6. */
const NODE_TYPES = [
  { node: "20.19.43", since: 5.2 },
  { node: "22.20.7", since: 5.2 },
  { node: "24.19.4", since: 5.2 },
  { node: "26.6.7", since: 5.7 },
] as const;

/** Module and resolution. `node` is gone in TypeScript 7, and an error without a word in 6. */
const RESOLUTIONS = [
  { module: "node16", resolution: "node16", extension: "ts" },
  { module: "nodenext", resolution: "nodenext", extension: "cts" },
  { module: "esnext", resolution: "bundler", extension: "ts" },
  { module: "esnext", resolution: "node", extension: "ts", before: 6 },
] as const;

const LIBRARIES = ["es2022", "es2022,dom,dom.iterable"];

let project: Project;
const aliasOf = (version: string) => `ts${version.replace(".", "")}`;
const folderOf = (node: string) => `node${Number.parseInt(node, 10)}`;

beforeAll(() => {
  const compilers = VERSIONS.map((version) => `${aliasOf(version)}@npm:typescript@${version}`);
  project = emptyProject("types", compilers);
  const programs = { anywhere: ANYWHERE, "with-node": WITH_NODE, "with-dom": WITH_DOM };
  // Below the project, so that the package is found, and each with the types of its own Node.
  for (const folder of [...NODE_TYPES.map(({ node }) => folderOf(node)), "bare"]) {
    project.write(`${folder}/package.json`, '{ "private": true, "type": "module" }');
    for (const [name, program] of Object.entries(programs))
      for (const extension of ["ts", "cts"]) project.write(`${folder}/${name}.${extension}`, program);
  }
  for (const { node } of NODE_TYPES) {
    const command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folderOf(node), `@types/node@${node}`];
    const { status, output } = project.run(...command);
    if (status !== 0) throw new Error(output);
  }
});
afterAll(() => project?.[Symbol.dispose]());

/** What a compiler says of some files, which is nothing. */
function compile(version: string, folder: string, ...args: readonly string[]): readonly [number | null, string] {
  const compiler = `node_modules/${aliasOf(version)}/bin/tsc`;
  const typeRoots = `${folder}/node_modules/@types`;
  const types = folder === "bare" ? [] : ["--types", "node", "--typeRoots", typeRoots];
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022", ...types];
  const { status, output } = project.run("node", compiler, ...flags, ...args);
  return [status, output];
}

describe.each(VERSIONS)("TypeScript %s, strict", (version) => {
  const resolutions = RESOLUTIONS.filter((one) => !("before" in one) || Number(version) < one.before);
  const kinds = resolutions.flatMap((one) => LIBRARIES.map((library) => [one.resolution, library, one] as const));

  it.each(kinds)("resolves by %s, with %s: no types of Node", (_name, library, { module, resolution, extension }) => {
    const programs = ["anywhere", ...(library.includes("dom") ? ["with-dom"] : [])];
    const files = programs.map((program) => `bare/${program}.${extension}`);
    const args = ["--module", module, "--moduleResolution", resolution, "--lib", library];
    expect(compile(version, "bare", ...args, ...files)).toEqual([0, ""]);
  });

  const nodes = NODE_TYPES.filter(({ since }) => Number(version) >= since).map(({ node }) => node);
  // Each resolution once, in turn with the DOM and without.
  const some = kinds.filter((_, index) => index % 4 === 0 || index % 4 === 3);
  it.each(nodes)("with @types/node %s, with the DOM and without", (node) => {
    for (const [, library, { module, resolution, extension }] of some) {
      const programs = ["anywhere", "with-node", ...(library.includes("dom") ? ["with-dom"] : [])];
      const files = programs.map((program) => `${folderOf(node)}/${program}.${extension}`);
      const args = ["--module", module, "--moduleResolution", resolution, "--lib", library];
      const said = compile(version, folderOf(node), ...args, ...files);
      expect([resolution, library, ...said]).toEqual([resolution, library, 0, ""]);
    }
  });
});

describe("README and docs/", () => {
  it.each(["5.9", "7"])("have code that TypeScript %s takes as it is, JavaScript too", (version) => {
    const files = [...pages()].flatMap(([page, markdown]) =>
      [...markdown.matchAll(/^```(js|ts)\n([\s\S]*?)^```/gm)].map(({ index, 1: language, 2: code }) => {
        const line = markdown.slice(0, index).split("\n").length;
        const file = `node24/${page.replaceAll("/", "_")}.${line}.${language}`;
        // A module, even where nothing is imported; and no name is taken from another block.
        project.write(file, `${code}export {};\n`);
        return file;
      }),
    );
    expect(files.length).toBeGreaterThan(10);
    const strictest = ["--allowJs", "--checkJs", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"];
    const args = ["--module", "nodenext", "--moduleResolution", "nodenext", "--lib", "es2022,dom,dom.iterable"];
    expect(compile(version, "node24", ...strictest, ...args, ...files)).toEqual([0, ""]);
  });
});

it("says nothing wrong by any resolution: Are the types wrong", () => {
  const command = ["npx", "-y", "@arethetypeswrong/cli@0.18.5", packedTarball(), "--no-emoji", "--format", "table"];
  const { status, output } = project.run(...command);
  expect([status, output]).toEqual([0, expect.stringContaining("No problems found")]);
});
