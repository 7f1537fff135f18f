import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { toPixels } from "../../src/images/pixels.ts";
import { resizeAntialiased, resizePlain } from "../../src/images/resize.ts";
import { largestDifference, readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

interface Image {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly offset: number;
  readonly targets: readonly {
    readonly width: number;
    readonly height: number;
    readonly antialiased: number;
    readonly plain: number;
  }[];
}

describeShared("resize goldens", () => {
  const folder = resolve(sharedRoot ?? "", "reference/resize");
  const { images } =
    sharedRoot === undefined ? { images: [] } : readJson<{ images: readonly Image[] }>("reference/resize/index.json");
  const bytes =
    sharedRoot === undefined ? new Uint8Array() : new Uint8Array(readFileSync(resolve(folder, "pixels.u8")));
  const plain =
    sharedRoot === undefined
      ? new Float32Array()
      : new Float32Array(new Uint8Array(readFileSync(resolve(folder, "plain.f32"))).buffer);
  const cases = images.flatMap((image) =>
    image.targets.map((target) => [`${image.name} to ${target.width}×${target.height}`, image, target] as const),
  );

  it.each(cases)("%s: antialiased to the byte, plain to 1e-4", (_name, image, target) => {
    const { width, height, channels, offset } = image;
    const data = bytes.subarray(offset, offset + channels * width * height);
    const pixels = toPixels({ width, height, channels, data });
    const count = channels * target.width * target.height;
    // A grey golden has one channel where ours has three equal ones.
    const thin = <T extends Uint8Array | Float32Array>(values: T) =>
      values.filter((_, i) => channels === 3 || i % 3 === 0);
    const actual = thin(resizeAntialiased(pixels, target.width, target.height).data);
    expect([...actual]).toEqual([...bytes.subarray(target.antialiased, target.antialiased + count)]);
    const expected = plain.subarray(target.plain, target.plain + count);
    expect(largestDifference(thin(resizePlain(pixels, target.width, target.height)), expected)).toBeLessThan(1e-4);
  });

  it("has cases", () => expect(cases.length).toBeGreaterThan(20));
});
