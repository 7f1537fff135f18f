/** Several networks in one process: each answers what it answers alone, whatever ran, was replaced or closed before. */

import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { worker } from "../backends.ts";
import { describeShared, sharedRoot } from "../shared.ts";
import { runSeveral, VARIANTS } from "./several-networks.ts";
import { expectAnswers, library, reader, referenceLogits, SHARED_SPECS, SPECS } from "./several-networks-expected.ts";

const variants = VARIANTS.map((variant) => [`simd ${variant.simd}, ${variant.threads} threads`, variant] as const);

describe("several networks in one process", () => {
  let expected: Map<string, number[]>;
  beforeAll(async () => {
    expected = await referenceLogits(SPECS);
  });

  it("differ from each other", () => {
    expect(new Set([...expected.values()].map((logits) => logits.join())).size).toBe(SPECS.length);
  });

  it.each(variants)("answer as each alone: %s", async (_name, variant) => {
    expectAnswers(await runSeveral(SPECS, variant, { library, worker, read: reader("") }), expected, variant);
  });
});

describeShared("several files in one process", () => {
  const folder = resolve(sharedRoot ?? "", "derived");
  let expected: Map<string, number[]>;
  beforeAll(async () => {
    expected = await referenceLogits(SHARED_SPECS, folder);
  });

  // The larger networks take longer: a variant for each number of threads.
  const some = variants.filter(([, { simd, threads }]) => (simd === "auto") === (threads === 2));
  it.each(some)("answer as each alone: %s", async (_name, variant) => {
    const answers = await runSeveral(SHARED_SPECS, variant, { library, worker, read: reader(folder) });
    expectAnswers(answers, expected, variant);
  });
});
