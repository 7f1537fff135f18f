/** Files of PyTorch in both forms: which tensors, from which checkpoint, and each claim that does not hold. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { isTorchArchive, read, readTorchArchive } from "../../src/formats/pytorch/read.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { openZip } from "../../src/formats/zip/zip.ts";
import { opened } from "../fixtures/opened-files.ts";
import { NUMPY_PICKLE } from "../fixtures/python-pickles.ts";
import {
  body,
  code,
  dict,
  floats,
  global,
  oldForm,
  pickled,
  type Raw,
  reduce,
  type Storage,
  stateDict,
  type TensorSpec,
  tensorValue,
  tuple,
  u64,
  type Value,
  zip,
  zipForm,
} from "../writers/torch.ts";

const MAX = 2 ** 31;
const context = (maxBytes: number) => ({ maxBytes });
const open = (bytes: Uint8Array) => opened(bytes, {}, "x.pth");

async function readZip(bytes: Uint8Array, maxBytes = MAX): Promise<ModelFile> {
  const entries = await openZip(bytes, "x.pth", context(maxBytes));
  expect(isTorchArchive(entries)).toBe(true);
  return readTorchArchive(entries, open(bytes), context(maxBytes));
}
const readOld = (bytes: Uint8Array, maxBytes = MAX) => read(open(bytes), context(maxBytes));

function tensorsOf({ content }: ModelFile) {
  if (content.kind !== "tensors") throw new Error("It holds a graph.");
  expect(content.isOrdered).toBe(true);
  return content.tensors;
}
const valuesOf = (file: ModelFile) =>
  [...tensorsOf(file)].map(([name, stored]) => [name, stored.dtype, stored.shape, [...toFloat32(stored)]]);

async function failure(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => new Error("It was read."),
    (thrown: unknown) => thrown,
  );
  if (!isDepthwiseError(error)) throw error;
  return error;
}

const six: Storage = ["0", 6, floats(1, 2, 3, 4, 5, 6)];
const spec = (more: Partial<TensorSpec> = {}) => tensorValue({ key: "0", shape: [2, 3], elements: 6, ...more });
const one = (more: Partial<TensorSpec> = {}) => stateDict({ w: spec(more) });
const expectSix = [["w", "F32", [2, 3], [1, 2, 3, 4, 5, 6]]];

describe("a state dict", () => {
  it("is read from both forms, in order", async () => {
    const two: Storage = ["7", 2, floats(-1, -2)];
    const object = stateDict({ z: spec(), a: spec({ key: "7", shape: [2], elements: 2 }) });
    const expected = [
      ["z", "F32", [2, 3], [1, 2, 3, 4, 5, 6]],
      ["a", "F32", [2], [-1, -2]],
    ];
    const zipped = await readZip(zipForm(object, [six, two]));
    expect(valuesOf(zipped)).toEqual(expected);
    expect(zipped).toMatchObject({ format: "PyTorch", facts: {}, remarks: {} });
    const old = await readOld(oldForm(object, [six, two]));
    expect(valuesOf(old)).toEqual(expected);
    expect(old).toMatchObject({ format: "PyTorch (before 1.6)", facts: {}, remarks: {} });
  });

  it("may stand under any prefix, or none", async () => {
    for (const prefix of ["", "model/", "my model 2/"]) {
      expect(valuesOf(await readZip(zipForm(one(), [six], { prefix })))).toEqual(expectSix);
    }
  });

  it("holds numbers of every type", async () => {
    const rows: [type: string, dtype: string, bytes: Uint8Array, values: number[]][] = [
      ["DoubleStorage", "F64", new Uint8Array(Float64Array.of(1.5, -2).buffer), [1.5, -2]],
      ["HalfStorage", "F16", code([0, 0x3e, 0, 0xc0]), [1.5, -2]],
      ["BFloat16Storage", "BF16", code([0xc0, 0x3f, 0, 0xc0]), [1.5, -2]],
      ["LongStorage", "I64", code(u64(5), new Uint8Array(8).fill(255)), [5, -1]],
      ["IntStorage", "I32", code([5, 0, 0, 0, 255, 255, 255, 255]), [5, -1]],
      ["ShortStorage", "I16", code([5, 0, 255, 255]), [5, -1]],
      ["CharStorage", "I8", code([5, 255]), [5, -1]],
      ["ByteStorage", "U8", code([5, 255]), [5, 255]],
      ["BoolStorage", "BOOL", code([1, 0]), [1, 0]],
    ];
    for (const [type, dtype, bytes, values] of rows) {
      const object = stateDict({ w: tensorValue({ key: "k", shape: [2], elements: 2, type }) });
      const expected = [["w", dtype, [2], values]];
      expect(valuesOf(await readZip(zipForm(object, [["k", 2, bytes]]))), type).toEqual(expected);
      expect(valuesOf(await readOld(oldForm(object, [["k", 2, bytes]]))), type).toEqual(expected);
    }
  });

  it("of a big-endian machine is turned", async () => {
    const swapped = floats(1, 2, 3, 4, 5, 6);
    for (let i = 0; i < swapped.length; i += 4) swapped.subarray(i, i + 4).reverse();
    expect(valuesOf(await readZip(zipForm(one(), [["0", 6, swapped]], { byteorder: "big" })))).toEqual(expectSix);
    expect(valuesOf(await readZip(zipForm(one(), [six], { byteorder: "" })))).toEqual(expectSix);
    const error = await failure(readZip(zipForm(one(), [six], { byteorder: "middle" })));
    expect(error.message).toMatch(/byteorder: expected little or big, found "middle"/);
  });

  it("is a view of the file where it can be, and shares storages", async () => {
    const bytes = zipForm(stateDict({ a: spec(), b: spec({ shape: [2], offset: 4 }) }), [six]);
    const tensors = tensorsOf(await readZip(bytes));
    expect(tensors.get("a")?.bytes.buffer).toBe(bytes.buffer);
    expect([...toFloat32(tensors.get("b") as never)]).toEqual([5, 6]);
  });

  it("has transposed, strided and expanded tensors made contiguous", async () => {
    const rows: [Partial<TensorSpec>, number[]][] = [
      [{ shape: [3, 2], strides: [1, 3] }, [1, 4, 2, 5, 3, 6]],
      [{ shape: [2, 2], strides: [3, 2] }, [1, 3, 4, 6]],
      [{ shape: [2, 3], strides: [0, 1], offset: 3 }, [4, 5, 6, 4, 5, 6]],
      [{ shape: [1, 3, 1], strides: [99, 2, 7] }, [1, 3, 5]],
      [{ shape: [1, 2], strides: [99, 1], offset: 4 }, [5, 6]],
      [{ shape: [], offset: 2 }, [3]],
      [{ shape: [0, 4], offset: 6 }, []],
    ];
    for (const [more, values] of rows) {
      const [row] = valuesOf(await readZip(zipForm(one(more), [six])));
      expect(row?.[3], JSON.stringify(more)).toEqual(values);
    }
  });

  it("has parameters, subclasses and tensors of untyped storages too", async () => {
    const hooks = reduce(global("collections", "OrderedDict"));
    const parameter = (value: Value) => reduce(global("torch._utils", "_rebuild_parameter"), value, true, hooks);
    const subclass = reduce(
      global("torch._tensor", "_rebuild_from_type_v2"),
      global("torch._utils", "_rebuild_tensor_v2"),
      global("torch.nn.parameter", "Parameter"),
      argsOf(),
      dict({}),
    );
    const untyped = reduce(
      global("torch._utils", "_rebuild_tensor_v3"),
      referenceTo("UntypedStorage", 24),
      0,
      tuple(6),
      tuple(1),
      false,
      hooks,
      global("torch", "float32"),
    );
    const old = reduce(
      global("torch._utils", "_rebuild_tensor"),
      referenceTo("FloatStorage", 6),
      3,
      tuple(3),
      tuple(1),
    );
    const object = stateDict({ a: parameter(parameter(spec())), b: subclass, c: untyped, d: old });
    const values = valuesOf(await readZip(zipForm(object, [six]))).map(([name, , , found]) => [name, found]);
    expect(values).toEqual([
      ["a", [1, 2, 3, 4, 5, 6]],
      ["b", [1, 2, 3, 4, 5, 6]],
      ["c", [1, 2, 3, 4, 5, 6]],
      ["d", [4, 5, 6]],
    ]);
  });

  it("of old files may be a view of another storage", async () => {
    const object = one({ shape: [2], view: tuple("view", 3, 3) });
    expect(valuesOf(await readOld(oldForm(object, [six])))).toEqual([["w", "F32", [2], [4, 5]]]);
    expect(valuesOf(await readOld(oldForm(one({ view: null }), [six])))).toEqual(expectSix);
  });
});

const referenceTo = (type: string, elements: number): Raw => ({
  raw: code(body(tuple("storage", global("torch", type), "0", "cpu", elements)), "Q"),
});
const argsOf = () => tuple(referenceTo("FloatStorage", 6), 0, tuple(2, 3), tuple(3, 1), false, dict({}));

describe("a checkpoint", () => {
  const scalar = (value: number): [Raw, Storage] => [
    tensorValue({ key: "acc", shape: [], elements: 1 }),
    ["acc", 1, floats(value)],
  ];

  it("gives the network's dict, and tells of the rest", async () => {
    const [accuracy, storage] = scalar(71.5);
    const object = dict({
      epoch: 90,
      arch: "mobilenet",
      state_dict: stateDict({ "module.w": spec(), "module.b": spec({ shape: [6] }) }),
      best: accuracy,
      optimizer: dict({ state: new Map<Value, Value>([[1, dict({ momentum_buffer: spec() })]]), param_groups: [] }),
      args: reduce(global("argparse", "Namespace")),
      nothing: null,
      __proto__x: true,
    });
    for (const file of [
      await readZip(zipForm(object, [six, storage])),
      await readOld(oldForm(object, [six, storage])),
    ]) {
      expect([...tensorsOf(file).keys()]).toEqual(["w", "b"]);
      expect([...tensorsOf(file).values()].map(({ name }) => name)).toEqual(["w", "b"]);
      expect(file.remarks).toEqual({
        stateDict: "state_dict",
        strippedPrefix: "module.",
        checkpoint: { epoch: 90, arch: "mobilenet", best: 71.5, __proto__x: true },
        ignored: ["optimizer", "args"],
      });
    }
  });

  it("with one tensor beside the dict is still a checkpoint", async () => {
    const object = dict({ losses: spec({ shape: [6] }), net: stateDict({ a: spec(), b: spec() }) });
    const file = await readZip(zipForm(object, [six]));
    expect([...tensorsOf(file).keys()]).toEqual(["a", "b"]);
    expect(file.remarks).toEqual({ stateDict: "net", otherTensors: ["(outermost)"], ignored: ["losses"] });
  });

  it("prefers the usual places, then the most tensors", async () => {
    const network = stateDict({ a: spec(), b: spec() });
    const larger = stateDict({ a: spec(), b: spec(), c: spec() });
    const place = async (object: Value) => (await readZip(zipForm(object, [six]))).remarks["stateDict"];
    expect(await place(dict({ ema: larger, model: network }))).toBe("model");
    expect(await place(dict({ something: larger, other: network }))).toBe("something");
    expect(await place(dict({ ema: dict({ module: larger }) }))).toBe("ema.module");
    expect(await place([network, 5])).toBe("0");
    expect(await place(dict({ model: stateDict({ a: spec() }), backbone: larger }))).toBe("backbone");
  });

  it("has prefixes that all names share stripped, and no others", async () => {
    const names = async (...list: string[]) => {
      const object = stateDict(Object.fromEntries(list.map((name) => [name, spec()])));
      return [...tensorsOf(await readZip(zipForm(object, [six]))).keys()];
    };
    expect(await names("module._orig_mod.a", "module._orig_mod.b")).toEqual(["a", "b"]);
    expect(await names("_orig_mod.module.a")).toEqual(["a"]);
    expect(await names("module.a", "b")).toEqual(["module.a", "b"]);
    expect(await names("model.a", "model.b")).toEqual(["model.a", "model.b"]);
  });

  it("tells numbers of numpy", async () => {
    const numpy = new Uint8Array(Buffer.from(NUMPY_PICKLE, "base64"));
    // The dict's opcodes without protocol and stop, then one more entry.
    const object: Raw = { raw: code(numpy.subarray(2, -1), body("state_dict"), one().raw, "s") };
    const { remarks } = await readZip(zipForm(object, [six]));
    expect(remarks).toMatchObject({ checkpoint: { best: 71.25, n: 5 }, ignored: ["arr"] });
  });

  it("may have a __proto__", async () => {
    const object = new Map<Value, Value>([
      ...dict({ state_dict: stateDict({ ["__proto__"]: spec() }) }),
      ["__proto__", 5],
    ]);
    const file = await readZip(zipForm(object, [six]));
    expect([...tensorsOf(file).keys()]).toEqual(["__proto__"]);
    expect(Object.entries(file.remarks["checkpoint"] as object)).toEqual([["__proto__", 5]]);
  });

  it("may hold itself", async () => {
    const object: Raw = { raw: code("}q", 9, body("me"), "h", 9, "s", body("w"), spec().raw, "s") };
    expect(valuesOf(await readZip(zipForm(object, [six])))).toEqual(expectSix);
  });

  it.each<[string, Value, string]>([
    ["an empty dict", dict({}), "an empty dict"],
    ["a dict of numbers", dict({ a: 1 }), "a dict without tensors"],
    ["a list", [1, 2], "a list without a dict of tensors"],
    ["one tensor", spec(), "a single tensor"],
    ["a number", 5, "a number"],
    ["nothing", null, "a None"],
    ["a size", reduce(global("argparse", "Namespace")), "argparse.Namespace"],
  ])("that is %s is refused", async (_, object, found) => {
    for (const promise of [readZip(zipForm(object, [six])), readOld(oldForm(object, []))]) {
      const error = await failure(promise.catch((thrown) => Promise.reject(thrown)));
      if (error.code === "FILE_CORRUPT") continue;
      expect(error.code).toBe("FORMAT_UNKNOWN");
      expect(error.message).toContain(`found ${found}. Save model.state_dict()`);
    }
  });
});

describe("a tensor that claims", () => {
  it.each<[string, Partial<TensorSpec>, RegExp]>([
    [
      "more elements than its storage has",
      { shape: [7] },
      /within the 6 of its storage, found shape \[7\], strides \[1\]/,
    ],
    ["an offset beyond its storage", { offset: 1 }, /within the 6/],
    ["a stride beyond its storage", { strides: [4, 1] }, /within the 6/],
    ["a side of 2^60", { shape: [2 ** 52, 2 ** 52], strides: [0, 0] }, /within the 6/],
    ["a zero that hides it", { shape: [2 ** 52, 2 ** 52, 0], strides: [0, 0, 1] }, /within the 6/],
    ["negative sides", { shape: [-1] }, /an offset, and as many strides as sides/],
    ["a negative stride", { strides: [-3, 1] }, /an offset/],
    ["a negative offset", { offset: -1 }, /an offset/],
    ["half an offset", { offset: 0.5 }, /an offset/],
    ["fewer strides than sides", { strides: [1] }, /as many strides as sides/],
    ["too many sides", { shape: Array(70).fill(1) as number[] }, /at most 64 sides/],
    ["a storage that is not there", { key: "1" }, /storage "1": expected its bytes in the file, found none/],
    ["a larger storage than there is", { elements: 7 }, /expected 28 bytes, found 24/],
    ["a smaller storage than there is", { elements: 5, shape: [5] }, /expected 20 bytes, found 24/],
    ["to be complex", { type: "ComplexFloatStorage" }, /type of element: .* found "ComplexFloatStorage"/],
  ])("%s is refused", async (_, more, message) => {
    const error = await failure(readZip(zipForm(one(more), [six])));
    expect(["FILE_CORRUPT", "FILE_TRUNCATED", "DTYPE_MISMATCH"]).toContain(error.code);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('tensor "w"');
  });

  it("to be expanded beyond maxBytes is refused", async () => {
    const bytes = zipForm(one({ shape: [1000, 1000], strides: [0, 0] }), [six]);
    expect((await failure(readZip(bytes, 3_999_999))).code).toBe("FILE_TOO_LARGE");
    expect(tensorsOf(await readZip(bytes, 4_000_000)).get("w")?.bytes.length).toBe(4_000_000);
    const twice = zipForm(
      stateDict({ a: spec({ shape: [500_000], strides: [0] }), b: spec({ shape: [500_001], strides: [0] }) }),
      [six],
    );
    expect((await failure(readZip(twice, 4_000_000))).code).toBe("FILE_TOO_LARGE");
  });

  it("to be quantized, sparse, or a negated view is refused by name", async () => {
    const rebuild = (name: string) => reduce(global("torch._utils", `_rebuild_${name}`), ...argsOf().tuple);
    const error = await failure(readZip(zipForm(stateDict({ w: rebuild("qtensor") }), [six])));
    expect(error.message).toMatch(/expected a plain tensor, found a quantized one/);
    const sparse = await failure(readZip(zipForm(stateDict({ w: rebuild("sparse_tensor") }), [six])));
    expect(sparse.message).toMatch(/found a sparse one/);
    const negated = reduce(global("torch._utils", "_rebuild_tensor_v2"), ...argsOf().tuple, dict({ neg: true }));
    expect((await failure(readZip(zipForm(stateDict({ w: negated }), [six])))).message).toMatch(/negated view/);
  });

  it.each<[string, Value]>([
    ["a number", 5],
    ["text", "storage"],
    ["a tuple of another kind", tuple("module", 1, 2)],
    ["a tuple without a key", tuple("storage", global("torch", "FloatStorage"), null, "cpu", 6)],
    ["a tuple without a size", tuple("storage", global("torch", "FloatStorage"), "0", "cpu", "6")],
  ])("to lie in %s is refused", async (_, id) => {
    const stored: Raw = { raw: code(body(id), "Q") };
    const rebuild = reduce(global("torch._utils", "_rebuild_tensor_v2"), stored, 0, tuple(2, 3), tuple(3, 1));
    const error = await failure(readZip(zipForm(stateDict({ w: rebuild }), [six])));
    expect(error.message).toMatch(/expected a reference to a storage/);
  });
});

describe("an old file", () => {
  const good = oldForm(one(), [six]);

  it("with another magic number, version or system is refused", async () => {
    const other = await failure(readOld(pickled(dict({ w: 1 }))));
    expect(other.message).toMatch(
      /expected a file that torch.save wrote, found a pickle that torch.save did not write/,
    );
    const version = code(pickled(0x1950a86a20f9469cfc6cn), pickled(1002));
    expect((await failure(readOld(version))).message).toMatch(/protocol 1002/);
    const system = code(pickled(0x1950a86a20f9469cfc6cn), pickled(1001), pickled(1));
    expect((await failure(readOld(system))).code).toBe("FILE_CORRUPT");
  });

  it("that is cut off anywhere, or goes on, is refused", async () => {
    for (let length = 0; length < good.length; length++) {
      expect((await failure(readOld(good.subarray(0, length)))).code, String(length)).toBe("FILE_TRUNCATED");
    }
    expect((await failure(readOld(code(good, 0)))).message).toMatch(/1 bytes follow the last storage/);
  });

  it("whose list of storages does not fit is refused", async () => {
    const twice = oldForm(one(), [six, six]);
    expect((await failure(readOld(twice))).message).toMatch(/lists a storage twice/);
    const other = oldForm(one(), [six, ["9", 1, floats(1)]]);
    expect((await failure(readOld(other))).message).toMatch(/no tensor refers to/);
    const huge = good.slice();
    huge.fill(255, huge.length - 32, huge.length - 24);
    expect((await failure(readOld(huge))).code).toBe("FILE_TRUNCATED");
  });

  it("of the first form, a tar archive, is refused by name", async () => {
    const tar = new Uint8Array(1024);
    tar.set(code("ustar"), 257);
    expect((await failure(readOld(tar))).message).toMatch(/found a tar archive, PyTorch's first form/);
  });

  it("that asks for os.system anywhere is refused by name", async () => {
    const attack: Raw = { raw: code("cposix\nsystem\n(", body("true"), "tR") };
    for (const bytes of [oldForm(attack, []), pickled(attack), zipForm(attack, [])]) {
      const promise = bytes[0] === 0x50 ? readZip(bytes) : readOld(bytes);
      expect((await failure(promise)).fields["global"]).toBe("posix.system");
    }
  });
});

describe("TorchScript", () => {
  const more = [["archive/constants.pkl", pickled([])] as const, ["archive/code/x.py", code("def f")] as const];

  it("is read if it holds only tensors", async () => {
    const file = await readZip(zipForm(one(), [six], { more }));
    expect(file.format).toBe("TorchScript");
    expect(valuesOf(file)).toEqual(expectSix);
  });

  it("is refused by name if it holds a module", async () => {
    const object: Raw = { raw: code("c__torch__.model\nMobileNet\n)", 0x81, "}b") };
    const error = await failure(readZip(zipForm(object, [six], { more })));
    expect(error.code).toBe("FORMAT_UNKNOWN");
    expect(error.message).toMatch(/asks for __torch__\.model\.MobileNet; .* It is TorchScript, a program/);
  });
});

it("an archive with two objects, or none, is none of PyTorch's", async () => {
  const two = zip([
    ["a/data.pkl", pickled(1)],
    ["b/data.pkl", pickled(1)],
  ]);
  expect((await failure(readZip(two))).message).toMatch(/expected one, found several/);
  expect(isTorchArchive(await openZip(zip([["config.json", code("{}")]]), "x", context(MAX)))).toBe(false);
  expect(isTorchArchive(await openZip(zip([["a/b/data.pkl", code()]]), "x", context(MAX)))).toBe(false);
});
