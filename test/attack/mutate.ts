/** Ways to damage a good file, each the idea of an attack. All draw from one seeded generator. */

type Random = () => number;

/** Another good file, of another format. */
export type Damage = (good: Uint8Array, other: Uint8Array, random: Random) => Uint8Array;

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);

/** Half of the places lie where headers and directories are: at the ends. */
function place(length: number, random: Random): number {
  const reach = Math.min(length, 4096);
  const way = random();
  if (way < 0.25) return below(random, reach);
  return way < 0.5 ? length - reach + below(random, reach) : below(random, length);
}

const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "../../../../etc/passwd", "/etc/passwd"];
const MORE_NAMES = [
  "..\\..\\windows",
  "C:\\x",
  "file:///etc/passwd",
  "",
  "\u0000",
  "a/../../b",
  "kernel",
  "\ud83d\ude00",
];

export const DAMAGES = {
  /** The beginning of one file and the end of another, or a piece of another in the middle. */
  splice(good, other, random) {
    const [a, b] = [place(good.length, random), place(other.length, random)];
    if (random() < 0.5) return join(good.subarray(0, a), other.subarray(b));
    const end = b + below(random, Math.min(other.length - b, 2000));
    const goOn = random() < 0.5 ? a : Math.min(good.length, a + end - b);
    return join(good.subarray(0, a), other.subarray(b, end), good.subarray(goOn));
  },

  /** Numbers that lie: where one of 2, 4 or 8 bytes that could be a length or an offset stands, another. */
  lyingLengths(good, _other, random) {
    const bytes = Buffer.from(good);
    for (let edits = 1 + below(random, 3); edits > 0; edits--) {
      let at = place(bytes.length, random);
      // One that looks like a length: not 0, and no more than the file has.
      for (let tries = 0; tries < 200; tries++) {
        const candidate = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0;
        if (candidate > 0 && candidate <= bytes.length) break;
        at = place(bytes.length, random);
      }
      if (at + 8 > bytes.length) continue;
      const now = bytes.readUInt32LE(at);
      const lies = [0, 1, now - 1, now + 1, now * 2, now * 1000, bytes.length, 0x7fffffff, 0x80000000, 0xffffffff];
      const lie = (lies[below(random, lies.length)] ?? 0) >>> 0;
      const width = [2, 4, 8][below(random, 3)];
      if (width === 2) bytes.writeUInt16LE(lie & 0xffff, at);
      else if (width === 4) bytes.writeUInt32LE(lie, at);
      else bytes.writeBigUInt64LE(BigInt(lie) * (random() < 0.3 ? 0x100000001n : 1n), at);
    }
    // Decimal lengths and shapes of JSON lie too.
    if (bytes.includes("shape") && random() < 0.7) {
      return Buffer.from(
        bytes.toString("latin1").replace(/\d+/g, (text) => {
          if (random() > 0.01) return text;
          return ["0", "-1", "1e308", "4294967295", "9007199254740993", `${text}0000`][below(random, 6)] ?? text;
        }),
        "latin1",
      );
    }
    return bytes;
  },

  /** A piece of the file inside itself, again and again; brackets, marks and groups that open and never close. */
  nestedDepth(good, _other, random) {
    const at = place(good.length, random);
    const times = 10 ** (2 + below(random, 4));
    const opens = ["[", '{"a":', "(", "]", "(l", "\x0a\x7f", "\x12\xff\xff\x03", "\x2a\x80\x80\x01"];
    const open = opens[below(random, opens.length)] ?? "[";
    const text = Buffer.from(open.repeat(Math.ceil(Math.min(times, 200_000 / open.length))), "latin1");
    const end = random() < 0.5 ? at : Math.min(good.length, at + text.length);
    return join(good.subarray(0, at), text, good.subarray(end));
  },

  /** Names that are more than names. */
  hostileNames(good, _other, random) {
    const bytes = Buffer.from(good);
    const text = bytes.toString("latin1");
    const names = [...text.matchAll(/[A-Za-z_][\w./:-]{2,60}/g)].slice(0, 3000);
    const all = [...NAMES, ...MORE_NAMES];
    const edits = random() < 0.3 ? names.length : 1 + below(random, 20);
    const name = all[below(random, all.length)] ?? "";
    for (let edit = 0; edit < edits; edit++) {
      const match = names[edits === names.length ? edit : below(random, names.length)];
      if (match === undefined) break;
      const chosen = edits === names.length ? name : (all[below(random, all.length)] ?? "");
      bytes.write(chosen.padEnd(match[0].length, "x").slice(0, match[0].length), match.index, "latin1");
    }
    return bytes;
  },

  /** One piece of a valid file, up to a thousand times: a name, a list, a node, a record. */
  grownPiece(good, _other, random) {
    const at = place(good.length, random);
    const length = 1 + below(random, [4, 40, 400, 4000][below(random, 4)] ?? 4);
    const piece = good.subarray(at, at + length);
    const times = Math.min(10 ** (1 + below(random, 3)) + 1, Math.ceil(4_000_000 / (piece.length + 1)));
    return join(good.subarray(0, at), ...Array.from({ length: times }, () => piece), good.subarray(at + length));
  },

  /** Bytes that are not what they were. */
  flips(good, _other, random) {
    const bytes = Buffer.from(good.subarray(0, random() < 0.2 ? below(random, good.length) : good.length));
    for (let edits = 1 + below(random, 8); edits > 0 && bytes.length > 0; edits--) {
      bytes[place(bytes.length, random)] = random() < 0.4 ? 255 : below(random, 256);
    }
    return bytes;
  },
} as const satisfies Readonly<Record<string, Damage>>;

export type DamageName = keyof typeof DAMAGES;
export const DAMAGE_NAMES = Object.keys(DAMAGES) as readonly DamageName[];
