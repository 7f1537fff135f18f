/** The size of a graph's input, from its shape or from the pool behind its layers. */

import { layWindow } from "../../../core/window.ts";
import { type Fact, inferred, stated } from "../../../formats/fact.ts";
import type { Pair } from "../../../formats/graph.ts";
import type { Chain } from "../../graph/chain.ts";
import type { GraphLayer } from "../../graph/layers.ts";

/**
 * From the input's shape, else from a pool that must have seen all of the last feature map.
 *
 * @param body the layers before the pool, whose strides make the map smaller
 */
export function inputSize({ input, pool }: Chain, body: readonly GraphLayer[]): Fact<Pair> | undefined {
  const [height, width, channels] = input.shape ?? [];
  if (channels !== undefined && height !== undefined && width !== undefined) {
    return stated([height, width], `shape of the input "${input.name}"`);
  }
  if (pool?.window === undefined) return undefined;
  const [down, across] = pool.window.kernel;
  const step = (axis: 0 | 1) => body.reduce((product, { strides }) => product * strides[axis], 1);
  return inferred([down * step(0), across * step(1)], `the ${down} × ${across} pool "${pool.name}"`);
}

/** Why a pool is no average of the whole image; undefined if it is one, or if that cannot be told. */
export function poolFault({ pool }: Chain, body: readonly GraphLayer[], size: Pair | undefined): string | undefined {
  if (pool?.window === undefined || size === undefined) return undefined;
  const { kernel, stride, padding } = pool.window;
  let map: Pair = size;
  let output: Pair;
  try {
    for (const { name, window, strides, dilations, padding: pads } of body) {
      map = layWindow(name, { kernel: window, stride: strides, dilation: dilations, padding: pads }, map).output;
    }
    ({ output } = layWindow(pool.name, { kernel, stride, dilation: [1, 1], padding }, map));
  } catch {
    // Nothing is left of the image: whoever builds the network reports that, with the layer's name.
    return undefined;
  }
  const isWhole = output.every((side) => side === 1) && kernel.every((side, axis) => side === map[axis]);
  return isWhole ? undefined : `"${pool.name}" pools ${kernel.join(" × ")} of ${map.join(" × ")} features, not all`;
}
