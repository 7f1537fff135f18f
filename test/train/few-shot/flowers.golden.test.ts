/** Few-shot learning on photographs, with the real network of α 0.25 at 128×128. */

import { resolve } from "node:path";
import { expect, it } from "vitest";
import { fewShot } from "../../../src/train/few-shot/index.ts";
import { loadModel } from "../../../src/weights/index.ts";
import { readJson } from "../../golden/vectors.ts";
import { describeShared, sharedRoot } from "../../shared.ts";

interface Split {
  readonly classes: readonly string[];
  readonly train: readonly string[];
  readonly test: readonly string[];
}

const shared = (path: string) => resolve(sharedRoot ?? "", path);

describeShared("flowers, twenty of each", () => {
  it.each(["linear", "nearest"] as const)(
    "are told apart by %s in at least three of four photographs",
    async (method) => {
      const { classes, train, test } = readJson<Split>("datasets/flowers/split.json");
      const of = (files: readonly string[], name: string, count: number) =>
        files
          .filter((file) => file.startsWith(`${name}/`))
          .slice(0, count)
          .map((file) => shared(`datasets/flowers/${file}`));
      const model = await loadModel(shared("weights/mobilenet_v1_0.25_128_frozen_graph.pb"));
      const shots = await fewShot(model, { method });
      for (const name of classes) await shots.add(name, of(train, name, 20));
      const { examples, multAdds } = await shots.train();
      expect(examples).toBe(100);
      // Of 100 examples, 256 features and 5 classes; at half a billion a second a tenth of one.
      expect(multAdds).toBeLessThan(5e7);
      // 100 rows of 256 numbers: one block of a megabyte, and their classes.
      expect(shots.bytes).toBeLessThan(1.1 * 2 ** 20);
      let correct = 0;
      for (const name of classes) {
        const said = await shots.classify(of(test, name, 12), { topK: 1 });
        correct += said.filter(([best]) => best?.label === name).length;
      }
      expect(correct / 60).toBeGreaterThan(0.75);
      shots.close();
    },
  );
});
