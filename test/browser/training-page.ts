/** Runs in the browser, bundled by its test: training on the page's thread and in workers of the page. */

import type { Digits, DigitsAsked } from "./training-digits.ts";
import { type Answer, type Asked, answerTo, failureOf, type Said } from "./training-worker.ts";

/** Where the bytes of digits lie. */
export type DigitPlaces = Readonly<Record<"train" | "test", Readonly<Record<keyof Digits, string>>>>;

/** How a question ended. */
export type Outcome<Of extends Asked> = (Answer<Of> | { readonly failure: string }) & {
  /** Of the page meanwhile, in ms: tasks of more than 50, where the browser tells, and the longest wait of a timer. */
  readonly longTasks: readonly number[];
  readonly longestWait: number;
};

declare global {
  interface Window {
    /** Does it here or in a worker of its own. */
    train<Of extends Asked>(asked: Of, where: "page" | "worker"): Promise<Outcome<Of>>;
    /** Learns digits in a worker: pictures and labels lie at addresses. */
    learn(asked: Omit<DigitsAsked, "train" | "test" | "type">, places: DigitPlaces): Promise<Outcome<DigitsAsked>>;
    /** Begins it in a worker, and waits until that has told of an event. */
    begin(asked: Asked, event: string): Promise<void>;
    /** Ends the worker of what was begun at once. */
    kill(): void;
  }
}

function watchPage() {
  const longTasks: number[] = [];
  let longestWait = 0;
  let last = performance.now();
  const turn = () => {
    const now = performance.now();
    longestWait = Math.max(longestWait, now - last);
    last = now;
  };
  const timer = setInterval(turn, 10);
  const take = (entries: PerformanceEntryList) => longTasks.push(...entries.map(({ duration }) => duration));
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  // Firefox knows of none.
  if (PerformanceObserver.supportedEntryTypes.includes("longtask")) observer.observe({ type: "longtask" });
  return () => {
    turn();
    clearInterval(timer);
    take(observer.takeRecords());
    observer.disconnect();
    return { longTasks, longestWait };
  };
}

let begun: Worker | undefined;

function inWorker(asked: Asked, tell: (event: string, worker: Worker) => void): Promise<Said> {
  const worker = new Worker(new URL("./training-worker.js", location.href), { type: "module" });
  return new Promise<Said>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Said>) => {
      if (data.event === undefined) resolve(data);
      else tell(data.event, worker);
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    // Handed over: a copy of all digits would hold the page up.
    const digits = asked.type === "digits" ? [asked.train, asked.test] : [];
    const buffers = digits.flatMap(({ pictures, labels }) => [pictures.buffer, labels.buffer]);
    worker.postMessage(asked, buffers as ArrayBuffer[]);
  }).finally(() => worker.terminate());
}

async function outcome<Of extends Asked>(work: () => Promise<Said>): Promise<Outcome<Of>> {
  const stop = watchPage();
  const said = await work();
  return { ...(said.answer ?? { failure: said.failure ?? "nothing" }), ...stop() } as Outcome<Of>;
}

window.train = (asked, where) =>
  outcome(async () => {
    if (where === "worker") return inWorker(asked, () => {});
    return answerTo(asked).then(
      (answer) => ({ answer }),
      (error) => ({ failure: failureOf(error) }),
    );
  });

window.learn = async (asked, places) => {
  const bytesAt = async (address: string) => new Uint8Array(await (await fetch(address)).arrayBuffer());
  const digitsAt = async ({ pictures, labels }: Record<keyof Digits, string>): Promise<Digits> => ({
    pictures: await bytesAt(pictures),
    labels: await bytesAt(labels),
  });
  const [train, test] = [await digitsAt(places.train), await digitsAt(places.test)];
  return window.train({ type: "digits", train, test, ...asked }, "worker");
};

window.begin = (asked, event) =>
  new Promise((resolve, reject) => {
    inWorker(asked, (told, worker) => {
      begun = worker;
      if (told === event) resolve();
    }).then(({ failure }) => reject(new Error(`no ${event}: ${failure}`)), reject);
  });

window.kill = () => begun?.terminate();
