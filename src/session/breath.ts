/** The event loop's turn: timers, signals and other people's work, in the middle of ours. */

/** Longest stretch of work, in ms, before the event loop gets its turn. */
export const BREATH_MS = 40;

/** Lets the event loop have its turn, without the delay of a timer. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") return setImmediate(resolve);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
    return undefined;
  });
}
