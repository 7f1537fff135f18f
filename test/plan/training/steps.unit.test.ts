/** What a training plan says: its steps, what it saves, what it leaves out. */

import { describe, expect, it } from "vitest";
import { activation, batchNorm, conv2d, dense, flatten, pointwise, sequential } from "../../../src/layers/index.ts";
import { type Network, network } from "../../../src/layers/network.ts";
import { mobileNetV1 } from "../../../src/models/index.ts";
import { trainingPlan } from "../../../src/plan/training/training-plan.ts";
import type { TrainingStepsOptions } from "../../../src/plan/training/training-step.ts";
import { updateSteps } from "../../../src/plan/training/update-steps.ts";

const options = (target: string, more: Partial<TrainingStepsOptions> = {}): TrainingStepsOptions => ({
  target,
  trains: ({ trainable }) => trainable,
  momentum: 0.9,
  variance: "biased",
  loss: "softmaxCrossEntropy",
  ...more,
});

const SGD = { type: "sgd", momentum: 0.9, nesterov: false, form: "torch" } as const;

/** As a trainer has it: updates behind the backward pass. */
const withUpdates = (model: Network, more: Partial<TrainingStepsOptions> = {}, average = false) =>
  trainingPlan(model, 4, options("conv_preds", more), (list) =>
    updateSteps(list, model.parameterInfo, { rule: SGD, decay: () => 0, rateFactor: () => 1, average }),
  );

const v1 = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11 });

describe("the training plan of MobileNet V1", () => {
  const planned = withUpdates(v1);

  it("has a step a layer forward, the loss, a step a layer backward and an update a parameter", () => {
    const count = (phase: string) => planned.steps.filter((step) => step.phase === phase).length;
    // 27 convolutions with their batch norms, the last value in memory for the pool, the pool, dropout, the logits.
    expect(count("forward")).toBe(27 + 1 + 1 + 1 + 1);
    expect(count("loss")).toBe(1);
    // Of the logits, dropout and the pool, the sums of the batch norm in front of it, of 27 convolutions.
    expect(count("backward")).toBe(1 + 1 + 1 + 1 + 27);
    // And the norm of all gradients.
    expect(count("update")).toBe(planned.gradients.size + 1);
    expect(planned.gradients.size).toBe(27 * 3 + 2);
    const phases = ["forward", "loss", "backward", "update"];
    const order = planned.steps.map(({ phase }) => phases.indexOf(phase));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it("goes backward in the order of the layers turned round", () => {
    const names = (phase: string) => planned.steps.filter((step) => step.phase === phase).map(({ name }) => name);
    const forward = [...new Set(names("forward"))];
    expect([...new Set(names("backward"))].filter((name) => forward.includes(name))).toEqual(forward.toReversed());
  });

  it("saves what convolutions give, and no value that is normalised or clamped but the one that the pool reads", () => {
    const { steps, values } = planned;
    const loss = steps.findIndex(({ phase }) => phase === "loss");
    const saved = [...values].filter(([, { kind, from, to }]) => kind === "activation" && from < loss && to > loss);
    const convolutions = v1.layers.filter(({ type }) => /conv2d/i.test(type)).map(({ name }) => name);
    // The pictures for the first layer, what the logits are made of, and what is told of a step.
    expect(saved.map(([name]) => name).sort()).toEqual([...convolutions, "input", "dropout", "losses"].sort());
    const activated = [...values].filter(([name]) => name.startsWith("activated("));
    expect(activated.map(([name]) => name)).toEqual(["activated(conv_pw_13_relu)"]);
    const [, pooled] = activated[0]!;
    expect(pooled.to).toBe(pooled.from + 1);
    for (const { name, type } of v1.layers) {
      if (type === "batchNorm" || type === "activation") expect(values.has(name), name).toBe(false);
    }
  });

  it("has no gradient of the input, unless it is asked for one", () => {
    expect(planned.values.has("gradient(input)")).toBe(false);
    const first = planned.steps.findLast(({ phase }) => phase === "backward")!;
    expect(first.name).toBe("conv1");
    expect(Object.keys(first.writes)).toEqual(["dkernel"]);
    const asked = withUpdates(v1, { inputGradient: true });
    const last = asked.steps.findLast(({ phase }) => phase === "backward")!;
    expect(last.writes["dx"]).toBe("gradient(input)");
    expect(asked.values.get("gradient(input)")!.to).toBe(asked.steps.length);
  });

  it("measures batch norms where they are written, and sums their gradients where these are", () => {
    for (const { call, phase, name } of planned.steps) {
      if (phase === "forward" && call.kernel === "forward" && name !== "conv_preds")
        expect(call.norm, name).toBeDefined();
    }
    const alone = planned.steps.filter(({ call }) => call.kernel === "normGradient");
    expect(alone.map(({ name }) => name)).toEqual(["conv_pw_13"]);
    const joined = planned.steps.filter(({ call }) => call.kernel === "backward" && call.normGradient !== undefined);
    expect(joined).toHaveLength(26);
  });

  it("is data: steps go through JSON, and the whole through a structured clone, as they are", () => {
    expect(JSON.parse(JSON.stringify(planned.steps))).toStrictEqual(planned.steps);
    expect(structuredClone(planned)).toStrictEqual(planned);
  });

  it("lets each update read what it needs and write what it changes", () => {
    const step = withUpdates(v1, {}, true).steps.find(
      ({ name, phase }) => name === "conv1/kernel" && phase === "update",
    )!;
    expect(step.reads).toEqual({
      parameter: "conv1/kernel",
      slot0: "velocity(conv1/kernel)",
      average: "average(conv1/kernel)",
      gradient: "gradient(conv1/kernel)",
      hyper: "hyper",
      norm: "norm of all gradients",
    });
    expect(Object.keys(step.writes)).toEqual(["parameter", "slot0", "average"]);
  });

  it("counts multiply-adds: forward once, backward twice but for the first layer", () => {
    const sum = (phase: string) =>
      planned.steps.filter((step) => step.phase === phase).reduce((total, { multAdds }) => total + multAdds, 0);
    const [stem] = planned.steps;
    expect(sum("backward")).toBe(2 * sum("forward") - stem!.multAdds);
  });
});

describe("layers that are not trained", () => {
  const head = withUpdates(v1, { trains: ({ node }) => node === "conv_preds" });

  it("have no step backward, no gradient and no update, and nothing of them is saved", () => {
    expect(head.steps.filter(({ phase }) => phase === "backward").map(({ name }) => name)).toEqual(["conv_preds"]);
    expect([...head.gradients.keys()].sort()).toEqual(["conv_preds/bias", "conv_preds/kernel"]);
    expect(head.steps.filter(({ phase }) => phase === "update")).toHaveLength(3);
    for (const [name, { kind, from, to }] of head.values) {
      if (kind === "activation" && name.startsWith("conv_") && name !== "conv_preds") {
        expect(to - from, name).toBeLessThanOrEqual(1);
      }
    }
    expect(head.arenaBytes).toBeLessThan(withUpdates(v1).arenaBytes / 2);
  });

  it("normalise by their moving statistics, which nothing writes", () => {
    for (const { call, writes } of head.steps) {
      if (call.kernel === "forward" && call.norm !== undefined) expect(call.norm.mode).toBe("frozen");
      expect(Object.keys(writes).filter((role) => role.startsWith("moving"))).toEqual([]);
    }
  });

  it("have a backward step where a layer in front of them is trained, without gradients of their own", () => {
    const first = withUpdates(v1, { trains: ({ node }) => node === "conv1" });
    const backward = first.steps.filter(({ phase }) => phase === "backward");
    expect(new Set(backward.map(({ name }) => name)).size).toBe(27 + 3);
    const written = backward.flatMap(({ writes }) => Object.entries(writes));
    expect(written.filter(([role]) => /^d(kernel|bias|gamma|beta)$/.test(role)).map(([, value]) => value)).toEqual([
      "gradient(conv1/kernel)",
    ]);
  });

  it("keep the norms that they are read by from before the first step: these are made of parameters alone", () => {
    const norms = [...head.values].filter(([name]) => name.startsWith("norm(") && name.endsWith("_bn)"));
    expect(norms).toHaveLength(27);
    for (const [name, { from }] of norms) expect(from, name).toBe(-1);
  });

  it("are refused if there are no others", () => {
    expect(() => withUpdates(v1, { trains: () => false })).toThrow(
      /train: .*: expected at least one parameter to train on the way to its output, found none/,
    );
  });
});

describe("what reads a value", () => {
  it("normalises it on the way, but in memory where a reshape has made other channels of it", () => {
    const layers = [
      conv2d({ filters: 3, kernel: 3 }),
      batchNorm(),
      activation("relu"),
      flatten(),
      dense({ filters: 2 }),
    ];
    const model = sequential({ inputShape: [4, 4, 1] }, layers);
    const { steps } = trainingPlan(model, 2, options("dense"));
    const last = steps.find(({ name, phase }) => name === "dense" && phase === "forward")!;
    expect(last.call.kernel).toBe("normalise");
    const products = steps.filter(
      ({ name, call }) => name === "dense" && (call.kernel === "forward" || call.kernel === "backward"),
    );
    expect(products).toHaveLength(2);
    for (const { call, reads } of products) {
      expect(call).not.toHaveProperty("load");
      expect(reads["x"]).toBe("activated(activation)");
    }
    // With the same channels a reshape is of no account.
    const alike = sequential({ inputShape: [1, 1, 3] }, [
      pointwise({ filters: 5 }),
      batchNorm(),
      flatten(),
      dense({ filters: 2 }),
    ]);
    const read = trainingPlan(alike, 2, options("dense")).steps.find(({ name }) => name === "dense")!;
    expect(read.call).toMatchObject({ kernel: "forward", load: { norm: true, clamp: "linear" } });
  });

  it("adds its part to a gradient that others have written", () => {
    const model = network({
      inputShape: [4, 4, 2],
      layers: [
        { name: "a", type: "pointwiseConv2d", attributes: { filters: 3 } },
        { name: "b", type: "pointwiseConv2d", inputs: ["a"], attributes: { filters: 3 } },
        { name: "c", type: "add", inputs: ["a", "b"] },
        { name: "d", type: "add", inputs: ["c", "a"] },
        { name: "e", type: "globalAveragePool" },
      ],
      outputs: { e: "e" },
    });
    const { steps } = trainingPlan(model, 2, options("e"));
    const sums = steps.filter(({ call }) => call.kernel === "sum");
    expect(sums.map(({ writes }) => writes["y"])).toEqual(["gradient(a)", "gradient(a)"]);
  });

  it("measures the gradient of a batch norm only when all of its parts are there", () => {
    const model = network({
      inputShape: [4, 4, 2],
      layers: [
        { name: "a", type: "pointwiseConv2d", attributes: { filters: 3 } },
        { name: "norm", type: "batchNorm" },
        { name: "b", type: "pointwiseConv2d", inputs: ["norm"], attributes: { filters: 3 } },
        { name: "c", type: "pointwiseConv2d", inputs: ["norm"], attributes: { filters: 3 } },
        { name: "d", type: "add", inputs: ["b", "c"] },
        { name: "e", type: "globalAveragePool" },
      ],
      outputs: { e: "e" },
    });
    const { steps } = trainingPlan(model, 2, options("e"));
    const kernels = steps.filter(({ phase }) => phase === "backward").map(({ call }) => call.kernel);
    expect(kernels.lastIndexOf("sum")).toBeLessThan(kernels.indexOf("normGradient"));
    for (const { call } of steps) if (call.kernel === "backward") expect(call.normGradient).toBeUndefined();
  });
});

describe("names", () => {
  const named = (name: string) =>
    network({
      inputShape: [3],
      layers: [
        { name, type: "dense", attributes: { filters: 4 } },
        { name: "out", type: "dense", attributes: { filters: 2 } },
      ],
      outputs: { out: "out" },
    });

  it.each(["targets", "losses", "hyper", "norm of all gradients", "gradient(out)"])(
    'of training, such as "%s", are refused as those of layers, with the layer named',
    (name) => {
      const model = named(name);
      const planned = () =>
        trainingPlan(model, 2, options("out"), (list) =>
          updateSteps(list, model.parameterInfo, { rule: SGD, decay: () => 0, rateFactor: () => 1, average: false }),
        );
      expect(planned).toThrow(expect.objectContaining({ code: "NETWORK_INVALID" }));
      expect(planned).toThrow(name);
    },
  );
});

describe("an output that is no row of classes", () => {
  it.each([
    [[4, 4, 2], "shape [4, 4, 2]"],
    [[1], "shape [1]"],
  ])("of shape %j is refused", (inputShape, found) => {
    const model = network({
      inputShape,
      layers: [
        {
          name: "a",
          type: inputShape.length === 1 ? "dense" : "pointwiseConv2d",
          attributes: { filters: inputShape.length === 1 ? 1 : 2 },
        },
      ],
      outputs: { a: "a" },
    });
    expect(() => trainingPlan(model, 2, options("a"))).toThrow(found);
  });

  it("and the input itself are refused", () => {
    const model = network({ inputShape: [3], layers: [], outputs: { a: "input" } });
    expect(() => trainingPlan(model, 2, options("input"))).toThrow(/an output that a layer computes, found the input/);
  });
});
