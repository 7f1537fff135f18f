/**
 * Functions of one number or two, along rows of channels: sum and product of two tensors, batch norm that was not
 * folded, activations. The arithmetic is that of the reference loops, step by step: the same bits.
 */

import { argumentBlock, type Bounds, kernel } from "./arguments.ts";
import { access, type Expression, float, type ModuleBuilder, op, set, when } from "./assembler/index.ts";
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
  sub,
} from "./emit.ts";

type Vector = Expression<"v128">;

/** y = a + b or a · b; b is read with strides, 0 along each axis it is broadcast over. The range counts inner rows. */
export const BINARY = /* @__PURE__ */ argumentBlock([
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

export function binary(module: ModuleBuilder, kind: "add" | "multiply"): void {
  const instruction = kind === "add" ? "f32x4.add" : "f32x4.mul";
  kernel(module, kind, BINARY, (scope) => {
    const v = locals(scope.local, "i32", "row", "a", "b", "y", "channel", "outer");
    const rowOf = (b: (lanes: Lanes) => Vector) =>
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

/** y[p, c] = clamp(x[p, c] · w[c] + bias[c]). The range counts pixels. */
export const SCALE_SHIFT = /* @__PURE__ */ argumentBlock(["x", "w", "bias", "y", "channels"]);

export function scaleShift(module: ModuleBuilder): void {
  kernel(module, "scaleShift", SCALE_SHIFT, (scope) => {
    const { pixel, at, channel } = locals(scope.local, "i32", "pixel", "at", "channel");
    return [
      put(pixel, scope.from),
      loop(pixel, scope.to, 1, [
        put(at, mul(pixel, scope.channels)),
        ...overChannels(channel, scope.channels, (lanes) => {
          const load = (base: Expression<"i32">, index: Expression<"i32">) =>
            loadLanes(lanes, add(base, floats(index)));
          const product = op("f32x4.mul", load(scope.x, add(at, channel)), load(scope.w, channel));
          const sum = op("f32x4.add", product, load(scope.bias, channel));
          return [storeLanes(lanes, add(scope.y, floats(add(at, channel))), clamp(sum, scope.bounds))];
        }),
      ]),
    ];
  });
}

/** y = activation(x), also in place. The range counts units of so many elements. */
export const ACTIVATION = /* @__PURE__ */ argumentBlock(["x", "y", "unit"]);

const FUNCTIONS = {
  clamp: (x: Vector, bounds: Bounds) => clamp(x, bounds),
  hardSigmoid: (x: Vector, bounds: Bounds) => hardSigmoid(x, bounds),
  hardSwish: (x: Vector, bounds: Bounds) => op("f32x4.mul", x, hardSigmoid(x, bounds)),
  /** x, or x · slope where that is more; the lower bound is the slope. */
  leakyRelu: (x: Vector, { low }: Bounds) => op("f32x4.pmax", op("f32x4.mul", x, low), x),
} as const;

export type ActivationEntry = keyof typeof FUNCTIONS;

/** min(max(x + 3, 0), 6) / 6; the bounds are 0 and 6. */
function hardSigmoid(x: Vector, bounds: Bounds): Vector {
  const constant = (value: number) => op("f32x4.splat", float(value));
  return op("f32x4.div", clamp(op("f32x4.add", x, constant(3)), bounds), constant(6));
}

export function activation(module: ModuleBuilder, kind: ActivationEntry): void {
  kernel(module, kind, ACTIVATION, (scope) => {
    const { at, start } = locals(scope.local, "i32", "at", "start");
    const x = scope.local("v128");
    const element = (base: Expression<"i32">) => add(base, floats(add(start, at)));
    return [
      put(start, mul(scope.from, scope.unit)),
      ...overChannels(at, mul(sub(scope.to, scope.from), scope.unit), (lanes) => [
        set(x, loadLanes(lanes, element(scope.x))),
        storeLanes(lanes, element(scope.y), FUNCTIONS[kind](x, scope.bounds)),
      ]),
    ];
  });
}
