import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";
import sharp from "sharp";
import { expect, it } from "vitest";
import { readHeader } from "../../src/images/header.ts";
import { readJson } from "../golden/vectors.ts";
import { describeShared, sharedRoot } from "../shared.ts";

const WIDTH = 301;
const HEIGHT = 17;

async function encode(format: "jpeg" | "png" | "gif" | "webp" | "tiff" | "avif", options: object = {}) {
  const create = {
    width: WIDTH,
    height: HEIGHT,
    channels: 4,
    background: { r: 9, g: 99, b: 199, alpha: 0.5 },
  } as const;
  return sharp({ create }).toFormat(format, options).toBuffer();
}

it.each([
  ["jpeg", "jpeg", {}],
  ["jpeg", "jpeg", { progressive: true, mozjpeg: true }],
  ["png", "png", {}],
  ["gif", "gif", {}],
  ["webp", "webp", {}],
  ["webp", "webp", { lossless: true }],
] as const)("%s gives its size from the header", async (format, encoder, options) => {
  expect(readHeader(await encode(encoder, options))).toEqual({ format, stored: [WIDTH, HEIGHT] });
});

it("opaque WebP, lossy and lossless, gives its size from the frame", async () => {
  const create = { width: WIDTH, height: HEIGHT, channels: 3, background: "#123" } as const;
  for (const lossless of [false, true]) {
    const bytes = await sharp({ create }).webp({ lossless }).toBuffer();
    expect(readHeader(bytes)).toEqual({ format: "webp", stored: [WIDTH, HEIGHT] });
  }
});

it("TIFF and AVIF are recognised; their size stands elsewhere", async () => {
  expect(readHeader(await encode("tiff"))).toEqual({ format: "tiff" });
  expect(readHeader(await encode("avif"))).toEqual({ format: "heif" });
});

it("every beginning of a file is answered without an error", async () => {
  for (const format of ["jpeg", "png", "gif", "webp", "tiff"] as const) {
    const bytes = await encode(format);
    for (let length = 0; length < Math.min(bytes.length, 400); length++) {
      const header = readHeader(bytes.subarray(0, length));
      if (header !== undefined) expect(header.format).toBe(format);
    }
  }
});

describeShared("headers of the odd images", () => {
  const root = sharedRoot ?? "";
  const { files } =
    sharedRoot === undefined
      ? { files: [] }
      : readJson<{ files: { file: string; expect: { outcome: string } }[] }>("datasets/corrupt/index.json");

  it("the header's size is what libvips finds, wherever both find one", async () => {
    let compared = 0;
    for (const { file } of files) {
      const bytes = readFileSync(resolve(root, "datasets/corrupt", file));
      const stored = readHeader(bytes)?.stored;
      if (bytes.length === 0) continue;
      const found = await sharp(bytes, { limitInputPixels: false })
        .metadata()
        .catch(() => undefined);
      if (stored === undefined || found === undefined) continue;
      expect([file, ...stored]).toEqual([file, found.width, found.height]);
      compared++;
    }
    expect(compared).toBeGreaterThan(40);
  });

  it("every sound file is recognised", () => {
    for (const { file, expect: wanted } of files) {
      if (wanted.outcome !== "ok") continue;
      expect(readHeader(readFileSync(resolve(root, "datasets/corrupt", file))), file).toBeDefined();
    }
  });
});

it("tells JPEG and PNG in a script whose letters were read in another character set", async () => {
  const { outputFiles } = await build({
    entryPoints: [resolve(import.meta.dirname, "../../src/images/header.ts")],
    bundle: true,
    charset: "utf8",
    format: "esm",
    minify: true,
    write: false,
  });
  // A page without a charset takes its scripts for windows-1252.
  const misread = Buffer.from(Buffer.from(outputFiles[0]!.contents).toString("latin1"), "utf8");
  const there = (await import(`data:text/javascript;base64,${misread.toString("base64")}`)) as {
    readonly readHeader: typeof readHeader;
  };
  const [jpeg, png] = await Promise.all([
    sharp(new Uint8Array(6), { raw: { width: 2, height: 1, channels: 3 } })
      .jpeg()
      .toBuffer(),
    sharp(new Uint8Array(6), { raw: { width: 2, height: 1, channels: 3 } })
      .png()
      .toBuffer(),
  ]);
  expect(there.readHeader(jpeg)).toEqual({ format: "jpeg", stored: [2, 1] });
  expect(there.readHeader(png)).toEqual({ format: "png", stored: [2, 1] });
});
