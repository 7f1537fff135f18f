/**
 * Activations, on their own or after a kernel whose clamp cannot do them: y = activation(x), also in place. The
 * arithmetic is that of the reference loops, step by step: the same bits. The range counts units of so many elements.
 */

import type { ActivationCall } from "../../operations/kernel-call.ts";
import { argumentBlock, type Bounds, kernel } from "./arguments.ts";
import { type Expression, float, type ModuleBuilder, op, set } from "./assembler/index.ts";
import { add, clamp, floats, loadLanes, locals, mul, overChannels, put, storeLanes, sub } from "./emit.ts";
import { CLAMPS, isClamp } from "./fused.ts";
import { type AfterActivation, type Lowered, NOTHING } from "./lowered.ts";

type Vector = Expression<"v128">;

const ACTIVATION = /* @__PURE__ */ argumentBlock(["x", "y", "unit"]);

const FUNCTIONS = {
  clamp: (x: Vector, bounds: Bounds) => clamp(x, bounds),
  hardSigmoid: (x: Vector, bounds: Bounds) => hardSigmoid(x, bounds),
  hardSwish: (x: Vector, bounds: Bounds) => op("f32x4.mul", x, hardSigmoid(x, bounds)),
  /** x, or x · slope where that is more; the lower bound is the slope. */
  leakyRelu: (x: Vector, { low }: Bounds) => op("f32x4.pmax", op("f32x4.mul", x, low), x),
} as const;

type ActivationEntry = keyof typeof FUNCTIONS;

/** min(max(x + 3, 0), 6) / 6; the bounds are 0 and 6. */
function hardSigmoid(x: Vector, bounds: Bounds): Vector {
  const constant = (value: number) => op("f32x4.splat", float(value));
  return op("f32x4.div", clamp(op("f32x4.add", x, constant(3)), bounds), constant(6));
}

export function activation<Entry extends ActivationEntry>(module: ModuleBuilder, entry: Entry) {
  return kernel(module, entry, ACTIVATION, (scope) => {
    const { at, start } = locals(scope.local, "i32", "at", "start");
    const x = scope.local("v128");
    const element = (base: Expression<"i32">) => add(base, floats(add(start, at)));
    return [
      put(start, mul(scope.from, scope.unit)),
      ...overChannels(at, mul(sub(scope.to, scope.from), scope.unit), (lanes) => [
        set(x, loadLanes(lanes, element(scope.x))),
        storeLanes(lanes, element(scope.y), FUNCTIONS[entry](x, scope.bounds)),
      ]),
    ];
  });
}

/** An activation on its own: threads may cut it anywhere. */
export function lowerActivation(call: ActivationCall): Lowered<"elementwise", ActivationEntry> {
  const { activation, elements } = call;
  if (activation === "leakyRelu") return lowerEntry(activation, { low: call.slope, high: 0 }, elements, 1);
  return isClamp(activation)
    ? lowerEntry("clamp", CLAMPS[activation], elements, 1)
    : { ...lowerAfter(activation, 1), units: elements };
}

/** An activation on the output of a kernel, whose units have so many elements. */
export function lowerAfter(entry: AfterActivation, unit: number): Lowered<"elementwise", AfterActivation> {
  return lowerEntry(entry, { low: 0, high: 6 }, 1, unit);
}

function lowerEntry<Entry extends ActivationEntry>(
  entry: Entry,
  bounds: { readonly low: number; readonly high: number },
  units: number,
  unit: number,
): Lowered<"elementwise", Entry> {
  return {
    ...NOTHING,
    module: "elementwise",
    entry,
    units,
    unitElements: unit,
    ...ACTIVATION.of(() => ({ ...bounds, unit })),
  };
}
