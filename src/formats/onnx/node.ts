/** A node of an ONNX graph, read. */

/** What is not set is 0, empty text or an empty list. */
export interface OnnxAttribute {
  readonly f: number;
  readonly i: number;
  readonly s: string;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

export interface OnnxNode {
  readonly name: string;
  /** With its domain in front unless that is ONNX's own. */
  readonly op: string;
  /** `""` for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}
