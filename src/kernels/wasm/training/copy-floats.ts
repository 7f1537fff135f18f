/** Floats from one place to another, as many as a row of a tile or a panel has. */

import { access, type Expression, type Statement, storeLane } from "../assembler/index.ts";
import { add } from "../emit.ts";

/** Copies `count` floats, no byte more. No two vectors are stored by one address: V8 must not join them. */
export function copyFloats(count: number, to: Expression<"i32">, from: Expression<"i32">): Statement {
  const statements: Statement[] = [];
  let at = 0;
  for (; at + 4 <= count; at += 4) {
    statements.push(access("v128.store", 0, at === 0 ? to : add(to, 4 * at), access("v128.load", 4 * at, from)));
  }
  for (; at + 2 <= count; at += 2) {
    statements.push(storeLane("v128.store64_lane", 4 * at, to, access("v128.load64_zero", 4 * at, from)));
  }
  if (at < count) statements.push(storeLane("v128.store32_lane", 4 * at, to, access("v128.load32_zero", 4 * at, from)));
  return statements;
}
