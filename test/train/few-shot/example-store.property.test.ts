import fc from "fast-check";
import { expect, it } from "vitest";
import { ExampleStore } from "../../../src/train/few-shot/example-store.ts";

it("holds what a list would, whatever comes and goes", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant("add" as const), count: fc.integer({ min: 1, max: 9 }), kind: fc.nat(3) }),
    fc.record({ type: fc.constant("remove" as const), kind: fc.nat(3) }),
    fc.record({ type: fc.constant("truncate" as const), to: fc.nat(20) }),
  );
  // So wide that a block has two rows.
  const width = 2 ** 17;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const store = new ExampleStore(width);
      let expected: { value: number; kind: number }[] = [];
      let value = 0;
      for (const each of steps) {
        if (each.type === "add") {
          for (let i = 0; i < each.count; i++) {
            const row = new Float32Array(width);
            [row[0], row[width - 1]] = [++value, value];
            store.append(row, each.kind);
            expected.push({ value, kind: each.kind });
          }
        } else if (each.type === "truncate") {
          store.truncate(each.to);
          expected = expected.slice(0, each.to);
        } else {
          const before = expected.length;
          expected = expected.filter(({ kind }) => kind !== each.kind);
          expect(store.removeClass(each.kind)).toBe(before - expected.length);
          expected = expected.map((one) => ({ ...one, kind: one.kind > each.kind ? one.kind - 1 : one.kind }));
        }
        const found = [...store.blocks()].flatMap(({ rows, classes, count }) =>
          Array.from({ length: count }, (_, i) => ({ value: rows[i * width]!, kind: classes[i]! })),
        );
        expect(found).toEqual(expected);
        expect(store.count).toBe(expected.length);
        expect(store.bytes).toBe(Math.ceil(expected.length / 2) * (2 ** 20 + 8));
        const counts = [0, 1, 2, 3].map((kind) => expected.filter((one) => one.kind === kind).length);
        expect(store.countClasses(4)).toEqual(counts);
      }
    }),
    { numRuns: 25 },
  );
});

it("holds 20,000 examples of 1,024 features in 83 MB, and never asks for more than a block at once", () => {
  const asked: number[] = [];
  const Real = globalThis.Float32Array;
  const row = new Real(1024);
  const store = new ExampleStore(1024);
  globalThis.Float32Array = new Proxy(Real, {
    construct(target, given: [number]) {
      asked.push(given[0]);
      return Reflect.construct(target, given);
    },
  });
  try {
    for (let i = 0; i < 20_000; i++) store.append(row, i % 5);
  } finally {
    globalThis.Float32Array = Real;
  }
  expect(store.count).toBe(20_000);
  expect(store.bytes).toBeLessThan(84e6);
  expect(new Set(asked)).toEqual(new Set([2 ** 18]));
  expect(asked).toHaveLength(Math.ceil(20_000 / 256));
  store.truncate(0);
  expect(store.bytes).toBe(0);
});
