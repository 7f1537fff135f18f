/** Runs in the browser, bundled by its test: sessions in workers of their own, beside sessions of the page's thread. */

import { compile, mobileNetV1 } from "depthwise";

export interface InWorkerAnswer {
  readonly equal: boolean;
  readonly inWorker: boolean;
  readonly threads: number;
  readonly reasons: readonly string[];
  readonly aborted: string;
  readonly closed: string;
}

declare global {
  interface Window {
    /** Runs networks here and in a worker, whose script lies at `script`, or where the library looks for it. */
    ask(asked: {
      readonly threads: number;
      readonly script: string | undefined;
      readonly classic: boolean;
    }): Promise<readonly InWorkerAnswer[]>;
  }
}

window.ask = async ({ threads, script, classic }) => {
  const worker = () => new Worker(new URL(script ?? "", location.href), { type: classic ? "classic" : "module" });
  const answers: InWorkerAnswer[] = [];
  for (const seed of [5, 6]) {
    const model = mobileNetV1({ alpha: 0.25, resolution: 64, classes: 11, seed });
    const input = Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i));
    const here = await compile(model);
    const session = await compile(model, { inWorker: true, threads, ...(script === undefined ? {} : { worker }) });
    const expected = (await here.run(input)).logits.data;
    const runs = await Promise.all([1, 2, 3].map(() => session.run(input)));
    const equal = runs.every(({ logits }) => logits.data.every((value, at) => value === expected[at]));
    const abort = new AbortController();
    const late = session.run(input, { signal: abort.signal }).then(String, ({ name }) => name as string);
    abort.abort();
    const { inWorker, reasons } = session.explain();
    const aborted = await late;
    const pending = session.run(input).then(String, ({ code }) => code as string);
    session.close();
    here.close();
    answers.push({ equal, inWorker, threads: session.threads, reasons, aborted, closed: await pending });
  }
  return answers;
};
