/** A safetensors file as a model: its tensors, and what its metadata says. */

import { factsFromMetadata } from "../metadata.ts";
import type { FormatReader } from "../model-file.ts";
import { readSafetensors } from "../safetensors.ts";

export const read: FormatReader = async ({ bytes, name }) => {
  const { tensors, metadata } = readSafetensors(bytes, { name });
  const { facts, network, remarks } = factsFromMetadata(metadata, name);
  return {
    format: "safetensors",
    // Writers sort by type or by name.
    content: { kind: "tensors", tensors, isOrdered: false },
    facts,
    remarks,
    ...(network === undefined ? {} : { network }),
  };
};
