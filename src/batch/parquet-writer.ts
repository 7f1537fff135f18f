/**
 * Rows of a part as a Parquet file, written a row group at a time. The bytes follow from the rows alone: no time, no name
 * of a machine, and each group but the last has as many rows as the others.
 *
 * Source: Apache Parquet, `parquet.thrift` and "Logical types" (lists of three levels).
 */

import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { ParquetWriter } from "hyparquet-writer/src/parquet-writer.js";
import type { Task } from "./part.ts";
import type { PartRow } from "./rows.ts";

/** Rows of a group: of 1,024 numbers each they are 4 MB. */
export const GROUP_ROWS = 1000;

export const CREATED_BY = "depthwise";

export interface ParquetRows {
  write(row: PartRow): Promise<void>;
  /** Writes the last group, and what stands behind all of them. */
  finish(): Promise<void>;
}

/** @param write takes the bytes of the file, in order, which are its own from then on */
export function parquetRows(task: Task, write: (bytes: Uint8Array) => Promise<void>): ParquetRows {
  const bytes = new ByteWriter();
  const columns = columnsOf(task);
  const schema = [{ name: "root", num_children: columns.length }, ...columns.flatMap((column) => column.schema)];
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
    const columnData = columns.map(({ name, plain, of }) => ({
      ...{ name, data: rows.map(of), offsetIndex: false },
      // Numbers of an embedding are all different, and do not get smaller.
      ...(plain ? ({ encoding: "PLAIN", codec: "UNCOMPRESSED" } as const) : {}),
    }));
    file.write({ columnData, rowGroupSize: GROUP_ROWS });
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
  /** Neither compressed nor by a dictionary. */
  readonly plain: boolean;
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

/** The best prediction has columns of its own, so that nobody has to take a list apart to count labels. */
function columnsOf(task: Task): readonly Column[] {
  const flat = (schema: SchemaElement, of: Column["of"]): Column => ({
    ...{ name: schema.name, schema: [schema], plain: false, of },
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
      plain: false,
      of: (row) => row.predictions,
    },
  ];
  const embedding: Column = {
    name: "embedding",
    schema: [...list("embedding"), float("element", "REQUIRED")],
    plain: true,
    of: (row) => row.embedding && Array.from(row.embedding),
  };
  return [
    flat(text("id", "REQUIRED"), (row) => row.id),
    ...(task === "embeddings" ? [] : predictions),
    ...(task === "labels" ? [] : [embedding]),
    flat(text("error_code", "OPTIONAL"), (row) => row.error?.code),
    flat(text("error_message", "OPTIONAL"), (row) => row.error?.message),
  ];
}
