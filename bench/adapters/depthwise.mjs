/**
 * This library as it was built (`npm run build` in the project), from the unfolded Keras file: it folds batch norm
 * itself, as its users have it do.
 */

let session;
let toTensor;

/** @param options `file`: `keras` (default) or `folded` */
export async function load(model, { threads, backend, simd = "auto", file = "keras" }) {
  const { compile, loadModel, tensor } = await import("../../dist/esm/index.js");
  toTensor = tensor;
  const network = await loadModel(model.files[file]);
  // The plain and reference backends have neither threads nor SIMD to choose.
  session = await compile(network, { backend, batch: 1, ...(backend === "wasm" ? { threads, simd } : {}) });
}

export const prepare = ({ data, shape }) => toTensor(data, shape);

export const run = async (input) => (await session.run(input)).logits.data;

/** Rows `{ name, kernel, multAdds, timeMs, gflops }`, one a step; `timeMs` the median of the runs. */
export const profile = async (input, { runs }) => (await session.profile(input, { runs })).steps;

export const arenaBytes = () => session.arenaBytes;
