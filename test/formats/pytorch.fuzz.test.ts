/**
 * Small files of both forms changed at random, half of the changes in opcodes and lengths of the pickle: tensors within
 * the file, or a typed error. Checksums are put right again, or most changes would go no further than that.
 */

import { expect, it } from "vitest";
import { isDepthwiseError } from "../../src/core/errors.ts";
import type { ModelFile } from "../../src/formats/model-file.ts";
import { unpickle } from "../../src/formats/pytorch/pickle.ts";
import { read, readTorchArchive } from "../../src/formats/pytorch/read.ts";
import { toFloat32 } from "../../src/formats/stored-tensor.ts";
import { openZip } from "../../src/formats/zip/zip.ts";
import { expectedLayers } from "../../src/understand/architectures/mobilenet-v1/expected.ts";
import { sequenceByShape } from "../../src/understand/architectures/mobilenet-v1/names/by-order.ts";
import { recogniseOther } from "../../src/understand/architectures/mobilenet-v1/names/others.ts";
import { opened } from "../fixtures/opened-files.ts";
import { PYTHON_PICKLES } from "../fixtures/python-pickles.ts";
import { rounds, seeded } from "../fuzz.ts";
import {
  code,
  dict,
  floats,
  oldForm,
  pickled,
  type Storage,
  stateDict,
  tensorValue,
  zipForm,
} from "../writers/torch.ts";

const MAX = 1_000_000;
const storages: Storage[] = [
  ["0", 6, floats(1, 2, 3, 4, 5, 6)],
  ["1", 4, floats(1, 2, 3, 4)],
];
const network = stateDict({
  "module.conv.weight": tensorValue({ key: "0", shape: [1, 2, 3, 1], elements: 6 }),
  "module.bn.weight": tensorValue({ key: "1", shape: [2, 2], strides: [1, 2], elements: 4 }),
});
const object = dict({ epoch: 300, arch: "mobilenet", best: 71.5, state_dict: network, optimizer: [1, null, true] });
const oldFile = oldForm(object, storages);
const objectPickle = pickled(object);

/** The opcodes, and numbers that lengths and sizes are made of. */
const OPCODES = code(
  "()}]aesuRbcqrhjXKMJGNtQ0129.",
  [0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x93, 0x94, 0x95],
);
const NUMBERS = [0, 1, 2, 127, 128, 255];

function mutated(source: Uint8Array, random: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = (list: ArrayLike<number>) => list[below(list.length)] ?? 0;
  const bytes = source.slice(0, random() < 0.1 ? below(source.length) : source.length);
  for (let edit = 0; edit <= below(3); edit++) {
    const at = below(bytes.length);
    const isKnown = OPCODES.includes(bytes[at] ?? 0);
    // Where an opcode stands another is put, elsewhere a number: as likely as any byte at all.
    bytes[at] = random() < 0.5 ? (isKnown ? pick(OPCODES) : pick(NUMBERS)) : below(256);
  }
  return bytes;
}

const open = (bytes: Uint8Array) => opened(bytes, {}, "x.pth");

/** Reads; anything but a typed error, or tensors that can be read, is a failure. */
async function attempt(reading: () => Promise<ModelFile>): Promise<"read" | "refused"> {
  try {
    const { content } = await reading();
    if (content.kind !== "tensors") throw new Error("It holds a graph.");
    let total = 0;
    for (const stored of content.tensors.values()) {
      total += stored.bytes.length;
      if (!stored.dtype.startsWith("F8"))
        expect(toFloat32(stored).length).toBe(stored.shape.reduce((a, b) => a * b, 1));
    }
    expect(total).toBeLessThanOrEqual(MAX);
    if (recogniseOther(content.tensors.keys()) === undefined)
      sequenceByShape(content.tensors, content.isOrdered, { known: {}, layersOf: expectedLayers });
    return "read";
  } catch (error) {
    if (!isDepthwiseError(error)) throw error;
    return "refused";
  }
}

async function readArchive(bytes: Uint8Array): Promise<ModelFile> {
  return readTorchArchive(await openZip(bytes, "x.pth", { maxBytes: MAX }), open(bytes), { maxBytes: MAX });
}

it("an old file of random mutations is read or refused", async () => {
  const random = seeded(1001);
  const counts = { read: 0, refused: 0 };
  for (let i = 0; i < rounds(4000); i++) {
    const bytes = mutated(oldFile, random);
    counts[await attempt(() => read(open(bytes), { maxBytes: MAX }))]++;
  }
  expect(counts.refused).toBeGreaterThan(500);
  expect(counts.read).toBeGreaterThan(100);
});

it("a zip archive around a pickle of random mutations is read or refused", async () => {
  const random = seeded(1600);
  const counts = { read: 0, refused: 0 };
  for (let i = 0; i < rounds(3000); i++) {
    const bytes = zipForm(mutated(objectPickle, random), storages);
    counts[await attempt(() => readArchive(bytes))]++;
  }
  expect(counts.refused).toBeGreaterThan(500);
  expect(counts.read).toBeGreaterThan(100);
});

it("a zip archive of random mutations is read or refused", async () => {
  const random = seeded(4);
  const archive = zipForm(object, storages);
  for (let i = 0; i < rounds(2000); i++) await attempt(() => readArchive(mutated(archive, random)));
});

it("Python's pickles of random mutations become values or errors", () => {
  const random = seeded(5);
  const good = PYTHON_PICKLES.map((text) => new Uint8Array(Buffer.from(text, "base64")));
  let refused = 0;
  for (let i = 0; i < rounds(6000); i++) {
    const bytes = mutated(good[i % good.length] ?? code(), random);
    try {
      expect(unpickle(bytes, { file: "x", maxBytes: MAX }).end).toBeLessThanOrEqual(bytes.length);
    } catch (error) {
      if (!isDepthwiseError(error)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

it("programs of random opcodes become values or errors", () => {
  const random = seeded(6);
  let read = 0;
  for (let i = 0; i < rounds(20_000); i++) {
    const program = Array.from({ length: 30 }, () => OPCODES[Math.floor(random() * OPCODES.length)] ?? 0);
    try {
      unpickle(code("](}((K", 1, "K", 2, program, "."), { file: "x", maxBytes: MAX });
      read++;
    } catch (error) {
      if (!isDepthwiseError(error)) throw error;
    }
  }
  expect(read).toBeGreaterThan(100);
});
