/**
 * Embeddings of examples and their classes, in blocks of a megabyte: a new example never moves the old ones, so memory is
 * what they take, and at most one block more. 20,000 examples of 1,024 features are 82 MB.
 */

import { allocated } from "../../core/memory.ts";

const BLOCK_BYTES = 2 ** 20;

/** Some examples beside each other. */
export interface ExampleBlock {
  /** Position of the first one. */
  readonly from: number;
  readonly count: number;
  /** `[count, width]`; read it only. */
  readonly rows: Float32Array;
  /** Class of each. */
  readonly classes: Int32Array;
}

interface BlockMemory {
  readonly rows: Float32Array<ArrayBuffer>;
  readonly classes: Int32Array<ArrayBuffer>;
}

export class ExampleStore {
  /** Features of an embedding. */
  readonly width: number;
  readonly #each: number;
  readonly #blocks: BlockMemory[] = [];
  #count = 0;

  constructor(width: number) {
    this.width = width;
    this.#each = Math.max(1, Math.floor(BLOCK_BYTES / (Float32Array.BYTES_PER_ELEMENT * width)));
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#blocks.reduce((sum, { rows, classes }) => sum + rows.byteLength + classes.byteLength, 0);
  }

  /**
   * @param row copied; `width` numbers
   * @throws {DepthwiseError} `MEMORY_EXCEEDED` if the system refuses a block: nothing was added
   */
  append(row: ArrayLike<number>, kind: number): void {
    const place = this.#count % this.#each;
    const at = (this.#count - place) / this.#each;
    const { rows, classes } = this.#blocks[at] ?? this.#grow();
    rows.set(row, place * this.width);
    classes[place] = kind;
    this.#count++;
  }

  /** Forgets what came after the first `count`. */
  truncate(count: number): void {
    this.#count = Math.min(count, this.#count);
    this.#blocks.length = Math.ceil(this.#count / this.#each);
  }

  /** Forgets a class: those behind it move down by one, and the others keep their order. */
  removeClass(kind: number): number {
    const before = this.#count;
    let kept = 0;
    for (let index = 0; index < before; index++) {
      const found = this.#classAt(index);
      if (found === kind) continue;
      this.#put(kept++, index, found > kind ? found - 1 : found);
    }
    this.truncate(kept);
    return before - kept;
  }

  /** How many examples each of so many classes has. */
  countClasses(classes: number): readonly number[] {
    const counts = new Array<number>(classes).fill(0);
    for (const block of this.blocks()) for (const kind of block.classes) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  /** All examples in their order; views, not copies. */
  *blocks(): Generator<ExampleBlock, void, undefined> {
    for (const [at, { rows, classes }] of this.#blocks.entries()) {
      const from = at * this.#each;
      const count = Math.min(this.#each, this.#count - from);
      yield { from, count, rows: rows.subarray(0, count * this.width), classes: classes.subarray(0, count) };
    }
  }

  #grow(): BlockMemory {
    const elements = this.#each * this.width;
    const advice = "Remove examples, or use a network with fewer features.";
    const block = allocated("few-shot: a block of examples", 4 * (elements + this.#each), advice, () => ({
      rows: new Float32Array(elements),
      classes: new Int32Array(this.#each),
    }));
    this.#blocks.push(block);
    return block;
  }

  #classAt(index: number): number {
    const place = index % this.#each;
    return this.#blocks[(index - place) / this.#each]?.classes[place] ?? -1;
  }

  #put(to: number, from: number, kind: number): void {
    const [target, source] = [to % this.#each, from % this.#each];
    const into = this.#blocks[(to - target) / this.#each];
    const outOf = this.#blocks[(from - source) / this.#each];
    if (into === undefined || outOf === undefined) return;
    into.classes[target] = kind;
    if (to === from) return;
    into.rows.set(outOf.rows.subarray(source * this.width, (source + 1) * this.width), target * this.width);
  }
}
