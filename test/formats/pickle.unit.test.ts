/** @slow: it takes 3 seconds. */

/** The restricted reader of pickles: Python's own output in every protocol, then every way to be hostile. */

import { describe, expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { unpickle } from "../../src/formats/pytorch/pickle.ts";
import type { PickleValue } from "../../src/formats/pytorch/pickle-values.ts";
import { NUMPY_PICKLE, PYTHON_PICKLES } from "../fixtures/python-pickles.ts";
import { body, code, pickled, u16, u32, u64 } from "../writers/torch.ts";

const MAX = 2 ** 31;
const MIB = 2 ** 20;
const read = (bytes: Uint8Array, maxBytes = MAX) => unpickle(bytes, { file: "x.pth", maxBytes }).value;
const run = (...parts: Parameters<typeof code>) => read(code(...parts, "."));
const base64 = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

function failure(bytes: Uint8Array, maxBytes = MAX) {
  try {
    read(bytes, maxBytes);
  } catch (error) {
    if (isDepthwiseError(error)) return error;
    throw error;
  }
  throw new Error("The pickle was read.");
}
const refusal = (...parts: Parameters<typeof code>) => failure(code(...parts, "."));

describe("a pickle that Python wrote", () => {
  const list = [1, 2.5, -3, true, null, "é", code(0, 255), [1], [1, 2], [1, 2, 3], [], [1, 2, 3, 4]];

  it.each(PYTHON_PICKLES.map((text, protocol) => [protocol, text] as const))(
    "in protocol %i is the same plain data",
    (protocol, text) => {
      const value = read(base64(text)) as Map<string, PickleValue>;
      const namespace = value.get("ns");
      value.delete("ns");
      expect(value).toEqual(
        new Map<string, unknown>([
          ["a", list],
          ["big", 2n ** 70n],
          ["neg", -(2 ** 40)],
          ["i", 70000],
          ["set", [7]],
          [
            "od",
            new Map<string, unknown>([
              ["x", 1],
              ["y", new Map()],
            ]),
          ],
          ["f", 1e-5],
          ["inf", Number.NEGATIVE_INFINITY],
          ["same", list],
        ]),
      );
      expect(value.get("same"), "one list in two places").toBe(value.get("a"));
      expect(namespace).toMatchObject({
        type: "object",
        of: protocol < 2 ? "copyreg._reconstructor" : "argparse.Namespace",
        state: new Map<string, unknown>([
          ["lr", 0.1],
          ["arch", "m"],
        ]),
      });
    },
  );

  it("with numbers of numpy keeps them as data", () => {
    const value = read(base64(NUMPY_PICKLE)) as Map<string, PickleValue>;
    expect(value.get("best")).toMatchObject({
      of: "numpy._core.multiarray.scalar",
      args: [{ of: "numpy.dtype", args: ["f8", false, true] }, new Uint8Array(Float64Array.of(71.25).buffer)],
    });
    expect(value.get("arr")).toMatchObject({ of: "numpy._core.multiarray._reconstruct" });
  });
});

it("each literal opcode is read", () => {
  const cases: [Uint8Array, unknown][] = [
    [code("I01\n"), true],
    [code("I00\n"), false],
    [code("I-12\n"), -12],
    [code("L123456789012345678901L\n"), 123456789012345678901n],
    [code("F1e-05\n"), 1e-5],
    [code("F-inf\n"), Number.NEGATIVE_INFINITY],
    [code("Fnan\n"), Number.NaN],
    [code("S'a\\'\\n\\x41\\\\'\n"), "a'\nA\\"],
    [code('S"b"\n'), "b"],
    [code("Va\\u00e9\\U0001f600\n"), "aé😀"],
    [code("T", u32(2), "ab"), "ab"],
    [code("U", 2, [0xff, 0x41]), "\u00ffA"],
    [code(0x8c, 2, "ab"), "ab"],
    [code(0x8d, u64(2), "ab"), "ab"],
    [code("B", u32(2), "ab"), code("ab")],
    [code("C", 2, "ab"), code("ab")],
    [code(0x8e, u64(2), "ab"), code("ab")],
    [code(0x96, u64(2), "ab"), code("ab")],
    [code("J", u32(0xffffffff)), -1],
    [code("M", u16(65535)), 65535],
    [code(0x8a, 0), 0],
    [code(0x8a, 1, 255), -1],
    [code(0x8a, 8, [0, 0, 0, 0, 0, 0, 0, 128]), -(2n ** 63n)],
    [code(0x8b, u32(2), [0, 1]), 256],
  ];
  for (const [bytes, value] of cases) expect(run(bytes), String(bytes)).toEqual(value);
});

it("each structural opcode is read", () => {
  const cases: [Uint8Array, unknown][] = [
    [code("(K", 1, "K", 2, "l"), [1, 2]],
    [code("(K", 1, "K", 2, "d"), new Map([[1, 2]])],
    [code("K", 1, "K", 2, "0"), 1],
    [code("K", 1, "(0"), 1],
    [code("K", 1, "(K", 2, "1"), 1],
    [code("K", 1, "2", 0x86), [1, 1]],
    [code("(K", 1, 0x91), [1]],
    [code(0x8f, "(K", 1, 0x90), [1]],
    [code("]p5\n0g5\n"), []],
    [code("]r", u32(4e9), "0j", u32(4e9)), []],
    [code("K", 7, 0x94, 0x94, "0h", 1), 7],
    [code(0x95, u64(3), "K", 1), 1],
    [code("ccollections\nOrderedDict\n](K", 1, "K", 2, 0x86, "e", 0x85, "R"), new Map([[1, 2]])],
    [code("ctorch\nSize\n(K", 2, "K", 3, "t", 0x85, "R"), [2, 3]],
    [code("c_codecs\nencode\nX", u32(3), "aÿ", "X", u32(6), "latin1", 0x86, "R"), code(0x61, 0xff)],
    [code("cbuiltins\nbytearray\n)R"), code()],
    [code("ccollections\nOrderedDict\n)R}b"), new Map()],
    [code("(iargparse\nNamespace\n"), { type: "object", of: "argparse.Namespace", args: [], state: undefined }],
    [code("(cargparse\nNamespace\no"), { type: "object", of: "argparse.Namespace", args: [], state: undefined }],
    [
      code("cargparse\nNamespace\n)}", 0x92),
      { type: "object", of: "argparse.Namespace", args: [[], new Map()], state: undefined },
    ],
    [code(0x8c, 5, "torch", 0x8c, 7, "float32", 0x93), { type: "global", name: "torch.float32" }],
    [code("Psome id\n"), { type: "persistent", id: "some id" }],
    [code("NQ"), { type: "persistent", id: null }],
    [code("](K", 1, "eQ"), { type: "persistent", id: [1] }],
  ];
  for (const [bytes, value] of cases) expect(run(bytes), String(bytes)).toEqual(value);
});

describe("a hostile pickle", () => {
  it.each([
    ["os.system", code("cos\nsystem\n(X", u32(2), "ls", "tR")],
    ["posix.system", code("cposix\nsystem\n(X", u32(2), "ls", "tR")],
    ["nt.system", code("cnt\nsystem\n(X", u32(2), "ls", "tR")],
    ["builtins.eval", code("cbuiltins\neval\n(X", u32(1), "1", "tR")],
    ["builtins.exec", code("c__builtin__\nexec\n(X", u32(1), "1", "tR")],
    ["builtins.getattr", code("cbuiltins\ngetattr\n")],
    ["subprocess.Popen", code("(isubprocess\nPopen\n")],
    ["os.system", code("(cos\nsystem\nX", u32(2), "ls", "o")],
    ["os.system", code("X", u32(2), "os", "X", u32(6), "system", 0x93)],
    ["posix.system", code("cposix\nsystem\n)", 0x81)],
    ["posix.system", code("cposix\nsystem\n)}", 0x92)],
    ["runpy._run_code", code("crunpy\n_run_code\n")],
    ["torch.hub.load", code("ctorch.hub\nload\n")],
    ["torch.utils.cpp_extension.load_inline", code("ctorch.utils.cpp_extension\nload_inline\n")],
  ])("that asks for %s is refused by name and not to be trusted", (name, bytes) => {
    const error = refusal(bytes);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.fields["global"]).toBe(name);
    expect(error.message).toBe(
      `x.pth: the pickle asks for ${name}; only tensors and plain data are read, nothing in a pickle is ever ` +
        "executed. A file of weights has no reason to ask for it: do not trust this file. Nothing was loaded.",
    );
  });

  it("that holds a whole model is refused by the name of its class, with advice", () => {
    const error = refusal("cmodels.mobilenet\nMobileNet\n)", 0x81, "}b");
    expect(error.code).toBe("FORMAT_UNKNOWN");
    expect(error.message).toMatch(/asks for models\.mobilenet\.MobileNet; .* save model\.state_dict\(\)/);
  });

  it("that asks for a name of a class on the list, or of a long or strange one, is refused", () => {
    expect(refusal("ccollections\nOrderedDict.__init__\n").fields["global"]).toBe("collections.OrderedDict.__init__");
    expect(refusal(`c${"m".repeat(5000)}\nx\n`).message.length).toBeLessThan(600);
    expect(refusal("ca\u001b[31m\nb\n").message).not.toContain("\u001b");
    expect(refusal("c__proto__\n__proto__\n").code).toBe("FORMAT_UNKNOWN");
    expect(refusal("cconstructor\ntoString\n").code).toBe("FORMAT_UNKNOWN");
  });

  it.each([
    ["extension 7", [0x82, 7], /number 7 of Python's registry of extensions/],
    ["extension 300", [0x83, ...u16(300)], /number 300/],
    ["extension 70000", [0x84, ...u32(70000)], /number 70000/],
    ["a buffer outside", [0x97], /buffer outside/],
    ["a read-only buffer", [0x98], /buffer outside/],
    ["an opcode there is not", [0xff], /0xff for an opcode/],
    ["protocol 6", [0x80, 6], /protocol 6/],
  ])("of %s is refused", (_, bytes, message) => {
    const error = refusal(bytes);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toMatch(message);
  });

  it("that calls, or gives a state to, what is no class of the list is refused", () => {
    expect(refusal("K", 1, ")R").message).toMatch(/calls what is no name/);
    expect(refusal("cos.path\njoin\n)R").fields["global"]).toBe("os.path.join");
    expect(refusal("cargparse\nNamespace\n)RK", 1, ")R").message).toMatch(/calls what is no name/);
    expect(refusal("cargparse\nNamespace\n}R").message).toMatch(/no list of arguments/);
    expect(refusal("K", 1, "}b").message).toMatch(/gives a state to what is no object/);
    expect(refusal("ctorch\nSize\n}b").message).toMatch(/gives a state to what is no object/);
    expect(refusal("(o").message).toMatch(/calls what is no name/);
  });

  it("whose state asks for __setstate__ keeps it as data", () => {
    const value = run("cargparse\nNamespace\n)", 0x81, body(new Map([["__setstate__", "x"]])), "b");
    expect(value).toMatchObject({ state: new Map([["__setstate__", "x"]]) });
    const attack = refusal("cargparse\nNamespace\n)", 0x81, "}X", u32(12), "__setstate__", "cos\nsystem\nsb");
    expect(attack.fields["global"]).toBe("os.system");
  });

  it("of a thousand million laughs is small: what is remembered is shared", () => {
    // Each list holds the one before ten times.
    const level = (i: number) => code("]q", i, "(", ...Array.from({ length: 10 }, () => code("h", i - 1)), "e");
    const value = run("]q", 0, "X", u32(2), "ha", "a", ...Array.from({ length: 100 }, (_, i) => level(i + 1)));
    let inner = value;
    for (let i = 0; i < 100; i++) inner = (inner as PickleValue[])[9] ?? null;
    expect(inner).toEqual(["ha"]);
  });

  it("of lists that hold themselves is read", () => {
    const value = run("]q", 0, "h", 0, "a") as PickleValue[];
    expect(value[0]).toBe(value);
    const map = run("}q", 0, "X", u32(1), "a", "h", 0, "s") as Map<string, PickleValue>;
    expect(map.get("a")).toBe(map);
  });

  it("nested half a million deep is read without recursion, and a bit more is refused", () => {
    const nested = (depth: number) => code(new Uint8Array(depth).fill(0x5d), new Uint8Array(depth - 1).fill(0x61), ".");
    let value = read(nested(500_000));
    let depth = 0;
    for (; Array.isArray(value); value = value[0] ?? null) depth++;
    expect(depth).toBe(500_000);
    expect(failure(nested(2_000_000)).code).toBe("FILE_TOO_LARGE");
  });

  it("of millions of dicts, marks, copies or memories is refused before it fills the memory", () => {
    const many = (opcode: number | string, count = 3_000_000) =>
      new Uint8Array(count).fill(typeof opcode === "number" ? opcode : opcode.charCodeAt(0));
    expect(failure(many("}")).code).toBe("FILE_TOO_LARGE");
    expect(failure(many("(", 300_000), 1e6).code).toBe("FILE_TOO_LARGE");
    expect(failure(code("N", many(0x94, 100_000)), 1e6).code).toBe("FILE_TOO_LARGE");
    const copies = (callee: string, values: Uint8Array) =>
      code(
        callee,
        "q",
        0,
        "](",
        values,
        "eq",
        1,
        ...Array.from({ length: 3000 }, () => code("h", 0, "h", 1, 0x85, "R")),
      );
    expect(failure(copies("cbuiltins\nset\n", many("N", 100_000))).code).toBe("FILE_TOO_LARGE");
    const pairs = code(...Array.from({ length: 10_000 }, () => code("NN", 0x86)));
    expect(failure(copies("ccollections\nOrderedDict\n", pairs)).code).toBe("FILE_TOO_LARGE");
    const text = code("c_codecs\nencode\nq", 0, "X", u32(1e6), many("a", 1e6), "q", 1);
    const encode = code("h", 0, "h", 1, 0x85, "R");
    expect(failure(code(text, ...Array.from({ length: 200 }, () => encode))).code).toBe("FILE_TOO_LARGE");
  });

  it("may build less where maxBytes is less", () => {
    const dicts = code(new Uint8Array(40_000).fill(0x7d), ".");
    expect(read(dicts)).toEqual(new Map());
    expect(failure(dicts, 1e6).code).toBe("FILE_TOO_LARGE");
  });

  it.each([
    ["LONG1", code(0x8a, 255)],
    ["LONG4 within limits", code(0x8b, u32(900))],
    ["BINUNICODE", code("X", u32(0xffffffff))],
    ["BINUNICODE8", code(0x8d, u64(2 ** 60))],
    ["BINBYTES8", code(0x8e, new Uint8Array(8).fill(255))],
    ["BYTEARRAY8", code(0x96, u64(2 ** 40))],
    ["FRAME", code(0x95, u64(2 ** 50))],
    ["FRAME of 2^64 − 1", code(0x95, new Uint8Array(8).fill(255))],
    ["GLOBAL without an end", code("ctorch")],
  ])("whose %s claims more bytes than there are is cut off", (_, bytes) => {
    const error = refusal(bytes);
    expect(error.code).toBe("FILE_TRUNCATED");
    expect(error.message).toMatch(/more bytes than are there|breaks off/);
  });

  it.each([
    ["a whole number of 2 GB", code(0x8b, u32(0x7fffffff)), /whole number of 2147483647 bytes/],
    ["one of −1 bytes", code(0x8b, u32(0xffffffff)), /claims -1 bytes/],
    ["a decimal one of a megabyte", code("L", new Uint8Array(1e6).fill(0x39), "L\n"), /whole number that is none/],
    ["an integer of letters", code("Iabc\n"), /whole number that is none/],
    ["a float of letters", code("F0x10\n"), /number that is none/],
    ["text of −1 bytes", code("T", u32(0xffffffff)), /claims -1 bytes/],
    ["text without quotes", code("Sabc\n"), /without quotes/],
    ["text that is no UTF-8", code("X", u32(1), [255]), /not UTF-8/],
    ["an impossible character", code("V\\Uffffffff\n"), /impossible character/],
    ["bytes beyond Latin-1", code("c_codecs\nencode\n", body("€"), 0x85, "R"), /no Latin-1/],
    ["bytes of no text", code("c_codecs\nencode\nK", 1, 0x85, "R"), /no text/],
    ["a dict of no pairs", code("ccollections\nOrderedDict\n](K", 1, "e", 0x85, "R"), /no pairs/],
    ["a size of no list", code("ctorch\nSize\nK", 1, 0x85, "R"), /no list/],
  ])("with %s is refused", (_, bytes, message) => {
    const error = refusal(bytes);
    expect(error.code).toBe("FILE_CORRUPT");
    expect(error.message).toMatch(message);
  });

  it.each([
    ["stops with nothing", ""],
    ["pops from below a mark", "K\u0001(R"],
    ["takes a tuple from an empty stack", "\u0085"],
    ["looks for no mark", "t"],
    ["appends to nothing", "N"],
    ["recalls what it never remembered", "h\u0005"],
    ["recalls by no number", "gx\n"],
    ["remembers nothing", "q\u0000"],
    ["sets half an entry", "}(Nu"],
    ["sets an entry of a list", "]NNs"],
    ["adds to a dict", "}Na"],
    ["asks for a name that is no text", "NN\u0093"],
  ])("that %s is refused", (what, program) => {
    const bytes = Uint8Array.from(program, (character) => character.charCodeAt(0));
    const error = failure(what === "appends to nothing" ? code(bytes, "a.") : code(bytes, "."));
    expect(error.code).toBe("FILE_CORRUPT");
  });

  it("of every length of a cut is refused", () => {
    const bytes = pickled([1, "two", 3.5, 2n ** 70n]);
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(bytes.subarray(0, length)).code, String(length)).toBe("FILE_TRUNCATED");
    }
  });
});

it("a second pickle begins where the first ends", () => {
  const bytes = code(pickled("one"), pickled("two"), "rest");
  const { value, end } = unpickle(bytes, { file: "x", maxBytes: MAX });
  expect(value).toBe("one");
  expect(unpickle(bytes, { file: "x", maxBytes: MAX, start: end })).toMatchObject({
    value: "two",
    end: bytes.length - 4,
  });
});

describe("a line of text", () => {
  const letters = (count: number) => new Uint8Array(count).fill(0x61);

  it.each([
    ["the module of a GLOBAL", code("c", letters(1001), "\nx\n")],
    ["the name of a GLOBAL", code("ctorch\n", letters(1001), "\n")],
    ["the name of an INST", code("(itorch\n", letters(1001), "\n")],
    ["a persistent id", code("P", letters(1001), "\n")],
    ["a float", code("F", new Uint8Array(1001).fill(0x31), "\n")],
    ["an index", code("Np", new Uint8Array(1001).fill(0x31), "\n")],
  ])("that is %s of more than 1,000 letters is refused", (_, bytes) => {
    expect(refusal(bytes).code).toBe("FILE_CORRUPT");
  });

  it.each([
    ["with an impossible character at its end", code("V", letters(4 * MIB), "\\Uffffffff\n")],
    ["without quotes", code("S", letters(4 * MIB), "\n")],
    ["that is no UTF-8", code("X", u32(4 * MIB), letters(4 * MIB - 1), [255])],
  ])("%s is charged before it is decoded", (_, bytes) => {
    expect(failure(code(bytes, "."), MIB).code).toBe("FILE_TOO_LARGE");
  });

  // Letter by letter, each took three to seven seconds and sixty times its bytes.
  it("of megabytes is decoded soon", () => {
    const long = letters(9.5e6);
    const escapes = (pattern: string) => new Uint8Array(Buffer.alloc(9.5e6 - (9.5e6 % pattern.length), pattern));
    const start = process.cpuUsage();
    expect(run("S'", long, "'\n")).toHaveLength(9.5e6);
    expect(run("V", escapes("\\u0041"), "\n")).toHaveLength(Math.floor(9.5e6 / 6));
    expect(run("S'", escapes("\\x41"), "'\n")).toHaveLength(Math.floor(9.5e6 / 4));
    expect(run("T", u32(9.5e6), new Uint8Array(9.5e6).fill(0xff))).toHaveLength(9.5e6);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(4000);
  }, 60_000);

  it("with escapes at its end and across pieces is the text that was meant", () => {
    expect(run("V\\u20ac\\U0001f600\\u00e\\U0001\\\n")).toBe("€😀\\u00e\\U0001\\");
    expect(run("V\\ud83d\\ude00\n")).toBe("😀");
    expect(run("V", letters(8191), "\\U0001f600\\u20ac\n")).toBe(`${"a".repeat(8191)}😀€`);
    expect(run("S 'a\\x4g\\q\\xe9\\xc3' \n")).toBe("ax4gqé\u00c3");
    expect(run("S'", letters(20_000), "\\xff'\n")).toBe(`${"a".repeat(20_000)}ÿ`);
  });
});
