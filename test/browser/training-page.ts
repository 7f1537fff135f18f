/** Runs in the browser, bundled by its test: training on the page's thread and in a worker of the page. */

import { type Trained, tenSteps } from "./training-steps.ts";

export interface Asked {
  readonly threads: number;
  readonly simd?: "plain";
}

declare global {
  interface Window {
    /** Ten steps here or in a worker. */
    train(asked: Asked & { readonly where: "page" | "worker" }): Promise<Trained & { readonly failure?: string }>;
  }
}

window.train = async ({ where, ...asked }) => {
  if (where === "page") return tenSteps(asked);
  const worker = new Worker(new URL("./training-worker.js", location.href), { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(asked);
    });
  } finally {
    worker.terminate();
  }
};
