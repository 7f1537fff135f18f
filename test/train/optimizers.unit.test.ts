import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ParameterInfo } from "../../src/layers/parameter-info.ts";
import { mobileNetV1 } from "../../src/models/index.ts";
import { slotsOf } from "../../src/operations/update-call.ts";
import { hyperOf, hyperValues } from "../../src/train/hyper.ts";
import { adam, adamw, checkOptimizer, type Optimizer, rmsprop, ruleOf, sgd } from "../../src/train/optimizers.ts";
import { checkDecayNames, decayOf } from "../../src/train/weight-decay.ts";

const infos: readonly ParameterInfo[] = [...mobileNetV1({ alpha: 0.25, inputSize: [32, 32] }).parameterInfo.values()];
const info = (name: string) => infos.find((parameter) => parameter.name === name)!;

const invalid = (message: RegExp | string) =>
  expect.objectContaining({
    code: "OPTION_INVALID",
    message: typeof message === "string" ? message : expect.stringMatching(message),
  });

describe("an optimizer", () => {
  it("is plain data, in the form of a recipe file", () => {
    expect(sgd()).toEqual({ type: "sgd", momentum: 0, nesterov: false, form: "torch" });
    expect(sgd({ momentum: 0.9, nesterov: true, form: "keras", weightDecay: 4e-5 })).toEqual({
      type: "sgd",
      momentum: 0.9,
      nesterov: true,
      form: "keras",
      weightDecay: 4e-5,
      decayOnly: "matrices",
    });
    expect(adam()).toEqual({ type: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, form: "torch" });
    expect(adam({ form: "keras" }).epsilon).toBe(1e-7);
    expect(adamw()).toEqual({ ...adam(), type: "adamw", weightDecay: 0.01, decayOnly: "matrices" });
    expect(adamw({ form: "keras" }).weightDecay).toBe(0.004);
    expect(adamw({ weightDecay: 0 })).toEqual({ ...adam(), type: "adamw" });
    expect(adamw({ weightDecay: 0.05, decayOnly: "all" })).toMatchObject({ weightDecay: 0.05, decayOnly: "all" });
  });

  it("of RMSprop has the numbers of the tool that is named, and the paper's by default", () => {
    const data = (form: string, ...[decay, momentum, epsilon, initialAccumulator]: readonly number[]) => ({
      type: "rmsprop",
      decay,
      momentum,
      epsilon,
      form,
      initialAccumulator,
    });
    expect(rmsprop()).toEqual(data("tensorflow", 0.9, 0.9, 1, 1));
    expect(rmsprop({ form: "paper" })).toEqual(rmsprop());
    expect(rmsprop({ form: "tensorflow" })).toEqual(data("tensorflow", 0.9, 0, 1e-10, 1));
    expect(rmsprop({ form: "keras" })).toEqual(data("tensorflow", 0.9, 0, 1e-7, 0));
    expect(rmsprop({ form: "torch" })).toEqual(data("torch", 0.99, 0, 1e-8, 0));
    expect(rmsprop({ form: "torch", momentum: 0.5, decay: 0.8 })).toEqual(data("torch", 0.8, 0.5, 1e-8, 0));
    expect(rmsprop({ weightDecay: 4e-5, epsilon: 0.1 })).toEqual({
      ...data("tensorflow", 0.9, 0.9, 0.1, 1),
      weightDecay: 4e-5,
      decayOnly: "matrices",
    });
  });

  it.each<[string, Optimizer]>([
    ["sgd", sgd({ momentum: 0.9, weightDecay: 1e-4, decayOnly: ["conv1/kernel"] })],
    ["sgd of either form", sgd({ form: "either" })],
    ["rmsprop", rmsprop({ weightDecay: 1e-4, decayOnly: "all" })],
    ["rmsprop of PyTorch", rmsprop({ form: "torch" })],
    ["adam", adam({ beta1: 0.8 })],
    ["adamw", adamw()],
  ])("comes through JSON as it is: %s", (_, optimizer) => {
    expect(checkOptimizer("fit", JSON.parse(JSON.stringify(optimizer)))).toEqual(optimizer);
  });

  it("read from JSON has the defaults of its form, and is a copy", () => {
    expect(checkOptimizer("fit", { type: "sgd" })).toEqual(sgd());
    expect(checkOptimizer("fit", { type: "rmsprop" })).toEqual(rmsprop({ form: "tensorflow" }));
    expect(checkOptimizer("fit", { type: "rmsprop", form: "torch" })).toEqual(rmsprop({ form: "torch" }));
    expect(checkOptimizer("fit", { type: "adam", form: "keras" })).toEqual(adam({ form: "keras" }));
    const names = ["conv1/kernel"];
    const optimizer = checkOptimizer("fit", { type: "sgd", weightDecay: 0.1, decayOnly: names });
    names.push("conv_preds/kernel");
    expect(optimizer).toMatchObject({ decayOnly: ["conv1/kernel"] });
  });

  it("has a rule without weight decay, and slots by it", () => {
    const slots = (optimizer: Optimizer) => slotsOf(ruleOf(optimizer)).map(({ name, initial }) => [name, initial]);
    expect(ruleOf(sgd({ form: "either", weightDecay: 1 }))).toEqual({
      type: "sgd",
      momentum: 0,
      nesterov: false,
      form: "torch",
    });
    expect(ruleOf(adamw())).toEqual(ruleOf(adam()));
    expect(ruleOf(rmsprop({ weightDecay: 1 }))).toEqual(rmsprop());
    expect(slots(sgd())).toEqual([]);
    expect(slots(sgd({ momentum: 0.9 }))).toEqual([["velocity", 0]]);
    expect(slots(rmsprop())).toEqual([
      ["meanSquare", 1],
      ["velocity", 0],
    ]);
    expect(slots(rmsprop({ form: "torch" }))).toEqual([["meanSquare", 0]]);
    expect(slots(adam())).toEqual([
      ["mean", 0],
      ["meanSquare", 0],
    ]);
  });
});

describe("an optimizer that is none", () => {
  it.each([
    [undefined, /^fit: optimizer: expected an optimizer, an object with a type, found undefined\./],
    ["sgd", /found "sgd"\. Such as \{ "type": "sgd", "momentum": 0\.9 \}\.$/],
    [[], /found \[\]/],
    [{}, /^fit: optimizer\.type: expected one of "sgd", "rmsprop", "adam", "adamw", found undefined/],
    [{ type: "constructor" }, /optimizer\.type/],
    [
      { type: "sgd", momentum: 1 },
      /^fit: optimizer\.momentum: expected a number of at least 0 and, as a float32, below 1/,
    ],
    [{ type: "sgd", momentum: 1 - 1e-12 }, /optimizer\.momentum/],
    [{ type: "sgd", momentum: -0.1 }, /optimizer\.momentum/],
    [{ type: "sgd", momentum: "0.9" }, /optimizer\.momentum/],
    [{ type: "sgd", momentum: null }, /optimizer\.momentum/],
    [{ type: "sgd", nesterov: true }, /^fit: optimizer\.momentum: expected a number above 0, for nesterov, found 0/],
    [{ type: "sgd", form: "tensorflow" }, /optimizer\.form: expected one of "torch", "keras", "either"/],
    [{ type: "sgd", weightDecay: -1 }, /optimizer\.weightDecay: expected a finite number of at least 0/],
    [{ type: "sgd", weightDecay: 1e39 }, /optimizer\.weightDecay/],
    [
      { type: "sgd", weightDecay: 1, decayOnly: "kernels" },
      /decayOnly: expected "all", "matrices", or an array of names/,
    ],
    [{ type: "sgd", weightDecay: 1, decayOnly: [1] }, /optimizer\.decayOnly/],
    [{ type: "sgd", learningRate: 0.1 }, /^fit: optimizer of type "sgd": unknown option "learningRate"/],
    [{ type: "rmsprop", form: "paper" }, /optimizer\.form: expected one of "tensorflow", "torch"/],
    [{ type: "rmsprop", epsilon: 0 }, /optimizer\.epsilon: expected a finite number above 0/],
    [{ type: "rmsprop", epsilon: 1e-60 }, /optimizer\.epsilon: expected a number that a float32 holds, above 0/],
    [{ type: "rmsprop", decay: 1 }, /optimizer\.decay:/],
    [{ type: "rmsprop", momentum: 1 }, /optimizer\.momentum:/],
    [{ type: "rmsprop", initialAccumulator: -1 }, /optimizer\.initialAccumulator/],
    [{ type: "adam", beta1: 1 }, /optimizer\.beta1/],
    [{ type: "adam", beta2: 1 }, /optimizer\.beta2/],
    [{ type: "adamw", epsilon: -1 }, /optimizer\.epsilon/],
    [{ type: "adam", form: "either" }, /optimizer\.form/],
    [
      { type: "adam", weightDecay: 0.1 },
      /^fit: weightDecay: expected none: adam has no weight decay, found 0\.1\. Use adamw/,
    ],
  ])("%o", (value, message) => {
    expect(() => checkOptimizer("fit", value)).toThrow(invalid(message));
  });

  it("is named by its function where that made it", () => {
    expect(() => sgd({ nesterov: true })).toThrow(invalid(/^sgd: momentum: expected a number above 0/));
    expect(() => sgd({ momentun: 0.9 } as never)).toThrow(invalid(/^sgd: unknown option "momentun".*"momentum"/));
    expect(() => sgd(null as never)).toThrow(invalid(/^sgd: options: expected an object/));
    expect(() => rmsprop({ form: "pytorch" as never })).toThrow(invalid(/^rmsprop: form: expected one of "paper"/));
    expect(() => adam({ weightDecay: 0.1 } as never)).toThrow(invalid(/^adam: weightDecay: expected none.*Use adamw/));
    expect(() => adamw({ beta1: 2 })).toThrow(invalid(/^adamw: beta1/));
    expect(() => adamw(null as never)).toThrow(invalid(/^adamw: options: expected an object/));
  });

  it("or is a good one, whatever JSON holds", () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.constantFrom(0.9, "torch", "all", true));
    const key = fc.constantFrom(
      "momentum",
      "nesterov",
      "form",
      "decay",
      "epsilon",
      "beta1",
      "weightDecay",
      "decayOnly",
    );
    const type = fc.constantFrom("sgd", "rmsprop", "adam", "adamw");
    fc.assert(
      fc.property(fc.dictionary(key, value), type, (record, name) => {
        try {
          const rule = ruleOf(checkOptimizer("fit", { ...record, type: name }));
          expect(hyperValues(rule, { update: 3, rate: 0.1 }).some(Number.isNaN)).toBe(false);
        } catch (error) {
          expect(error).toEqual(invalid(/^fit: (optimizer|weightDecay)/));
        }
      }),
    );
  });
});

describe("weight decay", () => {
  const decaying = (optimizer: Optimizer) =>
    infos.filter((parameter) => decayOf(optimizer, parameter) > 0).map(({ name }) => name);

  it("is by default of kernels that are not depthwise, and of nothing else", () => {
    const names = decaying(sgd({ weightDecay: 4e-5 }));
    expect(names).toContain("conv1/kernel");
    expect(names).toContain("conv_pw_13/kernel");
    expect(names).toContain("conv_preds/kernel");
    expect(names.length).toBe(15);
    expect(names.every((name) => name.endsWith("/kernel"))).toBe(true);
    expect(decayOf(sgd({ weightDecay: 4e-5 }), info("conv1/kernel"))).toBe(4e-5);
  });

  it("is of all parameters for data that do not say of which", () => {
    const optimizer = checkOptimizer("fit", { type: "sgd", weightDecay: 4e-5 });
    const trainable = infos.filter((parameter) => parameter.trainable).map(({ name }) => name);
    expect(decaying(optimizer)).toEqual(trainable);
    expect(decaying(adamw({ decayOnly: "all" }))).toEqual(trainable);
    expect(decayOf(optimizer, info("conv1_bn/moving_mean"), () => 1)).toBe(0);
  });

  it("is of the parameters named, or of none", () => {
    expect(decaying(adamw({ decayOnly: ["conv_dw_1/depthwise_kernel", "conv1_bn/gamma"] }))).toEqual([
      "conv1_bn/gamma",
      "conv_dw_1/depthwise_kernel",
    ]);
    expect(decaying(adamw({ decayOnly: [] }))).toEqual([]);
    expect(decaying(sgd())).toEqual([]);
    expect(decaying(adam())).toEqual([]);
    expect(decayOf(sgd(), info("conv1/kernel"))).toBe(0);
    expect(decayOf(adam(), info("conv1/kernel"))).toBe(0);
  });

  it("is what a function of the parameter says, where it says something", () => {
    const override = ({ node }: ParameterInfo) => (node === "conv_dw_1" ? 0.5 : node === "conv1" ? 0 : undefined);
    const optimizer = sgd({ weightDecay: 4e-5 });
    expect(decayOf(optimizer, info("conv_dw_1/depthwise_kernel"), override)).toBe(0.5);
    expect(decayOf(optimizer, info("conv1/kernel"), override)).toBe(0);
    expect(decayOf(optimizer, info("conv_pw_1/kernel"), override)).toBe(4e-5);
    expect(decayOf(sgd(), info("conv_dw_1/depthwise_kernel"), override)).toBe(0.5);
    expect(decayOf(adam(), info("conv1/kernel"), override)).toBe(0);
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1", null]) {
      const bad = () => decayOf(optimizer, info("conv1/kernel"), () => wrong as never);
      expect(bad).toThrow(
        invalid(/^conv1\/kernel: weight decay: expected a finite number of at least 0, or undefined/),
      );
    }
    expect(() => decayOf(adam(), info("conv_dw_1/depthwise_kernel"), override)).toThrow(invalid(/Use adamw/));
  });

  it("names no parameter that is not there", () => {
    checkDecayNames("fit", sgd({ weightDecay: 1, decayOnly: ["conv1/kernel"] }), infos);
    checkDecayNames("fit", sgd({ weightDecay: 1 }), infos);
    const refused = (name: string, advice: string) =>
      expect(() => checkDecayNames("fit", sgd({ weightDecay: 1, decayOnly: [name] }), infos)).toThrow(
        expect.objectContaining({
          code: "NAME_UNKNOWN",
          message: `fit: optimizer.decayOnly: expected names of parameters, found "${name}". ${advice}`,
        }),
      );
    refused("conv1/kernle", 'Did you mean "conv1/kernel"?');
    refused("nothing that is near", "Names are those of the network's parameters, such as conv1/kernel.");
  });
});

describe("the numbers of a step", () => {
  it("are written in their order", () => {
    const rule = ruleOf(sgd());
    expect([...hyperValues(rule, { update: 0, rate: 0.5 })]).toEqual([0.5, Number.POSITIVE_INFINITY, 0, 0, 1]);
    expect([...hyperValues(rule, { update: 7, rate: 0.5, clipNorm: 2, averageDecay: 0.75 })]).toEqual([
      0.5, 2, 0.25, 0, 1,
    ]);
  });

  it("correct the moments of Adam by the count of updates", () => {
    const torch = hyperOf(ruleOf(adam()), { update: 2, rate: 0.01 });
    expect(torch.step / (0.01 / (1 - 0.9 ** 3)) - 1).toBeCloseTo(0, 13);
    expect(torch.rootFactor * Math.sqrt(1 - 0.999 ** 3) - 1).toBeCloseTo(0, 12);
    const keras = hyperOf(ruleOf(adam({ form: "keras" })), { update: 0, rate: 0.01 });
    expect(keras.step / ((0.01 * Math.sqrt(1 - 0.999)) / (1 - 0.9)) - 1).toBeCloseTo(0, 12);
    expect(keras.rootFactor).toBe(1);
    expect(hyperOf(ruleOf(adam()), { update: 1e6, rate: 0.01 })).toMatchObject({ step: 0.01, rootFactor: 1 });
    expect(hyperOf(ruleOf(adam({ beta1: 0, beta2: 0 })), { update: 0, rate: 0.01 })).toMatchObject({
      step: 0.01,
      rootFactor: 1,
    });
  });
});
