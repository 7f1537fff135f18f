/** A node of a GraphDef, read into a neutral form. */

/** One of the fields is set, as in TensorFlow's AttrValue. Integers are numbers, strings are decoded, not base64. */
export interface GraphDefAttribute {
  readonly s?: string;
  readonly i?: number;
  readonly f?: number;
  readonly b?: boolean;
  /** As TensorFlow names it: `DT_FLOAT`. */
  readonly type?: string;
  /** -1 for a side that is left open; no `shape` at all where the rank is unknown. */
  readonly shape?: readonly number[];
  readonly list?: {
    readonly s?: readonly string[];
    readonly i?: readonly number[];
    readonly shape?: readonly (readonly number[] | undefined)[];
  };
}

export interface GraphDefNode {
  readonly name: string;
  readonly op: string;
  /** As in the file: `name`, `name:0`, `name:1`, `^name`. */
  readonly inputs: readonly string[];
  readonly attributes: ReadonlyMap<string, GraphDefAttribute>;
}
