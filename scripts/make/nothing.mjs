/**
 * Pictures of nothing: evenly coloured, or noise. A network learns from some of them that no answer is right, or it would
 * be sure of one.
 */

import { createHash } from "node:crypto";
import { tensor } from "../../dist/esm/index.js";
import { arrays } from "../../dist/esm/train.js";

/** One picture of nothing for so many of something. */
const SHARE = 50;

/**
 * The same data set with pictures of nothing behind it, whose labels give each class the same share.
 *
 * @param {import("../../dist/types/train/index.js").Dataset} data pictures of one size
 * @returns the data set, how many pictures of nothing it has, and a hash of all its pixels and labels
 */
export async function withNothing(data) {
  const { image } = await data.at(0);
  const { width, height } = image;
  const each = image.data.length;
  const channels = each / (width * height);
  const more = Math.ceil(data.size / SHARE);
  const classes = data.classes.length;
  const pixels = new Uint8Array((data.size + more) * each);
  const labels = new Float32Array((data.size + more) * classes);
  for (let index = 0; index < data.size; index++) {
    const example = await data.at(index);
    pixels.set(example.image.data, index * each);
    labels[index * classes + example.label] = 1;
  }
  for (let n = 0; n < more; n++) {
    pixels.set(nothing(n, width * height, channels), (data.size + n) * each);
    labels.fill(1 / classes, (data.size + n) * classes, (data.size + n + 1) * classes);
  }
  const x = tensor(pixels, [data.size + more, height, width, channels]);
  return {
    dataset: arrays(x, tensor(labels, [data.size + more, classes]), { classes: data.classes }),
    nothing: more,
    sha256: createHash("sha256").update(pixels).update(new Uint8Array(labels.buffer)).digest("hex"),
  };
}

/** Every other one is evenly coloured, the others are noise around a colour, of any strength. */
function nothing(n, places, channels) {
  const first = n * (places * channels + 8);
  const colour = Array.from({ length: channels }, (_, channel) => 256 * drawn(first + channel));
  const strength = n % 2 === 0 ? 0 : 512 * drawn(first + 7);
  return Uint8ClampedArray.from({ length: places * channels }, (_, i) =>
    Math.floor(colour[i % channels] + strength * (drawn(first + 8 + i) - 0.5)),
  );
}

/** Evenly drawn from 0 to 1, the same each time: the finishing steps of MurmurHash3 on a number. */
export function drawn(index) {
  let bits = Math.imul(index + 1, 0x9e3779b9);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) >>> 8) / 2 ** 24;
}
