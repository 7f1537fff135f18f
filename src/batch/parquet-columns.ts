/** Columns of a Parquet file by name: what type their values have, and what the levels beside them mean. */

import type { FileMetaData } from "hyparquet";

export interface TableColumn {
  /** From the top of the schema. */
  readonly path: readonly string[];
  /** `FLOAT`, `BYTE_ARRAY`, … */
  readonly type: string;
  /** The definition level of a value that is there. */
  readonly mostDefinition: number;
  readonly mostRepetition: number;
  /** The definition level from which on a list has an element. */
  readonly elementDefinition: number;
}

/**
 * The column of plain values, or of lists of them, that has a name; undefined if there is none, or it is of structures.
 *
 * Source: Dremel's levels, as Parquet counts them: each optional or repeated element on the way adds one.
 */
export function columnNamed({ schema }: FileMetaData, name: string): TableColumn | undefined {
  let place = topLevel(schema).find((top) => schema[top]?.name === name);
  const path: string[] = [];
  let [definition, repetition, elementDefinition] = [0, 0, 0];
  for (; place !== undefined; place++) {
    const element = schema[place];
    if (element === undefined) return undefined;
    path.push(element.name);
    if (element.repetition_type !== "REQUIRED") definition++;
    if (element.repetition_type === "REPEATED") [repetition, elementDefinition] = [repetition + 1, definition];
    if (!element.num_children) {
      const { type } = element;
      if (type === undefined || repetition > 1) return undefined;
      return { path, type, mostDefinition: definition, mostRepetition: repetition, elementDefinition };
    }
    if (element.num_children > 1) return undefined;
  }
  return undefined;
}

/** Places of the columns in a schema, which lists what lies within a column behind it. */
function topLevel(schema: FileMetaData["schema"]): readonly number[] {
  const tops: number[] = [];
  /** How many elements are to come at each depth: of the top all that there are. */
  const open: number[] = [];
  for (let place = 1; place < schema.length; place++) {
    if (open.length === 0) tops.push(place);
    else open[open.length - 1] = (open[open.length - 1] as number) - 1;
    const children = schema[place]?.num_children ?? 0;
    if (children > 0) open.push(children);
    while (open.length > 0 && (open[open.length - 1] as number) <= 0) open.pop();
  }
  return tops;
}
