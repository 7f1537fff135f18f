/** Sections of a thread's own memory, one behind the other. */

import type { LayoutBuilder } from "./layout-builder.ts";

export class Sections {
  #taken = 0;

  /** The offset of a section of so many bytes, and a little more that may be read. */
  take(bytes: number): number {
    const at = this.#taken;
    this.#taken += Math.ceil((bytes + 64) / 64) * 64;
    return at;
  }

  claim(builder: LayoutBuilder): void {
    builder.needScratch(this.#taken);
  }
}
