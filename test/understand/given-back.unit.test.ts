/** @slow: it takes several seconds. */

/** What a file says by itself, said by the caller as well: the same network. */

import { describe, expect, it } from "vitest";
import type { MobileNetV1Options } from "../../src/models/index.ts";
import { loadModel } from "../../src/weights/load-model.ts";
import { answer, sample } from "../fixtures/sample-networks.ts";
import { FORMS } from "../writers/forms.ts";

const BASE = { alpha: 0.125, resolution: 32, classes: 3 } as const;

/** Options of a network, and those that are given back. */
const CASES: Readonly<Record<string, readonly [MobileNetV1Options, MobileNetV1Options]>> = {
  whole: [{}, { shallow: false, standardConvolution: false }],
  shallow: [{ shallow: true }, { shallow: true }],
  "of full convolutions": [{ standardConvolution: true }, { standardConvolution: true }],
  "shallow and of full convolutions": [{ shallow: true, standardConvolution: true }, { shallow: true }],
  "of output stride 16": [{ outputStride: 16 }, { outputStride: 16 }],
  "shallow, of output stride 16": [
    { shallow: true, outputStride: 16 },
    { shallow: true, outputStride: 16 },
  ],
};

describe.each(Object.entries(CASES))("a network that is %s", (title, [options, given]) => {
  const from = sample(title, { ...BASE, ...options }, 3);
  const forms = FORMS.filter(({ obstacle }) => obstacle?.(from) === undefined);

  it.each(forms.map((form) => [form.name, form] as const))("%s: its own options change nothing", async (_, form) => {
    const written = await form.write(from);
    const plain = await loadModel(written.source, written.given);
    const again = await loadModel(written.source, { ...written.given, ...given });
    expect(again.info.architecture).toBe("mobilenet_v1");
    expect(await answer(again, "reference")).toEqual(await answer(plain, "reference"));
  });
});
