/** A hash that tells damage and difference apart from sameness; nothing secret rests on it. */

const { imul } = Math;

/** 64 bits of MurmurHash3's steps over two lanes, as 16 hexadecimal digits. Source: Austin Appleby, 2011, public domain. */
export function hashOf(bytes: Uint8Array): string {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  const whole = bytes.length - (bytes.length % 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += 4) {
    const word = view.getUint32(at, true);
    a = imul(turned(a ^ imul(turned(imul(word, 0xcc9e2d51), 15), 0x1b873593), 13), 5) + 0xe6546b64;
    b = imul(turned(b ^ imul(turned(imul(word, 0x239b961b), 16), 0xab0e9789), 17), 5) + 0x561ccd1b;
  }
  for (let at = whole; at < bytes.length; at++) {
    a = imul(a ^ (bytes[at] ?? 0), 0xcc9e2d51);
    b = imul(b ^ (bytes[at] ?? 0), 0x1b873593);
  }
  a = finished(a ^ bytes.length);
  b = finished(b ^ a);
  return [finished(a ^ b), b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

export function hashOfText(text: string): string {
  return hashOf(new TextEncoder().encode(text));
}

function turned(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function finished(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = imul(h, 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
