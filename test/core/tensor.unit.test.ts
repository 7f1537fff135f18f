/** What becomes a tensor, and what is refused because its numbers would be none. */

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { asFloat, type Tensor, tensor } from "../../src/core/tensor.ts";
import { relu } from "../../src/eager/index.ts";

function refusal(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
const make = (data: unknown, shape: unknown) => refusal(() => tensor(data as number[], shape as number[]));

const transferred = (data: ArrayBufferView) => {
  structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
  return data;
};
/** One realm's arrays are no instances of another's classes. */
const ofAnotherRealm = (code: string): never => runInNewContext(code) as never;

describe("tensor takes", () => {
  it("numbers of every kind, NaN and infinity among them", () => {
    expect([...tensor([1, Number.NaN, -Infinity, -0, 0.1], [5]).data]).toEqual([
      1,
      Number.NaN,
      -Infinity,
      -0,
      Math.fround(0.1),
    ]);
    expect(tensor([], [0, 7]).data).toHaveLength(0);
  });

  it.each(["Float32Array", "Int32Array", "Uint8Array"])(
    "a %s of another realm as one of this, over the same memory",
    (type) => {
      const theirs = ofAnotherRealm(`new ${type}([9, 1, 2]).subarray(1)`) as Uint8Array;
      const { data, dtype } = tensor(theirs, [2]);
      expect(data).toBeInstanceOf(globalThis[type as "Uint8Array"]);
      expect(dtype).toBe(type.replace("Array", "").toLowerCase());
      theirs[0] = 5;
      expect([...data]).toEqual([5, 2]);
    },
  );

  it("an array of another realm", () => {
    expect([...tensor(ofAnotherRealm("[1, 2]"), ofAnotherRealm("[2]")).data]).toEqual([1, 2]);
  });

  it("a view of a part of a buffer, which stays the same memory", () => {
    const memory = new Float32Array([1, 2, 3, 4]);
    const part = memory.subarray(1, 3);
    expect(tensor(part, [2]).data).toBe(part);
  });
});

describe("tensor names the element that is no number:", () => {
  it.each<[string, unknown, RegExp]>([
    ["strings", ["a", "b"], /tensor: data\[0\]: expected a number, found "a"/],
    ["a digit as a string", [1, "2"], /data\[1\].*found "2"/],
    ["a hole", Object.assign([1], { 2: 3 }), /data\[1\].*found undefined/],
    ["a bigint", [1n], /data\[0\].*found 1/],
    ["a boolean", [0, 1, true], /data\[2\].*found true/],
    ["null", [null], /data\[0\].*found null/],
    ["a symbol", [Symbol("s")], /data\[0\].*Symbol/],
    ["rows", [[1, 2]], /data\[0\].*flat/],
    ["an object", [{ valueOf: () => 1 }], /data\[0\].*an object/],
  ])("%s", (_what, data, message) => {
    const error = make(data, [2]);
    expect(error).toMatchObject({ code: "DTYPE_MISMATCH" });
    expect(String(error)).toMatch(message);
  });
});

describe("tensor refuses", () => {
  it("four thousand million holes before it makes room for them", () => {
    expect(make(new Array(2 ** 32 - 1), [2 ** 32 - 1])).toMatchObject({ code: "DTYPE_MISMATCH" });
  });

  it.each<[string, unknown]>([
    ["an ArrayBuffer", new ArrayBuffer(8)],
    ["a DataView", new DataView(new ArrayBuffer(8))],
    ["a Set", new Set([1, 2])],
    ["a generator", (function* () {})()],
    ["an object like an array", { 0: 1, 1: 2, length: 2 }],
    ["a Float64Array", new Float64Array(2)],
    ["a Uint8ClampedArray", new Uint8ClampedArray(2)],
    ["a BigInt64Array", new BigInt64Array(2)],
    ["a Float64Array of another realm", ofAnotherRealm("new Float64Array(2)")],
    ["an object that calls itself Float32Array", { [Symbol.toStringTag]: "Float32Array", length: 2 }],
    ["a string", "12"],
    ["nothing", undefined],
    ["null", null],
    ["a promise", Promise.resolve([1, 2])],
    ["a tensor", tensor([1, 2], [2])],
    ["an object without a prototype", Object.create(null)],
  ])("%s in place of numbers", (_what, data) => {
    expect(make(data, [2])).toMatchObject({ code: "DTYPE_MISMATCH", message: expect.stringContaining("tensor: data") });
  });

  it.each<[string, unknown]>([
    ["no shape", undefined],
    ["a number", 2],
    ["a hole", Object.assign([], { 1: 2 })],
    ["a side below 0", [-2]],
    ["a side that is no integer", [0.5, 4]],
    ["a string", ["2"]],
    ["a symbol", [Symbol("s")]],
    ["an object without a prototype", Object.create(null)],
    ["more elements than can be counted", [2 ** 30, 2 ** 30]],
    ["a product that overflows, hidden by a 0", [...new Array(20).fill(2 ** 53 - 1), 0]],
  ])("%s as a shape", (_what, shape) => {
    expect(make([1, 2], shape)).toMatchObject({
      code: "OPTION_INVALID",
      message: expect.stringContaining("tensor: shape"),
    });
  });

  it("an array whose buffer was transferred, and says so, even where nothing was wanted of it", () => {
    for (const shape of [[2], [0]]) {
      const error = make(transferred(new Float32Array(2)), shape);
      expect(error).toMatchObject({ code: "SHAPE_MISMATCH" });
      expect(String(error)).toMatch(/transferred/);
    }
  });
});

describe("an eager operation refuses a tensor", () => {
  it.each<[string, (x: Tensor) => unknown]>([
    ["relu", relu],
    ["asFloat", (x) => asFloat(x, "x")],
  ])(
    "%s: whose buffer was transferred or shrank, whose shape is none, whose data are of another type",
    (_name, call) => {
      const gone = tensor(new Float32Array(2), [2]);
      transferred(gone.data);
      expect(String(refusal(() => call(gone)))).toMatch(/SHAPE_MISMATCH|transferred/);
      const resizable = ofAnotherRealm("new ArrayBuffer(8, { maxByteLength: 16 })") as ArrayBuffer & {
        resize(bytes: number): void;
      };
      const tracking = tensor(new Float32Array(resizable), [2]);
      resizable.resize(16);
      expect(refusal(() => call(tracking))).toMatchObject({ code: "SHAPE_MISMATCH" });
      resizable.resize(0);
      expect(refusal(() => call(tracking))).toMatchObject({ code: "SHAPE_MISMATCH" });
      const data = new Float32Array(4);
      for (const shape of [[-2, -2], [1.6, 2.5], [2, "2"], Object.assign([], { 1: 4 }), [[4]]]) {
        expect(refusal(() => call({ dtype: "float32", shape, data } as never))).toMatchObject({
          code: "SHAPE_MISMATCH",
        });
      }
      for (const dtype of [Symbol("s"), Object.create(null), "float64", null]) {
        expect(refusal(() => call({ dtype, shape: [4], data } as never))).toMatchObject({ code: "DTYPE_MISMATCH" });
      }
      expect(String(refusal(() => call({ dtype: "float32", shape: [4], data: new Int32Array(4) } as never)))).toMatch(
        /found Int32Array/,
      );
    },
  );
});
