/**
 * A network as an ONNX file, for `onnxruntime-web`: the few protobuf messages it takes, written by hand.
 * NCHW; relu6 is `Clip(0, 6)`, which the runtime fuses into the convolution.
 *
 * Field numbers: onnx.proto of ONNX 1.14 (IR version 8, operator set 17).
 */

import { parametersOf } from "./weights.mjs";

const MODEL = { irVersion: 1, producer: 2, graph: 7, operatorSets: 8 };
const OPERATOR_SET = { domain: 1, version: 2 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, integer: 3, integers: 8, type: 20 };
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 };
const VALUE = { name: 1, type: 2 };
const FLOAT = 1;
const ATTRIBUTE_TYPE = { integer: 2, integers: 7 };

export function writeOnnx({ resolution, classes }, layers, folded) {
  const nodes = [];
  const constants = [tensor("zero", [], new Float32Array([0])), tensor("six", [], new Float32Array([6]))];
  let last = "input";
  for (const layer of layers) {
    const { type, name } = layer;
    if (type === "pool") {
      nodes.push(node("GlobalAveragePool", [last], name));
      last = name;
      continue;
    }
    const { kernel, bias } = parametersOf(folded, layer);
    const isDepthwise = type === "depthwise";
    const shape = [layer.outChannels, isDepthwise ? 1 : layer.inChannels, layer.kernel, layer.kernel];
    constants.push(tensor(`${name}/w`, shape, outputsFirst(kernel.data, shape)));
    constants.push(tensor(`${name}/b`, [layer.outChannels], bias.data));
    const isLast = type === "classifier";
    const sum = isLast ? name : `${name}/sum`;
    nodes.push(node("Conv", [last, `${name}/w`, `${name}/b`], sum, convolutionAttributes(layer)));
    if (!isLast) nodes.push(node("Clip", [sum, "zero", "six"], name));
    last = name;
  }
  nodes.push(node("Flatten", [last], "logits", [integerAttribute("axis", 1)]));
  const graph = message(
    nodes.map((item) => block(GRAPH.node, item)),
    block(GRAPH.name, "mobilenet_v1"),
    constants.map((item) => block(GRAPH.initializer, item)),
    block(GRAPH.input, value("input", [1, 3, resolution, resolution])),
    block(GRAPH.output, value("logits", [1, classes])),
  );
  return message(
    integer(MODEL.irVersion, 8),
    block(MODEL.producer, "depthwise-bench"),
    block(MODEL.graph, graph),
    block(MODEL.operatorSets, message(block(OPERATOR_SET.domain, ""), integer(OPERATOR_SET.version, 17))),
  );
}

/** `[kh, kw, in, out]` to `[out, in, kh, kw]`; depthwise has one input a filter. */
function outputsFirst(data, [filters, inputs, side]) {
  const taps = side * side;
  const turned = new Float32Array(data.length);
  for (let filter = 0; filter < filters; filter++) {
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        turned[(filter * inputs + input) * taps + tap] = data[(tap * inputs + input) * filters + filter];
      }
    }
  }
  return turned;
}

function convolutionAttributes({ type, kernel, stride, inChannels, inSize, outSize }) {
  // "same" as TensorFlow has it: the odd pixel goes after.
  const padding = Math.max(0, (outSize - 1) * stride + kernel - inSize);
  const before = Math.floor(padding / 2);
  const after = padding - before;
  return [
    integersAttribute("kernel_shape", [kernel, kernel]),
    integersAttribute("strides", [stride, stride]),
    integersAttribute("pads", [before, before, after, after]),
    integerAttribute("group", type === "depthwise" ? inChannels : 1),
  ];
}

function node(operator, inputs, output, attributes = []) {
  return message(
    inputs.map((input) => block(NODE.input, input)),
    block(NODE.output, output),
    block(NODE.name, output),
    block(NODE.operator, operator),
    attributes.map((attribute) => block(NODE.attribute, attribute)),
  );
}

function integerAttribute(name, number) {
  return message(
    block(ATTRIBUTE.name, name),
    integer(ATTRIBUTE.integer, number),
    integer(ATTRIBUTE.type, ATTRIBUTE_TYPE.integer),
  );
}

function integersAttribute(name, numbers) {
  return message(
    block(ATTRIBUTE.name, name),
    numbers.map((number) => integer(ATTRIBUTE.integers, number)),
    integer(ATTRIBUTE.type, ATTRIBUTE_TYPE.integers),
  );
}

function tensor(name, dims, data) {
  return message(
    dims.map((dim) => integer(TENSOR.dims, dim)),
    integer(TENSOR.dataType, FLOAT),
    block(TENSOR.name, name),
    block(TENSOR.rawData, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

/** ValueInfo → type → tensor type → shape → dimensions; the inner messages' fields are 1 and 2. */
function value(name, dims) {
  const shape = message(dims.map((dim) => block(1, integer(1, dim))));
  return message(block(VALUE.name, name), block(VALUE.type, block(1, message(integer(1, FLOAT), block(2, shape)))));
}

function message(...parts) {
  return Buffer.concat(parts.flat());
}

/** A field that holds a number: wire type 0. */
function integer(field, number) {
  return Buffer.from([...varint(field << 3), ...varint(number)]);
}

/** A field that holds text, bytes or a message: wire type 2. */
function block(field, content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
}

/** Seven bits a byte, lowest first, of a number from 0 to 2³¹. */
function varint(number) {
  const bytes = [];
  let rest = number;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
