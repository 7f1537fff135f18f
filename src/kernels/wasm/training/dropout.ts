/** Dropout, and its gradient: numbers that are counted become 0 (`kernels/reference/gradients/dropout.ts` says which). */

import { argumentBlock, kernel } from "../arguments.ts";
import {
  access,
  type Expression,
  float,
  int,
  type Local,
  type ModuleBuilder,
  op,
  type Statement,
  select,
  set,
} from "../assembler/index.ts";
import { add, floats, inside, locals, loop, mul, put } from "../emit.ts";

/** `random` is the address of a seed, a count of draws and the seed's high word; `most` and `factor` are rate · 2³² and the bits of 1 / (1 − rate). */
export const DROPOUT = /* @__PURE__ */ argumentBlock(["x", "y", "random", "layer", "elements", "most", "factor"]);

const XOR = [0x73, "ii", "i"] as const;
const SHIFT = [0x76, "ii", "i"] as const;
const MULTIPLY = [0x94, "ff", "f"] as const;
const REINTERPRET = [0xbe, "i", "f"] as const;

/** The range counts examples. */
export function dropout(module: ModuleBuilder) {
  return kernel(module, "dropout", DROPOUT, (scope) => {
    const { key, at, end, hash } = locals(scope.local, "i32", "key", "at", "end", "hash");
    const factor = scope.local("f32");
    const mix = (word: Local<"i32">): readonly Statement[] => [
      put(word, mul(op(XOR, word, op(SHIFT, word, int(16))), 0x85ebca6b | 0)),
      put(word, mul(op(XOR, word, op(SHIFT, word, int(13))), 0xc2b2ae35 | 0)),
      put(word, op(XOR, word, op(SHIFT, word, int(16)))),
    ];
    const element = (base: Expression<"i32">) => add(base, floats(at));
    return [
      put(key, access("i32.load", 8, scope.random)),
      ...mix(key),
      put(key, op(XOR, key, scope.layer)),
      ...mix(key),
      put(key, op(XOR, key, access("i32.load", 4, scope.random))),
      ...mix(key),
      put(key, op(XOR, key, access("i32.load", 0, scope.random))),
      ...mix(key),
      set(factor, op(REINTERPRET, scope.factor)),
      put(at, mul(scope.from, scope.elements)),
      put(end, mul(scope.to, scope.elements)),
      loop(at, end, 1, [
        put(hash, op(XOR, key, mul(at, 0x9e3779b1 | 0))),
        ...mix(hash),
        access(
          "f32.store",
          0,
          element(scope.y),
          select(float(0), op(MULTIPLY, access("f32.load", 0, element(scope.x)), factor), inside(hash, scope.most)),
        ),
      ]),
    ];
  });
}
