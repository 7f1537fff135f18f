/**
 * Runs the emitted kernels of an update on memory that ends where its last array ends. Threads take their shares one after
 * the other, which is all that a barrier promises.
 */

import type { ArgumentBlock, Kernel } from "../../src/kernels/wasm/arguments.ts";
import { moduleBuilder } from "../../src/kernels/wasm/assembler/index.ts";
import {
  FINISH_GRADIENT_NORM,
  finishGradientNorm,
  SQUARE_SUM_BYTES,
  SQUARE_SUMS,
  squareSums,
} from "../../src/kernels/wasm/training/gradient-norm.ts";
import { formulaOf, ruleWords, UPDATE, type UpdateFormula, update } from "../../src/kernels/wasm/training/update.ts";
import { UPDATE_ROW_BYTES, updateUnits, writeUpdateRows } from "../../src/kernels/wasm/training/update-rows.ts";
import type { UpdateRule } from "../../src/operations/update-call.ts";

/** A parameter and what belongs to it. Arrays are replaced by those after the update. */
export interface Tensor {
  parameter: Float32Array;
  readonly gradient: Float32Array;
  slots: readonly Float32Array[];
  average: Float32Array | undefined;
  readonly decay: number;
  readonly rateFactor: number;
}

const modules = new Map<UpdateFormula, WebAssembly.Module>();

function compiled(formula: UpdateFormula): WebAssembly.Module {
  let found = modules.get(formula);
  if (found === undefined) {
    const module = moduleBuilder({ shared: false });
    squareSums(module);
    finishGradientNorm(module);
    update(module, formula);
    found = new WebAssembly.Module(module.bytes());
    modules.set(formula, found);
  }
  return found;
}

const PAGE = 65_536;

/**
 * One update of all tensors.
 *
 * @param shares how many threads there are
 * @returns the norm of all gradients
 */
export function updateOnWasm(rule: UpdateRule, tensors: readonly Tensor[], hyper: Float32Array, shares = 1): number {
  const units = updateUnits(tensors.map(({ parameter }) => parameter.length));
  const arrays = tensors.flatMap(({ parameter, gradient, slots, average }) => [
    parameter,
    gradient,
    ...slots,
    ...(average === undefined ? [] : [average]),
  ]);
  const blocks = 1024 + UPDATE_ROW_BYTES * tensors.length;
  const bytes = blocks + SQUARE_SUM_BYTES * units + arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const pages = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const view = new DataView(memory.buffer);
  new Uint8Array(memory.buffer).fill(0xff);

  // Everything lies at the end, so that a step beyond the last array traps.
  let at = memory.buffer.byteLength - bytes + (bytes % 4);
  const take = (size: number) => {
    at += size;
    return at - size;
  };
  const places = new Map<Float32Array, number>();
  const rowsAt = take(UPDATE_ROW_BYTES * tensors.length);
  const block = take(1024 - 4 - 4 * hyper.length);
  const normAt = take(4);
  const hyperAt = take(4 * hyper.length);
  const partials = take(SQUARE_SUM_BYTES * units);
  const put = (array: Float32Array) => {
    const place = take(array.byteLength);
    new Float32Array(memory.buffer, place, array.length).set(array);
    return place;
  };
  new Float32Array(memory.buffer, hyperAt, hyper.length).set(hyper);
  for (const array of arrays) places.set(array, put(array));
  const of = (array: Float32Array | undefined) => (array === undefined ? 0 : (places.get(array) ?? 0));
  writeUpdateRows(
    view,
    rowsAt,
    tensors.map(({ parameter, gradient, slots, average, decay, rateFactor }) => ({
      parameter: of(parameter),
      gradient: of(gradient),
      slot0: of(slots[0]),
      slot1: of(slots[1]),
      average: of(average),
      elements: parameter.length,
      decay,
      rateFactor,
    })),
  );

  const formula = formulaOf(rule);
  const { exports } = new WebAssembly.Instance(compiled(formula), { env: { memory } });
  const run = <Name extends string>(
    entry: string,
    { names }: ArgumentBlock<Name>,
    words: Readonly<Record<Name, number>>,
    range: number,
    order: readonly number[],
  ) => {
    for (const [index, name] of names.entries()) view.setInt32(block + 8 + 4 * index, words[name], true);
    const kernel = exports[entry] as Kernel;
    const cut = (share: number) => Math.floor((range * share) / order.length);
    for (const share of order) kernel(block, cut(share), cut(share + 1), 1, 0);
  };
  // The last share first: none may lean on another.
  const order = Array.from({ length: shares }, (_, share) => shares - 1 - share);
  run("squareSums", SQUARE_SUMS, { rows: rowsAt, partials }, units, order);
  run("finishGradientNorm", FINISH_GRADIENT_NORM, { partials, units, norm: normAt }, 1, [0]);
  run(formula, UPDATE, { rows: rowsAt, hyper: hyperAt, norm: normAt, ...ruleWords(rule) }, units, order);

  const read = (array: Float32Array) => new Float32Array(memory.buffer, of(array), array.length).slice();
  for (const tensor of tensors) {
    const { parameter, gradient, slots, average } = tensor;
    if (!read(gradient).every((value, i) => Object.is(value, gradient[i]))) throw new Error("the gradient is written");
    const after = { parameter: read(parameter), slots: slots.map(read), average: average && read(average) };
    Object.assign(tensor, after);
  }
  return view.getFloat32(normAt, true);
}
