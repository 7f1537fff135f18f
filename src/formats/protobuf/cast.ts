/** Casts: only those to a float type leave numbers as they are. */

import { decodeFloat16, encodeFloat16 } from "../float16.ts";
import type { StoredDType } from "../stored-tensor.ts";
import { derived, type GraphBuilder, step, type Translation } from "./graph-builder.ts";

/** What a type of whole numbers can hold; float32 is what a constant is read as. */
const INTEGERS: { readonly [Type in StoredDType]?: readonly [least: number, greatest: number] } = {
  U8: [0, 255],
  I8: [-128, 127],
  U16: [0, 65535],
  I16: [-32768, 32767],
  I32: [-(2 ** 31), 2 ** 31 - 1],
  I64: [-(2 ** 63), 2 ** 63 - 1024],
};

/**
 * A cast as what it does to numbers: nothing on the way to a float type, as a network is computed in one. A constant is
 * rounded as the type asks, if it is short enough to be looked at.
 *
 * @param type what a cast to it is stored as; undefined for one that is not known
 * @param name of the type, for messages
 */
export function cast(input: string, type: StoredDType | undefined, name: string, graph: GraphBuilder): Translation {
  const source = graph.constant(input);
  const refused = step({ type: "other", name: `Cast to ${name}` }, input);
  if (type === "F16" && source !== undefined)
    return derived(source, source.shape, (values) => decodeFloat16(encodeFloat16(values))) ?? refused;
  if (type === "F32" || type === "F64" || type === "F16" || (type === "BF16" && source === undefined))
    return step({ type: "identity" }, input);
  const values = graph.numbers(input);
  const [least, greatest] = (type && INTEGERS[type]) ?? [];
  if (source === undefined || values === undefined) return refused;
  if (type === "BOOL")
    return derived(source, source.shape, (all) => all.map((value) => (value === 0 ? 0 : 1))) ?? refused;
  if (least === undefined || greatest === undefined) return refused;
  const fits = values.every((value) => Math.trunc(value) >= least && Math.trunc(value) <= greatest);
  return (fits && derived(source, source.shape, (all) => all.map((value) => Math.trunc(value) + 0))) || refused;
}
