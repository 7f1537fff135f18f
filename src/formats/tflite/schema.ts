/**
 * A TFLite file as plain data: the first subgraph's tensors and operators, and what the file says of itself.
 *
 * Numbers of fields as in schema.fbs of TensorFlow Lite, version 3c (file identifier TFL3).
 */

import { damaged, quoted } from "../../core/file-error.ts";
import type { DecodedBudget } from "../../sources/decoded-budget.ts";
import type { ValueQuantization } from "../graph.ts";
import {
  type FlatTable,
  flatbufferIdentifier,
  openFlatbuffer,
  readByteVector,
  readFloat32s,
  readInt8,
  readInt32,
  readInt32s,
  readInt64s,
  readTable,
  readTables,
  readText,
  readUint32,
  readUint64,
  truncatedFile,
} from "./flatbuffer.ts";
import { operatorName, tensorTypeName } from "./names.ts";

export interface TfliteTensor {
  /** In the subgraph. */
  readonly index: number;
  /** May be empty, or that of another tensor too. */
  readonly name: string;
  /** "uint8"; "type 99" for an unknown one. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** -1 for a side the file leaves open; empty if the file says nothing of that. */
  readonly signature: readonly number[];
  /** What it holds before the network runs; empty for a value that is computed or comes from outside. */
  readonly data: Uint8Array;
  readonly quantization: ValueQuantization | undefined;
  /** Why `data` cannot be read as rows of numbers, if so. */
  readonly obstacle: string | undefined;
  /** Keeps its value from run to run, as the state of an LSTM does. */
  readonly isVariable: boolean;
}

export interface TfliteOperator {
  /** "CONV_2D"; a custom operator's own name. */
  readonly name: string;
  /** Indices of tensors; -1 for one that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: FlatTable | undefined;
}

export interface TfliteModel {
  readonly version: number;
  readonly description: string;
  readonly subgraphs: number;
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly TfliteOperator[];
  /** Named blocks of bytes. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

const MODEL = { version: 0, operatorCodes: 1, subgraphs: 2, description: 3, buffers: 4, metadata: 6 };
const OPERATOR_CODE = { deprecatedCode: 0, customCode: 1, code: 3 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2, name: 3, quantization: 4, isVariable: 5, sparsity: 6, signature: 7 };
const QUANTIZATION = { scale: 2, zeroPoint: 3, detailsType: 4, axis: 6 };
const OPERATOR = { opcode: 0, inputs: 1, outputs: 2, options: 4 };
const BUFFER = { data: 0, offset: 1, size: 2 };
const METADATA = { name: 0, buffer: 1 };
const CUSTOM = "CUSTOM";
const NOTHING = new Uint8Array();

/** What a tensor and an operator take in memory besides their tables: views, names, places in maps, a node. */
const TENSOR_COST = 700;
const OPERATOR_COST = 700;

/** @throws {DepthwiseError} `FILE_TRUNCATED`, `FILE_CORRUPT`, `FILE_TOO_LARGE` */
export async function readTflite(bytes: Uint8Array, name: string, budget: DecodedBudget): Promise<TfliteModel> {
  if (bytes.length < 8) throw truncatedFile(name, "its header", 8, bytes.length);
  const identifier = flatbufferIdentifier(bytes);
  if (identifier !== "TFL3") {
    throw damaged(name, `not TFLite of version 3: its identifier is ${quoted(identifier)}, not "TFL3"`);
  }
  const model = openFlatbuffer(bytes, name, budget);
  const bufferTables = readTables(model, MODEL.buffers);
  const buffer = (index: number): Uint8Array => {
    const table = bufferTables[index];
    if (table === undefined) throw damaged(name, `it has ${bufferTables.length} buffers, but refers to ${index}`);
    return bufferBytes(table, bytes, name);
  };
  const subgraphs = readTables(model, MODEL.subgraphs);
  const [graph] = subgraphs;
  if (graph === undefined) throw damaged(name, "it holds no network");
  const tensorTables = readTables(graph, SUBGRAPH.tensors);
  const operatorTables = readTables(graph, SUBGRAPH.operators);
  budget.chargeObjects(
    name,
    TENSOR_COST * tensorTables.length + OPERATOR_COST * operatorTables.length,
    "its tensors and operators",
  );
  const tensors = tensorTables.map((table, index) => readTensor(table, index, buffer));
  const indices = (list: readonly number[], lowest: number): readonly number[] => {
    const wrong = list.find((index) => index < lowest || index >= tensors.length);
    if (wrong !== undefined) throw damaged(name, `it has ${tensors.length} tensors, but refers to ${wrong}`);
    return list;
  };
  const codes = readTables(model, MODEL.operatorCodes).map(readOperatorCode);
  return {
    version: readUint32(model, MODEL.version, 0),
    description: readText(model, MODEL.description),
    subgraphs: subgraphs.length,
    tensors,
    inputs: indices(readInt32s(graph, SUBGRAPH.inputs), 0),
    outputs: indices(readInt32s(graph, SUBGRAPH.outputs), 0),
    operators: operatorTables.map((table) => {
      const opcode = readUint32(table, OPERATOR.opcode, 0);
      const operator = codes[opcode];
      if (operator === undefined) throw damaged(name, `it has ${codes.length} operators, but uses ${opcode}`);
      return {
        name: operator,
        inputs: indices(readInt32s(table, OPERATOR.inputs), -1),
        outputs: indices(readInt32s(table, OPERATOR.outputs), 0),
        options: readTable(table, OPERATOR.options),
      };
    }),
    metadata: new Map(
      readTables(model, MODEL.metadata).map((table) => [
        readText(table, METADATA.name),
        buffer(readUint32(table, METADATA.buffer, 0)),
      ]),
    ),
  };
}

/** Codes above 127 stand in a field of their own; older files have only the byte. */
function readOperatorCode(table: FlatTable): string {
  const code = Math.max(readInt8(table, OPERATOR_CODE.deprecatedCode, 0), readInt32(table, OPERATOR_CODE.code, 0));
  const name = operatorName(code);
  return name === CUSTOM ? readText(table, OPERATOR_CODE.customCode) || name : name;
}

/** Inside the flatbuffer, or, in large files, anywhere in the file. */
function bufferBytes(table: FlatTable, file: Uint8Array, name: string): Uint8Array {
  const inside = readByteVector(table, BUFFER.data);
  if (inside !== undefined) return inside;
  const offset = readUint64(table, BUFFER.offset, 0);
  // 0 and 1 are what writers leave in the field before they know the place.
  if (offset <= 1) return NOTHING;
  const end = offset + readUint64(table, BUFFER.size, 0);
  if (end > file.length) throw truncatedFile(name, "a buffer", end, file.length);
  return file.subarray(offset, end);
}

function readTensor(table: FlatTable, index: number, buffer: (index: number) => Uint8Array): TfliteTensor {
  const name = readText(table, TENSOR.name);
  const dtype = tensorTypeName(readInt8(table, TENSOR.type, 0));
  const shape = readInt32s(table, TENSOR.shape);
  const isVariable = readInt8(table, TENSOR.isVariable, 0) !== 0;
  const quantization = readTable(table, TENSOR.quantization);
  const isSparse = readTable(table, TENSOR.sparsity) !== undefined;
  const isCustom = quantization !== undefined && readInt8(quantization, QUANTIZATION.detailsType, 0) !== 0;
  return {
    index,
    name,
    dtype,
    shape,
    signature: readInt32s(table, TENSOR.signature),
    data: isVariable ? NOTHING : buffer(readUint32(table, TENSOR.buffer, 0)),
    quantization: quantization === undefined ? undefined : readQuantization(quantization, dtype, shape.length),
    obstacle: isSparse ? "stored sparsely" : isCustom ? "quantized in a way of its own" : undefined,
    isVariable,
  };
}

function readQuantization(table: FlatTable, dtype: string, rank: number): ValueQuantization | undefined {
  const scale = readFloat32s(table, QUANTIZATION.scale);
  if (scale.length === 0) return undefined;
  const zeroPoint = readInt64s(table, QUANTIZATION.zeroPoint);
  // Left out means 0; one zero point for many scales means the same for all.
  const zeros = zeroPoint.length <= 1 ? scale.map(() => zeroPoint[0] ?? 0) : zeroPoint;
  if (scale.length === 1) return { dtype, scale, zeroPoint: zeros };
  // Some converters give a bias the dimension of its kernel; a tensor of one dimension has but one to choose from.
  const axis = rank === 1 ? 0 : readInt32(table, QUANTIZATION.axis, 0);
  return { dtype, scale, zeroPoint: zeros, axis };
}
