/** File arguments: a path that exists is that file; only what does not is tried as a glob. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expandFiles } from "../../src/cli/files.ts";
import { mobileNetV1, saveModel } from "../../src/index.ts";
import { run } from "./command.ts";

let folder = "";

/** Names that mean something to a glob, to a shell, to the parser of options or to nobody. */
const ODD = [
  ...["photo (1).png", "a[1].png", "a{1,2}.png", "what?.png", "!n.png", "+(a).png", "@(b|c).png", "[!x].png"],
  ...["-x.png", "--weights=x.png", "~t.png", "new\nline.png", " blank.png", "blank.png ", "back\\slash.png", "*.png"],
  ...["hf:a", "keras:b.png", "%41.png", "#1.png", "\u{1b}[31m.png", "ünï.png"],
];
const PLAIN = ["a1.png", "a2.png", "photo 1.png", "whatx.png"];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-files-"));
  const create = { width: 40, height: 30, channels: 3, background: "#3a7" } as const;
  const picture = await sharp({ create }).png().toBuffer();
  for (const name of [...ODD, ...PLAIN, ".hidden.png"]) writeFileSync(join(folder, name), picture);
  for (const inner of ["album [1]", "album1", "dir.png", "sub/deep"]) {
    mkdirSync(join(folder, inner), { recursive: true });
    writeFileSync(join(folder, inner, "in.png"), picture);
  }
  symlinkSync("nowhere", join(folder, "link[1].gif"));
  writeFileSync(join(folder, "link1.gif"), picture);
  await saveModel(
    mobileNetV1({ alpha: 0.25, resolution: 32, classes: 2, labels: ["cat", "dog"] }),
    join(folder, "tiny.safetensors"),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Names inside the folder, as the command would find them from elsewhere. */
async function expanded(...patterns: readonly string[]): Promise<readonly string[]> {
  const files = await expandFiles(patterns.map((pattern) => `${folder}/${pattern}`));
  return files.map((file) => relative(folder, file));
}

describe("expandFiles", () => {
  it.each(ODD)("takes %j, which exists, as that file alone", async (name) => {
    expect(await expandFiles([`${folder}/${name}`])).toEqual([`${folder}/${name}`]);
  });

  it("takes a link that leads nowhere as that file", async () => {
    expect(await expanded("link[1].gif")).toEqual(["link[1].gif"]);
  });

  it.each([
    ["a[12].png", ["a1.png", "a2.png"]],
    ["a?.png", ["a1.png", "a2.png"]],
    ["{a1,a2,a3}.png", ["a1.png", "a2.png"]],
    ["!*.png", ["!n.png"]],
    ["!(a|b|[^a-z])*.tensors", ["!(a|b|[^a-z])*.tensors"]],
    ["photo*.png", ["photo (1).png", "photo 1.png"]],
    ["-*.png", ["--weights=x.png", "-x.png"]],
    ["~*.png", ["~t.png"]],
    ["new*.png", ["new\nline.png"]],
    [".h*.png", [".hidden.png"]],
    ["album [1]/*.png", ["album [1]/in.png"]],
    ["album*/*.png", ["album [1]/in.png", "album1/in.png"]],
    ["sub/**/*.png", ["sub/deep/in.png"]],
  ])("takes %j, which does not exist, as a glob", async (pattern, files) => {
    expect(await expanded(pattern)).toEqual(files);
  });

  it("leaves directories, what is in them, and hidden files out of a glob's matches", async () => {
    const files = await expandFiles([`${folder}/?*.png`]);
    expect(files.map((file) => relative(folder, file))).toEqual([...ODD, ...PLAIN].filter(isPng).sort());
  });

  it("hands on what matches nothing", async () => {
    for (const name of ["none[1].png", "none*.png", "!none*.png", "none", "a1.png/", "[", "*(".repeat(40_000)]) {
      expect(await expandFiles([`${folder}/${name}`])).toEqual([`${folder}/${name}`]);
    }
  });

  it("takes a file whose name begins like an address for a file", async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      for (const name of ["file:x.png", "http:x.png"]) {
        writeFileSync(name, "");
        expect(await expandFiles([name])).toEqual([`./${name}`]);
        rmSync(name);
      }
    } finally {
      process.chdir(before);
    }
  });

  it("keeps all that was typed, as it was typed, and leaves out only matches that stand there already", async () => {
    const typed = relative(process.cwd(), folder);
    const spellings = [`${typed}/a1.png`, `${folder}/sub/../a1.png`, `${folder}/./a1.png`, `${folder}/a[1-2].png`];
    expect(await expandFiles(spellings)).toEqual([...spellings.slice(0, 3), `${folder}/a2.png`]);
    expect(await expandFiles([`${typed}/sub/../a[1-2].png`])).toEqual([1, 2].map((i) => `${typed}/sub/../a${i}.png`));
  });

  it.each(["http://127.0.0.1/a[1].png?x=*", "HTTPS://127.0.0.1/*.png", "file:///tmp/*.png", "http://"])(
    "never globs the address %s",
    async (address) => {
      expect(await expandFiles([address, address])).toEqual([address, address]);
    },
  );

  it("takes the separators of Windows, where they are its", async () => {
    const pattern = (name: string) => `${folder}/${name}`.replaceAll("/", "\\");
    const files = await expandFiles([pattern("album [1]/*.png"), pattern("album1/in.png")], "\\");
    expect(files).toEqual([`${folder}/album [1]/in.png`, pattern("album1/in.png")]);
  });
});

describe("depthwise", () => {
  it("classify does each file that the shell names, whatever its name", async () => {
    const names = [...ODD, ...PLAIN];
    const { code, stdout, stderr } = await run(
      ["classify", "--weights", "tiny.safetensors", "--json", "--", ...names, "none[1].png"],
      { cwd: folder },
    );
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const missing = ["none[1].png", "FILE_NOT_FOUND"];
    const found = lines.map(({ file, error }) => [file, error?.name]);
    expect([code, stderr, found]).toEqual([1, "", [...names.map((name) => [name, undefined]), missing]]);
  });

  it("verify takes its pictures by the same rule", async () => {
    const args = ["verify", "tiny.safetensors", "--json", "--images", "photo (1).png", "a[1].png", "a?.png"];
    const { stdout } = await run(args, { cwd: folder });
    expect(JSON.parse(stdout).images).toEqual(["photo (1).png", "a[1].png", "a1.png", "a2.png"]);
  });

  it("convert and inspect take names as they are", async () => {
    const out = "out [1]*.safetensors";
    expect(await run(["convert", "tiny.safetensors", out], { cwd: folder })).toMatchObject({ code: 0, stderr: "" });
    expect(await run(["inspect", out], { cwd: folder })).toMatchObject({ code: 0, stderr: "" });
  });
});

function isPng(name: string): boolean {
  return name.endsWith(".png");
}
