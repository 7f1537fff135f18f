/** Who reads weights knows no architecture by its name: `understand/architectures/table.ts` alone does. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ARCHITECTURE_IDS, ARCHITECTURES, BUILDERS } from "../../src/understand/architectures/table.ts";

const src = resolve(import.meta.dirname, "../../src");
const TABLE = "understand/architectures/table.ts";

const filesOf = (room: string) =>
  readdirSync(resolve(src, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${room}/${file}`);
const folders = readdirSync(resolve(src, "understand/architectures"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const general = ["understand", "weights"]
  .flatMap(filesOf)
  .filter((file) => !file.startsWith("understand/architectures/"));

/** Comments may tell of an architecture, as an example. */
const codeOf = (file: string) =>
  readFileSync(resolve(src, file), "utf8")
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/(^|\s)\/\/.*$/gm, "");
/** Paths under `src/` of all that a file imports or loads, types too. */
const importsOf = (file: string) =>
  [...codeOf(file).matchAll(/(?:from |import\()"(\.[^"]+)"/g)].map(([, target = ""]) =>
    relative(src, resolve(dirname(resolve(src, file)), target)),
  );
/** `mobilenet_v1`, `mobileNetV1`, `MobileNet V1`, `MOBILENET_V1_BLOCKS`. */
const names = new RegExp(folders.map((folder) => folder.replaceAll("-", "[-_ ]?")).join("|"), "i");

describe("architectures", () => {
  it("are a folder in models and one in understand, and a row in the table", () => {
    expect(folders.length).toBeGreaterThan(0);
    for (const folder of folders) expect(readdirSync(resolve(src, "models"))).toContain(folder);
    expect(ARCHITECTURES.map(({ builder }) => builder)).toEqual(BUILDERS);
    expect(BUILDERS.map(({ id }) => id)).toEqual(ARCHITECTURE_IDS);
    expect(ARCHITECTURE_IDS).toEqual(folders.map((folder) => folder.replaceAll("-", "_")));
    expect(importsOf(TABLE).filter((target) => target.startsWith("understand/architectures/"))).toEqual(
      folders.flatMap((folder) => ["builder", "row"].map((file) => `understand/architectures/${folder}/${file}.ts`)),
    );
  });

  it.each(general)("%s knows none by its name", (file) => {
    expect(names.exec(codeOf(file))?.[0]).toBeUndefined();
    const others = importsOf(file).filter((target) => /^(?:understand\/architectures|models)\//.test(target));
    expect(others.filter((target) => target !== TABLE && target !== "models/index.ts")).toEqual([]);
  });

  it("do not know one another", () => {
    for (const folder of folders) {
      const others = folders.filter((other) => other !== folder).flatMap((other) => [other, TABLE]);
      for (const file of filesOf(`understand/architectures/${folder}`))
        for (const other of others) expect(importsOf(file).join("\n"), file).not.toContain(other);
    }
  });
});
