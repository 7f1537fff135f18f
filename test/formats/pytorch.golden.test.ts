/** Two files that PyTorch wrote, one in each form: names, shapes and types, and numbers read here without the library. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { read, readTorchArchive } from "../../src/formats/pytorch/read.ts";
import { firstNonFinite, toFloat32 } from "../../src/formats/stored-tensor.ts";
import { openZip } from "../../src/formats/zip/zip.ts";
import { expectedLayers } from "../../src/understand/architectures/mobilenet-v1/expected.ts";
import { sequenceByShape } from "../../src/understand/architectures/mobilenet-v1/names/by-order.ts";
import { recogniseOther } from "../../src/understand/architectures/mobilenet-v1/names/others.ts";
import { retinaface } from "../../src/understand/architectures/mobilenet-v1/names/retinaface.ts";
import type { Renaming } from "../../src/understand/renamed.ts";
import { opened } from "../fixtures/opened-files.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const search = { known: {}, layersOf: expectedLayers };
const OLD = "mobilenetV1X0.25_pretrain.tar";
const ZIP = "mobilenetv3sm_Final.pth";
const context = { maxBytes: 2 ** 30 };
const open = (name: string) => opened(new Uint8Array(readFileSync(join(sharedRoot ?? "", "weights", name))), {}, name);
const readOld = () => read(open(OLD), context);
async function readZip() {
  const file = open(ZIP);
  return readTorchArchive(await openZip(file.bytes, ZIP, context), file, context);
}

function tensorsOf({ content }: ModelFile) {
  if (content.kind !== "tensors") throw new Error("It holds a graph.");
  return content.tensors;
}

function countBy<T>(items: Iterable<T>, key: (item: T) => string) {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}

const FILTERS = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024].map((filters) => filters / 4);

describeShared("the old form", () => {
  it("holds the state dict in order, its accuracy in the remarks, the optimizer left out", async () => {
    const file = await readOld();
    expect(file.format).toBe("PyTorch (before 1.6)");
    expect(file.remarks).toEqual({
      stateDict: "state_dict",
      strippedPrefix: "module.",
      checkpoint: { epoch: 18, arch: "resnet18", best_acc1: 46.57999801635742 },
      ignored: ["optimizer"],
    });
    const tensors = tensorsOf(file);
    // 27 convolutions, each with five values of its batch norm, and the classifier's two.
    expect(tensors.size).toBe(27 * 6 + 2);
    expect(countBy(tensors.values(), ({ dtype }) => dtype)).toEqual({ F32: 27 * 5 + 2, I64: 27 });
    expect([...tensors.keys()].slice(0, 8)).toEqual([
      ...["stage1.0.0.weight", "stage1.0.1.weight", "stage1.0.1.bias", "stage1.0.1.running_mean"],
      ...["stage1.0.1.running_var", "stage1.0.1.num_batches_tracked", "stage1.1.0.weight", "stage1.1.1.weight"],
    ]);
    for (const stored of tensors.values()) expect(firstNonFinite(toFloat32(stored)), stored.name).toBe(-1);
  });

  it("has the shapes of α 0.25", async () => {
    const kernels = [...tensorsOf(await readOld()).values()].filter(({ shape }) => shape.length !== 1);
    let channels = 8;
    const expected: number[][] = [[8, 3, 3, 3]];
    for (const filters of FILTERS) {
      expected.push([channels, 1, 3, 3], [filters, channels, 1, 1]);
      channels = filters;
    }
    expect(kernels.filter(({ shape }) => shape.length > 1).map(({ shape }) => shape)).toEqual([
      ...expected,
      [1000, 256],
    ]);
  });

  it("has the numbers that Python's own pickle and struct modules read", async () => {
    const tensors = tensorsOf(await readOld());
    const first = (name: string) => {
      const stored = tensors.get(name);
      return stored === undefined ? [] : [...toFloat32(stored).subarray(0, 3)];
    };
    expect(first("stage1.0.0.weight")).toEqual([0.05164044350385666, 0.02491789683699608, -0.0566268190741539]);
    expect(first("stage3.1.4.running_var")).toEqual([0.15200740098953247, 0.19389019906520844, 0.16993297636508942]);
    expect(first("fc.bias")).toEqual([-0.033473171293735504, -0.0016595282359048724, -0.060852982103824615]);
  });

  it("is understood by its names and, renamed, by order and shape, in the same way", async () => {
    const tensors = tensorsOf(await readOld());
    expect(retinaface.matches(new Set(tensors.keys()))).toBe(true);
    const byName = [...tensors.keys()].map(retinaface.renamer(new Set(tensors.keys()), search));
    const ours = byName.filter((target): target is Renaming => typeof target === "object").map(({ name }) => name);
    expect(new Set(ours).size).toBe(27 * 5 + 2);
    const renamed = new Map([...tensors.values()].map((stored, i) => [`tensor${i}`, stored]));
    const found = sequenceByShape(renamed, true, search);
    if ("reason" in found) throw new Error(found.reason);
    expect([...renamed.keys()].map((name) => found.targets.get(name))).toEqual(byName);
    expect(found.layout).toBe("PyTorch");
  });
});

describeShared("the zip form", () => {
  it("holds a state dict of a network that is refused by name", async () => {
    const file = await readZip();
    expect(file).toMatchObject({ format: "PyTorch", remarks: {} });
    const tensors = tensorsOf(file);
    expect(tensors.size).toBe(284);
    expect(countBy(tensors.values(), ({ dtype }) => dtype)).toEqual({ F32: 243, I64: 41 });
    expect(tensors.get("body.0.0.weight")?.shape).toEqual([16, 3, 3, 3]);
    expect(tensors.get("LandmarkHead.2.conv1x1.bias")?.shape).toEqual([20]);
    for (const stored of tensors.values()) expect(firstNonFinite(toFloat32(stored)), stored.name).toBe(-1);
    expect(recogniseOther(tensors.keys())).toBe(
      "a face detector on a MobileNet V3 body (keys body.1.block.…, ClassHead.…)",
    );
    expect(sequenceByShape(tensors, true, search)).toHaveProperty("reason");
  });

  it("is refused when a byte of its weights is flipped", async () => {
    const file = open(ZIP);
    file.bytes[400_000] = (file.bytes[400_000] ?? 0) ^ 1;
    const error: unknown = await openZip(file.bytes, ZIP, context)
      .then((entries) => readTorchArchive(entries, file, context))
      .catch((thrown: unknown) => thrown);
    expect(isDepthwiseError(error) && error.message).toMatch(/does not have the checksum it claims/);
  });
});
