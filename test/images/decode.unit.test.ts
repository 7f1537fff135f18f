import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type DepthwiseError, isDepthwiseError } from "../../src/core/errors.ts";
import { decodeImage } from "../../src/images/decode.ts";
import { decodeInBrowser } from "../../src/images/decode-in-browser.ts";
import { loadSharp } from "../../src/images/decode-with-sharp.ts";

let folder = "";
let png = new Uint8Array();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "depthwise-images-"));
  const create = { width: 3, height: 2, channels: 3, background: { r: 10, g: 20, b: 30 } } as const;
  png = new Uint8Array(await sharp({ create }).png().toBuffer());
  writeFileSync(join(folder, "small.png"), png);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllGlobals());

const COLOUR = Array.from({ length: 6 }, () => [10, 20, 30]).flat();

async function refusal(promise: Promise<unknown>): Promise<DepthwiseError> {
  const outcome = await promise.then(
    () => "nothing was thrown",
    (error: unknown) => error,
  );
  if (isDepthwiseError(outcome)) return outcome;
  throw outcome;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

it("a path, a URL, a Blob, an ArrayBuffer and bytes give the same pixels", async () => {
  const path = join(folder, "small.png");
  for (const source of [path, pathToFileURL(path), new Blob([png]), png.slice().buffer, png]) {
    const { width, height, data } = await decodeImage(source);
    expect([width, height, ...data]).toEqual([3, 2, ...COLOUR]);
  }
});

it("a view into a larger buffer is read from where it begins", async () => {
  const larger = new Uint8Array(png.length + 20);
  larger.set(png, 9);
  expect([...(await decodeImage(larger.subarray(9, 9 + png.length))).data]).toEqual(COLOUR);
});

it("16 bits with transparency lose the low byte and are laid over white", async () => {
  const raw = { width: 2, height: 1, channels: 4 } as const;
  const values = Uint16Array.of(0x1234, 0x5678, 0x9abc, 0xffff, 0, 0, 0, 0);
  const bytes = await sharp(values, { raw }).toColourspace("rgb16").png().toBuffer();
  expect([...(await decodeImage(bytes)).data]).toEqual([0x12, 0x56, 0x9a, 255, 255, 255]);
});

describe("errors name the file and the cause", () => {
  it("a missing file", async () => {
    const error = await refusal(decodeImage(join(folder, "missing.jpg")));
    expect(error.code).toBe("FILE_NOT_FOUND");
    expect(error.message).toContain("missing.jpg");
  });

  it("a directory", async () => {
    const error = await refusal(decodeImage(folder));
    expect(error.code).toBe("FILE_UNREADABLE");
    expect(error.message).toContain("a directory");
  });

  it("no bytes at all", async () => {
    expect((await refusal(decodeImage(file("empty.jpg", "")))).code).toBe("FILE_EMPTY");
    expect((await refusal(decodeImage(new Uint8Array(0)))).code).toBe("FILE_EMPTY");
    expect((await refusal(decodeImage(new Blob([])))).code).toBe("FILE_EMPTY");
  });

  it.each([
    ["text.jpg", "This is not a picture.", 'text that begins "This is not a pi"'],
    ["page.png", "<!DOCTYPE html><html><body>404</body></html>", "a web page or XML"],
    ["pointer.jpg", "version https://git-lfs.github.com/spec/v1\noid sha256:0", "a Git LFS pointer"],
    ["zeros.png", new Uint8Array(2048), "2,048 bytes that begin 00 00 00 00"],
    ["one.gif", Uint8Array.of(0x47), 'text that begins "G"'],
  ])("%s is no image", async (name, content, found) => {
    const error = await refusal(decodeImage(file(name, content)));
    expect(error.code).toBe("IMAGE_UNREADABLE");
    expect(error.message).toContain(name);
    expect(error.message).toContain(found);
  });

  it.each([
    ["plain", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ["behind a declaration", '<?xml version="1.0"?>\n<!-- a comment -->\n<svg width="9" height="9"></svg>'],
    ["with a prefix", '<x:svg xmlns:x="http://www.w3.org/2000/svg" width="9" height="9"/>'],
  ])("an SVG drawing, %s, is refused and reaches no decoder", async (_name, text) => {
    const error = await refusal(decodeImage(file("drawing.png", text)));
    expect(error.code).toBe("IMAGE_UNREADABLE");
    expect(error.message).toContain("an SVG drawing, which has no pixels. Convert it to PNG first.");
    expect(error.cause).toBeUndefined();
  });

  // What libvips says it gathers in one place for the whole process: of two at once, either got the other's reason.
  it("damaged files of several formats are each told their own, decoded alone or all at once", async () => {
    const raw = { width: 60, height: 50, channels: 3 } as const;
    const data = Uint8Array.from({ length: 60 * 50 * 3 }, (_, at) => (at ** 3 * 7919) % 251);
    const jpeg = await sharp(data, { raw }).jpeg().toBuffer();
    const square = await sharp(data, { raw }).png().toBuffer();
    const files: readonly (readonly [string, Uint8Array, string])[] = [
      [
        "cut.jpg",
        jpeg.subarray(0, jpeg.length / 2),
        "a jpeg of 60 × 50 pixels cut off, damaged, or packed in a way that the decoder lacks",
      ],
      [
        "cut.png",
        square.subarray(0, square.length / 2),
        "a png of 60 × 50 pixels cut off, damaged, or packed in a way that the decoder lacks",
      ],
      ["header.jpg", jpeg.subarray(0, 30), "one whose header is damaged"],
      ["none.tif", Uint8Array.of(0x49, 0x49, 42, 0, 8, 0, 0, 0), "one of no known format"],
    ];
    for (const [name, bytes, found] of files) {
      const error = await refusal(decodeImage(file(name, bytes)));
      expect([error.code, error.cause instanceof Error]).toEqual(["IMAGE_UNREADABLE", true]);
      expect(error.message).toContain(`found ${found}.`);
    }
    const many = Array.from({ length: 100 }, (_, k) => files[k % files.length] ?? files[0]);
    const errors = await Promise.all(many.map((each) => refusal(decodeImage(each?.[1] ?? new Uint8Array()))));
    errors.forEach(({ message }, k) => {
      expect(message).toContain(`found ${many[k]?.[2]}.`);
    });
  });

  it("20,000 × 20,000 pixels are refused before they are decoded, with the size found and the size allowed", async () => {
    const header = png.slice();
    new DataView(header.buffer).setUint32(16, 20_000);
    new DataView(header.buffer).setUint32(20, 20_000);
    const error = await refusal(decodeImage(header));
    expect(error.code).toBe("IMAGE_TOO_LARGE");
    expect(error.message).toContain("expected at most 268,402,689 pixels, found 20000 × 20000");
    expect(error.fields).toMatchObject({ width: 20_000, height: 20_000, maxPixels: 0x3fff * 0x3fff });
  });

  it.each(["jpeg", "png", "gif", "webp", "tiff", "avif"] as const)("maxPixels holds for %s", async (format) => {
    const create = { width: 20, height: 10, channels: 3, background: "#444" } as const;
    const bytes = await sharp({ create }).toFormat(format).toBuffer();
    expect((await refusal(decodeImage(bytes, { maxPixels: 199 }))).code).toBe("IMAGE_TOO_LARGE");
    expect((await decodeImage(bytes, { maxPixels: 200 })).width).toBe(20);
  });

  it("options that make no sense", async () => {
    for (const options of [{ maxPixels: 0 }, { maxPixels: 1.5 }, { maxBytes: -1 }, { maxPixel: 5 }]) {
      expect((await refusal(decodeImage(png, options))).code).toBe("OPTION_INVALID");
    }
  });

  it("the package that is not installed, and how to install it", async () => {
    const error = await refusal((async () => loadSharp("sharp-that-is-not-installed"))());
    expect(error.code).toBe("PACKAGE_MISSING");
    expect(error.message).toMatch(/not installed\. Run: npm install sharp-that-is-not-installed$/);
  });

  it("the package that is not installed, where there is no script and the first argument is a picture", async () => {
    const script = process.argv[1];
    process.argv[1] = "photo.jpg";
    try {
      const error = await refusal((async () => loadSharp("sharp-that-is-not-installed"))());
      expect(error.message).toMatch(/not installed\. Run: npm install sharp-that-is-not-installed$/);
    } finally {
      process.argv[1] = script as string;
    }
  });

  it("the package beside the working directory, and one of another system", async () => {
    const put = (place: string, code: string) => {
      mkdirSync(join(folder, place, "node_modules", "sharp-here"), { recursive: true });
      writeFileSync(join(folder, place, "node_modules", "sharp-here", "index.js"), code);
      return join(folder, place, "package.json");
    };
    const empty = join(folder, "package.json");
    const works = put("works", "module.exports = Object.assign(() => 'decoded', {});");
    const broken = put(
      "broken",
      "throw new Error('Could not load the \\'sharp\\' module using the linux-x64 runtime\\nPossible solutions:')",
    );
    expect((loadSharp("sharp-here", [empty, works]) as () => unknown)()).toBe("decoded");
    expect((loadSharp("sharp-here", [broken, works]) as () => unknown)()).toBe("decoded");
    const error = await refusal((async () => loadSharp("sharp-here", [broken, empty]))());
    expect(error.code).toBe("PACKAGE_MISSING");
    expect(error.message).toMatch(
      /is installed, and cannot be loaded on .*linux-x64 runtime\)\..* npm install .*--cpu=/,
    );
  });
});

it("an aborted call rejects with the signal's reason", async () => {
  const reason = new Error("enough");
  await expect(decodeImage(png, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const pending = decodeImage(png, { signal: controller.signal });
  controller.abort(reason);
  await expect(pending).rejects.toBe(reason);
});

describe("in a browser", () => {
  function stubBrowser(width: number, height: number, rgba: Uint8ClampedArray) {
    const bitmap = { width, height, close: vi.fn() };
    const create = vi.fn(async (_blob: Blob, _options: unknown) => bitmap);
    const canvas = class {
      getContext() {
        return { drawImage: vi.fn(), getImageData: () => ({ width, height, data: rgba }) };
      }
    };
    vi.stubGlobal("createImageBitmap", create);
    vi.stubGlobal("OffscreenCanvas", canvas);
    return { bitmap, create };
  }

  it("the browser decodes, turned as EXIF says and without conversion of colours", async () => {
    const { bitmap, create } = stubBrowser(1, 1, Uint8ClampedArray.of(1, 2, 3, 255));
    expect([...(await decodeInBrowser(png, "a.png", 10)).data]).toEqual([1, 2, 3]);
    expect(create.mock.calls[0]?.[1]).toEqual({
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
    expect(bitmap.close).toHaveBeenCalledOnce();
  });

  it("a bitmap that is too large is closed and refused", async () => {
    const { bitmap } = stubBrowser(4, 3, new Uint8ClampedArray(48));
    expect((await refusal(decodeInBrowser(png, "a.png", 11))).code).toBe("IMAGE_TOO_LARGE");
    expect(bitmap.close).toHaveBeenCalledOnce();
  });

  it("what the browser refuses is IMAGE_UNREADABLE, with its error as the cause", async () => {
    stubBrowser(1, 1, new Uint8ClampedArray(4));
    const cause = new DOMException("The source image could not be decoded.", "InvalidStateError");
    vi.stubGlobal("createImageBitmap", () => Promise.reject(cause));
    const error = await refusal(decodeInBrowser(png, "a.png", 11));
    expect([error.code, error.cause]).toEqual(["IMAGE_UNREADABLE", cause]);
  });

  it("a place without a decoder says so", async () => {
    const error = await refusal(decodeInBrowser(png, "a.png", 11));
    expect(error.code).toBe("IMAGE_UNREADABLE");
    expect(error.message).toContain("OffscreenCanvas");
  });
});

it("bytes above maxBytes are refused as a file of as many is", async () => {
  await expect(decodeImage(new Uint8Array(11), { maxBytes: 10 })).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
});
