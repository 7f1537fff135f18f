import { expect, expectTypeOf, test } from "vitest";
import type { FloatTensor } from "../../src/core/tensor.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { compile, type Session } from "../../src/session/index.ts";

const tiny = { alpha: 0.25, resolution: 32, classes: 4 } as const;

test("any session is a Session, and outputs and taps keep their names where they are known", async () => {
  const model = mobileNetV1(tiny);
  let kept: Session = await compile(model);
  kept.close();
  kept = await compile(model, { taps: ["conv_pw_6"] });
  kept.close();
  const session = await compile(model, { taps: ["conv_pw_6"] });
  const input = new Float32Array(32 * 32 * 3);
  const result = await session.run(input);
  expectTypeOf(result).toHaveProperty("logits").toEqualTypeOf<FloatTensor>();
  expectTypeOf(result.taps).toEqualTypeOf<{ readonly conv_pw_6: FloatTensor }>();
  expectTypeOf(result).not.toHaveProperty("features");
  const shapeOf = async (any: Session) => {
    const { logits, taps } = await any.run(input);
    return [logits?.shape, taps["conv_pw_6"]?.shape];
  };
  expect(await shapeOf(session)).toEqual([
    [1, 4],
    [1, 2, 2, 128],
  ]);
  // Fewer outputs and taps are promised by a session of more, and no others.
  const fewer: Session<"logits", "conv_pw_6"> = session;
  const untapped: Session<"logits", never> = session;
  // @ts-expect-error: it gives no features
  const other: Session<"features", "conv_pw_6"> = session;
  // @ts-expect-error: nor that tap
  const otherTap: Session<"logits", "conv_pw_7"> = session;
  // @ts-expect-error: what promises nothing is not what promises logits
  const named: Session<"logits", never> = kept;
  for (const one of [fewer, untapped, other, otherTap]) expect(one).toBe(session);
  expect(named).toBe(kept);
  const headless: Session = await compile(mobileNetV1({ ...tiny, includeTop: false, pooling: "avg" }));
  headless.close();
  session.close();
});
