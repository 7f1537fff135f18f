import { compile } from "depthwise";
import { digits } from "depthwise/models/digits";

/** A seven of two strokes, light on dark. */
function seven() {
  const pixels = new Float32Array(28 * 28).fill(-1);
  for (let y = 6; y < 22; y++) {
    const diagonal = Math.round(19 - (y - 6) * 0.55);
    for (let x = y < 8 ? 8 : diagonal - 1; x <= (y < 8 ? 19 : diagonal); x++) pixels[28 * y + x] = 1;
  }
  return pixels;
}

const wave = (length) => Float32Array.from({ length }, (_, i) => Math.sin(i));

async function logitsOf(model, threads, inputs) {
  const session = await compile(model, { threads });
  const rows = [];
  for (const input of inputs) rows.push([...(await session.run(input)).logits.data]);
  session.close();
  return rows;
}

globalThis.ask = async (threads) => {
  const [ofSeven, ofWave] = await logitsOf(await digits(), threads, [seven(), wave(28 * 28)]);
  // A network that is asked for later, when the page has other parts of its own.
  const { cifar10 } = await import("depthwise/models/cifar10");
  const [ofColours] = await logitsOf(await cifar10(), threads, [wave(32 * 32 * 3)]);
  return { digit: ofSeven.indexOf(Math.max(...ofSeven)), answers: [ofWave, ofColours] };
};
