/** How many pixels, of 3 bytes, are decoded at once, whoever asks. Who finds no room waits: first come, first served. */

import { onAbort } from "../core/until-aborted.ts";

/** Pixels of many images that are decoded at once: some 200 MB, beside what a decoder needs. */
export const PIXELS_AT_ONCE = 2 ** 26;

export interface PixelBudget {
  /**
   * Waits until there is room; an image larger than all of it waits until it is alone.
   *
   * @returns gives the room back, once
   * @throws `signal.reason` as soon as it is aborted
   */
  take(pixels: number, signal: AbortSignal | undefined): Promise<() => void>;
}

export function pixelBudget(maxPixels: number): PixelBudget {
  let used = 0;
  const waiting = new Set<{ readonly pixels: number; readonly enter: () => void }>();
  const admit = () => {
    for (const next of waiting) {
      // Nobody overtakes: a large image would wait for ever behind a stream of small ones.
      if (used + next.pixels > maxPixels) return;
      waiting.delete(next);
      used += next.pixels;
      next.enter();
    }
  };
  return {
    take(count, signal) {
      const pixels = Math.min(count, maxPixels);
      return new Promise((resolve, reject) => {
        const give = () => {
          used -= pixels;
          admit();
        };
        let forget = () => {};
        const place = {
          pixels,
          enter() {
            forget();
            resolve(give);
          },
        };
        waiting.add(place);
        if (signal !== undefined) {
          forget = onAbort(signal, () => {
            forget();
            waiting.delete(place);
            reject(signal.reason);
            admit();
          });
        }
        admit();
      });
    },
  };
}
