/** Whether this engine takes relaxed SIMD, asked of the engine itself. */

// (module (func (result v128) (f32x4.relaxed_madd (i8x16.splat (i32.const 0)) ×3)))
const ZERO_VECTOR = [0x41, 0x00, 0xfd, 0x0f];
const RELAXED_MADD = [0xfd, 0x85, 0x02];
const BODY = [0x00, ...ZERO_VECTOR, ...ZERO_VECTOR, ...ZERO_VECTOR, ...RELAXED_MADD, 0x0b];
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, BODY.length + 2, 0x01, BODY.length, ...BODY],
];

export const hasRelaxedSimd = WebAssembly.validate(Uint8Array.from(MODULE));
