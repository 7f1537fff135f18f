/** What an independent tool, wabt, reads out of a binary. */

import wabt from "wabt";

const reader = await wabt();

/** Nothing but what WebAssembly had in its first version; tests turn on what a module should need. */
const NOTHING = {
  mutable_globals: false,
  sat_float_to_int: false,
  sign_extension: false,
  simd: false,
  threads: false,
  multi_value: false,
  bulk_memory: false,
  reference_types: false,
  relaxed_simd: false,
};
export type WabtFeatures = Partial<typeof NOTHING>;
/** All that any instruction of the table needs. */
export const ALL: WabtFeatures = { simd: true, threads: true, relaxed_simd: true };

/** The text that wabt reads out of a valid module; throws if it is invalid with these features. */
export function readBack(bytes: Uint8Array, features: WabtFeatures): string {
  const module = reader.readWasm(bytes, { ...NOTHING, ...features, readDebugNames: true });
  try {
    // The features are an argument that wabt's types leave out.
    const checked: { validate(features: object): void } = module;
    checked.validate({ ...NOTHING, ...features });
    return module.toText({ foldExprs: false, inlineExport: false });
  } finally {
    module.destroy();
  }
}

/** The instructions of all functions, one a line, without comments and parentheses. */
export function instructionLines(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => /^ {4,}[a-z]/.test(line))
    .map((line) => line.replace(/;;.*|\(;.*?;\)/g, "").replace(/\)$/, ""))
    .map((line) => line.trim());
}

export const instructionName = (line: string) => line.split(" ")[0]!;
