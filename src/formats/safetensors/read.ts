/** A safetensors file as a model: its tensors, and its metadata. */

import { budgetOf } from "../../sources/decoded-budget.ts";
import type { FormatReader } from "../model-file.ts";
import { readSafetensorsWithin } from "./safetensors.ts";

export const read: FormatReader = async ({ bytes, name }, context) => {
  const budget = budgetOf(context);
  const { tensors, metadata } = readSafetensorsWithin(budget, bytes, { name });
  return {
    format: "safetensors",
    // Writers sort by type or by name.
    content: { kind: "tensors", tensors, isOrdered: false },
    facts: {},
    metadata,
    remarks: {},
  };
};
