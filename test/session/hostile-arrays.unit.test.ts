/** Arrays that say of themselves what is not so: believed in nothing that the engine itself can tell. */

import { expect, it } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { toPixels } from "../../src/images/index.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile } from "../../src/session/compile.ts";

const COUNT = 32 * 32 * 3;
const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 10 });

class Liar extends Float32Array {
  override get length(): number {
    return COUNT;
  }
}
class Bigs extends BigInt64Array {}

const INPUTS: Readonly<Record<string, () => unknown>> = {
  "too short, and says it is not": () => new Liar(1),
  "too long, and says it is not": () => new Liar(50 * COUNT),
  "of bigints under another name": () => new Bigs(COUNT),
  "a view of bytes that calls itself an array": () =>
    Object.assign(new DataView(new ArrayBuffer(4 * COUNT)), { BYTES_PER_ELEMENT: 4, length: COUNT }),
};

it.each(Object.entries(INPUTS))("an input that is %s is refused", async (_, input) => {
  const session = await compile(model);
  await expect(session.run(input() as never)).rejects.toMatchObject({
    code: expect.stringMatching(/^(SHAPE|DTYPE)_MISMATCH$/),
  });
  session.close();
});

it("an array without a constructor is an array", async () => {
  const session = await compile(model);
  const input = Object.assign(new Float32Array(COUNT).fill(0.5), { constructor: undefined });
  const expected = await session.run(new Float32Array(COUNT).fill(0.5));
  expect((await session.run(input)).logits).toEqual(expected.logits);
  session.close();
});

it("a shape that changes between two looks is looked at once", async () => {
  const session = await compile(model, { batch: 2 });
  let looks = 0;
  const shape = new Proxy([2, 32, 32, 3], {
    get: (target, key, self) => (key === "0" ? (looks++ === 0 ? 1 : 2) : Reflect.get(target, key, self)),
  });
  const input = { dtype: "float32", shape, data: new Float32Array(COUNT) } as const;
  expect((await session.run(input)).logits.shape).toEqual([1, 10]);
  session.close();
});

it("parameters and pixels that say another length than they have are refused", async () => {
  const [name, { shape }] = [...model.parameterInfo].find(([, info]) => info.shape.length === 1)!;
  const session = await compile(model);
  const sized = (real: number, said: number) =>
    new (class extends Float32Array {
      override get length(): number {
        return said;
      }
    })(real);
  const count = shape[0]!;
  for (const data of [
    sized(1, count),
    sized(count, count + 1),
    Object.assign([], { [Symbol.toStringTag]: "Float32Array" }),
  ]) {
    const parameters = new Map(model.parameters).set(name, { dtype: "float32", shape, data } as FloatTensor);
    await expect(session.replaceParameters(parameters)).rejects.toMatchObject({ code: "PARAMETERS_MISMATCH" });
  }
  session.close();
  class Bytes extends Uint8Array {
    override get length(): number {
      return 12;
    }
  }
  expect(() => toPixels({ width: 2, height: 2, data: new Bytes(0) })).toThrow(
    expect.objectContaining({ code: "IMAGE_UNREADABLE" }),
  );
});
