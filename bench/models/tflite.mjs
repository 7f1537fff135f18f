/**
 * A network as a float32 `.tflite` file, for LiteRT.js: TensorFlow Lite's flatbuffer, table by table.
 * NHWC; relu6 is the convolution's fused activation.
 *
 * Slot numbers and enums: tensorflow/lite/schema/schema.fbs, version 3.
 */

import { Builder } from "flatbuffers";
import { parametersOf } from "./weights.mjs";

const MODEL = { slots: 8, version: 0, operatorCodes: 1, subgraphs: 2, description: 3, buffers: 4 };
const CODE = { slots: 4, deprecatedCode: 0, version: 2, code: 3 };
const SUBGRAPH = { slots: 5, tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 };
const TENSOR = { slots: 9, shape: 0, type: 1, buffer: 2, name: 3 };
const OPERATOR = { slots: 9, code: 0, inputs: 1, outputs: 2, optionsType: 3, options: 4 };
const CONV = { slots: 6, padding: 0, strideW: 1, strideH: 2, activation: 3, dilationW: 4, dilationH: 5 };
const DEPTHWISE = {
  slots: 7,
  padding: 0,
  strideW: 1,
  strideH: 2,
  multiplier: 3,
  activation: 4,
  dilationW: 5,
  dilationH: 6,
};
const POOL = { slots: 6, padding: 0, strideW: 1, strideH: 2, width: 3, height: 4, activation: 5 };
const RESHAPE = { slots: 1, shape: 0 };

/** Rows of the file's own table of operators: the schema's code, and its type of options. */
const OPERATORS = {
  conv: { code: 3, optionsType: 1 },
  depthwise: { code: 4, optionsType: 2 },
  pool: { code: 1, optionsType: 5 },
  reshape: { code: 22, optionsType: 17 },
};
const TYPE = { float32: 0, int32: 2 };
const PADDING = { same: 0, valid: 1 };
const ACTIVATION = { none: 0, relu6: 3 };

export function writeTflite({ resolution, classes }, layers, folded) {
  const file = new TfliteFile();
  const input = file.tensor("input", [1, resolution, resolution, 3]);
  let last = input;
  for (const layer of layers) {
    const output = file.tensor(layer.name, [1, layer.outSize, layer.outSize, layer.outChannels]);
    addLayer(file, layer, last, output, folded);
    last = output;
  }
  const shape = file.tensor("shape", [2], new Int32Array([1, classes]), TYPE.int32);
  const logits = file.tensor("logits", [1, classes]);
  const target = file.integers([1, classes]);
  file.operator("reshape", [last, shape], logits, file.table(RESHAPE, { shape: ["offset", target] }));
  return file.finish(input, logits);
}

function addLayer(file, layer, input, output, folded) {
  const { type, name, stride, inChannels, outChannels } = layer;
  if (type === "pool") {
    const options = file.table(POOL, {
      padding: ["int8", PADDING.valid],
      strideW: ["int32", 1],
      strideH: ["int32", 1],
      width: ["int32", layer.kernel],
      height: ["int32", layer.kernel],
    });
    file.operator("pool", [input], output, options);
    return;
  }
  const { kernel, bias } = parametersOf(folded, layer);
  const isDepthwise = type === "depthwise";
  const shape = isDepthwise
    ? [1, layer.kernel, layer.kernel, inChannels]
    : [outChannels, layer.kernel, layer.kernel, inChannels];
  const weights = file.tensor(`${name}/w`, shape, isDepthwise ? kernel.data : outputsFirst(kernel.data, outChannels));
  const offsets = file.tensor(`${name}/b`, [outChannels], bias.data);
  const options = file.table(isDepthwise ? DEPTHWISE : CONV, {
    padding: ["int8", PADDING.same],
    strideW: ["int32", stride],
    strideH: ["int32", stride],
    ...(isDepthwise ? { multiplier: ["int32", 1] } : {}),
    activation: ["int8", type === "classifier" ? ACTIVATION.none : ACTIVATION.relu6],
    dilationW: ["int32", 1],
    dilationH: ["int32", 1],
  });
  file.operator(isDepthwise ? "depthwise" : "conv", [input, weights, offsets], output, options);
}

/** `[kh, kw, in, out]` to `[out, kh, kw, in]`. */
function outputsFirst(data, filters) {
  const rows = data.length / filters;
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let filter = 0; filter < filters; filter++) turned[filter * rows + row] = data[row * filters + filter];
  }
  return turned;
}

/** A flatbuffer is written children first: every method returns the place of what it wrote, or its index. */
class TfliteFile {
  #builder = new Builder(1 << 25);
  #buffers = [];
  #tensors = [];
  #operators = [];

  constructor() {
    // Buffer 0 is empty by convention: it stands for "no data".
    this.#addBuffer();
  }

  /** Writes the fields given as `name: [kind, value]`. A default of NaN makes the builder write every value out. */
  table({ slots, ...slotOf }, fields) {
    const builder = this.#builder;
    builder.startObject(slots);
    for (const [name, [kind, value]] of Object.entries(fields)) {
      if (kind === "offset") builder.addFieldOffset(slotOf[name], value, 0);
      else if (kind === "int8") builder.addFieldInt8(slotOf[name], value, Number.NaN);
      else builder.addFieldInt32(slotOf[name], value, Number.NaN);
    }
    return builder.endObject();
  }

  integers(list) {
    return this.#vector(list, (value) => this.#builder.addInt32(value));
  }

  tensor(name, shape, data, type = TYPE.float32) {
    const buffer = data === undefined ? 0 : this.#addBuffer(data);
    const [shapeAt, nameAt] = [this.integers(shape), this.#builder.createString(name)];
    const place = this.table(TENSOR, {
      shape: ["offset", shapeAt],
      type: ["int8", type],
      buffer: ["int32", buffer],
      name: ["offset", nameAt],
    });
    return this.#tensors.push(place) - 1;
  }

  operator(name, inputs, output, options) {
    const [inputsAt, outputsAt] = [this.integers(inputs), this.integers([output])];
    const place = this.table(OPERATOR, {
      code: ["int32", Object.keys(OPERATORS).indexOf(name)],
      inputs: ["offset", inputsAt],
      outputs: ["offset", outputsAt],
      optionsType: ["int8", OPERATORS[name].optionsType],
      options: ["offset", options],
    });
    this.#operators.push(place);
  }

  finish(input, output) {
    const subgraph = this.table(SUBGRAPH, {
      tensors: ["offset", this.#offsets(this.#tensors)],
      inputs: ["offset", this.integers([input])],
      outputs: ["offset", this.integers([output])],
      operators: ["offset", this.#offsets(this.#operators)],
      name: ["offset", this.#builder.createString("main")],
    });
    const codes = Object.values(OPERATORS).map(({ code }) =>
      this.table(CODE, { deprecatedCode: ["int8", code], version: ["int32", 1], code: ["int32", code] }),
    );
    const model = this.table(MODEL, {
      version: ["int32", 3],
      operatorCodes: ["offset", this.#offsets(codes)],
      subgraphs: ["offset", this.#offsets([subgraph])],
      description: ["offset", this.#builder.createString("depthwise-bench")],
      buffers: ["offset", this.#offsets(this.#buffers)],
    });
    this.#builder.finish(model, "TFL3");
    return this.#builder.asUint8Array();
  }

  #addBuffer(data) {
    const fields = data === undefined ? {} : { data: ["offset", this.#bytes(data)] };
    return this.#buffers.push(this.table({ slots: 1, data: 0 }, fields)) - 1;
  }

  /** The schema asks for data at a multiple of sixteen bytes. */
  #bytes(data) {
    const bytes = new Int8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.#vector(bytes, (value) => this.#builder.addInt8(value), { elementBytes: 1, alignment: 16 });
  }

  #offsets(list) {
    return this.#vector(list, (value) => this.#builder.addOffset(value));
  }

  /** Vectors are written from the end. */
  #vector(list, add, { elementBytes = 4, alignment = 4 } = {}) {
    this.#builder.startVector(elementBytes, list.length, alignment);
    for (let index = list.length - 1; index >= 0; index--) add(list[index]);
    return this.#builder.endVector();
  }
}
