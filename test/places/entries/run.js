import { compile, mobileNetV1 } from "depthwise";

globalThis.ask = async (threads) => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed: 5 });
  const session = await compile(model, { threads });
  const { logits } = await session.run(Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)));
  const { backend, reasons, threads: used } = session.explain();
  session.close();
  return { logits: [...logits.data], backend, threads: used, reasons };
};
