/** Networks that programs in other places run, and what they say here. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, mobileNetV1 } from "../../src/index.ts";
import { encodeModel } from "../../src/weights/save-model.ts";
import { networkFiles } from "../browser/readers-networks.ts";
import type { Project } from "./project.ts";

/** Writes small networks in every format beside the programs of a project. */
export async function writeModels(project: Project): Promise<void> {
  const small = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 3 });
  writeFileSync(join(project.path, "small.safetensors"), encodeModel(small));
  for (const { files } of await networkFiles())
    for (const file of files) writeFileSync(join(project.path, file.name), new Uint8Array(await file.arrayBuffer()));
}

/** Logits of the two networks, seeds 5 and 6, that the programs build. */
export async function expectedLogits(): Promise<number[][]> {
  const expected: number[][] = [];
  for (const seed of [5, 6]) {
    const session = await compile(mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed }));
    const input = Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i));
    expected.push([...(await session.run(input)).logits.data]);
    session.close();
  }
  return expected;
}
