/**
 * Gradients of pools. A mean gives each pixel of its window that lies inside the image the same share; a maximum gives
 * all to the pixel that it was, to the first of equal ones. A window wholly outside gives nothing.
 */

import type { GlobalPoolCall, PoolCall } from "../../../operations/kernel-call.ts";
import type { PoolGradientCall } from "../../../operations/training-call.ts";
import { eachTap } from "./each-tap.ts";
import { type TrainingRunner, writeSums } from "./runner.ts";

export function poolGradientRunner({ of }: PoolGradientCall): TrainingRunner {
  switch (of.kernel) {
    case "averagePool":
      return averageGradient(of);
    case "maxPool":
      return maximumGradient(of);
    case "globalAveragePool":
      return globalAverageGradient(of);
    case "globalMaxPool":
      return globalMaximumGradient(of);
  }
}

function averageGradient({ window, channels }: PoolCall): TrainingRunner {
  const pixels = window.input[0] * window.input[1];
  const outPixels = window.output[0] * window.output[1];
  return (batch, { dy, dx }) => {
    const inside = new Float64Array(outPixels);
    eachTap(window, (out) => {
      inside[out]++;
    });
    const sums = new Float64Array(pixels * channels);
    for (let n = 0; n < batch; n++) {
      sums.fill(0);
      eachTap(window, (out, _tap, pixel) => {
        const yAt = (n * outPixels + out) * channels;
        for (let c = 0; c < channels; c++) sums[pixel * channels + c] += dy![yAt + c] / inside[out];
      });
      writeSums(sums, dx!, n * sums.length);
    }
  };
}

function maximumGradient({ window, channels }: PoolCall): TrainingRunner {
  const pixels = window.input[0] * window.input[1];
  const outElements = window.output[0] * window.output[1] * channels;
  return (batch, { dy, x, dx }) => {
    const sums = new Float64Array(pixels * channels);
    /** Where in its example each maximum lies. */
    const places = new Int32Array(outElements);
    for (let n = 0; n < batch; n++) {
      const xAt = n * sums.length;
      places.fill(-1);
      eachTap(window, (out, _tap, pixel) => {
        for (let c = 0; c < channels; c++) {
          const at = out * channels + c;
          const place = pixel * channels + c;
          if (places[at] < 0 || isLarger(x![xAt + place], x![xAt + places[at]])) places[at] = place;
        }
      });
      sums.fill(0);
      for (let at = 0; at < outElements; at++) {
        if (places[at] >= 0) sums[places[at]] += dy![n * outElements + at];
      }
      writeSums(sums, dx!, xAt);
    }
  };
}

function globalAverageGradient({ pixels, channels }: GlobalPoolCall): TrainingRunner {
  return (batch, { dy, dx }) => {
    for (let n = 0; n < batch; n++) {
      for (let p = 0; p < pixels; p++) {
        const xAt = (n * pixels + p) * channels;
        for (let c = 0; c < channels; c++) dx![xAt + c] = dy![n * channels + c] / pixels;
      }
    }
  };
}

function globalMaximumGradient({ pixels, channels }: GlobalPoolCall): TrainingRunner {
  return (batch, { dy, x, dx }) => {
    for (let n = 0; n < batch; n++) {
      const xAt = n * pixels * channels;
      for (let c = 0; c < channels; c++) {
        let place = 0;
        for (let p = 1; p < pixels; p++) {
          if (isLarger(x![xAt + p * channels + c], x![xAt + place * channels + c])) place = p;
        }
        for (let p = 0; p < pixels; p++) dx![xAt + p * channels + c] = p === place ? dy![n * channels + c] : 0;
      }
    }
  };
}

/** NaN is larger than any number, as it is what the maximum becomes. */
function isLarger(a: number, b: number): boolean {
  return a > b || (Number.isNaN(a) && !Number.isNaN(b));
}
