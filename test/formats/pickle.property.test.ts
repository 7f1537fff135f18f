/** What the tests' writer writes is read back: plain data of any shape. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { unpickle } from "../../src/formats/pytorch/pickle.ts";
import { rounds } from "../fuzz.ts";
import { pickled, type Value } from "../writers/torch.ts";

const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.string(), tie("value")), { maxLength: 5 })
      .map((entries): Value => new Map<Value, Value>(entries)),
    fc.array(tie("value"), { maxLength: 5 }).map((items): Value => ({ tuple: items })),
  ),
}));

/** As it is read: tuples are arrays, whole numbers that fit are numbers. */
function plain(value: Value): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [plain(key), plain(inner)]));
  if (typeof value === "object" && value !== null && "tuple" in value) return value.tuple.map(plain);
  return value;
}

it("any plain data comes back", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = pickled(value);
      const { value: read, end } = unpickle(bytes, { file: "x", maxBytes: 2 ** 31 });
      expect(read).toEqual(plain(value));
      expect(end).toBe(bytes.length);
    }),
    { numRuns: rounds(1000) },
  );
});
