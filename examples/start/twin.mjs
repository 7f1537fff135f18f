/** A network beside its twin of standard convolutions: counted, and timed here and now. */
import { compile, mobileNetV1, tensor } from "depthwise";
import { cost } from "depthwise/cost";

/** The same MobileNet V1 with a full 3 × 3 convolution in place of each depthwise and pointwise one. */
export function standardTwin(model) {
  return mobileNetV1({ ...model.info.options, standardConvolution: true });
}

/**
 * Counts both, and runs both in turn on one picture, for about `budgetMs` and five times at least.
 *
 * @returns `network` and `twin`, each `{ multAdds, parameters, ms }`, `ms` a median; and the `backend`
 */
export async function compareWithTwin(model, budgetMs = 400) {
  const pair = [model, standardTwin(model)];
  const sessions = await Promise.all(pair.map((one) => compile(one)));
  try {
    const times = await timesOf(sessions, model.inputShape, budgetMs);
    const [network, twin] = pair.map((one, at) => {
      const { multAdds, parameters } = cost(one).totals;
      return { multAdds, parameters, ms: median(times[at]) };
    });
    return { network, twin, backend: sessions[0].backend };
  } finally {
    for (const session of sessions) session.close();
  }
}

/** Milliseconds of each run of each session, by turns, so that what else the machine does meets both. */
async function timesOf(sessions, inputShape, budgetMs) {
  const input = tensor(new Float32Array(inputShape.reduce((a, b) => a * b)).fill(0.5), [1, ...inputShape]);
  const times = sessions.map(() => []);
  for (const session of sessions) await session.run(input);
  const end = performance.now() + budgetMs;
  while (times[0].length < 5 || performance.now() < end) {
    for (const [at, session] of sessions.entries()) {
      const started = performance.now();
      await session.run(input);
      times[at].push(performance.now() - started);
    }
  }
  return times;
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];
