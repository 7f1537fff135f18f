/** A safetensors file as a model: its tensors, and its metadata. */

import { budgetOf } from "../../sources/decoded-budget.ts";
import { isEightBit } from "../eight-bit.ts";
import type { FormatReader } from "../model-file.ts";
import { readSafetensorsWithin } from "./safetensors.ts";

const EIGHT_BIT = "safetensors, weights as 8-bit integers with a scale a channel";

export const read: FormatReader = async ({ bytes, name }, context) => {
  const budget = budgetOf(context);
  const { tensors, metadata } = readSafetensorsWithin(budget, bytes, { name });
  return {
    format: [...tensors.values()].some(isEightBit) ? EIGHT_BIT : "safetensors",
    // Writers sort by type or by name.
    content: { kind: "tensors", tensors, isOrdered: false },
    facts: {},
    metadata,
    remarks: {},
  };
};
