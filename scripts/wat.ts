/** `npm run wat -- product relaxed`: prints an emitted module as text. Without a name it lists the families. */

import { resolve } from "node:path";
import wabt from "wabt";
import { emitModule, MODULE_NAMES, type ModuleName } from "../src/kernels/wasm/modules.ts";
import { TILES, type TileName } from "../src/kernels/wasm/tiles.ts";

const USAGE = `npm run wat -- FAMILY [relaxed|plain|early] [shared]

  relaxed   multiply-add of one rounding, tiles of engines that have it (default)
  plain     without it
  early     without it, tiles of V8 before version 12
  shared    memory that threads share

Families: ${MODULE_NAMES.join(", ")}`;

const isFamily = (name: string): name is ModuleName => MODULE_NAMES.some((known) => known === name);
const isTile = (name: string): name is TileName => Object.hasOwn(TILES, name);

/** The text that wabt reads out of the binary of a family. */
export async function familyText(family: ModuleName, tile: TileName, shared: boolean): Promise<string> {
  const reader = await wabt();
  const bytes = emitModule(family, { relaxed: tile === "relaxed", shared }, TILES[tile]);
  const module = reader.readWasm(bytes, { simd: true, threads: true, relaxed_simd: true, readDebugNames: true });
  try {
    return module.toText({ foldExprs: true, inlineExport: true });
  } finally {
    module.destroy();
  }
}

/** What a command line asks for: text to print, or what is wrong with it. */
export async function wat(words: readonly string[]): Promise<{ readonly text: string } | { readonly wrong: string }> {
  const [family, ...rest] = words;
  if (family === undefined) return { text: USAGE };
  if (!isFamily(family)) return { wrong: `There is no family "${family}".\n\n${USAGE}` };
  const unknown = rest.find((word) => word !== "shared" && !isTile(word));
  if (unknown !== undefined) return { wrong: `"${unknown}" is neither a kind of SIMD nor "shared".\n\n${USAGE}` };
  const kinds = rest.filter(isTile);
  if (kinds.length > 1) return { wrong: `One kind of SIMD at a time: ${kinds.join(", ")}.\n\n${USAGE}` };
  return { text: await familyText(family, kinds[0] ?? "relaxed", rest.includes("shared")) };
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  // `npm run wat -- product | head` closes the pipe before the end.
  process.stdout.on("error", () => process.exit());
  const answer = await wat(process.argv.slice(2));
  if ("text" in answer) process.stdout.write(`${answer.text.trimEnd()}\n`);
  else {
    process.stderr.write(`${answer.wrong}\n`);
    process.exitCode = 2;
  }
}
