/** HDF5 data sets of very many, very small compressed chunks: what is done for each must be small as well. */

import { describe, expect, it, vi } from "vitest";
import { openHdf5 } from "../../src/formats/hdf5/hdf5.ts";
import { writeHdf5 } from "../writers/hdf5.ts";

const streams = vi.hoisted(() => ({ opened: 0 }));

vi.mock("fflate", async (original) => {
  const fflate = await original<typeof import("fflate")>();
  class Unzlib extends fflate.Unzlib {
    constructor(take: ConstructorParameters<typeof fflate.Unzlib>[0]) {
      super(take);
      streams.opened++;
    }
  }
  return { ...fflate, Unzlib };
});

async function chunked(data: Float32Array, chunk: number): Promise<Uint8Array> {
  const rest = { shape: [data.length], chunks: [chunk], compression: 1, compression_opts: [9] };
  return writeHdf5((root) => root.create_dataset({ name: "w", data, ...rest }));
}

async function read(bytes: Uint8Array): Promise<Float32Array> {
  const set = openHdf5(bytes, "x.h5", { maxBytes: 2 ** 30 }).get("w");
  const tensor = set?.kind === "data set" ? await set.load("w") : undefined;
  return new Float32Array((tensor?.bytes ?? new Uint8Array()).slice().buffer);
}

/** Bytes that look like chance, which deflate does not shorten. */
const noise = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i));

describe("compressed chunks", () => {
  // Each stream allocates 200 KB: sixty thousand chunks of one element took three to five seconds, 100 MB and more.
  it("of one element are unpacked without a stream for each", async () => {
    const data = noise(3000);
    streams.opened = 0;
    expect(await read(await chunked(data, 1))).toEqual(data);
    expect(streams.opened).toBe(0);
  });

  it("of many elements are fed in piece by piece", async () => {
    const data = noise(4096);
    streams.opened = 0;
    expect(await read(await chunked(data, 2048))).toEqual(data);
    expect(streams.opened).toBe(2);
  });

  it.each([1, 2048])("of %i elements that are damaged or claim too little are refused", async (chunk) => {
    const bytes = await chunked(noise(4096), chunk);
    const start = Buffer.from(bytes).indexOf(Buffer.from([0x78, 0xda]));
    for (const type of [0x07, 0x02]) {
      const damaged = bytes.slice();
      damaged[start + 2] = type;
      await expect(read(damaged)).rejects.toMatchObject({ code: "FILE_CORRUPT" });
    }
  });
});

it("a small chunk that unpacks to more than it claims is refused", async () => {
  const bytes = await writeHdf5((root) => {
    const rest = { shape: [40_000], chunks: [40_000], compression: 1, compression_opts: [9] };
    root.create_dataset({ name: "w", data: new Float32Array(40_000), ...rest });
  });
  // The shape (twice: as it is, and the most it may be) and the side of the chunk.
  const [wide, narrow] = [Buffer.alloc(4), Buffer.alloc(4)];
  wide.writeUInt32LE(40_000);
  narrow.writeUInt32LE(39_000);
  for (let at = bytes.indexOf(0x40); at !== -1; at = bytes.indexOf(0x40, at + 1)) {
    if (Buffer.from(bytes.subarray(at, at + 4)).equals(wide)) bytes.set(narrow, at);
  }
  await expect(read(bytes)).rejects.toThrow(/unpacks to more than it claims/);
});
