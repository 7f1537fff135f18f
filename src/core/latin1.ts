/** As many letters as one call takes, anywhere. */
const PIECE = 8192;

/** Text of UTF-16 units; of bytes, as Latin-1. By letters it would be a list of as many pieces. */
export function latin1(units: Uint8Array | Uint16Array): string {
  let text = "";
  for (let at = 0; at < units.length; at += PIECE) {
    text += String.fromCharCode(...units.subarray(at, at + PIECE));
  }
  return text;
}
