/** A model whose weights are all one number, which its label names: a mixture of two gives itself away. */

import { tensor } from "../../src/core/tensor.ts";
import { dense, type Network, sequential, withParameters } from "../../src/layers/index.ts";

/** As a TensorFlow.js model it has two shards. */
export function modelOf(value: number): Network {
  const model = sequential({ inputShape: [1100], info: { labels: [String(value)] } }, [dense({ filters: 1000 })]);
  return withParameters(
    model,
    new Map([
      ["dense/kernel", tensor(new Float32Array(1_100_000).fill(value), [1100, 1000])],
      ["dense/bias", tensor(new Float32Array(1000).fill(value), [1000])],
    ]),
  );
}
