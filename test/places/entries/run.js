import { compile, mobileNetV1 } from "depthwise";

globalThis.ask = async (threads) => {
  const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed: 5 });
  const session = await compile(model, { threads });
  const { logits } = await session.run(Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)));
  const { backend, reasons, threads: used } = session.explain();
  session.close();
  const away = await compile(model, { threads, inWorker: true });
  const apart = (await away.run(Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)))).logits.data;
  const { inWorker, threads: usedApart, reasons: reasonsApart } = away.explain();
  away.close();
  const equal = apart.every((value, i) => value === logits.data[i]);
  return {
    logits: [...logits.data],
    backend,
    threads: used,
    reasons,
    apart: { inWorker, equal, threads: usedApart, reasons: reasonsApart },
  };
};
