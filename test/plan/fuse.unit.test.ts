/** What a step takes in: nothing that is fused may be lost on the way to the kernel. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { InternalError } from "../../src/core/errors.ts";
import { network } from "../../src/layers/index.ts";
import { convolution } from "../../src/operations/convolution.ts";
import type { FusingCall, KernelCall } from "../../src/operations/kernel-call.ts";
import { NODE_TYPES, type NodeType, operationOf } from "../../src/operations/table.ts";
import { fuse } from "../../src/plan/fuse.ts";
import { plan } from "../../src/plan/plan.ts";

afterEach(() => vi.restoreAllMocks());

/** As if somebody wrote an operation that says it fuses activations, and a kernel that does not. */
function calls(call: KernelCall): void {
  vi.spyOn(convolution, "call").mockReturnValue(call as FusingCall);
}

/** One layer of a type on `[8, 8, 4]` (or on 4 numbers), with a batch norm and a ReLU behind it. */
function followed(type: NodeType) {
  const attributes: Partial<Record<NodeType, object>> = {
    conv2d: { filters: 4, kernel: 3 },
    depthwiseConv2d: { kernel: 3 },
    pointwiseConv2d: { filters: 4 },
    dense: { filters: 4 },
    activation: { function: "relu6" },
    averagePool: { kernel: 2 },
    maxPool: { kernel: 2 },
    reshape: { shape: [8, 8, 4] },
    dropout: { rate: 0.5 },
  };
  return network({
    inputShape: type === "dense" ? [4] : [8, 8, 4],
    layers: [
      {
        name: "a",
        type,
        inputs: type === "add" || type === "multiply" ? ["input", "input"] : ["input"],
        attributes: { ...attributes[type] },
      },
      { name: "a_bn", type: "batchNorm" },
      { name: "a_relu", type: "activation", attributes: { function: "relu" } },
    ],
    outputs: { output: "a_relu" },
  });
}

describe("fusing", () => {
  it.each(NODE_TYPES)("behind %s loses no layer: each is in a step that computes it, or a view", (type) => {
    const model = followed(type);
    const { steps } = plan(model);
    const views = model.layers.filter((node) => operationOf(node.type).isView).map(({ name }) => name);
    expect([...steps.flatMap(({ layers }) => layers), ...views].sort()).toEqual(["a", "a_bn", "a_relu"]);
    for (const step of steps) {
      if (step.layers.includes("a_relu")) expect(step.call).toMatchObject({ activation: "relu" });
      if (step.layers.includes("a_bn")) expect(step.weights?.batchNorm).toMatchObject({ mean: "a_bn/moving_mean" });
    }
  });

  it("takes what the operation itself says that it takes", () => {
    const leads = (type: NodeType) => fuse(followed(type)).groups.map(({ lead }) => lead.name);
    expect(leads("conv2d")).toEqual(["a"]);
    expect(leads("add")).toEqual(["a", "a_bn"]);
    expect(leads("reshape")).toEqual(["a_bn"]);
  });

  it("of an activation into a call that has no place for it is a fault of ours, not a dropped activation", () => {
    calls({ kernel: "globalAveragePool", pixels: 64, channels: 4 });
    expect(() => plan(followed("conv2d"))).toThrow(InternalError);
    expect(() => plan(followed("conv2d"))).toThrow(/"a_relu".*globalAveragePool/);
  });

  it("of an activation into a step that is itself an activation is one as well", () => {
    calls({ kernel: "activation", elements: 256, activation: "relu6" });
    expect(() => plan(followed("conv2d"))).toThrow(InternalError);
  });

  it("of a batch norm into a step without a kernel is one as well", () => {
    vi.spyOn(operationOf("pointwiseConv2d"), "parameters").mockReturnValue([]);
    expect(() => plan(followed("pointwiseConv2d"))).toThrow(InternalError);
  });
});
