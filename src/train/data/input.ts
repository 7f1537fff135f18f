/** What a network takes, in training: pictures, or float32 values of any number of channels. */

import { positiveInteger } from "../../core/options.ts";
import { type CompletePreprocessing, completePreprocessing, type Preprocessing } from "../../core/preprocessing.ts";

/** Whether pictures, which are grey or RGB, can become such an input. */
export function isOfPictures(inputShape: readonly number[]): boolean {
  return inputShape[2] === 1 || inputShape[2] === 3;
}

/** `completePreprocessing`; of other than 1 or 3 channels it says only of which size values are. */
export function completeInput(inputShape: readonly number[], description: Preprocessing = {}): CompletePreprocessing {
  if (!Array.isArray(inputShape) || inputShape.length !== 3 || isOfPictures(inputShape)) {
    return completePreprocessing(inputShape, description);
  }
  const { mean, deviation, ...rest } = description;
  const [height = 0, width = 0, channels] = inputShape as readonly number[];
  const grey = completePreprocessing([height, width, 1], rest);
  return {
    ...grey,
    inputShape: [height, width, positiveInteger("preprocessing", "channels", channels)],
    mean,
    deviation,
  };
}
