/** Embeddings and names of a Parquet file, of which a page is held at a time. Loaded when such a file is met. */

import { DepthwiseError, listed } from "../core/errors.ts";
import { quoted } from "../core/file-error.ts";
import { checkFeatures, type MatrixFile } from "./matrix.ts";
import { columnNamed, type TableColumn } from "./parquet-columns.ts";
import { type ColumnChunk, damagedTable, openParquet, type ParquetFile } from "./parquet-file.ts";
import { type ColumnPage, pagesOf } from "./parquet-pages.ts";
import { floatsOf, type Texts, textsOf } from "./parquet-values.ts";

const [NUMBERS, NAMES] = ["embedding", "id"];

/**
 * Opens a file that has a column `embedding`, a list of float32; its rows are read in order, each once, those without a list as NaN.
 * What they are called is in the column `id`, where there is one.
 *
 * @param features how many numbers a row has to have
 * @throws {DepthwiseError} `FORMAT_UNKNOWN`, `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`; errors of the system.
 *         Reading throws these too, and `SHAPE_MISMATCH` for a row of another length.
 */
export async function openParquetMatrix(path: string, features: number, signal?: AbortSignal): Promise<MatrixFile> {
  const file = await openParquet(path);
  try {
    const column = listColumn(file);
    const pieces = piecesOf(file, column, features, signal);
    let piece: RowPiece = { count: 0, starts: new Int32Array(), values: new Float32Array() };
    let next = 0;
    /** Whether there is another row, which is `next` of the piece then. */
    const hasNext = async (): Promise<boolean> => {
      while (next === piece.count) {
        const { value, done } = await pieces.next();
        if (done === true) return false;
        [piece, next] = [value, 0];
      }
      return true;
    };
    return {
      shape: [file.rows, features],
      async read(row, into) {
        const numbers = new Float32Array(into.buffer, into.byteOffset, into.byteLength / 4);
        for (let at = 0; at < numbers.length; at += features, next++) {
          if (!(await hasNext())) throw damagedTable(path, "it has fewer rows than it says");
          const start = piece.starts[next] as number;
          if (start < 0) numbers.fill(Number.NaN, at, at + features);
          else numbers.set(piece.values.subarray(start, start + features), at);
        }
        const isLast = row + numbers.length / features === file.rows;
        if (isLast && (await hasNext())) throw damagedTable(path, "it has more rows than it says");
      },
      names: (rows) => namesOf(file, rows, signal),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function listColumn({ metadata, path }: ParquetFile): TableColumn {
  const column = columnNamed(metadata, NUMBERS);
  if (column !== undefined && column.type === "FLOAT" && column.mostRepetition === 1) return column;
  const names = new Set(metadata.row_groups[0]?.columns.map(({ meta_data: chunk }) => chunk?.path_in_schema[0]));
  throw new DepthwiseError("FORMAT_UNKNOWN", {
    what: `${path}: a table without embeddings`,
    expected: `a column "${NUMBERS}" of lists of float32`,
    found: column === undefined ? `columns ${listed([...names].map(quoted))}` : `one of ${column.type}`,
    advice: "Pass what `depthwise batch --task embeddings --format parquet` wrote.",
  });
}

/** Rows that follow each other: where the numbers of each begin, or -1 for one without. */
interface RowPiece {
  readonly count: number;
  readonly starts: Int32Array;
  readonly values: Float32Array;
}

async function* piecesOf(
  file: ParquetFile,
  column: TableColumn,
  features: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowPiece, void, undefined> {
  for (const group of file.metadata.row_groups) {
    const rows = new RowsOfPages(column, features, file.path);
    let dictionary: Float32Array | undefined;
    let count = 0;
    for await (const page of pagesOf(file, chunkOf(file, group, column), column, signal)) {
      const values = floatsOf(page, dictionary, file.path);
      if (page.type === "dictionary") dictionary = values;
      else {
        const piece = rows.take(page, values);
        count += piece.count;
        yield piece;
      }
    }
    const last = rows.end();
    yield last;
    if (count + last.count !== Number(group.num_rows))
      throw damagedTable(file.path, "a group has not the rows that it says");
  }
}

/** Cuts the elements of pages into rows. One that a page ends with may go on in the next: it is kept until then. */
class RowsOfPages {
  readonly #column: TableColumn;
  readonly #features: number;
  readonly #path: string;
  /** Of the row that may go on: its numbers; none yet; or that it has none. */
  #kept: Float32Array | undefined;
  #isNone = false;

  constructor(column: TableColumn, features: number, path: string) {
    this.#column = column;
    this.#features = features;
    this.#path = path;
  }

  take({ count, definitions, repetitions }: ColumnPage, present: Float32Array): RowPiece {
    const { elementDefinition, mostDefinition } = this.#column;
    const kept = this.#kept ?? new Float32Array();
    const values = new Float32Array(kept.length + count);
    values.set(kept);
    const starts = new Int32Array(count + 1);
    let rows = 0;
    let [at, from] = [kept.length, 0];
    if (this.#kept !== undefined) starts[rows++] = this.#isNone ? -1 : 0;
    let start = 0;
    for (let place = 0; place < count; place++) {
      const definition = definitions[place] as number;
      if (repetitions[place] === 0) {
        this.#check(rows, at - start, starts);
        start = at;
        starts[rows++] = definition < elementDefinition ? -1 : start;
      } else if (rows === 0) throw damagedTable(this.#path, "a column begins within a row");
      if (definition < elementDefinition) continue;
      if (at - start === this.#features) checkFeatures(this.#path, this.#features + 1, this.#features);
      values[at++] = definition === mostDefinition ? (present[from++] as number) : Number.NaN;
    }
    if (rows === 0) return { count: 0, starts, values };
    this.#kept = values.slice(start, at);
    this.#isNone = starts[rows - 1] === -1;
    return { count: rows - 1, starts, values };
  }

  /** The last row of a group. */
  end(): RowPiece {
    const [kept, isNone] = [this.#kept, this.#isNone];
    if (kept === undefined) return { count: 0, starts: new Int32Array(), values: new Float32Array() };
    const starts = Int32Array.of(isNone ? -1 : 0);
    this.#check(1, kept.length, starts);
    return { count: 1, starts, values: kept };
  }

  /** Whether the row before the next has as many numbers as it has to, or none. */
  #check(rows: number, length: number, starts: Int32Array): void {
    if (rows > 0 && (starts[rows - 1] as number) >= 0) checkFeatures(this.#path, length, this.#features);
  }
}

async function namesOf(
  file: ParquetFile,
  rows: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  const column = columnNamed(file.metadata, NAMES);
  if (column === undefined || column.type !== "BYTE_ARRAY" || column.mostRepetition > 0) return names;
  let first = 0;
  for (const group of file.metadata.row_groups) {
    const behind = first + Number(group.num_rows);
    if ([...rows].some((row) => row >= first && row < behind)) {
      let dictionary: Texts | undefined;
      let [entries, at] = [0, first];
      for await (const page of pagesOf(file, chunkOf(file, group, column), column, signal)) {
        const texts = textsOf(page, dictionary, entries, file.path);
        if (page.type === "dictionary") [dictionary, entries] = [texts, page.count];
        else {
          let from = 0;
          for (let place = 0; place < page.count; place++, at++) {
            const isThere = column.mostDefinition === 0 || page.definitions[place] === column.mostDefinition;
            if (isThere && rows.has(at)) names.set(at, texts(from));
            if (isThere) from++;
          }
        }
      }
    }
    first = behind;
  }
  return names;
}

function chunkOf(
  { path }: ParquetFile,
  group: ParquetFile["metadata"]["row_groups"][number],
  column: TableColumn,
): ColumnChunk {
  const wanted = column.path.join("\0");
  const found = group.columns.find(({ meta_data: chunk }) => chunk?.path_in_schema.join("\0") === wanted)?.meta_data;
  if (found === undefined) throw damagedTable(path, `a group has no column ${quoted(column.path.join("."))}`);
  return found;
}
