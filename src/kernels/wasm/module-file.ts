/**
 * Modules that a build writes to files, for places that compile no code from bytes: the emitted binary, and a section
 * that says what it is, so that a file of another version is told from one of this.
 */

import type { Features } from "./emit.ts";
import { emitModule, type ModuleName } from "./modules.ts";
import { chooseTiles, TILES, type TileName } from "./tiles.ts";

/** Changes with the code of any module; a test holds it to their bytes. */
export const EMITTED = "dcb8fdd0849e";

const SECTION = "depthwise";

/** What a module says of itself: to be believed if `emitted` is `EMITTED`. */
export interface WrittenModule {
  readonly emitted: string;
  readonly name: ModuleName;
  readonly tiles: TileName;
  readonly shared: boolean;
}

/** The binary of a module with what it is. */
export function writeModule(name: ModuleName, features: Features): Uint8Array<ArrayBuffer> {
  const tiles = chooseTiles(features, false);
  const code = emitModule(name, features, TILES[tiles]);
  const said = [EMITTED, name, tiles, features.shared ? "shared" : "own"].join(" ");
  // Shorter than the 128 bytes from which on its length takes two.
  const section = [SECTION.length, ...ascii(SECTION), ...ascii(said)];
  const bytes = new Uint8Array(code.length + 2 + section.length);
  bytes.set(code);
  bytes.set([0, section.length, ...section], code.length);
  return bytes;
}

function ascii(text: string): readonly number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** What a module says of itself; undefined for one of others, and for what is none. Of any realm. */
export function readModule(module: unknown): WrittenModule | undefined {
  let sections: readonly ArrayBuffer[];
  try {
    sections = WebAssembly.Module.customSections(module as WebAssembly.Module, SECTION);
  } catch {
    return undefined;
  }
  const [emitted = "", name = "", tiles = "", memory] = new TextDecoder().decode(sections[0]).split(" ");
  if (sections.length === 0) return undefined;
  return { emitted, name: name as ModuleName, tiles: tiles as TileName, shared: memory === "shared" };
}
