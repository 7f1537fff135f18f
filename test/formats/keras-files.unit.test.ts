/** Whole models, weights alone, numbered weights and `.keras` archives, written by the HDF5 library and read back. */

import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import type { ModelGraph } from "../../src/formats/graph.ts";
import { read } from "../../src/formats/keras/read-hdf5.ts";
import { isKerasArchive, readKerasArchive } from "../../src/formats/keras/read-zip.ts";
import type { ModelFile, TensorContent } from "../../src/formats/model-file.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { openZip } from "../../src/formats/zip/zip.ts";
import {
  batchNorm,
  conv,
  dense,
  depthwise,
  functional,
  functional3,
  INPUT,
  type Layer,
  layer,
  SMALL,
  sequential,
  weightsOf,
} from "../fixtures/keras-models.ts";
import { graphOf, opened } from "../fixtures/opened-files.ts";
import {
  VERSIONS,
  type Weight,
  type Writer,
  weight,
  writeHdf5,
  writeNamedWeights,
  writeNumberedWeights,
  writeTexts,
  writeWeight,
} from "../writers/hdf5.ts";

const CONTEXT = { maxBytes: 10_000_000 };

const fileOf = (bytes: Uint8Array, name = "test.h5") => opened(bytes, {}, name);

async function readHdf5(build: (root: Writer) => void): Promise<ModelFile> {
  return read(fileOf(await writeHdf5(build)), CONTEXT);
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => new Error("nothing was refused"),
    (cause: unknown) => cause,
  );
  const { code, message } = error as { readonly code?: string; readonly message: string };
  return `${code} ${message}`;
}

function tensorsOf({ content }: ModelFile): TensorContent {
  if (content.kind !== "tensors") throw new Error("it is a graph");
  return content;
}

function valuesOf(content: TensorContent): ReadonlyMap<string, readonly number[]> {
  return new Map([...content.tensors].map(([name, stored]) => [name, [...toFloat32(stored)]]));
}

/** What a graph of these layers must hold, constant by constant. */
function constantsOf(layers: readonly Layer[], prefix = ""): ReadonlyMap<string, readonly number[]> {
  return new Map(
    layers.flatMap(({ weights = [] }) =>
      weights.map(({ name, values }) => [`${prefix}${name.replace(":0", "")}`, values] as const),
    ),
  );
}

function readConstants({ constants }: ModelGraph): ReadonlyMap<string, readonly number[]> {
  return new Map([...constants].map(([name, constant]) => [name, [...constant.read()]]));
}

function writeModel(root: Writer, layers: readonly Layer[], config: unknown = functional(layers)): void {
  root.create_attribute("model_config", JSON.stringify(config));
  root.create_attribute("keras_version", "2.4.0");
  root.create_attribute("backend", "tensorflow");
  writeNamedWeights(root.create_group("model_weights"), weightsOf(layers));
}

describe("a whole Keras model in HDF5", () => {
  it.each(VERSIONS)("of version %s is a graph with its weights", async (version) => {
    const file = await read(fileOf(await writeHdf5((root) => writeModel(root, SMALL), version)), CONTEXT);
    expect(file.format).toBe("Keras HDF5, whole model");
    expect(file.remarks).toEqual({ kerasVersion: "2.4.0", kerasBackend: "tensorflow" });
    expect(graphOf(file).nodes).toHaveLength(9);
    expect(readConstants(graphOf(file))).toEqual(constantsOf(SMALL));
  });

  it("leaves the optimizer's state out, and says so", async () => {
    const file = await readHdf5((root) => {
      writeModel(root, SMALL);
      const optimizer = root.create_group("optimizer_weights");
      writeTexts(optimizer, "weight_names", ["training/Adam/conv2d/kernel/m:0"]);
    });
    expect(file.remarks.optimizer).toMatch(/left out/);
    expect(readConstants(graphOf(file))).toEqual(constantsOf(SMALL));
  });

  it("with a model inside gives its layers their weights", async () => {
    const base = SMALL.slice(0, 7);
    const head = [layer("GlobalAveragePooling2D", "pool"), dense("classes", 4, 2)];
    const config = sequential([layer("Functional", "net"), ...head], "outer");
    (config.config as { layers: unknown[] }).layers[0] = { ...functional(base, "net"), name: "net" };
    const groups = new Map<string, readonly Weight[]>([
      ["net", base.flatMap(({ weights = [] }) => weights)],
      ...weightsOf(head),
    ]);
    const build = (root: Writer) => {
      root.create_attribute("model_config", JSON.stringify(config));
      writeNamedWeights(root.create_group("model_weights"), groups);
    };
    const graph = graphOf(await readHdf5(build));
    expect(readConstants(graph)).toEqual(new Map([...constantsOf(base, "net/"), ...constantsOf(head)]));

    const alone = tensorsOf(await readHdf5((root) => writeNamedWeights(root, groups)));
    expect(valuesOf(alone)).toEqual(new Map([...constantsOf(base), ...constantsOf(head)]));
  });

  it("as Keras 3 writes it, without :0, is read the same", async () => {
    const layers = SMALL.map((entry) => ({
      ...entry,
      weights: (entry.weights ?? []).map((one) => ({ ...one, name: one.name.replace(":0", "") })),
    }));
    const file = await readHdf5((root) => writeModel(root, layers, functional3(SMALL)));
    expect(readConstants(graphOf(file))).toEqual(constantsOf(SMALL));
  });

  it("with a broken configuration or names that name nothing is refused", async () => {
    const broken = readHdf5((root) => {
      root.create_attribute("model_config", "{ no");
      writeNamedWeights(root.create_group("model_weights"), weightsOf(SMALL));
    });
    expect(await refusal(broken)).toMatch(/^FILE_CORRUPT test.h5: model_config: expected JSON/);
    const noGroup = readHdf5((root) => writeTexts(root, "layer_names", ["gone"]));
    expect(await refusal(noGroup)).toMatch(/^FILE_CORRUPT test.h5: there is no group "gone"/);
    const noData = readHdf5((root) => {
      writeTexts(root, "layer_names", ["conv"]);
      writeTexts(root.create_group("conv"), "weight_names", ["conv/kernel:0"]);
    });
    expect(await refusal(noData)).toMatch(/^FILE_CORRUPT test.h5: layer "conv": no numbers under "conv\/kernel:0"/);
    const twice = readHdf5((root) => {
      writeTexts(root, "layer_names", ["a", "a"]);
      root.create_group("a");
    });
    expect(await refusal(twice)).toMatch(/^FILE_CORRUPT .*lists "a" twice/);
    const other = readHdf5((root) => writeWeight(root, "images", weight("", [2])));
    expect(await refusal(other)).toMatch(
      /^FORMAT_UNKNOWN test.h5: expected a model or weights that Keras wrote, found HDF5 with "images"/,
    );
  });
});

describe("Keras weights alone", () => {
  const numbered = Array.from({ length: 13 }, (_, i) => conv(i === 0 ? "conv2d" : `conv2d_${i}`, 2, 2));

  it("stand in the order of the layers, not of the alphabet", async () => {
    const content = tensorsOf(await readHdf5((root) => writeNamedWeights(root, weightsOf(numbered))));
    expect(content.isOrdered).toBe(true);
    expect([...content.tensors.keys()]).toEqual(numbered.flatMap(({ name }) => [`${name}/kernel`, `${name}/bias`]));
    expect(valuesOf(content)).toEqual(constantsOf(numbered));
  });

  it("have names in several attributes where one is too small for them", async () => {
    const content = tensorsOf(
      await readHdf5((root) => {
        const names = numbered.map(({ name }) => name);
        writeTexts(root, "layer_names0", names.slice(0, 5));
        writeTexts(root, "layer_names1", names.slice(5, 12));
        writeTexts(root, "layer_names2", names.slice(12));
        for (const { name, weights = [] } of numbered) {
          const group = root.create_group(name);
          group.create_group(name);
          for (const [i, one] of weights.entries()) {
            writeTexts(group, `weight_names${i}`, [one.name]);
            writeWeight(group, one.name, one);
          }
        }
      }),
    );
    expect(valuesOf(content)).toEqual(constantsOf(numbered));
    expect([...content.tensors.keys()].at(-1)).toBe("conv2d_12/bias");
  });

  it("of Keras 1 get the names of later versions", async () => {
    const weights = [weight("convolution2d_1_W", [3, 3, 3, 2]), weight("convolution2d_1_b", [2])];
    const content = tensorsOf(
      await readHdf5((root) => writeNamedWeights(root, new Map([["convolution2d_1", weights]]))),
    );
    expect([...content.tensors.keys()]).toEqual(["convolution2d_1/kernel", "convolution2d_1/bias"]);
  });

  it("of float64 keep their type", async () => {
    const weights = [{ ...weight("d/kernel:0", [2, 2]), dtype: "<d" }];
    const content = tensorsOf(await readHdf5((root) => writeNamedWeights(root, new Map([["d", weights]]))));
    expect(content.tensors.get("d/kernel")).toMatchObject({ dtype: "F64", shape: [2, 2] });
  });
});

/** Layers of Keras 3: the names of groups when layers are counted class by class, and the variables without names. */
function byClass(layers: readonly Layer[]): ReadonlyMap<string, readonly Weight[]> {
  const stems: Record<string, string> = {
    Conv2D: "conv2d",
    DepthwiseConv2D: "depthwise_conv2d",
    BatchNormalization: "batch_normalization",
    Dense: "dense",
  };
  const counts = new Map<string, number>();
  const groups = new Map<string, readonly Weight[]>();
  for (const { className, weights = [] } of layers) {
    const stem = stems[className] ?? className.toLowerCase();
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    if (weights.length > 0) groups.set(count === 0 ? stem : `${stem}_${count}`, weights);
  }
  return groups;
}

/** Keras 3 calls the depthwise kernel "kernel", but the graph's constants keep one name. */
const NAMED: readonly Layer[] = [
  INPUT,
  conv("conv1", 4, 3, { use_bias: false }),
  batchNorm("conv1_bn", 4),
  depthwise("conv_dw_1", 4),
  batchNorm("conv_dw_1_bn", 4, { scale: false }),
  conv("conv_pw_1", 4, 4),
  batchNorm("conv_pw_1_bn", 4),
  layer("GlobalAveragePooling2D", "pool"),
  dense("predictions", 4, 2),
];

describe("Keras 3 weights without a topology", () => {
  it("are named class by class, counted on", async () => {
    const layers = Array.from({ length: 11 }, (_, i) => [
      conv(`c${i}`, 2, 2),
      batchNorm(`b${i}`, 2),
      depthwise(`d${i}`, 2),
    ]).flat();
    const file = await readHdf5((root) => writeNumberedWeights(root, byClass(layers)));
    const content = tensorsOf(file);
    expect(file.format).toBe("Keras 3 weights");
    expect(content.isOrdered).toBe(false);
    expect(file.remarks.order).toMatch(/class by class/);
    const names = [...content.tensors.keys()];
    expect(names.filter((name) => name.startsWith("conv2d"))).toEqual(
      layers
        .filter(({ className }) => className === "Conv2D")
        .flatMap((_, i) => [`conv2d${i === 0 ? "" : `_${i}`}/kernel`, `conv2d${i === 0 ? "" : `_${i}`}/bias`]),
    );
    expect(names.slice(0, 4)).toEqual(
      ["gamma", "beta", "moving_mean", "moving_variance"].map((v) => `batch_normalization/${v}`),
    );
    expect(valuesOf(content).get("depthwise_conv2d_10/kernel")).toEqual(layers.at(-1)?.weights?.[0]?.values);
  });

  it("may be named by layer", async () => {
    const content = tensorsOf(await readHdf5((root) => writeNumberedWeights(root, weightsOf(NAMED))));
    expect(valuesOf(content).get("conv_dw_1/kernel")).toEqual(NAMED[3]?.weights?.[0]?.values);
    expect([...content.tensors.keys()]).toContain("conv1_bn/moving_variance");
    // Three vectors are a gamma or a beta beside the statistics: which one, the file does not say.
    expect([...content.tensors.keys()]).toContain("conv_dw_1_bn/vars/0");
  });
});

describe("a .keras archive", () => {
  async function archive(
    config: unknown,
    weights: ReadonlyMap<string, readonly Weight[]>,
    container?: string,
  ): Promise<ModelFile> {
    const hdf5 = await writeHdf5((root) => writeNumberedWeights(root, weights, container));
    const bytes = zipSync({
      "config.json": strToU8(JSON.stringify(config)),
      "metadata.json": strToU8(JSON.stringify({ keras_version: "3.5.0", date_saved: "2026-01-01@10:00:00" })),
      "model.weights.h5": hdf5,
    });
    const entries = await openZip(bytes, "test.keras", CONTEXT);
    expect(isKerasArchive(entries)).toBe(true);
    return readKerasArchive(entries, fileOf(bytes, "test.keras"), CONTEXT);
  }

  it("whose layers are counted class by class", async () => {
    const file = await archive(functional3(NAMED), byClass(NAMED));
    expect(file.format).toBe("Keras 3 archive");
    expect(file.remarks).toEqual({ kerasVersion: "3.5.0", dateSaved: "2026-01-01@10:00:00", weightNames: "by class" });
    expect(readConstants(graphOf(file))).toEqual(constantsOf(NAMED));
  });

  it("whose layers have their names, also in the container of older versions", async () => {
    for (const container of ["layers", "_layer_checkpoint_dependencies"]) {
      const file = await archive(functional3(NAMED), weightsOf(NAMED), container);
      expect(file.remarks.weightNames).toBe("by layer name");
      expect(readConstants(graphOf(file))).toEqual(constantsOf(NAMED));
    }
  });

  it("whose layers are numbered otherwise than they are counted", async () => {
    const layers = [INPUT, conv("conv2d_1", 2, 3), conv("conv2d", 3, 2), conv("conv2d_7", 2, 3)];
    const file = await archive(functional3(layers), byClass(layers));
    expect(readConstants(graphOf(file))).toEqual(constantsOf(layers));
  });

  it("with a model inside", async () => {
    const base = NAMED.slice(0, 7);
    const head = NAMED.slice(7);
    const config = sequential([layer("Functional", "net"), ...head], "outer");
    (config.config as { layers: unknown[] }).layers[0] = { ...functional3(base, "net"), name: "net" };
    const hdf5 = await writeHdf5((root) => {
      writeNumberedWeights(root, byClass(head));
      const inner = root.get("layers") as Writer;
      writeNumberedWeights(inner.create_group("functional"), byClass(base));
    });
    const bytes = zipSync({ "config.json": strToU8(JSON.stringify(config)), "model.weights.h5": hdf5 });
    const file = await readKerasArchive(
      await openZip(bytes, "nested.keras", CONTEXT),
      fileOf(bytes, "nested.keras"),
      CONTEXT,
    );
    expect(readConstants(graphOf(file))).toEqual(new Map([...constantsOf(base, "net/"), ...constantsOf(head)]));
  });

  it("without weights, or with weights of another model, is refused", async () => {
    expect(await refusal(archive(functional3(NAMED), byClass(NAMED.slice(0, 3))))).toMatch(
      /^FILE_CORRUPT test.keras: layer "conv_dw_1": expected a weight depthwise_kernel or kernel, found no weights/,
    );
    const bytes = zipSync({ "config.json": strToU8("{}"), "metadata.json": strToU8("{}") });
    const entries = await openZip(bytes, "empty.keras", CONTEXT);
    expect(await refusal(readKerasArchive(entries, fileOf(bytes, "empty.keras"), CONTEXT))).toMatch(
      /^FORMAT_UNKNOWN empty.keras: expected a Keras archive with model.weights.h5/,
    );
    expect(isKerasArchive(await openZip(zipSync({ "data.pkl": strToU8("") }), "x", CONTEXT))).toBe(false);
  });
});
