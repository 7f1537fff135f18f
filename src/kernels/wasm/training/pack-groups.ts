/**
 * A depthwise kernel `[kh, kw, C, M]` to groups of channels, `[⌈C·M / lanes⌉][1 + taps][lanes]`: the bias, or 0, then the
 * taps, in their order or the last one first; lanes without a channel are 0. The range counts groups.
 */

import { argumentBlock, kernel } from "../arguments.ts";
import { access, float, type ModuleBuilder, when } from "../assembler/index.ts";
import { add, below, choose, floats, locals, loop, mul, not, put, sub } from "../emit.ts";
import type { Tile } from "../tiles.ts";

export const PACK_GROUPS = /* @__PURE__ */ argumentBlock([
  "source",
  "target",
  "taps",
  /** C·M. */
  "channels",
  /** Its address, 0 for none. */
  "bias",
  /** 1: the last tap first, as the input gradient reads them. */
  "flipped",
]);

export function packGroups(module: ModuleBuilder, { lanes }: Pick<Tile, "lanes">) {
  return kernel(module, "packGroups", PACK_GROUPS, (scope) => {
    const { group, channel, end, at, to, tap } = locals(
      scope.local,
      "i32",
      "group",
      "channel",
      "end",
      "at",
      "to",
      "tap",
    );
    const copy = (isThere: Parameters<typeof when>[0]) => [
      when(isThere, [access("f32.store", 0, to, access("f32.load", 0, at))], [access("f32.store", 0, to, float(0))]),
      put(to, add(to, 4 * lanes)),
    ];
    const isChannel = below(channel, scope.channels);
    return [
      put(group, scope.from),
      loop(group, scope.to, 1, [
        put(channel, mul(group, lanes)),
        put(end, add(channel, lanes)),
        loop(channel, end, 1, [
          put(
            to,
            add(scope.target, floats(add(mul(mul(group, lanes), add(scope.taps, 1)), sub(channel, mul(group, lanes))))),
          ),
          put(at, add(scope.bias, floats(channel))),
          ...copy(choose(not(scope.bias), 0, isChannel)),
          put(tap, 0),
          loop(tap, scope.taps, 1, [
            put(
              at,
              add(
                scope.source,
                floats(add(mul(choose(scope.flipped, sub(sub(scope.taps, 1), tap), tap), scope.channels), channel)),
              ),
            ),
            ...copy(isChannel),
          ]),
        ]),
      ]),
    ];
  });
}
