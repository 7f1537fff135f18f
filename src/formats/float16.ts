/**
 * The two 16-bit float types of weight files, to and from float32, on bit patterns.
 *
 *     float16   1 sign, 5 exponent (bias 15), 10 fraction bits; IEEE 754 binary16
 *     bfloat16  1 sign, 8 exponent (bias 127), 7 fraction bits: the upper half of a float32
 *
 * Every 16-bit value is a float32 value, so decoding is exact, subnormals, infinities and NaN included. Encoding
 * rounds to the nearest value, ties to the even one.
 */

/** Finite float32 values of at least this magnitude round to infinity in float16: 65504 and half a step. */
export const FLOAT16_OVERFLOW = 65520;

/**
 * Decodes little-endian float16.
 *
 * @param bytes two bytes a value, at any alignment
 * @returns one float32 a value, exact
 */
export function decodeFloat16(bytes: Uint8Array): Float32Array {
  return decode(bytes, float16ToFloat32Bits);
}

/**
 * Decodes little-endian bfloat16.
 *
 * @param bytes two bytes a value, at any alignment
 * @returns one float32 a value, exact
 */
export function decodeBFloat16(bytes: Uint8Array): Float32Array {
  return decode(bytes, (bits) => bits << 16);
}

/**
 * Encodes float32 as little-endian float16, rounding to nearest, ties to even.
 *
 * Magnitudes from `FLOAT16_OVERFLOW` on become infinite: a caller who must not lose them looks first.
 *
 * @returns two bytes a value
 */
export function encodeFloat16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bits.length; i++) view.setUint16(2 * i, float32ToFloat16Bits(bits[i] ?? 0), true);
  return bytes;
}

function decode(bytes: Uint8Array, toFloat32Bits: (bits: number) => number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = new Uint32Array(bytes.byteLength >>> 1);
  for (let i = 0; i < bits.length; i++) bits[i] = toFloat32Bits(view.getUint16(2 * i, true));
  // Bits, not numbers, are stored: a NaN that passes through a number may lose its payload.
  return new Float32Array(bits.buffer);
}

function float16ToFloat32Bits(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
  if (magnitude >= 0x400) return sign | ((magnitude << 13) + ((127 - 15) << 23));
  if (magnitude === 0) return sign;
  // Subnormal, magnitude · 2⁻²⁴: in float32 it is normal, so the leading one moves to the hidden bit.
  const shift = Math.clz32(magnitude) - 21;
  return sign | ((113 - shift) << 23) | (((magnitude << shift) & 0x3ff) << 13);
}

function float32ToFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // The quiet bit is set so that a NaN whose payload lies in the lost bits does not turn into an infinity.
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - ((127 - 15) << 23);
    // A carry out of the fraction goes into the exponent, which is what rounding up to a power of two means.
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  if (magnitude < 0x33000000) return sign;
  // Subnormal result, in steps of 2⁻²⁴: significand · 2^(exponent − 150) is significand / 2^shift steps.
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const steps = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (steps & 1) === 1) ? steps + 1 : steps);
}
