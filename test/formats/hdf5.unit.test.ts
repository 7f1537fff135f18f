/** @slow: it takes more than a second. */

/** The HDF5 reader against the HDF5 library and jsfive, over the versions of the format, types, layouts and filters. */

import { File as JsFile } from "jsfive";
import { describe, expect, it } from "vitest";
import { type Hdf5DataSet, type Hdf5Group, openHdf5 } from "../../src/formats/hdf5/hdf5.ts";
import { type StoredTensor, toFloat32 } from "../../src/formats/stored-tensor.ts";
import { readByLibrary, VERSIONS, type Writer, weight, writeHdf5, writeTexts, writeWeight } from "../writers/hdf5.ts";

const numbers = [0, 1.5, -2.25, 3e7, -0.125, 1e-3];
const whole = [0, 1, -2, 30_000, -4, 5];
const LIMIT = { maxBytes: 10_000_000 };

function open(bytes: Uint8Array, maxBytes = LIMIT.maxBytes): Hdf5Group {
  return openHdf5(bytes, "test.h5", { maxBytes });
}

async function load(root: Hdf5Group, path: string): Promise<StoredTensor> {
  const object = root.get(path);
  if (object?.kind !== "data set") throw new Error(`no data set ${path}`);
  const stored = await object.load(path);
  if (stored === undefined) throw new Error(`no numbers in ${path}`);
  return stored;
}

/** All data sets below a group. */
function dataSets(group: Hdf5Group): readonly Hdf5DataSet[] {
  return group.names.flatMap((name) => {
    const object = group.get(name);
    return object === undefined ? [] : object.kind === "group" ? dataSets(object) : [object];
  });
}

async function values(root: Hdf5Group, path: string): Promise<readonly number[]> {
  return [...toFloat32(await load(root, path))];
}

async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return `${code} ${message}`;
  }
  throw new Error("nothing was refused");
}

describe.each(VERSIONS)("HDF5 of version %s", (version) => {
  it("holds what the HDF5 library reads in it, in groups small and large", async () => {
    const bytes = await writeHdf5((root) => {
      for (const count of [3, 9, 700]) {
        const group = root.create_group(`of ${count}`);
        for (let i = 0; i < count; i++) writeWeight(group, `weight_${i}`, weight("", [1 + (i % 3), 2], i));
      }
    }, version);
    const expected = await readByLibrary(bytes);
    const found = new Map<string, readonly number[]>();
    const root = open(bytes);
    for (const { path } of dataSets(root)) found.set(path, await values(root, path));
    expect(found.size).toBe(712);
    expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
  });

  it("holds texts: alone and in lists, of fixed length and of any, few and many", async () => {
    const many = Array.from({ length: 200 }, (_, i) => `batch_normalization_${i}`);
    const long = JSON.stringify({ text: "ü".repeat(30_000) });
    const bytes = await writeHdf5((root) => {
      root.create_attribute("long", long);
      writeTexts(root, "fixed", many);
      writeTexts(root, "far", many, true);
      root.create_attribute("number", 3);
      const group = root.create_group("g");
      for (let i = 0; i < 40; i++) group.create_attribute(`attribute ${i}`, `value ${i}`);
    }, version);
    const root = open(bytes);
    expect(root.text("long")).toBe(long);
    expect(root.texts("fixed")).toEqual(many);
    expect(root.texts("far")).toEqual(many);
    expect(root.text("fixed")).toBeUndefined();
    expect(root.texts("number")).toBeUndefined();
    expect(root.texts("none")).toBeUndefined();
    const group = root.get("g");
    for (let i = 0; i < 40; i++) expect(group?.text(`attribute ${i}`)).toBe(`value ${i}`);
  });

  it("holds numbers of all kinds, in the order of bytes of the one machine or the other", async () => {
    const bytes = await writeHdf5((root) => {
      for (const dtype of ["<f", "<d"]) writeWeight(root, dtype, { name: "", shape: [2, 3], values: numbers, dtype });
      root.create_dataset({ name: "<i", data: Int32Array.from(whole), shape: [6], dtype: "<i" });
      root.create_dataset({ name: "<h", data: Int16Array.from(whole), shape: [6], dtype: "<h" });
      root.create_dataset({ name: "single", data: 2.5, shape: [], dtype: "<d" });
    }, version);
    const root = open(bytes);
    for (const dtype of ["<f", "<d"]) expect(await values(root, dtype), dtype).toEqual(numbers.map(Math.fround));
    for (const dtype of ["<i", "<h"]) expect(await values(root, dtype), dtype).toEqual(whole);
    expect(await load(root, "single")).toMatchObject({ dtype: "F64", shape: [] });
    expect(await values(root, "single")).toEqual([2.5]);
    expect(await load(root, "<d")).toMatchObject({ dtype: "F64", shape: [2, 3] });
  });

  it("holds numbers with the highest byte first", async () => {
    const kinds = [
      { dtype: "<f", data: Float32Array.from(numbers), type: [0x11, 0x20, 0x1f, 0, 4, 0, 0, 0], values: numbers },
      { dtype: "<d", data: Float64Array.from(numbers), type: [0x11, 0x20, 0x3f, 0, 8, 0, 0, 0], values: numbers },
      { dtype: "<i", data: Int32Array.from(whole), type: [0x10, 0x08, 0, 0, 4, 0, 0, 0], values: whole },
    ];
    for (const { dtype, data, type, values: expected } of kinds) {
      const bytes = new Uint8Array(data.buffer);
      for (let i = 0; i < bytes.length; i += data.BYTES_PER_ELEMENT)
        bytes.subarray(i, i + data.BYTES_PER_ELEMENT).reverse();
      for (const chunks of [null, [6]]) {
        const file = await writeHdf5(
          (root) => root.create_dataset({ name: "w", data, shape: [6], dtype, chunks }),
          version,
        );
        const at = indexOf(file, type) + 1;
        file[at] = (file[at] ?? 0) | 1;
        expect(await values(open(file), "w"), dtype).toEqual(expected.map(Math.fround));
      }
    }
  });

  it("holds one chunk, compressed or not", async () => {
    const { values: grid } = weight("", [4, 6]);
    const bytes = await writeHdf5((root) => {
      const common = { data: Float32Array.from(grid), shape: [4, 6], chunks: [4, 6] };
      root.create_dataset({ name: "plain", ...common });
      for (const [name, compression] of [
        ["deflate", 1],
        ["shuffle", 2],
        ["checksum", 3],
      ] as const) {
        root.create_dataset({ name, ...common, compression, compression_opts: compression === 1 ? [9] : [] });
      }
    }, version);
    const root = open(bytes);
    for (const name of ["plain", "deflate", "shuffle", "checksum"])
      expect(await values(root, name), name).toEqual(grid);
  });
});

describe("HDF5", () => {
  const chunked = (root: Writer) => {
    const shapes = [
      [
        [5, 7],
        [2, 3],
      ],
      [[10], [4]],
      [
        [3, 3, 5, 2],
        [2, 3, 2, 2],
      ],
      [
        [40, 40],
        [1, 1],
      ],
    ] as const;
    for (const [i, [shape, chunks]] of shapes.entries()) {
      const data = Float32Array.from(weight("", shape).values);
      root.create_dataset({ name: `plain ${i}`, data, shape: [...shape], chunks: [...chunks] });
      root.create_dataset({
        name: `deflate ${i}`,
        data,
        shape: [...shape],
        chunks: [...chunks],
        compression: 1,
        compression_opts: [6],
      });
    }
  };

  it("in chunks is put together, those at the edges cut to size", async () => {
    const bytes = await writeHdf5(chunked);
    const expected = await readByLibrary(bytes);
    const root = open(bytes);
    expect(root.names).toHaveLength(8);
    for (const name of root.names) expect(await values(root, name), name).toEqual(expected.get(`/${name}`));
  });

  it("in chunks of a newer index is refused by name", async () => {
    const bytes = await writeHdf5(chunked, "v110");
    expect(await refusal(() => values(open(bytes), "plain 0"))).toMatch(
      /^FORMAT_UNKNOWN test.h5: data set "\/plain 0": chunks in the newer kinds of index: .*with h5py and its default settings/,
    );
  });

  it("of float16 and bfloat16 keeps every bit", async () => {
    const written = await writeHdf5((root) =>
      writeWeight(root, "w", { name: "", shape: [4], values: [0, 0, 0, 0], dtype: "<d" }),
    );
    const patched = (halves: readonly number[], precision: readonly number[]) => {
      const bytes = written.slice();
      const type = indexOf(bytes, [0x11, 0x20, 0x3f, 0, 8, 0, 0, 0]);
      bytes.set([0x11, 0x20, 0x0f, 0, 2, 0, 0, 0, 0, 0, 16, 0, ...precision], type);
      const view = new DataView(bytes.buffer);
      // Where the layout says that the data are: eight bytes of address before their 32 bytes of length.
      const length = indexOf(bytes, [32, 0, 0, 0, 0, 0, 0, 0], type);
      const at = Number(view.getBigUint64(length - 8, true));
      for (const [i, half] of halves.entries()) view.setUint16(at + 2 * i, half, true);
      return bytes;
    };
    const half = patched([0x3c00, 0xc000, 0x0001, 0x7bff], [10, 5, 0, 10, 15, 0, 0, 0]);
    expect(await load(open(half), "w")).toMatchObject({ dtype: "F16", shape: [4] });
    expect(await values(open(half), "w")).toEqual([1, -2, 2 ** -24, 65504]);
    expect([...(new JsFile(half.buffer as ArrayBuffer, "").get("w") as { value: number[] }).value]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
    ]);
    const brain = patched([0x3f80, 0xc000, 0x4248, 0x0000], [7, 8, 0, 7, 127, 0, 0, 0]);
    expect(await load(open(brain), "w")).toMatchObject({ dtype: "BF16" });
    expect(await values(open(brain), "w")).toEqual([1, -2, 50, 0]);
    const strange = patched([0, 0, 0, 0], [9, 6, 0, 9, 31, 0, 0, 0]);
    expect(await (open(strange).get("w") as Hdf5DataSet).load("w")).toBeUndefined();
  });

  it("is the same to jsfive, attributes and numbers", async () => {
    for (const version of ["earliest", "v108"] as const) {
      const bytes = await writeHdf5((root) => {
        root.create_attribute("model_config", "{}");
        writeTexts(root, "layer_names", ["a", "bb"]);
        for (let i = 0; i < 30; i++)
          writeWeight(root.create_group(`layer_${i}`), "kernel:0", weight("", [2, i + 1], i));
      }, version);
      const theirs = new JsFile(bytes.buffer as ArrayBuffer, "");
      const ours = open(bytes);
      expect(ours.text("model_config")).toBe(theirs.attrs["model_config"]);
      for (const name of ours.names) {
        const data = theirs.get(`${name}/kernel:0`) as { value: number[]; shape: number[] };
        expect(await values(ours, `${name}/kernel:0`)).toEqual(data.value);
        expect((await load(ours, `${name}/kernel:0`)).shape).toEqual(data.shape);
      }
    }
  });

  it("gives views of the file, not copies, where nothing must be changed", async () => {
    const bytes = await writeHdf5((root) => writeWeight(root, "w", weight("", [3, 5])));
    expect((await load(open(bytes), "w")).bytes.buffer).toBe(bytes.buffer);
  });

  it("names nothing where there is nothing, whatever the name", async () => {
    const root = open(await writeHdf5((file) => writeWeight(file.create_group("__proto__"), "w", weight("", [2]))));
    expect(root.names).toEqual(["__proto__"]);
    for (const name of ["constructor", "w", "", "/", "__proto__/w/x"]) expect(root.get(name)).toBeUndefined();
    expect(root.get("__proto__/w")?.path).toBe("/__proto__/w");
    expect(root.texts("constructor")).toBeUndefined();
  });
});

describe("HDF5 is refused", () => {
  it("cut short, saying how much is missing", async () => {
    const bytes = await writeHdf5((root) => writeWeight(root, "w", weight("", [100])));
    expect(await refusal(() => open(bytes.subarray(0, bytes.length - 1)))).toMatch(
      /^FILE_TRUNCATED test.h5: the file: expected .* bytes, found/,
    );
    expect(await refusal(() => open(bytes.subarray(0, 20)))).toMatch(/^FILE_TRUNCATED test.h5: the superblock/);
  });

  it("that unpacks to more than is allowed, or than its bytes can hold", async () => {
    const bytes = await writeHdf5((root) => {
      const data = new Float32Array(100_000);
      root.create_dataset({
        name: "zeros",
        data,
        shape: [100_000],
        chunks: [100_000],
        compression: 1,
        compression_opts: [9],
      });
    });
    expect(await values(open(bytes), "zeros")).toHaveLength(100_000);
    expect(await refusal(() => values(open(bytes, 500_000), "zeros"))).toMatch(
      /^FILE_TOO_LARGE .*zeros.*: expected at most 500,000 bytes/,
    );
    // The array and its one chunk both claim 2^28 elements.
    const claims = bytes.slice();
    const view = new DataView(claims.buffer);
    for (
      let at = indexOf(claims, [0xa0, 0x86, 0x01, 0x00]);
      at !== -1;
      at = indexOf(claims, [0xa0, 0x86, 0x01, 0x00], at + 1)
    ) {
      view.setUint32(at, 2 ** 28, true);
    }
    const huge = openHdf5(claims, "test.h5", { maxBytes: 2 ** 40 });
    expect(await refusal(() => values(huge, "zeros"))).toMatch(
      /^FILE_CORRUPT .*claims more than its \d+ stored bytes can hold/,
    );
  });

  it("whose chunk unpacks to more than a chunk", async () => {
    const bytes = await writeHdf5((root) => {
      root.create_dataset({
        name: "w",
        data: new Float32Array(5000),
        shape: [5000],
        chunks: [5000],
        compression: 1,
        compression_opts: [9],
      });
    });
    const claims = bytes.slice();
    const view = new DataView(claims.buffer);
    for (let at = indexOf(claims, [0x88, 0x13, 0, 0]); at !== -1; at = indexOf(claims, [0x88, 0x13, 0, 0], at + 1))
      view.setUint32(at, 8, true);
    expect(await refusal(() => values(open(claims), "w"))).toMatch(/^FILE_CORRUPT .*unpacks to more than it claims/);
  });

  it("that leads in a circle", async () => {
    const bytes = await writeHdf5((root) => {
      const group = root.create_group("a");
      for (let i = 0; i < 30; i++) group.create_group(`g${i}`);
    });
    const links = allOf(bytes, "SNOD")
      .slice(1)
      .flatMap((at) => [at + 8, at + 48, at + 88]);
    const circular = bytes.slice();
    const view = new DataView(circular.buffer);
    // Each is the root again, whose address the superblock holds at 64.
    for (const link of links) view.setBigUint64(link + 8, view.getBigUint64(64, true), true);
    const walk = (group: Hdf5Group, depth: number): number =>
      depth > 40
        ? 1
        : group.names.reduce((sum, name) => {
            const next = group.get(name);
            return sum + (next?.kind === "group" ? walk(next, depth + 1) : 0);
          }, 0);
    expect(await refusal(() => walk(open(circular), 0))).toMatch(/^FILE_CORRUPT .*in a circle or one over the other/);
  });
});

function indexOf(bytes: Uint8Array, pattern: readonly number[], from = 0): number {
  for (let at = from; at + pattern.length <= bytes.length; at++)
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}

function allOf(bytes: Uint8Array, letters: string): readonly number[] {
  const pattern = [...letters].map((letter) => letter.charCodeAt(0));
  const found: number[] = [];
  for (let at = indexOf(bytes, pattern); at !== -1; at = indexOf(bytes, pattern, at + 1)) found.push(at);
  return found;
}
