import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ModelSource, openSource } from "../../src/sources/index.ts";
import { sha256, someBytes } from "../fixtures/misbehaving-server.ts";
import { temporaryFolder } from "../fixtures/source-tools.ts";

const bytes = someBytes(1000);
const other = someBytes(500, 2);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await folder[Symbol.asyncDispose]();
});

async function put(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder.path, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, name.endsWith("other.bin") ? other : bytes);
  }
}

async function* yielding(...parts: readonly unknown[]) {
  yield* parts as Uint8Array[];
}

describe("bytes in memory", () => {
  it("are copied: whoever passed them may go on with theirs", async () => {
    const opened = await openSource(bytes);
    expect(opened.bytes).toEqual(bytes);
    expect(opened.bytes.buffer).not.toBe(bytes.buffer);
    expect((await openSource(bytes.buffer)).bytes.buffer).not.toBe(bytes.buffer);
    expect((await openSource(new DataView(bytes.buffer, 8, 16))).bytes).toEqual(bytes.slice(8, 24));
    expect((await openSource(new Float32Array([1, 2]))).bytes).toEqual(new Uint8Array([0, 0, 128, 63, 0, 0, 0, 64]));
  });

  it("are copied out of shared memory", async () => {
    const shared = new SharedArrayBuffer(1000);
    new Uint8Array(shared).set(bytes);
    for (const source of [shared, new Uint8Array(shared)]) {
      const opened = await openSource(source);
      expect(opened.bytes).toEqual(bytes);
      expect(opened.bytes.buffer).toBeInstanceOf(ArrayBuffer);
    }
  });

  it("are aligned, also those of a pooled Buffer, and are no Buffer", async () => {
    const pool = Buffer.allocUnsafe(3000);
    for (let offset = 0; offset < 9; offset++) {
      const buffer = pool.subarray(offset, offset + 1000);
      buffer.set(bytes);
      const opened = await openSource(buffer);
      expect(opened.bytes).toEqual(bytes);
      expect(Object.getPrototypeOf(opened.bytes)).toBe(Uint8Array.prototype);
      expect(new Float64Array(opened.bytes.buffer, opened.bytes.byteOffset, 125)).toHaveLength(125);
    }
  });

  it("have no files beside them, and say what to pass", async () => {
    for (const source of [bytes, new Blob([bytes]), new Blob([bytes]).stream()]) {
      const opened = await openSource(source);
      await expect(opened.sibling("shard.bin")).rejects.toMatchObject({
        code: "FILE_NOT_FOUND",
        message: expect.stringContaining('"shard.bin"'),
      });
      await expect(opened.sibling("shard.bin")).rejects.toThrow(/all files as a list of File objects/);
    }
  });

  it("are bounded and checked", async () => {
    const sources: (() => ModelSource)[] = [
      () => bytes,
      () => new Blob([bytes]),
      () => yielding(bytes.subarray(0, 600), bytes.subarray(600)),
      () => new Blob([bytes]).stream(),
    ];
    for (const source of sources) {
      await expect(openSource(source(), { maxBytes: 999 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
      await expect(openSource(source(), { size: 999 })).rejects.toMatchObject({ code: "FILE_CORRUPT" });
      await expect(openSource(source(), { sha256: sha256(other) })).rejects.toMatchObject({ code: "FILE_CORRUPT" });
      const right = await openSource(source(), { maxBytes: 1000, size: 1000, sha256: sha256(bytes) });
      expect(right.bytes).toEqual(bytes);
    }
  });
});

describe("Blobs and streams", () => {
  it("are read whole, a File by its name", async () => {
    expect((await openSource(new File([bytes], "m.tflite"))).name).toBe("m.tflite");
    const readable = Readable.from([Buffer.from(bytes.subarray(0, 7)), Buffer.from(bytes.subarray(7))]);
    for (const source of [new Blob([bytes]), new Blob([bytes]).stream(), readable, yielding(bytes)]) {
      expect((await openSource(source)).bytes).toEqual(bytes);
    }
    expect((await openSource(yielding())).bytes).toHaveLength(0);
  });

  it("may fill the same array again and again", async () => {
    const part = new Uint8Array(2);
    async function* refilling() {
      for (let i = 0; i < 3; i++) yield part.fill(i);
    }
    expect([...(await openSource(refilling())).bytes]).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it("that fail, yield text, or are in use are refused and cancelled", async () => {
    const cause = new Error("broken");
    async function* failing() {
      yield bytes;
      throw cause;
    }
    await expect(openSource(failing())).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("after 1,000 bytes"),
      cause,
    });
    const text = Readable.from(["text", "more"]);
    await expect(openSource(text)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(text.destroyed).toBe(true);
    const cancelled = vi.fn();
    const numbers = new ReadableStream({ start: (control) => control.enqueue(7), cancel: cancelled });
    await expect(openSource(numbers as ReadableStream<Uint8Array>)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(cancelled).toHaveBeenCalledOnce();
    const locked = new Blob([bytes]).stream();
    locked.getReader();
    await expect(openSource(locked)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("that never end can be aborted", async () => {
    const reason = new Error("enough");
    const readable = new Readable({ read() {} });
    const web = new ReadableStream<Uint8Array>({});
    async function* endless() {
      for (;;) yield bytes;
    }
    for (const source of [readable, web]) {
      const control = new AbortController();
      const opening = openSource(source, { signal: control.signal });
      setImmediate(() => control.abort(reason));
      await expect(opening).rejects.toBe(reason);
    }
    expect(readable.destroyed).toBe(true);
    await expect(openSource(endless(), { maxBytes: 100_000 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  });
});

describe("paths", () => {
  it("are opened as text and as file addresses, with the files beside them", async () => {
    await put("a b/model.json", "a b/sub/other.bin");
    const path = join(folder.path, "a b/model.json");
    for (const source of [path, pathToFileURL(path), pathToFileURL(path).href]) {
      const opened = await openSource(source);
      expect(opened.name).toBe(path);
      expect(opened.bytes).toEqual(bytes);
      expect(await opened.sibling("sub/other.bin")).toEqual(other);
      expect(await opened.sibling("./sub/other.bin")).toEqual(other);
      await expect(opened.sibling("missing.bin")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    }
    await expect(openSource(join(folder.path, "none"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(openSource("file://elsewhere/m.bin")).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("are bounded, the files beside them included", async () => {
    await put("model.json", "other.bin");
    const path = join(folder.path, "model.json");
    await expect(openSource(path, { maxBytes: 999 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    const opened = await openSource(path, { maxBytes: 1000 + 500 + 499 });
    await mkdir(join(folder.path, "sub"));
    await expect(opened.sibling("sub")).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    const both = await Promise.allSettled([opened.sibling("other.bin"), opened.sibling("other.bin")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(openSource(path, { sha256: sha256(other) })).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it.each([
    "../other.bin",
    "sub/../../other.bin",
    "sub/../other.bin",
    "..",
    "",
    ".",
    "/etc/passwd",
    "C:\\other.bin",
    "C:/other.bin",
    "..\\other.bin",
    "file:///etc/passwd",
    "https://example.com/x",
    "data:,x",
    "%2e%2e/other.bin",
    ".%2E/other.bin",
    "sub//other.bin",
    "other.bin\u0000.txt",
    "x".repeat(5000),
  ])("beside the model must stay there: %j is refused", async (path) => {
    await put("model/model.json", "other.bin", "model/sub/other.bin");
    const opened = await openSource(join(folder.path, "model"));
    await expect(opened.sibling(path)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it("can be aborted", async () => {
    await put("m.h5");
    const reason = new Error("enough");
    await expect(openSource(join(folder.path, "m.h5"), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

/** The best first; each with names that do not look like it. */
const KINDS = [
  ["model.json"],
  ["model.safetensors", "x.safetensors", "y.safetensors"],
  ["m.h5"],
  ["m.tflite"],
  ["m.onnx"],
  ["m.pb"],
  ["pytorch_model.bin", "training_args.bin"],
  ["m.weights.h5"],
] as const;

describe("a directory", () => {
  it.each(KINDS.map((names, rank) => [names[0], rank] as const))(
    "with %s and lesser kinds gives it",
    async (head, rank) => {
      await put(...KINDS.slice(rank).flat(), "config.json", "readme.md", "folder.safetensors/inside.txt");
      const opened = await openSource(folder.path);
      expect(opened.name).toBe(join(folder.path, head));
      expect(await opened.sibling("config.json")).toEqual(bytes);
    },
  );

  it("may be a file address, and hold links", async () => {
    await put("blobs/1234");
    await mkdir(join(folder.path, "snapshot"));
    await symlink("../blobs/1234", join(folder.path, "snapshot/model.safetensors"));
    const opened = await openSource(pathToFileURL(join(folder.path, "snapshot")));
    expect(opened.bytes).toEqual(bytes);
  });

  it.each(["M.KERAS", "m.pt", "m.pth", "m.bin", "m.hdf5"])("with only %s gives that", async (name) => {
    await put(name, "notes.txt");
    expect((await openSource(folder.path)).name).toBe(join(folder.path, name));
  });

  it("with two of the best kind, or none, says what is there", async () => {
    await put("b.onnx", "a.onnx", "m.weights.h5");
    await expect(openSource(folder.path)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: `${folder.path}: expected one model, found 2: a.onnx, b.onnx. Pass the file itself.`,
    });
    await put("none/a.txt");
    await expect(openSource(join(folder.path, "none"))).rejects.toThrow("found a.txt. Pass the file itself.");
    await mkdir(join(folder.path, "empty"));
    await expect(openSource(join(folder.path, "empty"))).rejects.toThrow("found no file");
  });
});

describe("a list of Files", () => {
  const at = (path: string, data = bytes) => {
    const made = new File([data], path.split("/").at(-1) ?? "");
    return Object.defineProperty(made, "webkitRelativePath", { value: path });
  };

  it("has model.json as its head, and the others by name", async () => {
    const files = [new File([other], "shard.bin"), new File([bytes], "model.json")];
    const opened = await openSource(files);
    expect(opened.name).toBe("model.json");
    expect(await opened.sibling("weights/shard.bin")).toEqual(other);
    await expect(opened.sibling("shard2.bin")).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("shard.bin, model.json. Pass all files"),
    });
    await expect(opened.sibling("../shard.bin")).rejects.toMatchObject({ code: "FILE_CORRUPT" });
  });

  it("may be a FileList", async () => {
    class FakeList {
      readonly length = 1;
      readonly 0 = new File([bytes], "m.tflite");
      readonly [Symbol.toStringTag] = "FileList";
    }
    expect((await openSource(new FakeList() as unknown as FileList)).bytes).toEqual(bytes);
  });

  it("tells files of one name apart by their directories", async () => {
    const opened = await openSource([at("m/model.json"), at("m/a/other.bin"), at("m/b/other.bin", other)]);
    expect(await opened.sibling("b/other.bin")).toEqual(other);
    await expect(opened.sibling("other.bin")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("is bounded as a whole, and holds nothing but Files", async () => {
    const opened = await openSource([new File([bytes], "model.json"), new File([bytes], "a.bin")], { maxBytes: 1500 });
    await expect(opened.sibling("a.bin")).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    await expect(openSource([])).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(openSource(["m.h5"] as unknown as File[])).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });
});

describe("what is no source, and options that are none", () => {
  it.each([undefined, null, 7, {}, "", "ftp://x/y", "s3://bucket/m", new URL("ftp://x/y"), () => bytes])(
    "%o is refused",
    async (source) => {
      await expect(openSource(source as ModelSource)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    },
  );

  it.each([
    { maxBytes: 0 },
    { maxBytes: "1" },
    { retries: -1 },
    { retries: 1.5 },
    { stallTimeout: 0 },
    { mirrors: ["elsewhere"] },
    { mirrors: "https://x" },
    { hubUrl: "" },
    { kerasUrl: "file:///x" },
    { cache: "" },
    { cache: 1 },
    { offline: "yes" },
    { refresh: 1 },
    { size: 0 },
    { sha256: "abc" },
    { headers: { a: 1 } },
    { headers: null },
    { mirror: [] },
  ])("%o is refused", async (options) => {
    await expect(openSource(bytes, options as never)).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("says so when a sha256 cannot be checked", async () => {
    vi.stubGlobal("crypto", {});
    await expect(openSource(bytes, { sha256: sha256(bytes) })).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("not a secure one"),
    });
    expect((await openSource(bytes)).bytes).toEqual(bytes);
  });
});
