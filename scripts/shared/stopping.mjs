/** Work that is ended by a signal of the system. */

const SIGNALS = ["SIGINT", "SIGTERM"];

/**
 * Aborts at the first SIGINT or SIGTERM, with the reason that is made of its name; a second one kills, as without this.
 *
 * @param {(name: string) => Error} reasonOf
 * @returns {{ signal: AbortSignal, abort(reason: Error): void, forget(): void }} `abort` ends it otherwise; after
 * `forget` signals do what they did before
 */
export function stopping(reasonOf) {
  const controller = new AbortController();
  const forget = () => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const onSignal = (name) => {
    forget();
    controller.abort(reasonOf(name));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), forget };
}
