/** Which network a file may be of, if it is not known. */

import type { ExpectedLayer, KnownLayers } from "./expected.ts";

/** What is known, and `expectedLayers`: handed to what is loaded apart, so that the builder is not loaded twice. */
export interface LayerSearch {
  readonly known: KnownLayers;
  readonly layersOf: (known: KnownLayers) => readonly ExpectedLayer[];
}

/** The layers of the shallow network if it may be meant and they alone fit, else those of the whole one. */
export function fittingLayers(
  { known, layersOf }: LayerSearch,
  fits: (layers: readonly ExpectedLayer[]) => boolean,
): readonly ExpectedLayer[] {
  const layers = layersOf(known);
  if (known.shallow !== undefined || fits(layers)) return layers;
  const shallow = layersOf({ ...known, shallow: true });
  return fits(shallow) ? shallow : layers;
}
