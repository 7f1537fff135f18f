/** The constants of an ONNX model: in the file, or in files beside it. */

import { damaged, quoted } from "../../core/file-error.ts";
import type { Shape } from "../../core/tensor.ts";
import type { OpenFile } from "../../sources/open-file.ts";
import type { GraphConstant } from "../graph.ts";
import type { Message, NumberKind, Protobuf } from "../protobuf/message.ts";
import { type TensorData, tensorConstant } from "../protobuf/tensor.ts";
import type { StoredDType } from "../stored-tensor.ts";

const TENSOR = {
  dims: [1, "int", "repeated"],
  type: [2, "int"],
  name: [8, "string"],
  raw: [9, "bytes"],
  external: [13, { key: [1, "string"], value: [2, "string"] }, "repeated"],
  location: [14, "int"],
} as const;

/** By number, how the tensors are stored: as bytes, or in a list. */
const TYPES: ReadonlyMap<number, readonly [dtype: StoredDType, field: number, kind: NumberKind]> = new Map([
  [1, ["F32", 4, "float"]],
  [2, ["U8", 5, "int32"]],
  [3, ["I8", 5, "int32"]],
  [4, ["U16", 5, "int32"]],
  [5, ["I16", 5, "int32"]],
  [6, ["I32", 5, "int32"]],
  [7, ["I64", 7, "int64"]],
  [9, ["BOOL", 5, "int32"]],
  [10, ["F16", 5, "int32"]],
  [11, ["F64", 10, "double"]],
  [16, ["BF16", 5, "int32"]],
]);

/** `data_location` of tensors whose data lies in another file. */
const EXTERNAL = 1;

/** What a tensor takes in memory besides its message: a constant and what reads it, places in maps, an awaited step. */
const TENSOR_COST = 800;

export interface OnnxTensors {
  readonly constants: ReadonlyMap<string, GraphConstant>;
  readonly dtypes: ReadonlyMap<string, StoredDType>;
  /**
   * Adds a TensorProto, under its own name if no other is given. Those of text and other types that are no numbers
   * are left out.
   *
   * @throws {DepthwiseError} `FILE_CORRUPT`, `FILE_TRUNCATED`, `FILE_TOO_LARGE`; what `sibling` throws
   */
  add(message: Uint8Array, name?: string): Promise<void>;
  addNumbers(name: string, shape: Shape, numbers: readonly number[]): void;
}

export function onnxTensors(protobuf: Protobuf, file: Pick<OpenFile, "sibling">): OnnxTensors {
  const constants = new Map<string, GraphConstant>();
  const dtypes = new Map<string, StoredDType>();
  const external = externalData(protobuf.name, file);
  const charge = () => protobuf.chargeObjects(TENSOR_COST, "the tensors of the model");
  const put = (constant: GraphConstant) => {
    if (constants.has(constant.name)) {
      throw damaged(protobuf.name, `two tensors are named ${quoted(constant.name)}`);
    }
    constants.set(constant.name, constant);
  };
  return {
    constants,
    dtypes,
    async add(message, name) {
      charge();
      const tensor = protobuf.decode(TENSOR, message, "TensorProto");
      const ownName = name ?? tensor.name ?? "";
      const [dtype, field, kind] = TYPES.get(tensor.type ?? 0) ?? [];
      if (dtype === undefined || field === undefined || kind === undefined) return;
      let data: TensorData = { type: "list", message, field, kind, isExtended: false };
      if (tensor.location === EXTERNAL) data = { type: "bytes", bytes: await external(ownName, tensor) };
      else if (tensor.raw !== undefined) data = { type: "bytes", bytes: tensor.raw };
      put(tensorConstant(protobuf, { name: ownName, dtype, shape: tensor.dims, data }));
      dtypes.set(ownName, dtype);
    },
    addNumbers(name, shape, numbers) {
      charge();
      put({ name, shape, read: () => Float32Array.from(numbers) });
    },
  };
}

/** Fetches each file beside the model once. */
function externalData(name: string, file: Pick<OpenFile, "sibling">) {
  const files = new Map<string, Uint8Array>();
  return async (tensor: string, { external }: Message<typeof TENSOR>): Promise<Uint8Array> => {
    const entry = (wanted: string) => external.find(({ key }) => key === wanted)?.value;
    const what = `external data of tensor ${quoted(tensor)}`;
    const location = entry("location") ?? "";
    const isBeside = location !== "" && !/^[/\\]|^[a-z][a-z\d+.-]*:|(^|[/\\])\.\.([/\\]|$)/i.test(location);
    if (!isBeside) {
      const expected = "the name of a file beside the model";
      throw damaged(name, what, { expected, found: quoted(location) });
    }
    const bytes = files.get(location) ?? (await file.sibling(location));
    files.set(location, bytes);
    const offset = position(entry("offset") ?? "0");
    const end = entry("length") === undefined ? bytes.length : offset + position(entry("length"));
    if (!(offset <= end && end <= bytes.length)) {
      const expected = `bytes ${offset} to ${end}`;
      const found = `${bytes.length} bytes in ${quoted(location)}`;
      throw damaged(name, what, { code: "FILE_TRUNCATED", expected, found });
    }
    return bytes.subarray(offset, end);
  };
}

/** A whole number in digits; not a number for anything else, which no comparison accepts. */
function position(text: string | undefined): number {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
}
