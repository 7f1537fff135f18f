import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { completePreprocessing } from "../../src/core/preprocessing.ts";
import { decodeImage } from "../../src/images/decode.ts";
import { cropAndResize } from "../../src/images/preprocess.ts";
import { largestDifference, readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface Photo {
  readonly file: string;
  readonly special: string;
  readonly inputs: Record<string, { readonly offset: number }>;
}

describeShared("reference photos", () => {
  const root = sharedRoot ?? "";
  const index =
    sharedRoot === undefined
      ? { images: [], inputs: {} }
      : readJson<{ images: readonly Photo[]; inputs: Record<string, { file: string; shape: number[] }> }>(
          "reference/index.json",
        );
  const rows = index.images.flatMap((photo) =>
    Object.entries(photo.inputs).map(([side, { offset }]) => [photo.file, side, offset] as const),
  );

  it.each(rows)("%s at %s gives the reference's bytes", async (file, side, offset) => {
    const size = Number(side);
    const pixels = await decodeImage(resolve(root, "reference", file));
    const actual = cropAndResize(pixels, completePreprocessing([size, size, 3]));
    const all = readFileSync(resolve(root, "reference", index.inputs[side]?.file ?? ""));
    const difference = largestDifference(actual, all.subarray(offset, offset + 3 * size * size));
    expect(difference).toBe(0);
  });
});

interface Odd {
  readonly file: string;
  readonly expect: {
    readonly outcome: "ok" | "error" | "either";
    readonly kind?: string;
    readonly width?: number;
    readonly height?: number;
    readonly probes?: readonly Probe[];
    readonly probesAnyOf?: Record<string, readonly Probe[]>;
  };
}

interface Probe {
  readonly x: number;
  readonly y: number;
  readonly rgb: readonly number[];
  readonly tolerance: number;
}

describeShared("broken and odd images", () => {
  const { files } =
    sharedRoot === undefined ? { files: [] } : readJson<{ files: readonly Odd[] }>("datasets/corrupt/index.json");
  const CODES: Record<string, readonly string[]> = {
    empty: ["FILE_EMPTY"],
    "too-large": ["IMAGE_TOO_LARGE", "IMAGE_UNREADABLE"],
  };

  it.each(files.map((entry) => [entry.file, entry] as const))(
    "%s is read or refused as it should be",
    async (file, { expect: wanted }) => {
      const outcome = await decodeImage(resolve(sharedRoot ?? "", "datasets/corrupt", file)).catch(
        (error: unknown) => error,
      );
      if (isDepthwiseError(outcome)) {
        expect(wanted.outcome, outcome.message).not.toBe("ok");
        expect(CODES[wanted.kind ?? ""] ?? ["IMAGE_UNREADABLE"]).toContain(outcome.code);
        expect(outcome.message).toContain(file);
        return;
      }
      expect(wanted.outcome).not.toBe("error");
      const pixels = outcome as Awaited<ReturnType<typeof decodeImage>>;
      if (wanted.width !== undefined) expect([pixels.width, pixels.height]).toEqual([wanted.width, wanted.height]);
      const holds = (probes: readonly Probe[]) =>
        probes.every(
          ({ x, y, rgb, tolerance }) =>
            largestDifference(pixels.data.subarray(3 * (y * pixels.width + x)).slice(0, 3), rgb) <= tolerance,
        );
      if (wanted.probes !== undefined) expect(holds(wanted.probes)).toBe(true);
      if (wanted.probesAnyOf !== undefined) expect(Object.values(wanted.probesAnyOf).some(holds)).toBe(true);
    },
  );
});
