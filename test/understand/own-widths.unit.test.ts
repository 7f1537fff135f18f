/** MobileNets V1 that were pruned: widths that no alpha gives. */

import { describe, expect, it } from "vitest";
import { conv2d, depthwise, flatten, globalAveragePool, pointwise, sequential } from "../../src/layers/index.ts";
import { type Block, MOBILENET_V1_BLOCKS, type MobileNetV1Options } from "../../src/models/index.ts";
import { describe as describeModel } from "../../src/weights/describe.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { answer, sample, unsaid } from "../fixtures/sample-networks.ts";
import { largestDifference } from "../golden/vectors.ts";
import { frozenGraph } from "../writers/as-graph-def.ts";
import { kerasLayers, tfjsLayers } from "../writers/as-keras.ts";
import { onnxFile } from "../writers/as-onnx.ts";
import { namedTensors, safetensors } from "../writers/as-tensors.ts";
import { networkAsOnnx } from "../writers/network-as-onnx.ts";

const small = { resolution: 32, classes: 4, stem: { stride: 2, filters: 7 } } as const;
const pruned = (blocks: readonly Block[]) => blocks.map(({ stride }, i) => ({ stride, filters: 9 + ((i * 7) % 11) }));
const blocks = pruned(MOBILENET_V1_BLOCKS);

const CASES: Readonly<Record<string, MobileNetV1Options>> = {
  whole: { blocks },
  shallow: { blocks, shallow: true },
  "of full convolutions": { blocks, standardConvolution: true },
  "of output stride 16": { blocks, outputStride: 16 },
  "of a multiplier": { blocks, multiplier: 2 },
  "of strides of its own": { blocks: blocks.map(({ filters }, i) => ({ stride: i % 4 === 0 ? 2 : 1, filters })) },
};

describe.each(Object.entries(CASES))("a pruned network, %s,", (title, options) => {
  const from = sample(title, { ...small, ...options }, 3);
  const sources = {
    ONNX: onnxFile(from),
    "a frozen graph": frozenGraph(from),
    "a layers model": tfjsLayers(kerasLayers(from)),
  };

  it.each(Object.entries(sources))("is a MobileNet V1 with blocks of its own as %s", async (_name, source) => {
    const loaded = await loadModel(source);
    expect(loaded.info.architecture).toBe("mobilenet_v1");
    const decisions = new Map(describeModel(loaded).decisions.map((decision) => [decision.name, decision]));
    expect(decisions.get("blocks")).toMatchObject({ basis: "inferred" });
    expect(decisions.get("stem")).toMatchObject({ value: small.stem });
    const expected = await answer(from.model, "reference");
    expect(largestDifference(await answer(loaded, "reference"), expected)).toBeLessThan(1e-6);
    const again = await loadModel(encodeModel(loaded));
    expect(await answer(again, "reference")).toEqual(await answer(loaded, "reference"));
  });
});

describe("widths that no rule gives", () => {
  const from = sample("whole", { ...small, blocks }, 3);

  it("do not fit what the caller says of them", async () => {
    const { stem } = small;
    const wrong = MOBILENET_V1_BLOCKS;
    for (const given of [
      { alpha: 0.5 },
      { channelRounding: "floor" },
      { minDepth: 8 },
      { stem, blocks: wrong },
    ] as const)
      await expect(loadModel(onnxFile(from), given)).rejects.toMatchObject({ code: "PARAMETERS_MISMATCH" });
    const plain = await answer(await loadModel(onnxFile(from)), "reference");
    for (const given of [{ stem, blocks }, { shallow: false }])
      expect(await answer(await loadModel(onnxFile(from), given), "reference")).toEqual(plain);
  });

  it.each(["shallow", "strides"])("and are those of a shallow network, called so: %s", async (kind) => {
    const own = kind === "strides" ? blocks.map(({ filters }, i) => ({ filters, stride: 1 + (i % 2) })) : blocks;
    const short = sample("shallow", { ...small, blocks: own, shallow: true }, 3);
    for (const source of [onnxFile(short), frozenGraph(short), tfjsLayers(kerasLayers(short))]) {
      const loaded = await loadModel(source, { shallow: true });
      expect(loaded.info.options).toMatchObject({ shallow: true, stem: small.stem });
      expect(await answer(loaded, "reference")).toEqual(await answer(await loadModel(source), "reference"));
      const again = await loadModel(encodeModel(loaded));
      expect(again.info.options).toEqual(loaded.info.options);
    }
    await expect(loadModel(onnxFile(short), { shallow: true, alpha: 0.5 })).rejects.toMatchObject({
      code: "PARAMETERS_MISMATCH",
    });
  });

  it("are refused of tensors by name, of which nothing says what runs", async () => {
    const { blocks: _blocks, stem: _stem, ...given } = unsaid(from);
    for (const family of ["Keras in HDF5's spelling", "TF-slim"] as const) {
      const loading = loadModel(safetensors(namedTensors(from, family)), given);
      await expect(loading).rejects.toMatchObject({ code: "PARAMETERS_MISMATCH" });
    }
  });

  it("by multipliers unlike one another make a network of its own", async () => {
    const layers = blocks.flatMap(({ stride, filters }, i) => [
      depthwise({ kernel: 3, stride, multiplier: 1 + (i % 2) }),
      pointwise({ filters }),
    ]);
    const ends = [globalAveragePool(), flatten()];
    const model = sequential({ inputShape: [32, 32, 3] }, [
      conv2d({ kernel: 3, filters: 8, stride: 2 }),
      ...layers,
      ...ends,
    ]);
    const loaded = await loadModel(networkAsOnnx(model));
    expect(loaded.info.architecture).toBe("custom");
    expect(describeModel(loaded).understoodBy).toMatch(/multiplier/);
  });
});
