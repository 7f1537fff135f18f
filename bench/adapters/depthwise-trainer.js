/** A trainer of this library as it was built, in Node and in a page alike. Its extension is one that servers know. */

/**
 * @param model   a shape, and `stemFilters`, `rate`, `momentum`, `epsilon`
 * @param tensors name → `{ shape, data }`, under Keras' names
 * @param options of `createTrainer`
 * @returns the trainer, and how long it took to make
 */
export async function makeTrainer(model, tensors, options) {
  const { mobileNetV1 } = await import("../../dist/esm/index.js");
  const { withParameters } = await import("../../dist/esm/layers.js");
  const { constant, createTrainer, sgd } = await import("../../dist/esm/train.js");
  const { alpha, resolution, classes, batch, stemStride, stemFilters, rate, momentum, epsilon } = model;
  const stem = { stride: stemStride, filters: stemFilters };
  const network = withParameters(
    mobileNetV1({ alpha, resolution, classes, stem, padding: "symmetric", dropout: 0, epsilon }),
    new Map([...tensors].map(([name, tensor]) => [name, { dtype: "float32", ...tensor }])),
  );
  const start = performance.now();
  const optimizer = sgd({ momentum });
  const trainer = await createTrainer(network, { batch, optimizer, schedule: constant({ rate }), ...options });
  return { trainer, createMs: performance.now() - start };
}
