/** Small archives changed at random, half of the changes in the directory: entries or a typed error. */

import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import { openZip } from "../../src/formats/zip/zip.ts";
import { rounds, seeded } from "../fuzz.ts";
import { code, zip } from "../writers/torch.ts";

const good = [
  zip([
    ["a", code("some text")],
    ["b", new Uint8Array(300), "deflated"],
  ]),
  zip([["data/0", code("0123456789")]], { zip64: true, comment: "c" }),
];

it("an archive of random mutations is read or refused, and unpacks to no more than it claims", async () => {
  const random = seeded(1989);
  const below = (limit: number) => Math.floor(random() * limit);
  let refused = 0;
  for (let i = 0; i < rounds(6000); i++) {
    const source = good[i % good.length] ?? code();
    const bytes = source.slice(0, random() < 0.1 ? below(source.length) : source.length);
    const directory = Buffer.from(bytes).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    for (let edit = 0; edit <= below(4); edit++) {
      const start = random() < 0.5 && directory > 0 ? directory : 0;
      bytes[start + below(bytes.length - start)] = random() < 0.3 ? 255 : below(256);
    }
    try {
      for (const { size, read } of (await openZip(bytes, "x", { maxBytes: 1e6 })).values()) {
        expect(read().length).toBe(size);
      }
    } catch (error) {
      if (!isDepthwiseError(error)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(2000);
});
