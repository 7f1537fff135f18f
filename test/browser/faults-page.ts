/** Runs in the browser, bundled by its test: what becomes of a run and of a load, where the page lacks something. */

import { compile, isDepthwiseError, loadModel, mobileNetV1 } from "depthwise";

export interface Outcome {
  readonly backend?: string;
  readonly threads?: number;
  /** Of a session, or the notes of a load. */
  readonly reasons?: string;
  readonly logits?: readonly number[];
  readonly parameters?: number;
  readonly code?: string | undefined;
  readonly message?: string;
  /** How many workers were made, and how many of them were not ended. */
  readonly workers: number;
  readonly left: number;
}

export interface Loading {
  readonly url: string;
  /** Load what is fetched as a File, so that nothing of downloads is needed. */
  readonly asFile?: boolean;
}

declare global {
  interface Window {
    tryRun(options: { readonly threads?: number; readonly backend?: "plain" }): Promise<Outcome>;
    tryLoad(loading: Loading): Promise<Outcome>;
    /** Set by the page's first script, which wraps `Worker`. */
    counted?: { made: number; ended: number };
  }
}

async function outcome(work: () => Promise<object>): Promise<Outcome> {
  let became: object;
  try {
    became = await work();
  } catch (error) {
    const code = isDepthwiseError(error) ? error.code : undefined;
    became = { code, message: error instanceof Error ? error.message : String(error) };
  }
  const { made, ended } = window.counted ?? { made: 0, ended: 0 };
  return { ...became, workers: made, left: made - ended };
}

window.tryRun = (options) =>
  outcome(async () => {
    const model = mobileNetV1({ alpha: 0.25, resolution: 32, classes: 5, seed: 5 });
    const session = await compile(model, options);
    const { logits } = await session.run(Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i)));
    const { backend, threads, reasons } = session.explain();
    session.close();
    return { backend, threads, reasons: reasons.join("; "), logits: [...logits.data] };
  });

window.tryLoad = ({ url, asFile = false }) =>
  outcome(async () => {
    const source = asFile ? new File([await (await fetch(url)).blob()], "model") : url;
    const notes: string[] = [];
    const model = await loadModel(source, { onProgress: ({ note }) => void (note !== undefined && notes.push(note)) });
    return { parameters: model.parameters.size, reasons: notes.join("; ") };
  });
