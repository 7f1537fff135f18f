/**
 * What the first bytes of a file say: which image format it is and, where the format has it near the front, how large
 * the picture is. Nothing is decoded and nothing is allocated, so that hostile files can be refused before either.
 *
 * Sources: ITU-T T.81 annex B (JPEG), W3C PNG 5, CompuServe GIF89a, RFC 9649 (WebP), TIFF 6.0, ISO 14496-12 (`ftyp`).
 */

export type ImageFormat = "jpeg" | "png" | "gif" | "webp" | "tiff" | "heif" | "bmp" | "svg";

export interface ImageHeader {
  readonly format: ImageFormat;
  /** `[width, height]` as stored, before any EXIF turn; undefined where it stands deeper in the file. */
  readonly stored?: readonly [number, number];
}

/** The header of an image file, or undefined if the bytes begin like no image. */
export function readHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = FORMATS.find(({ matches }) => matches(bytes))?.format;
  if (format === undefined) return undefined;
  const stored = SIZES[format]?.(view);
  return stored === undefined ? { format } : { format, stored };
}

/** How bytes that are no image are called in messages. */
export function describeBytes(bytes: Uint8Array): string {
  const start = ascii(bytes, 0, 40);
  if (/^\s*<(!doctype|html|\?xml)/i.test(start)) return "a web page or XML";
  if (start.startsWith("version https://git-lfs")) return "a Git LFS pointer, not the file it points to";
  if (/^[\t\n\r\x20-\x7e]+$/.test(start)) return `text that begins ${JSON.stringify(start.slice(0, 16))}`;
  const shown = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  return `${bytes.length.toLocaleString("en-US")} bytes that begin ${shown.join(" ")}`;
}

interface Signature {
  readonly format: ImageFormat;
  readonly matches: (bytes: Uint8Array) => boolean;
}

const FORMATS: readonly Signature[] = [
  { format: "jpeg", matches: (bytes) => begins(bytes, [0xff, 0xd8, 0xff]) },
  { format: "png", matches: (bytes) => begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) },
  { format: "gif", matches: (bytes) => /^GIF8[79]a$/.test(ascii(bytes, 0, 6)) },
  { format: "webp", matches: (bytes) => ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP" },
  // 42 is TIFF, 43 BigTIFF; both byte orders.
  { format: "tiff", matches: (bytes) => ["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(ascii(bytes, 0, 4)) },
  { format: "heif", matches: (bytes) => ascii(bytes, 4, 4) === "ftyp" },
  { format: "bmp", matches: (bytes) => ascii(bytes, 0, 2) === "BM" && ascii(bytes, 6, 4) === "\0\0\0\0" },
  // As far as libvips itself looks for it.
  { format: "svg", matches: (bytes) => /^[^\0]*<([a-z]+:)?svg[\s>/]/i.test(ascii(bytes, 0, 1000)) },
];

type Size = readonly [number, number] | undefined;

const SIZES: { readonly [format in ImageFormat]?: (view: DataView) => Size } = {
  jpeg: jpegSize,
  png: (view) => (view.byteLength < 24 ? undefined : [view.getUint32(16), view.getUint32(20)]),
  gif: (view) => (view.byteLength < 10 ? undefined : [view.getUint16(6, true), view.getUint16(8, true)]),
  bmp: (view) => (view.byteLength < 26 ? undefined : [view.getInt32(18, true), Math.abs(view.getInt32(22, true))]),
  webp: webpSize,
};

/** Walks the segments to the frame header (SOF0 to SOF15, less DHT, JPG and DAC, which share its numbers). */
function jpegSize(view: DataView): Size {
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++; // a fill byte
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    } else {
      at += 2 + view.getUint16(at + 2);
    }
  }
  return undefined;
}

function webpSize(view: DataView): Size {
  if (view.byteLength < 30) return undefined;
  const uint24 = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  switch (view.getUint32(12)) {
    case 0x56503820: // "VP8 "
      return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
    case 0x5650384c: {
      // "VP8L": 14 bits each, less one
      const bits = view.getUint32(21, true);
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    }
    case 0x56503858: // "VP8X"
      return [uint24(24) + 1, uint24(27) + 1];
    default:
      return undefined;
  }
}

/**
 * Not by a text: a minifier writes letters beyond ASCII as they are, and a page that does not say it is UTF-8 reads
 * others.
 */
function begins(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, at) => bytes[at] === byte);
}

function ascii(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}
