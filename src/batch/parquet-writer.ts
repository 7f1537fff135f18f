/**
 * Rows of a part as a Parquet file, written a row group at a time. The bytes follow from the rows alone: no time, no name
 * of a machine, and each group but the last has as many rows as the others.
 *
 * Source: Apache Parquet, `parquet.thrift` and "Logical types" (lists of three levels).
 */

import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { ParquetWriter } from "hyparquet-writer/src/parquet-writer.js";
import { invariant } from "../core/errors.ts";
import { appendLists } from "./parquet-lists.ts";
import type { Task } from "./part.ts";
import type { PartRow } from "./rows.ts";

/** Rows of a group: of 1,024 numbers each they are 4 MB. */
export const GROUP_ROWS = 1000;

const CREATED_BY = "depthwise";

export interface ParquetRows {
  write(row: PartRow): Promise<void>;
  /** Writes the last group, and what stands behind all of them. */
  finish(): Promise<void>;
}

/** @param write takes the bytes of the file, in order, which are its own from then on */
export function parquetRows(task: Task, write: (bytes: Uint8Array) => Promise<void>): ParquetRows {
  const bytes = new ByteWriter();
  const columns = columnsOf(task);
  const hasEmbeddings = task !== "labels";
  const schema = [
    { name: "root", num_children: columns.length + (hasEmbeddings ? 1 : 0) },
    ...columns.flatMap((column) => column.schema),
    ...(hasEmbeddings ? EMBEDDING : []),
  ];
  const file = new ParquetWriter({ writer: bytes, schema, statistics: false, createdBy: CREATED_BY });
  let waiting: PartRow[] = [];
  const handOver = async (): Promise<void> => {
    const made = bytes.getBytes().slice();
    // Places are counted on; what was handed over is written over.
    bytes.index = 0;
    await write(made);
  };
  const writeGroup = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    const columnData = columns.map(({ name, of }) => ({ name, data: rows.map(of), offsetIndex: false }));
    file.write({ columnData, rowGroupSize: GROUP_ROWS });
    if (hasEmbeddings) addEmbeddings(file, bytes, rows);
    await handOver();
  };
  return {
    async write(row) {
      waiting.push(row);
      if (waiting.length === GROUP_ROWS) await writeGroup();
    },
    async finish() {
      if (waiting.length > 0) await writeGroup();
      file.finish();
      await handOver();
    },
  };
}

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

interface Column {
  readonly name: string;
  readonly schema: readonly SchemaElement[];
  of(row: PartRow): unknown;
}

type Repetition = "REQUIRED" | "OPTIONAL";

const text = (name: string, repetition_type: Repetition): SchemaElement => ({
  ...{ name, repetition_type, type: "BYTE_ARRAY" as const },
  ...{ converted_type: "UTF8" as const, logical_type: { type: "STRING" as const } },
});
const float = (name: string, repetition_type: Repetition): SchemaElement => ({ name, repetition_type, type: "FLOAT" });
const integer = (name: string): SchemaElement => ({ name, repetition_type: "REQUIRED", type: "INT32" });
/** What stands in front of the element of a list, which may be absent. */
const list = (name: string): readonly SchemaElement[] => [
  {
    ...{ name, repetition_type: "OPTIONAL", num_children: 1 },
    ...{ converted_type: "LIST", logical_type: { type: "LIST" } },
  },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
];

/** Behind all others. */
const EMBEDDING: readonly SchemaElement[] = [...list("embedding"), float("element", "REQUIRED")];

/** Adds the last column to the group of rows that was written last. */
function addEmbeddings(file: ParquetWriter, bytes: ByteWriter, rows: readonly PartRow[]): void {
  const made = appendLists(
    bytes,
    rows.map(({ embedding }) => embedding),
  );
  const group = file.row_groups.at(-1);
  invariant(group !== undefined, "A group of rows without columns.");
  const size = BigInt(made.bytes);
  group.columns.push({
    file_offset: BigInt(made.start),
    meta_data: {
      type: "FLOAT",
      encodings: ["PLAIN", "RLE"],
      path_in_schema: EMBEDDING.map(({ name }) => name),
      codec: "UNCOMPRESSED",
      num_values: BigInt(made.values),
      total_uncompressed_size: size,
      total_compressed_size: size,
      data_page_offset: BigInt(made.start),
    },
  });
  group.total_byte_size += size;
  group.total_compressed_size = (group.total_compressed_size ?? 0n) + size;
}

/** The best prediction has columns of its own, so that nobody has to take a list apart to count labels. */
function columnsOf(task: Task): readonly Column[] {
  const flat = (schema: SchemaElement, of: Column["of"]): Column => ({
    ...{ name: schema.name, schema: [schema], of },
  });
  const predictions: readonly Column[] = [
    flat(text("label", "OPTIONAL"), (row) => row.predictions?.[0]?.label),
    flat(float("probability", "OPTIONAL"), (row) => row.predictions?.[0]?.probability),
    {
      name: "predictions",
      schema: [
        ...list("predictions"),
        { name: "element", repetition_type: "REQUIRED", num_children: 3 },
        ...[integer("index"), text("label", "REQUIRED"), float("probability", "REQUIRED")],
      ],
      of: (row) => row.predictions,
    },
  ];
  return [
    flat(text("id", "REQUIRED"), (row) => row.id),
    ...(task === "embeddings" ? [] : predictions),
    flat(text("error_code", "OPTIONAL"), (row) => row.error?.code),
    flat(text("error_message", "OPTIONAL"), (row) => row.error?.message),
  ];
}
