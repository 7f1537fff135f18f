/** A number of what makes embeddings: layers, parameters and preprocessing. Against mistakes, not against forgers. */

import type { CompletePreprocessing } from "../../core/preprocessing.ts";
import type { Network } from "../../layers/network.ts";

/**
 * 64 bits, as 16 hexadecimal digits; the same on every machine for the same network, however it was loaded.
 */
export function fingerprintOf(network: Network, preprocessing: CompletePreprocessing): string {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  const add = (word: number): void => {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul(((b << 5) | (b >>> 27)) ^ word, 0x85ebca6b);
  };
  const layers = network.layers.map(({ name, type, inputs, attributes }) => [name, type, inputs, sorted(attributes)]);
  const text = JSON.stringify([network.inputShape, network.outputs, layers, sorted(preprocessing)]);
  for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
  for (const name of network.parameterInfo.keys()) {
    const { buffer, byteOffset, length } = network.parameters.get(name)?.data ?? new Float32Array();
    for (const word of new Int32Array(buffer, byteOffset, length)) add(word);
  }
  return [a ^ (b >>> 15), b ^ (a >>> 13)].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Entries by name: the order in which an object got them says nothing. */
function sorted(object: object): readonly (readonly [string, unknown])[] {
  return Object.entries(object).sort(([left], [right]) => (left < right ? -1 : 1));
}
