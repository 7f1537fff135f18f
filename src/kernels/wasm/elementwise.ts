/**
 * Sum and product of two tensors: y = clamp(a + b) or clamp(a · b); b is read with strides, 0 along each axis it is
 * broadcast over. The arithmetic is that of the reference loops, step by step: the same bits. The range counts inner
 * rows.
 */

import type { ElementwiseCall } from "../../operations/kernel-call.ts";
import { argumentBlock, kernel } from "./arguments.ts";
import { access, type Expression, type ModuleBuilder, op, when } from "./assembler/index.ts";
import {
  add,
  clamp,
  divide,
  floats,
  type Lanes,
  loadLanes,
  locals,
  loop,
  mul,
  overChannels,
  put,
  remainder,
  storeLanes,
} from "./emit.ts";
import { type Lowered, NOTHING } from "./lowered.ts";

const ELEMENTWISE = /* @__PURE__ */ argumentBlock([
  "a",
  "b",
  "y",
  "outer",
  "middle",
  "inner",
  "outerStride",
  "middleStride",
  "innerStride",
  "exampleStride",
]);

export function elementwise<Entry extends ElementwiseCall["kernel"]>(module: ModuleBuilder, entry: Entry) {
  const instruction = entry === "add" ? "f32x4.add" : "f32x4.mul";
  return kernel(module, entry, ELEMENTWISE, (scope) => {
    const v = locals(scope.local, "i32", "row", "a", "b", "y", "channel", "outer");
    const rowOf = (b: (lanes: Lanes) => Expression<"v128">) =>
      overChannels(v.channel, scope.inner, (lanes) => [
        storeLanes(
          lanes,
          add(v.y, floats(v.channel)),
          clamp(op(instruction, loadLanes(lanes, add(v.a, floats(v.channel))), b(lanes)), scope.bounds),
        ),
      ]);
    const rowBytes = floats(mul(v.row, scope.inner));
    const elements = add(
      add(
        mul(remainder(v.row, scope.middle), scope.middleStride),
        mul(remainder(v.outer, scope.outer), scope.outerStride),
      ),
      mul(divide(v.outer, scope.outer), scope.exampleStride),
    );
    return [
      put(v.row, scope.from),
      loop(v.row, scope.to, 1, [
        put(v.outer, divide(v.row, scope.middle)),
        put(v.a, add(scope.a, rowBytes)),
        put(v.y, add(scope.y, rowBytes)),
        put(v.b, add(scope.b, floats(elements))),
        when(
          scope.innerStride,
          rowOf((lanes) => loadLanes(lanes, add(v.b, floats(v.channel)))),
          rowOf(() => access("v128.load32_splat", 0, v.b)),
        ),
      ]),
    ];
  });
}

export function lowerElementwise({
  kernel,
  shape,
  strides,
  exampleStride,
  activation,
}: ElementwiseCall): Lowered<"elementwise", ElementwiseCall["kernel"]> {
  const [outer, middle, inner] = shape;
  const [outerStride, middleStride, innerStride] = strides;
  return {
    ...NOTHING,
    module: "elementwise",
    entry: kernel,
    units: outer * middle,
    unitElements: inner,
    ...ELEMENTWISE.of(
      ({ inputs: [a = 0, b = 0] }) => ({
        a,
        b,
        outer,
        middle,
        inner,
        outerStride,
        middleStride,
        innerStride,
        exampleStride,
      }),
      activation,
    ),
  };
}
