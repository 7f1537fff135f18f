/**
 * The safetensors format: eight bytes with the header's length, a JSON header, then all data without holes.
 * Written here apart from the library, so that its reader meets a file it did not write.
 */

const LENGTH_BYTES = 8;

export function writeSafetensors(tensors, metadata) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    const start = end;
    end += data.byteLength;
    header[name] = { dtype: "F32", shape, data_offsets: [start, end] };
  }
  const json = JSON.stringify(header);
  // Spaces after the JSON bring the data to a multiple of eight.
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...[...tensors.values()].map(({ data }) => new Uint8Array(data.buffer))]);
}

/** For the libraries that have no reader of their own: name → `{ shape, data }`, views of the file's own bytes. */
export function readSafetensors(file) {
  const start = LENGTH_BYTES + Number(file.readBigUInt64LE());
  const { __metadata__: _, ...entries } = JSON.parse(file.toString("utf8", LENGTH_BYTES, start));
  // The header is padded, so the data of a file in a buffer of its own is aligned.
  const at = file.byteOffset + start;
  const tensors = Object.entries(entries).map(([name, { shape, data_offsets: offsets }]) => {
    const [from, to] = offsets;
    return [name, { shape, data: new Float32Array(file.buffer, at + from, (to - from) / 4) }];
  });
  return new Map(tensors);
}
