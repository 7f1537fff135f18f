/** Where a saved file goes: through links, never in place of what is no file, and whole or not at all. */

import { execFileSync, spawnSync } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { mobileNetV1 } from "../../src/models/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel, saveModel } from "../../src/weights/save-model.ts";
import { saveTfjs } from "../../src/weights/write-tfjs.ts";
import { refusal } from "../fixtures/tfjs-files.ts";

const model = mobileNetV1({ alpha: 0.1, resolution: 32, classes: 2 });
const expected = Buffer.from(encodeModel(model));

let folder = "";
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "depthwise-write-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

describe("saveModel writes through a symbolic link", () => {
  it("to a file, which is replaced while the link stays", async () => {
    await mkdir(at("there"));
    await writeFile(at("there/model"), "before");
    await symlink("there/model", at("link"));
    await saveModel(model, at("link"));
    expect(await readlink(at("link"))).toBe("there/model");
    expect((await readFile(at("there/model"))).equals(expected)).toBe(true);
    expect([await readdir(folder), await readdir(at("there"))]).toEqual([["link", "there"], ["model"]]);
  });

  it("to a link to nothing yet, through directories that are links themselves", async () => {
    await mkdir(at("a/b"), { recursive: true });
    await symlink("a/b", at("short"));
    await symlink("../model", at("a/b/last"));
    await symlink("short/../b/last", at("first"));
    await saveModel(model, at("first"));
    expect(await readlink(at("first"))).toBe("short/../b/last");
    expect((await readFile(at("a/model"))).equals(expected)).toBe(true);
    expect([await readdir(folder), await readdir(at("a")), await readdir(at("a/b"))]).toEqual([
      ["a", "first", "short"],
      ["b", "model"],
      ["last"],
    ]);
  });

  it("but not to links in a circle, to a directory, or into a directory that is not there", async () => {
    await symlink("two", at("one"));
    await symlink("one", at("two"));
    await symlink(".", at("here"));
    await symlink("absent/model", at("nowhere"));
    expect(await refusal(saveModel(model, at("one")))).toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/one.*circle/),
    });
    expect(await refusal(saveModel(model, at("here")))).toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/here.*a directory/),
    });
    expect(await refusal(saveModel(model, at("nowhere")))).toMatchObject({ code: "FILE_UNREADABLE" });
    expect(await readdir(folder)).toEqual(["here", "nowhere", "one", "two"]);
  });
});

describe("saveModel refuses what is no plain file, and leaves it alone:", () => {
  it("a FIFO", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    expect(await refusal(saveModel(model, at("pipe")))).toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringMatching(/pipe.*a FIFO/),
    });
    expect((await lstat(at("pipe"))).isFIFO()).toBe(true);
    expect(await readdir(folder)).toEqual(["pipe"]);
  });

  it("a FIFO called model.json, with advice that fits", async () => {
    await mkdir(at("tfjs"));
    execFileSync("mkfifo", [at("tfjs/model.json")]);
    const { message } = await refusal(saveTfjs(model, at("tfjs")));
    expect(message).toMatch(/a FIFO.*encodeTfjs/);
    expect(message).not.toMatch(/encodeModel/);
    expect(await readdir(at("tfjs"))).toEqual(["model.json"]);
  });

  it("a socket", async () => {
    const server = createServer().listen(at("socket"));
    await new Promise((done) => server.once("listening", done));
    try {
      expect(String(await refusal(saveModel(model, at("socket"))))).toMatch(/a socket/);
      expect((await lstat(at("socket"))).isSocket()).toBe(true);
    } finally {
      await new Promise((done) => server.close(done));
    }
  });

  it("a device behind a link", async () => {
    await symlink("/dev/null", at("device"));
    expect(String(await refusal(saveModel(model, at("device"))))).toMatch(/a character device/);
    expect(await readlink(at("device"))).toBe("/dev/null");
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  it("a directory", async () => {
    await mkdir(at("kept"));
    expect(String(await refusal(saveModel(model, at("kept"))))).toMatch(/a directory/);
    expect(await readdir(folder)).toEqual(["kept"]);
  });

  it.each<[string, string | URL]>([
    ["an address", new URL("http://localhost/x")],
    ["an address as a string", "https://localhost/x"],
    ["a file of another machine", new URL("file://host/x")],
    ["a file URL with a slash in a name", "file:///a%2Fb"],
    ["a data URL", new URL("data:,x")],
    ["a data URL as a string", "data:,x"],
    ["a Blob's address", "blob:x"],
    ["an address that nobody here writes to", "s3://bucket/x"],
    ["nothing", ""],
  ])("%s", async (_what, path) => {
    const error = await refusal(saveModel(model, path));
    expect(error).toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringMatching(/saveModel: path.*file: URL/),
    });
    const inTfjs = await refusal(saveTfjs(model, path));
    expect(inTfjs).toMatchObject({ code: "OPTION_INVALID", message: expect.stringMatching(/saveTfjs: directory/) });
    if (String(path).startsWith("file:")) expect(error).toHaveProperty("cause", expect.any(Error));
  });

  it("a password in the message", async () => {
    expect(String(await refusal(saveModel(model, new URL("http://me:secret@localhost/x"))))).not.toContain("secret");
  });
});

describe("what saveModel writes", () => {
  it("is what loadModel of the same text reads, however a file: address is written", async () => {
    for (const [index, address] of [`file:${at("0")}`, `FILE:${at("1")}`, `File://localhost${at("2")}`].entries()) {
      await saveModel(model, address);
      expect((await readFile(at(String(index)))).equals(expected)).toBe(true);
      expect((await loadModel(address)).name).toBe(model.name);
    }
    await saveTfjs(model, `file:${at("folder")}`);
    expect((await loadModel(`file:${at("folder")}`)).name).toBe(model.name);
    expect((await readdir(folder)).sort()).toEqual(["0", "1", "2", "folder"]);
  });

  it("may have a name as long as names can be, and be a file URL as a string", async () => {
    const name = "m".repeat(255);
    await saveModel(model, pathToFileURL(at(name)).href);
    expect((await readFile(at(name))).equals(expected)).toBe(true);
  });

  it("keeps the permissions of what was there", async () => {
    await writeFile(at("model"), "before");
    await chmod(at("model"), 0o640);
    await saveModel(model, at("model"));
    expect((await stat(at("model"))).mode & 0o777).toBe(0o640);
  });

  it("is whole when many are saved to one place in the same microsecond", async () => {
    vi.spyOn(performance, "now").mockReturnValue(5);
    await Promise.all(Array.from({ length: 8 }, () => saveModel(model, at("model"))));
    expect((await readFile(at("model"))).equals(expected)).toBe(true);
    expect(await readdir(folder)).toEqual(["model"]);
  });

  it("sweeps away what a killed process left an hour ago, and nothing else", async () => {
    const [old, young] = [".depthwise-0123456789abcdef.tmp", ".depthwise-fedcba9876543210.tmp"];
    const others = ["0123456789abcdef.tmp", ".depthwise-0123456789abcdef.tmp.txt", "model.5.6.tmp"];
    for (const name of [old, young, ...others]) {
      await writeFile(at(name), "x");
      if (name !== young) await utimes(at(name), 0, Date.now() / 1000 - 3700);
    }
    await saveModel(model, at("model"));
    expect((await readdir(folder)).sort()).toEqual([...others, young, "model"].sort());
  });

  it("leaves what was there, and nothing besides, when there is no room", async () => {
    const code = join(folder, "code");
    await build({
      stdin: { contents: CHILD, resolveDir: resolve(import.meta.dirname, "../.."), loader: "ts" },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile: join(code, "child.mjs"),
    });
    await writeFile(at("model"), "before");
    // Blocks of 1 KiB: a file may have no more of them.
    const limited = 'ulimit -f 100 && exec "$0" "$@"';
    const { stdout, status } = spawnSync("bash", [
      "-c",
      limited,
      process.execPath,
      join(code, "child.mjs"),
      at("model"),
    ]);
    expect([String(stdout), status]).toEqual([expect.stringMatching(/^FILE_UNREADABLE .*EFBIG.*untouched/), 0]);
    expect(await readFile(at("model"), "utf8")).toBe("before");
    expect((await readdir(folder)).sort()).toEqual(["code", "model"]);
  });
});

describe("a save that is aborted", () => {
  const reason = new Error("enough");
  const saves = {
    saveModel: (place: string, signal: AbortSignal) => saveModel(model, place, { signal }),
    saveTfjs: (place: string, signal: AbortSignal) => saveTfjs(model, place, { signal }),
  };

  it.each(["saveModel", "saveTfjs"] as const)("before it begins writes nothing: %s", async (save) => {
    await expect(saves[save](at("new"), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(["saveModel", "saveTfjs"] as const)(
    "while the disk hangs leaves what was there and nothing besides: %s",
    async (save) => {
      await saves[save](at("place"), new AbortController().signal);
      const inside = save === "saveTfjs" ? at("place") : folder;
      const before = await readdir(inside);
      const control = new AbortController();
      const files = process.getBuiltinModule("node:fs/promises");
      const { open } = files;
      let isSeen = false;
      vi.spyOn(files, "open").mockImplementation(async (...args) => {
        const file = await open(...args);
        file.datasync = async () => {
          isSeen = (await readdir(inside)).length > before.length;
          setImmediate(() => control.abort(reason));
          await new Promise(() => {});
        };
        return file;
      });
      await expect(saves[save](at("place"), control.signal)).rejects.toBe(reason);
      expect(isSeen).toBe(true);
      expect(await readdir(inside)).toEqual(before);
    },
  );

  it("is no option of encodeModel, which waits for nothing", () => {
    const options = { signal: new AbortController().signal } as object;
    expect(() => encodeModel(model, options)).toThrow(/signal/);
  });

  it.each(["saveModel", "saveTfjs"] as const)("by what is no signal is refused: %s", async (save) => {
    expect(await refusal(saves[save](at("new"), {} as never))).toMatchObject({ code: "OPTION_INVALID" });
    expect(await readdir(folder)).toEqual([]);
  });
});

const CHILD = `
import { mobileNetV1 } from "./src/models/index.ts";
import { saveModel } from "./src/weights/save-model.ts";
process.on("SIGXFSZ", () => {});
const model = mobileNetV1({ alpha: 0.25, resolution: 32 });
await saveModel(model, process.argv[2]!).catch((error) => console.log(error.code, error.message));
`;
