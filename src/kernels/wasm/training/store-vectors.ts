/** Stores that V8 must not join, and those it must: why is said at `storeClamped`. */

import { access, type Expression, type Statement } from "../assembler/index.ts";
import { add, type RegisterLanes } from "../emit.ts";

/** Stores vectors one behind the other, from `address + offset` on: as `storeClamped` does, without a clamp. */
export function storeVectors(
  lanes: RegisterLanes,
  address: Expression<"i32">,
  offset: number,
  vectors: readonly Expression<"v128">[],
): Statement {
  return vectors.map((_, i) => {
    const j = lanes === 4 ? i : i ^ 1;
    const isApart = lanes === 4 && j % 2 === 1;
    const vector = vectors[j] as Expression<"v128">;
    return access("v128.store", offset + 16 * (isApart ? j - 1 : j), isApart ? add(address, 16) : address, vector);
  });
}
