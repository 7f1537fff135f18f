/** What a value is, of whatever realm; memory that is asked for; numbers that are the same everywhere. */

import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { bytesOf, isDetached } from "../../src/core/buffers.ts";
import { allocated, checkBytes, MOST_BYTES, refusal } from "../../src/core/memory.ts";
import { concatenate, MOST_EMPTY, Parts } from "../../src/core/parts.ts";
import { mulberry32 } from "../../src/core/random.ts";
import {
  className,
  isArrayBuffer,
  isBlob,
  isError,
  isFileList,
  isFloat32Array,
  isMap,
  isReadableStream,
  isSharedBuffer,
  isUint8Array,
  isURL,
  systemCode,
  typedArray,
} from "../../src/core/realms.ts";
import { asFloat, elementCount, sameShape, shapeText, tensor } from "../../src/core/tensor.ts";
import { onAbort, untilAborted } from "../../src/core/until-aborted.ts";
import { columnWidth, harmless, visible } from "../../src/core/visible.ts";

const foreign = (code: string): unknown => runInNewContext(code);
const tagged = (tag: string, members: object = {}) => Object.assign(members, { [Symbol.toStringTag]: tag });
const transferred = (buffer: ArrayBuffer) => {
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
};

describe("a value is told by what it is", () => {
  const shared = new SharedArrayBuffer(4);
  const stream = new ReadableStream();

  it.each<[string, (value: unknown) => boolean, is: readonly unknown[], isNot: readonly unknown[]]>([
    [
      "an ArrayBuffer",
      isArrayBuffer,
      [new ArrayBuffer(1), foreign("new ArrayBuffer(1)")],
      [shared, new Uint8Array(1), null, undefined, tagged("ArrayBuffer", { byteLength: 1 })],
    ],
    [
      "a SharedArrayBuffer",
      isSharedBuffer,
      [shared, foreign("new SharedArrayBuffer(1)")],
      [new ArrayBuffer(1), null, tagged("SharedArrayBuffer", { byteLength: 1 })],
    ],
    ["a Map", isMap, [new Map(), foreign("new Map()")], [new Set(), {}, null, tagged("Map", { size: 1 })]],
    [
      "a Uint8Array",
      isUint8Array,
      [new Uint8Array(1), foreign("new Uint8Array(1)"), Buffer.from("x")],
      [new Uint8ClampedArray(1), new DataView(new ArrayBuffer(1)), tagged("Uint8Array"), null],
    ],
    [
      "a Float32Array",
      isFloat32Array,
      [new Float32Array(1), foreign("new Float32Array(1)")],
      [new Float64Array(1), tagged("Float32Array"), undefined],
    ],
    ["a URL", isURL, [new URL("a:b"), tagged("URL", { href: "a:b" })], ["a:b", { href: "a:b" }, tagged("URL"), null]],
    [
      "a Blob",
      isBlob,
      [new Blob([]), new File([], "f"), tagged("Blob", { size: 1 }), tagged("File", { size: 1 })],
      [tagged("Blob"), tagged("Blobs", { size: 1 }), tagged("MyFile", { size: 1 }), { size: 1 }, null],
    ],
    ["a FileList", isFileList, [tagged("FileList")], [[], null]],
    [
      "a ReadableStream",
      isReadableStream,
      [stream, tagged("ReadableStream", { getReader() {} })],
      [tagged("ReadableStream"), { getReader() {} }, null],
    ],
    [
      "an Error",
      isError,
      [new Error("x"), new TypeError("x"), foreign("new Error('x')"), foreign("new RangeError('x')")],
      [{ message: "x" }, "x", null],
    ],
  ])("%s", (_, test, is, isNot) => {
    expect(is.map(test)).toEqual(is.map(() => true));
    expect(isNot.map(test)).toEqual(isNot.map(() => false));
  });

  it("where there are no Blobs and no shared memory", () => {
    vi.stubGlobal("Blob", undefined);
    vi.stubGlobal("SharedArrayBuffer", undefined);
    try {
      expect([isBlob(tagged("Blob", { size: 1 })), isBlob({}), isSharedBuffer(shared)]).toEqual([true, false, false]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("a subclass of Blob is one, whatever it calls itself", () => {
    class Mine extends Blob {
      get [Symbol.toStringTag]() {
        return "Mine";
      }
    }
    expect(isBlob(new Mine())).toBe(true);
  });

  it("an error of the system has its code", () => {
    expect(systemCode(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe("ENOENT");
    expect(systemCode(Object.assign(foreign("new Error('x')") as Error, { code: "EACCES" }))).toBe("EACCES");
    for (const other of [new Error("x"), Object.assign(new Error("x"), { code: 5 }), { code: "ENOENT" }, null]) {
      expect(systemCode(other)).toBeUndefined();
    }
  });

  it("has the name of its class", () => {
    expect([[], null, undefined, new Float32Array(1), foreign("new Date()"), 5].map(className)).toEqual([
      "Array",
      "Null",
      "Undefined",
      "Float32Array",
      "Date",
      "Number",
    ]);
  });

  it("a typed array says its kind and length itself", () => {
    class Liar extends Float32Array {
      override get length() {
        return 9;
      }
    }
    expect(typedArray(new Liar(2))).toEqual({ kind: "Float32Array", length: 2 });
    expect(typedArray(foreign("new Int8Array(3)"))).toEqual({ kind: "Int8Array", length: 3 });
    for (const other of [new DataView(new ArrayBuffer(1)), [], null, tagged("Float32Array")])
      expect(typedArray(other)).toBeUndefined();
  });
});

describe("a buffer", () => {
  it("is detached once it was transferred, not when it is empty", () => {
    expect([new ArrayBuffer(1), new ArrayBuffer(0), new SharedArrayBuffer(0)].map(isDetached)).toEqual([
      false,
      false,
      false,
    ]);
    expect([transferred(new ArrayBuffer(1)), transferred(new ArrayBuffer(0))].map(isDetached)).toEqual([true, true]);
  });

  it("gives the bytes of whoever looks at it", () => {
    const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect([...bytesOf("read", buffer)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...bytesOf("read", new Uint16Array(buffer, 2, 2))]).toEqual([3, 4, 5, 6]);
    expect(bytesOf("read", new DataView(buffer, 7)).buffer).toBe(buffer);
  });

  it("that went is refused by the name of the call", () => {
    const view = new Uint8Array(4);
    transferred(view.buffer);
    const message = expect.stringMatching(
      /^read: bytes: expected a buffer that is there, found "one that was transferred"\. Pass/,
    );
    for (const gone of [view.buffer, view]) {
      expect(() => bytesOf("read", gone)).toThrow(expect.objectContaining({ code: "OPTION_INVALID", message }));
    }
  });
});

describe("memory", () => {
  it("of 4 GiB may be asked for, and not a byte more", () => {
    expect(MOST_BYTES).toBe(4_294_967_296);
    expect(() => checkBytes("plan", MOST_BYTES, "Less.")).not.toThrow();
    expect(() => checkBytes("plan", MOST_BYTES + 1, "Less.", { batch: 7 })).toThrow(
      expect.objectContaining({
        code: "MEMORY_EXCEEDED",
        message: "plan: expected at most 4,294,967,296 bytes, found 4,294,967,297. Less. Nothing was allocated.",
        fields: { bytes: MOST_BYTES + 1, batch: 7 },
      }),
    );
    expect(() => checkBytes("plan", Infinity, "Less.")).toThrow(
      expect.objectContaining({ fields: { bytes: Infinity } }),
    );
  });

  it("that the system refuses is an error with a name, any other error what it was", () => {
    expect(allocated("kernel", 4, "Less.", () => "made")).toBe("made");
    const cause = new RangeError("Array buffer allocation failed");
    const throwing = (error: unknown) => () =>
      allocated("kernel", 4000, "Less.", () => {
        throw error;
      });
    expect(throwing(cause)).toThrow(
      expect.objectContaining({
        code: "MEMORY_EXCEEDED",
        message: "kernel: the system refused 4,000 bytes. Less.",
        fields: { bytes: 4000 },
        cause,
      }),
    );
    const other = new TypeError("something else");
    expect(throwing(other)).toThrow(other);
    expect(refusal(other, "kernel", 4, "Less.")).toBe(other);
    expect(refusal(cause, "kernel", 4, "Less.", { batch: 2 })).toMatchObject({ fields: { bytes: 4, batch: 2 } });
  });
});

describe("random numbers", () => {
  it("are mulberry32's", () => {
    const first = (seed: number) => {
      const random = mulberry32(seed);
      return [random(), random(), random()].map((value) => value * 2 ** 32);
    };
    expect(first(0)).toEqual([1144304738, 1416247, 958946056]);
    expect(first(1)).toEqual([2693262067, 11749833, 2265367787]);
    expect(first(-1)).toEqual(first(2 ** 32 - 1));
  });
});

describe("parts of a body", () => {
  it("are one body, whatever their sizes", () => {
    const parts = new Parts();
    const expected: number[] = [];
    for (const size of [1, 1, 1, 5, 0, 3, 70_000, 1, 70_000, 2, 2, 9]) {
      const part = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size + expected.length) % 251);
      parts.add(part);
      for (const byte of part) expected.push(byte);
      expect(parts.length).toBe(expected.length);
    }
    expect([...parts.joined()]).toEqual(expected);
    expect(parts.empty).toBeUndefined();
  });

  it("without a byte may be many in a row, not any number", () => {
    const parts = new Parts();
    const nothing = new Uint8Array();
    for (let i = 0; i < MOST_EMPTY; i++) parts.add(nothing);
    expect(parts.empty).toBeUndefined();
    parts.add(nothing);
    expect(parts.empty).toBe(MOST_EMPTY + 1);
    parts.add(Uint8Array.of(1));
    expect(parts.empty).toBeUndefined();
    expect([parts.length, ...parts.joined()]).toEqual([1, 1]);
  });

  it("are held as few, whatever they are, and large ones as they came", () => {
    const copies = vi.spyOn(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array, "set");
    const held = (...sizes: readonly number[]) => {
      const parts = new Parts();
      for (const size of sizes) parts.add(new Uint8Array(size));
      copies.mockClear();
      expect(parts.joined()).toHaveLength(sizes.reduce((sum, size) => sum + size, 0));
      return copies.mock.calls.length;
    };
    try {
      // As many as the number has ones.
      expect(held(...new Array<number>(0b1011_0110_1101).fill(1))).toBe(8);
      expect(held(3, 0, 0, 2, 0)).toBe(2);
      expect(held(2 ** 15, 2 ** 15)).toBe(1);
      expect(held(2 ** 15, 2 ** 15 + 1)).toBe(2);
      expect(held(70_000, 70_000, 1, 1)).toBe(3);
    } finally {
      copies.mockRestore();
    }
  });

  it("let others have their turn after more than fifty milliseconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
    try {
      const parts = new Parts();
      const turn = async (passed: number) => {
        vi.advanceTimersByTime(passed);
        const done = parts.turn(undefined);
        const waiting = vi.getTimerCount();
        vi.advanceTimersByTime(1);
        await done;
        return waiting;
      };
      expect([await turn(50), await turn(50), await turn(49), await turn(50)]).toEqual([0, 1, 0, 1]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are concatenated in order", () => {
    expect([...concatenate([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)], 3)]).toEqual([1, 2, 3]);
  });

  it("let an abort come in between, once in a while", async () => {
    const parts = new Parts();
    const started = performance.now();
    let turns = 0;
    const timer = setTimeout(() => turns++, 0);
    for (let i = 0; i < 3; i++) await parts.turn(undefined);
    if (performance.now() - started < 40) expect(turns).toBe(0);
    for (const end = performance.now() + 60; performance.now() < end; );
    await parts.turn(undefined);
    expect(turns).toBe(1);
    clearTimeout(timer);
    for (const end = performance.now() + 60; performance.now() < end; );
    const reason = new Error("enough");
    await expect(parts.turn(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("a wait", () => {
  it("ends with the work, or with the signal, whichever is first", async () => {
    expect(await untilAborted(Promise.resolve(5), undefined)).toBe(5);
    const controller = new AbortController();
    expect(await untilAborted(Promise.resolve(5), controller.signal)).toBe(5);
    const never = untilAborted(new Promise<never>(() => {}), controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(never).rejects.toBe(reason);
    await expect(untilAborted(new Promise<never>(() => {}), controller.signal)).rejects.toBe(reason);
    const failing = untilAborted(Promise.reject(reason), new AbortController().signal);
    await expect(failing).rejects.toBe(reason);
  });

  it("of many on one signal is one listener, gone with the last", async () => {
    const { signal } = new AbortController();
    const listeners: string[] = [];
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...all: Parameters<typeof addEventListener>) => {
      listeners.push("+");
      addEventListener.apply(signal, all);
    };
    signal.removeEventListener = (...all: Parameters<typeof removeEventListener>) => {
      listeners.push("-");
      removeEventListener.apply(signal, all);
    };
    const callback = () => {};
    const [first, second] = [onAbort(signal, callback), onAbort(signal, callback)];
    expect(listeners.join("")).toBe("+");
    first();
    expect(listeners.join("")).toBe("+");
    second();
    expect(listeners.join("")).toBe("+-");
    onAbort(signal, callback)();
    expect(listeners.join("")).toBe("+-+-");
    await untilAborted(Promise.resolve(), signal);
    expect(listeners.join("")).toBe("+-+-+-");
  });

  it("calls back each that waits, those that gave up not, and at once where it is over", () => {
    const controller = new AbortController();
    const called: string[] = [];
    const wait = (name: string) => onAbort(controller.signal, () => called.push(name));
    wait("a");
    wait("b")();
    wait("c");
    expect(called).toEqual([]);
    controller.abort();
    expect(called).toEqual(["a", "c"]);
    const forget = wait("d");
    expect(called).toEqual(["a", "c", "d"]);
    expect(forget).not.toThrow();
  });
});

describe("a tensor", () => {
  it("has a shape, of which the elements are counted", () => {
    expect([[], [0], [2, 3], [1, 224, 224, 3]].map(elementCount)).toEqual([1, 0, 6, 150_528]);
    expect(shapeText([1, 2])).toBe("[1, 2]");
    const hole = Object.assign([], { 1: 2 }) as number[];
    const same = [
      [[], []],
      [
        [1, 2],
        [1, 2],
      ],
      [
        [1, 2],
        [1, 3],
      ],
      [[1, 2], [1]],
      [[1], [1, 2]],
      [hole, [1, 2]],
    ] as const;
    expect(same.map(([a, b]) => sameShape(a, b))).toEqual([true, true, false, false, false, false]);
  });

  it("of another realm whose buffer went is refused as one of this", () => {
    const theirs = foreign("new Float32Array(2)") as Float32Array<ArrayBuffer>;
    transferred(theirs.buffer);
    expect(() => tensor(theirs, [2])).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
  });

  it("is its numbers and its own shape", () => {
    const shape = [2, 1];
    const made = tensor([1, 2], shape);
    shape[0] = 9;
    expect(made).toEqual({ dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 2) });
    expect([Float32Array, Int32Array, Uint8Array].map((Kind) => tensor(new Kind(1), [1]).dtype)).toEqual([
      "float32",
      "int32",
      "uint8",
    ]);
    expect(tensor([5], [])).toMatchObject({ shape: [] });
    expect(asFloat(made, "x")).toBe(made);
  });

  it.each<[string, () => unknown, string, object, RegExp]>([
    [
      "of a shape that is none",
      () => tensor([1], [-1]),
      "OPTION_INVALID",
      { shape: [-1] },
      /^tensor: shape: .*found \[-1\]\. Pass the sides/,
    ],
    [
      "of too few numbers",
      () => tensor([1, 2], [3]),
      "SHAPE_MISMATCH",
      { shape: [3], expected: 3, found: 2 },
      /^tensor of shape \[3\]: expected 3 elements, found 2\./,
    ],
    [
      "of text",
      () => tensor(["1"] as never, [1]),
      "DTYPE_MISMATCH",
      { index: 0, found: "1" },
      /found "1"\. Convert it first\.$/,
    ],
    ["of rows", () => tensor([[1]] as never, [1]), "DTYPE_MISMATCH", { index: 0, found: [1] }, /rows\.flat\(\)\.$/],
    [
      "of doubles",
      () => tensor(new Float64Array(1) as never, [1]),
      "DTYPE_MISMATCH",
      {},
      /found Float64Array\. Convert it first, for example/,
    ],
    [
      "that is null",
      () => asFloat(null as never, "x"),
      "DTYPE_MISMATCH",
      {},
      /^x: expected a tensor \{ dtype, shape, data \}, found null\. Make one/,
    ],
    ["that is text", () => asFloat("x" as never, "x"), "DTYPE_MISMATCH", {}, /found string/],
    [
      "without numbers",
      () => asFloat({ dtype: "float32", shape: [1] } as never, "x"),
      "DTYPE_MISMATCH",
      {},
      /found object/,
    ],
    [
      "without a shape",
      () => asFloat({ dtype: "float32", data: new Float32Array(1) } as never, "x"),
      "DTYPE_MISMATCH",
      {},
      /found object/,
    ],
    [
      "of integers",
      () => asFloat(tensor(new Int32Array(1), [1]), "x"),
      "DTYPE_MISMATCH",
      { expected: "float32", found: "int32" },
      /^x: expected float32, found int32\. Convert the values first/,
    ],
    [
      "of integers that say they are float32",
      () => asFloat({ dtype: "float32", shape: [1], data: new Int32Array(1) } as never, "x"),
      "DTYPE_MISMATCH",
      { found: "float32" },
      /found Int32Array/,
    ],
    [
      "of a type that is a number",
      () => asFloat({ dtype: 5, shape: [1], data: new Float32Array(1) } as never, "x"),
      "DTYPE_MISMATCH",
      { found: 5 },
      /found 5/,
    ],
    [
      "of another count",
      () => asFloat({ dtype: "float32", shape: [2], data: new Float32Array(1) }, "x"),
      "SHAPE_MISMATCH",
      {},
      /^x: expected as many elements as shape \[2\] says, found 1\. Make tensors/,
    ],
    [
      "of a shape that cannot be counted",
      () => asFloat({ dtype: "float32", shape: [0.5, 2], data: new Float32Array(1) }, "x"),
      "SHAPE_MISMATCH",
      {},
      /shape \[0\.5, 2\] says/,
    ],
  ])("%s is refused", (_, call, code, fields, message) => {
    expect(call).toThrow(
      expect.objectContaining({
        code,
        fields: expect.objectContaining(fields),
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe("text for a terminal", () => {
  it("is set as wide as the widest of its column, a hundred letters at most", () => {
    expect([columnWidth([]), columnWidth(["a", "abc", "ab"]), columnWidth(["x".repeat(200), "a"])]).toEqual([
      0, 3, 100,
    ]);
  });

  it("writes out what a terminal would obey, once", () => {
    expect(harmless("a\u001b[2J\u202e")).toBe("a\\u{1b}[2J\\u{202e}");
    expect(harmless(harmless("\u001b"))).toBe("\\u{1b}");
    expect(visible("\\u{1b}")).toBe("\\u{5c}u{1b}");
  });
});
