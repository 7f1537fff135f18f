/** A safetensors file as a model: its tensors, and what its metadata says. */

import { budgetOf, spendOn } from "../decoded-budget.ts";
import { factsFromMetadata } from "../metadata.ts";
import type { FormatReader } from "../model-file.ts";
import { readSafetensorsWithin } from "../safetensors.ts";

export const read: FormatReader = async ({ bytes, name }, context) => {
  const budget = budgetOf(context);
  const { tensors, metadata } = readSafetensorsWithin(budget, bytes, { name });
  const { facts, network, remarks } = factsFromMetadata(metadata, name, spendOn(budget, name, "metadata"));
  return {
    format: "safetensors",
    // Writers sort by type or by name.
    content: { kind: "tensors", tensors, isOrdered: false },
    facts,
    remarks,
    ...(network === undefined ? {} : { network }),
  };
};
