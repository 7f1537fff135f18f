/** A safetensors file as a model: its tensors, and its metadata. */

import { budgetOf } from "../../sources/decoded-budget.ts";
import { isEightBit, scaleName } from "../eight-bit.ts";
import type { FormatReader } from "../model-file.ts";
import { readSafetensorsWithin } from "./safetensors.ts";

const EIGHT_BIT = "safetensors, weights as 8-bit integers with scales";

export const read: FormatReader = async ({ bytes, name }, context) => {
  const budget = budgetOf(context);
  const { tensors, metadata } = readSafetensorsWithin(budget, bytes, { name });
  // A counter may be of 8 bits too, and has no scale.
  const isScaled = [...tensors.values()].some((stored) => isEightBit(stored) && tensors.has(scaleName(stored.name)));
  return {
    format: isScaled ? EIGHT_BIT : "safetensors",
    // Writers sort by type or by name.
    content: { kind: "tensors", tensors, isOrdered: false },
    facts: {},
    metadata,
    remarks: {},
  };
};
