/** float16 and bfloat16 by their definitions, for tests: bits, and the float32 that they stand for. */

export interface Halves {
  readonly bits: Uint16Array;
  readonly values: Float32Array;
}

/** Rounds to the nearest, ties away from zero; numbers below 2^15. */
export function toFloat16(data: Float32Array): Halves {
  const bits = new Uint16Array(data.length);
  const values = new Float32Array(data.length);
  const words = new Uint32Array(data.slice().buffer);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    const exponent = Math.max(-14, ((words[i]! >>> 23) & 255) - 127);
    const units = Math.round(Math.abs(value) / 2 ** (exponent - 10));
    // 2048 units are 1024 of the next exponent: the carry does the right thing in the bits.
    const isNormal = units >= 1024;
    bits[i] = (value < 0 ? 0x8000 : 0) | (isNormal ? ((exponent + 15) << 10) + (units - 1024) : units);
    values[i] = Math.sign(value) * units * 2 ** (exponent - 10);
  }
  return { bits, values };
}

/** The upper half of a float32; the lower is cut off. */
export function toBFloat16(data: Float32Array): Halves {
  const whole = new Uint32Array(data.slice().buffer);
  const bits = new Uint16Array(whole.length);
  for (let i = 0; i < bits.length; i++) bits[i] = whole[i]! >>> 16;
  return { bits, values: new Float32Array(whole.map((word) => word & 0xffff0000).buffer) };
}
