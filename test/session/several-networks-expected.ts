/** What `runSeveral` must answer: the reference backend's logits, one network in a session of its own. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { compile, loadModel, mobileNetV1 } from "../../src/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { folded, sample } from "../fixtures/sample-networks.ts";
import { largestDifference } from "../golden/vectors.ts";
import { type Answer, make, type NetworkSpec, pictureFor, type Variant } from "./several-networks.ts";

export const library = { compile, loadModel, mobileNetV1 };

const SMALL = { alpha: 0.25, resolution: 64, classes: 10 };
const WIDE = { alpha: 0.5, resolution: 96, classes: 12 };

/** Files as `saveModel` writes them, by their names. */
export const FILES: ReadonlyMap<string, Uint8Array> = new Map(
  Object.entries({
    apart: sample("", SMALL, 21),
    folded: folded(sample("", SMALL, 22)),
    "folded-other": folded(sample("", SMALL, 23)),
    wide: sample("", WIDE, 24),
    "wide-folded": folded(sample("", WIDE, 25)),
  }).map(([name, { model }]) => [`${name}.safetensors`, encodeModel(model)]),
);

const file = (name: string) => ({ file: `${name}.safetensors` });

/** Batch norm apart before folded, files and built ones, of several alphas and resolutions. */
export const SPECS: readonly NetworkSpec[] = [
  { name: "built, batch norm apart", from: { alpha: 0.25, resolution: 64, classes: 10, seed: 3 } },
  { name: "file, folded", from: file("folded"), twin: "file, folded, other numbers" },
  { name: "file, batch norm apart", from: file("apart"), twin: "built, batch norm apart" },
  { name: "file, folded, other numbers", from: file("folded-other"), twin: "file, folded" },
  { name: "built, folded", from: { alpha: 0.75, resolution: 32, classes: 7, batchNorm: false, seed: 4 } },
  { name: "file, 0.5-96, batch norm apart", from: file("wide") },
  { name: "file, 0.5-96, folded", from: file("wide-folded") },
  { name: "built, 1.0-128", from: { alpha: 1, resolution: 128, seed: 5 } },
];

/** Files beside the project, and the network that a first try builds. */
export const SHARED_SPECS: readonly NetworkSpec[] = [
  { name: "mobileNetV1()", from: {} },
  { name: "0.25-128", from: file("mobilenet_v1_0.25_128") },
  { name: "0.25-224, batch norm apart", from: file("mobilenet_v1_0.25_224_unfolded") },
  { name: "0.25-224", from: file("mobilenet_v1_0.25_224_f16") },
  { name: "1.0-224", from: file("mobilenet_v1_1.0_224_f16") },
];

/** @param folder of the files that are not among `FILES` */
export const reader = (folder: string) => async (name: string) =>
  FILES.get(name) ?? new Uint8Array(readFileSync(join(folder, name)));

/** The reference's logits, by the names of the networks. */
export async function referenceLogits(specs: readonly NetworkSpec[], folder = ""): Promise<Map<string, number[]>> {
  const expected = new Map<string, number[]>();
  for (const spec of specs) {
    const model = await make(spec, { library, read: reader(folder) });
    const session = await compile(model, { backend: "reference" });
    const { logits } = await session.run(pictureFor(model));
    session.close();
    expected.set(spec.name, [...(logits?.data ?? [])]);
  }
  return expected;
}

/** Each answer is the reference's, under the bound of random networks, and names the same class. */
export function expectAnswers(
  answers: readonly Answer[],
  expected: ReadonlyMap<string, readonly number[]>,
  { threads }: Variant,
): void {
  const wrong: string[] = [];
  for (const { network, moment, logits, threads: found } of answers) {
    const exact = expected.get(network) ?? [];
    const largest = Math.max(...exact.map(Math.abs));
    const apart = largestDifference(logits, exact);
    const top = logits.indexOf(Math.max(...logits)) === exact.indexOf(Math.max(...exact));
    if (!(apart <= 1e-4 * largest && top)) wrong.push(`${network}, ${moment}: ${apart} of ${largest}, top-1 ${top}`);
    if (found !== threads) wrong.push(`${network}, ${moment}: ${found} threads`);
  }
  expect(wrong).toEqual([]);
  expect(new Set(answers.map(({ network }) => network))).toEqual(new Set(expected.keys()));
  expect(answers.length).toBeGreaterThan(6 * expected.size);
}
